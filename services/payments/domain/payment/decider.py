"""One payment: a family's money of one tahap, from entitlement to what became of it.

Two things run beside each other and never decide each other: the *transfer* (is the money sent,
credited, failed) and the *hold* (may the family draw it). A hold may come before the entitlement,
and may be lifted or forfeited before the credit; what follows of it then follows at the credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.domain.decider import Decider
from services.payments.domain.payment.messages import (
    AccountCheckFailed,
    ClearHold,
    Command,
    Credit,
    Defer,
    EffectTooLate,
    Entitle,
    Event,
    FailAccountCheck,
    FailTransfer,
    Hold,
    HoldCleared,
    HoldForfeited,
    HoldLifted,
    HoldPlaced,
    HoldStatus,
    Instruct,
    PaymentCredited,
    PaymentDeferred,
    PaymentEntitled,
    PaymentInstructed,
    PaymentReleased,
    PaymentReturned,
    PaymentVoided,
    PaymentWithheld,
    Release,
    Return,
    ReturnReason,
    TakeOut,
    TransferFailed,
    Void,
    WithheldReason,
)
from services.payments.domain.payment.state import PaymentState, Transfer, evolve
from services.payments.domain.shared.errors import (
    AccountNotChecked,
    AmountDiffers,
    Contradiction,
    Malformed,
    NotEntitled,
    NothingToPay,
    NotInstructed,
    NotPayable,
    StepNotReached,
)
from services.payments.domain.shared.ids import checked_kind, checked_tahap, payment_id

AMOUNT_IDR_MAX: Final = 999_999_999_999  # what a record of a bank file can carry
CHECK_OK: Final = "OK"

# -- Rules: entitlement


def entitle(command: Entitle, state: PaymentState) -> Sequence[Event]:
    """Record the entitlement once; the same again is quiet, another one is refused."""
    entitled = _entitled(command)
    if state.transfer is not Transfer.NONE:
        on_record = state.payment, state.amount, state.cut, state.payee_valid, state.benefit_policy
        terms = command.amount, command.cut.rupiah, command.payee_valid, command.benefit_policy
        # A deferred payment is paid by a supplementary run; entitling it too would pay twice.
        if state.transfer is Transfer.DEFERRED or on_record != (entitled.payment, *terms):
            raise Contradiction(payment=entitled.payment, transfer=state.transfer)
        return []
    if not command.duplicate_person:
        return [entitled]
    return [
        entitled,
        PaymentWithheld(
            payment=entitled.payment,
            tahap=entitled.tahap,
            family=entitled.family,
            reason=WithheldReason.DUPLICATE_PERSON,
        ),
    ]


def _entitled(command: Entitle) -> PaymentEntitled:
    if not 0 <= command.amount <= AMOUNT_IDR_MAX:
        raise Malformed(amount=command.amount)
    if not 0 <= command.cut.rupiah <= command.amount:
        raise Malformed(cut=command.cut.rupiah, amount=command.amount)
    tahap, kind = checked_tahap(command.tahap), checked_kind(command.kind)
    return PaymentEntitled(
        payment=payment_id(tahap, command.family, kind),
        tahap=tahap,
        family=command.family,
        kind=kind,
        region=command.region,
        components=command.components,
        amount=command.amount,
        payee_valid=command.payee_valid,
        benefit_policy=command.benefit_policy,
        counted=command.counted,
        cut=command.cut.rupiah,
        cut_percent=command.cut.percent,
        evaluation=command.cut.evaluation,
    )


def defer(command: Defer, state: PaymentState) -> Sequence[Event]:
    """Close this payment for good, before it was entitled."""
    if state.transfer is Transfer.DEFERRED:
        return []
    payment = payment_id(checked_tahap(command.tahap), command.family, checked_kind(command.kind))
    if state.transfer is not Transfer.NONE:
        raise Contradiction(payment=payment, transfer=state.transfer)
    return [PaymentDeferred(payment, command.tahap, command.family, command.kind, command.reason)]


def take_out(command: TakeOut, state: PaymentState) -> Sequence[Event]:
    """Defer the payment although it was entitled; not once the bank has answered for it.

    That the bank's file is not committed yet is the run's to know, and is decided with this.
    """
    _require_entitlement(state)
    if state.transfer is Transfer.DEFERRED:
        return []
    if command.ordered and state.transfer is Transfer.ENTITLED:
        # The order's funds are released for it: only once it is instructed do they have a way back.
        raise StepNotReached(step="PaymentInstructed")
    if state.transfer is not (Transfer.INSTRUCTED if command.ordered else Transfer.ENTITLED):
        raise Contradiction(payment=state.payment, transfer=state.transfer)
    return [
        PaymentDeferred(
            payment=state.payment,
            tahap=state.tahap,
            family=state.family,
            kind=state.kind,
            reason=command.reason,
            returned=state.due if command.ordered else 0,
        )
    ]


def void(command: Void, state: PaymentState) -> Sequence[Event]:
    """Take the payment back before a bank answered; a hold stays for conditionality to lift."""
    if state.transfer is Transfer.NONE:
        return []
    if state.transfer in (Transfer.CREDITED, Transfer.FAILED):
        raise Contradiction(payment=state.payment, transfer=state.transfer)
    instructed = state.due if state.order else 0
    return [
        PaymentVoided(
            payment=state.payment,
            tahap=state.tahap,
            family=state.family,
            kind=state.kind,
            order=state.order,
            bank=state.bank,
            instructed=instructed,
            deferred=instructed if state.transfer is Transfer.DEFERRED else 0,
            funds=instructed if state.order != command.recalled else 0,
        )
    ]


# -- Rules: transfer


def fail_account_check(command: FailAccountCheck, state: PaymentState) -> Sequence[Event]:
    """Take the payment out of the order, before there is an order."""
    _require_entitlement(state)
    if state.transfer is Transfer.ACCOUNT_FAILED and state.answer == command.code:
        return []
    if state.transfer is not Transfer.ENTITLED:
        raise Contradiction(payment=state.payment, transfer=state.transfer)
    if not state.payee_valid:
        raise NotPayable(payment=state.payment, reason="NO_VALID_PAYEE")
    return [AccountCheckFailed(state.payment, state.tahap, state.family, command.code)]


def instruct(command: Instruct, state: PaymentState) -> Sequence[Event]:
    """Instruct the bank once: a valid payee, a checked account and an amount to pay."""
    _require_entitlement(state)
    if state.transfer in (Transfer.INSTRUCTED, Transfer.CREDITED, Transfer.FAILED):
        if (state.order, state.bank) == (command.order, command.bank):
            return []
        raise Contradiction(payment=state.payment, order=state.order, bank=state.bank)
    if state.transfer is not Transfer.ENTITLED:
        raise NotPayable(payment=state.payment, reason=state.transfer)
    if not state.payee_valid:
        raise NotPayable(payment=state.payment, reason="NO_VALID_PAYEE")
    if command.account_check != CHECK_OK:
        raise AccountNotChecked(payment=state.payment, account_check=command.account_check)
    if state.due == 0:
        raise NothingToPay(payment=state.payment)
    return [
        PaymentInstructed(
            payment=state.payment,
            tahap=state.tahap,
            family=state.family,
            amount=state.due,
            bank=command.bank,
            order=command.order,
        )
    ]


def credit(command: Credit, state: PaymentState) -> Sequence[Event]:
    """Record the credit once, and what follows from a decision that came before it."""
    if state.transfer is Transfer.CREDITED and state.answer == command.bank_reference:
        return []
    _require_open_instruction(state, command.amount)
    moved_at_once = moved_at_credit(state)
    credited = PaymentCredited(
        payment=state.payment,
        tahap=state.tahap,
        family=state.family,
        amount=state.due,
        hold=HoldStatus.HELD if moved_at_once else state.hold,
        bank_reference=command.bank_reference,
    )
    return [credited, *moved_at_once]


def fail_transfer(command: FailTransfer, state: PaymentState) -> Sequence[Event]:
    """Record the failure once; the amount returns to the treasury."""
    if state.transfer is Transfer.FAILED and state.answer == command.code:
        return []
    _require_open_instruction(state, command.amount)
    return [TransferFailed(state.payment, state.tahap, state.family, command.code, state.due)]


def _require_entitlement(state: PaymentState) -> None:
    if state.transfer is Transfer.NONE:
        raise NotEntitled()


def _require_open_instruction(state: PaymentState, amount: int) -> None:
    """Refuse an answer to nothing, a second answer that differs, and one of another amount."""
    _require_entitlement(state)
    if state.transfer in (Transfer.CREDITED, Transfer.FAILED):
        raise Contradiction(payment=state.payment, transfer=state.transfer, answer=state.answer)
    if state.transfer is not Transfer.INSTRUCTED:
        raise NotInstructed(payment=state.payment, transfer=state.transfer)
    if amount != state.due:
        raise AmountDiffers(payment=state.payment, instructed=state.due, answered=amount)


# -- Rules: the hold


def hold(command: Hold, state: PaymentState) -> Sequence[Event]:
    """Hold the money; money that the family can already draw is left alone."""
    if command.effect in state.effects:
        return []
    drawable = state.transfer is Transfer.CREDITED and state.hold is not HoldStatus.HELD
    if drawable or state.hold is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.HELD)]
    return [HoldPlaced(command.effect)]


def release(command: Release, state: PaymentState) -> Sequence[Event]:
    """Lift the hold; where credited money was held, it becomes the family's to draw."""
    if command.effect in state.effects:
        return []
    if state.hold is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.RELEASED)]
    if state.transfer is Transfer.CREDITED and state.hold is HoldStatus.HELD:
        return [_released(state, command.at_tahap, command.effect)]
    # Recorded even where nothing was held, so that a late copy of it cannot lift a later hold.
    return [HoldLifted(command.effect, command.at_tahap, command.cleared)]


def clear_hold(command: ClearHold, state: PaymentState) -> Sequence[Event]:
    """Forget the hold, before anything of the money moved; money that moved is left alone."""
    if command.effect in state.effects:
        return []
    if state.transfer is Transfer.CREDITED:
        return [EffectTooLate(command.effect, HoldStatus.NONE)]
    return [HoldCleared(command.effect)]


def return_held(command: Return, state: PaymentState) -> Sequence[Event]:
    """Forfeit held money; what the family can draw, and what was never sent, does not move."""
    if state.hold is not HoldStatus.HELD:
        return []
    if state.transfer is Transfer.CREDITED:
        return [_returned(state, command.at_tahap, command.reason)]
    return [HoldForfeited(command.at_tahap, command.reason)]


def moved_at_credit(state: PaymentState) -> Sequence[PaymentReleased | PaymentReturned]:
    """Money that moves now, by a decision on held money that came before the credit.

    So the books say the same whether the decision or the bank's answer came first. Where the
    payment's own cycle was corrected, no money was ever to be blocked and none moves.
    """
    if state.forfeited_for is not None:
        return [_returned(state, state.forfeited_at, state.forfeited_for)]
    lifted = state.lifted
    if lifted is not None and (lifted.cleared or lifted.at_tahap != state.tahap):
        return [_released(state, lifted.at_tahap, lifted.effect)]
    return []


def _released(state: PaymentState, at_tahap: str, effect: str) -> PaymentReleased:
    return PaymentReleased(state.payment, state.tahap, state.family, state.due, at_tahap, effect)


def _returned(state: PaymentState, at_tahap: str, reason: ReturnReason) -> PaymentReturned:
    return PaymentReturned(state.payment, state.tahap, state.family, state.due, at_tahap, reason)


def carried(deferred: PaymentState) -> Sequence[Command]:
    """Commands to the supplementary payment in place of a deferred one, once it is entitled.

    Effects name family and tahap; those that came before the supplementary run was opened were
    applied to the deferred payment, which never moves money.
    """
    commands: list[Command] = []
    if deferred.hold is not HoldStatus.NONE:
        commands.append(Hold(deferred.held_by))
    if deferred.lifted is not None:
        lifted = deferred.lifted
        commands.append(Release(lifted.effect, lifted.at_tahap, lifted.cleared))
    if deferred.forfeited_for is not None:
        commands.append(Return(deferred.forfeited_at, deferred.forfeited_for))
    return commands


# -- The decider


def decide(command: Command, state: PaymentState) -> Sequence[Event]:
    """The events of a command; none where it was already done."""
    match command:
        case Entitle():
            return entitle(command, state)
        case Void():
            return void(command, state)
        case Defer():
            return defer(command, state)
        case TakeOut():
            return take_out(command, state)
        case FailAccountCheck():
            return fail_account_check(command, state)
        case Instruct():
            return instruct(command, state)
        case Credit():
            return credit(command, state)
        case FailTransfer():
            return fail_transfer(command, state)
        case Hold():
            return hold(command, state)
        case ClearHold():
            return clear_hold(command, state)
        case Release():
            return release(command, state)
        case Return():
            return return_held(command, state)


payment: Final[Decider[Command, PaymentState, Event]] = Decider(PaymentState(), decide, evolve)
