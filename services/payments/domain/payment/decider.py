"""One payment: a family's money of one tahap, from entitlement to what became of it.

Two things run beside each other and never decide each other: the *transfer* (is the money sent,
credited, failed) and the *hold* (may the family draw it). A hold may come before the entitlement,
and may be lifted or forfeited before the credit; what follows of it then follows at the credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.domain.decider import Decider
from services.payments.domain.entitlement import cut_of
from services.payments.domain.payment.messages import (
    AccountCheckFailed,
    ArrearOwed,
    ClearHold,
    Command,
    CorrectCut,
    Credit,
    CutCorrected,
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
    KeepForAppeal,
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
    ReturnWaits,
    TakeOut,
    TransferFailed,
    Void,
    WithheldReason,
)
from services.payments.domain.payment.state import (
    AccountFailed,
    Credited,
    CutCorrection,
    Deferred,
    Entitled,
    Entitlement,
    Failed,
    Identity,
    Instructed,
    MoneyHold,
    PaymentState,
    Unentitled,
    answer_of,
    evolve,
    identity_of,
)
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
    if not isinstance(state, Unentitled):
        # A deferred payment is paid by a supplementary run; entitling it too would pay twice.
        if isinstance(state, Deferred) or state.terms != Entitlement.of(entitled):
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
        source=command.source,
        not_counted=command.not_counted,
    )


def defer(command: Defer, state: PaymentState) -> Sequence[Event]:
    """Close this payment for good, before it was entitled."""
    if isinstance(state, Deferred):
        return []
    payment = payment_id(checked_tahap(command.tahap), command.family, checked_kind(command.kind))
    if not isinstance(state, Unentitled):
        raise Contradiction(payment=payment, transfer=state.transfer)
    return [PaymentDeferred(payment, command.tahap, command.family, command.kind, command.reason)]


def take_out(command: TakeOut, state: PaymentState) -> Sequence[Event]:
    """Defer the payment although it was entitled; not once the bank has answered for it.

    That the bank's file is not committed yet is the run's to know, and is decided with this.
    """
    of = _identified(state)
    match state:
        case Deferred():
            return []
        case Entitled() if command.ordered:
            # The order's funds are released for it: they have a way back once it is instructed.
            raise StepNotReached(step="PaymentInstructed")
        case Entitled():
            returned = 0
        case Instructed() if command.ordered:
            returned = state.instruction.amount
        case _:
            raise Contradiction(payment=of.payment, transfer=state.transfer)
    return [PaymentDeferred(of.payment, of.tahap, of.family, of.kind, command.reason, returned)]


def void(command: Void, state: PaymentState) -> Sequence[Event]:
    """Take the payment back before a bank answered; a hold stays for conditionality to lift."""
    if isinstance(state, Unentitled):
        return []
    of = _identified(state)
    if isinstance(state, Credited | Failed):
        raise Contradiction(payment=of.payment, transfer=state.transfer)
    sent = state.instruction if isinstance(state, Instructed | Deferred) else None
    order, bank, instructed = (sent.order, sent.bank, sent.amount) if sent else ("", "", 0)
    deferred = instructed if isinstance(state, Deferred) else 0
    funds = instructed if order != command.recalled else 0
    sums = instructed, deferred, funds
    return [PaymentVoided(of.payment, of.tahap, of.family, of.kind, order, bank, *sums)]


# -- Rules: transfer


def fail_account_check(command: FailAccountCheck, state: PaymentState) -> Sequence[Event]:
    """Take the payment out of the order, before there is an order."""
    of = _identified(state)
    match state:
        case AccountFailed() if state.code == command.code:
            return []
        case Entitled() if not state.terms.payee_valid:
            raise NotPayable(payment=of.payment, reason="NO_VALID_PAYEE")
        case Entitled():
            return [AccountCheckFailed(of.payment, of.tahap, of.family, command.code)]
        case _:
            raise Contradiction(payment=of.payment, transfer=state.transfer)


def instruct(command: Instruct, state: PaymentState) -> Sequence[Event]:
    """Instruct the bank once: a valid payee, a checked account and an amount to pay."""
    of = _identified(state)
    match state:
        case Entitled():
            return [_instructed(command, state.terms)]
        case Instructed() | Credited() | Failed():
            sent = state.instruction
            if (sent.order, sent.bank) == (command.order, command.bank):
                return []
            raise Contradiction(payment=of.payment, order=sent.order, bank=sent.bank)
        case _:
            raise NotPayable(payment=of.payment, reason=state.transfer)


def _instructed(command: Instruct, terms: Entitlement) -> PaymentInstructed:
    if not terms.payee_valid:
        raise NotPayable(payment=terms.payment, reason="NO_VALID_PAYEE")
    if command.account_check != CHECK_OK:
        raise AccountNotChecked(payment=terms.payment, account_check=command.account_check)
    if terms.due == 0:
        raise NothingToPay(payment=terms.payment)
    return PaymentInstructed(
        payment=terms.payment,
        tahap=terms.tahap,
        family=terms.family,
        amount=terms.due,
        bank=command.bank,
        order=command.order,
    )


def credit(command: Credit, state: PaymentState) -> Sequence[Event]:
    """Record the credit once, and what follows from a decision that came before it."""
    if isinstance(state, Credited) and state.bank_reference == command.bank_reference:
        return []
    instructed = _open_instruction(state, command.amount)
    moved_at_once = moved_at_credit(instructed)
    credited = PaymentCredited(
        payment=instructed.terms.payment,
        tahap=instructed.terms.tahap,
        family=instructed.terms.family,
        amount=instructed.instruction.amount,
        hold=HoldStatus.HELD if moved_at_once else state.hold.status,
        bank_reference=command.bank_reference,
    )
    cut = state.hold.cut
    owed = _arrear(instructed.terms, cut) if cut is not None else []
    return [credited, *moved_at_once, *owed]


def fail_transfer(command: FailTransfer, state: PaymentState) -> Sequence[Event]:
    """Record the failure once; the amount returns to the treasury."""
    if isinstance(state, Failed) and state.code == command.code:
        return []
    instructed = _open_instruction(state, command.amount)
    of, amount = instructed.terms, instructed.instruction.amount
    return [TransferFailed(of.payment, of.tahap, of.family, command.code, amount)]


def _open_instruction(state: PaymentState, amount: int) -> Instructed:
    """Refuse an answer to nothing, a second answer that differs, and one of another amount."""
    of = _identified(state)
    match state:
        case Instructed() if state.instruction.amount != amount:
            instructed = state.instruction.amount
            raise AmountDiffers(payment=of.payment, instructed=instructed, answered=amount)
        case Instructed():
            return state
        case Credited() | Failed():
            answer = answer_of(state)
            raise Contradiction(payment=of.payment, transfer=state.transfer, answer=answer)
        case _:
            raise NotInstructed(payment=of.payment, transfer=state.transfer)


def _identified(state: PaymentState) -> Identity:
    """The payment that somebody is or was entitled to. Raises `NotEntitled` where none is."""
    if isinstance(state, Unentitled):
        raise NotEntitled()
    return state.of if isinstance(state, Deferred) else state.terms


# -- Rules: the hold


def hold(command: Hold, state: PaymentState) -> Sequence[Event]:
    """Hold the money; money that the family can already draw is left alone."""
    status = state.hold.status
    if command.effect in state.hold.effects:
        return []
    drawable = isinstance(state, Credited) and status is not HoldStatus.HELD
    if drawable or status is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.HELD)]
    return [HoldPlaced(command.effect)]


def release(command: Release, state: PaymentState) -> Sequence[Event]:
    """Lift the hold; where credited money was held, it becomes the family's to draw."""
    status = state.hold.status
    if command.effect in state.hold.effects:
        return []
    if status is HoldStatus.FORFEITED:
        return [EffectTooLate(command.effect, HoldStatus.RELEASED)]
    if isinstance(state, Credited) and status is HoldStatus.HELD:
        return [_released(state, command.at_tahap, command.effect)]
    # Recorded even where nothing was held, so that a late copy of it cannot lift a later hold.
    return [HoldLifted(command.effect, command.at_tahap, command.cleared)]


def clear_hold(command: ClearHold, state: PaymentState) -> Sequence[Event]:
    """Forget the hold, before anything of the money moved; money that moved is left alone."""
    if command.effect in state.hold.effects:
        return []
    if isinstance(state, Credited):
        return [EffectTooLate(command.effect, HoldStatus.NONE)]
    return [HoldCleared(command.effect)]


def return_held(command: Return, state: PaymentState) -> Sequence[Event]:
    """Forfeit held money; what the family can draw, and what was never sent, does not move."""
    if state.hold.status is not HoldStatus.HELD:
        return []
    if isinstance(state, Credited):
        return [_returned(state, command.at_tahap, command.reason)]
    return [HoldForfeited(command.at_tahap, command.reason)]


def keep_for_appeal(command: KeepForAppeal, state: PaymentState) -> Sequence[Event]:
    """Say once that held money stays though it was to go back; nothing of it moves."""
    of = identity_of(state)
    held = state.hold.status is HoldStatus.HELD
    if of is None or not held or state.hold.waits == command.at_tahap:
        return []
    return [ReturnWaits(of.payment, of.tahap, of.family, command.at_tahap, command.cases)]


# -- Rules: the cut


def correct_cut(command: CorrectCut, state: PaymentState) -> Sequence[Event]:
    """Note what the cycle cuts since its list was frozen; the family is owed the difference once it
    was paid less. An older revision is quiet, and who was paid nothing is owed nothing."""
    last = state.hold.cut
    if last is not None and command.evaluation <= last.evaluation:
        return []
    noted = CutCorrected(command.percent, command.evaluation, command.case)
    if not isinstance(state, Credited):
        return [noted]
    owed = last.owed if last else 0
    cut = CutCorrection(command.percent, command.evaluation, command.case, owed)
    return [noted, *_arrear(state.terms, cut)]


def _arrear(terms: Entitlement, cut: CutCorrection) -> list[Event]:
    """The rupiah that were cut of a payment and would not be cut now, where that is news."""
    owed = max(terms.cut - cut_of(terms.amount, cut.percent, cut.evaluation).rupiah, 0)
    if owed == cut.owed:
        return []
    of = terms.payment, terms.tahap, terms.family
    return [ArrearOwed(*of, owed, cut.percent, cut.evaluation, cut.case)]


def moved_at_credit(state: Instructed) -> Sequence[PaymentReleased | PaymentReturned]:
    """Money that moves now, by a decision on held money that came before the credit.

    So the books say the same whether the decision or the bank's answer came first. Where the
    payment's own cycle was corrected, no money was ever to be blocked and none moves.
    """
    forfeited, lifted = state.hold.forfeited, state.hold.lifted
    if forfeited is not None:
        return [_returned(state, forfeited.at_tahap, forfeited.reason)]
    if lifted is not None and (lifted.cleared or lifted.at_tahap != state.terms.tahap):
        return [_released(state, lifted.at_tahap, lifted.effect)]
    return []


def _released(state: Instructed | Credited, at_tahap: str, effect: str) -> PaymentReleased:
    of, amount = state.terms, state.instruction.amount
    return PaymentReleased(of.payment, of.tahap, of.family, amount, at_tahap, effect)


def _returned(state: Instructed | Credited, at_tahap: str, reason: ReturnReason) -> PaymentReturned:
    of, amount = state.terms, state.instruction.amount
    return PaymentReturned(of.payment, of.tahap, of.family, amount, at_tahap, reason)


def carried(deferred: MoneyHold) -> Sequence[Command]:
    """Commands to the supplementary payment in place of a deferred one, once it is entitled.

    Effects name family and tahap; those that came before the supplementary run was opened were
    applied to the deferred payment, which never moves money.
    """
    commands: list[Command] = []
    if deferred.by is not None:
        commands.append(Hold(deferred.by))
    if (lifted := deferred.lifted) is not None:
        commands.append(Release(lifted.effect, lifted.at_tahap, lifted.cleared))
    if (forfeited := deferred.forfeited) is not None:
        commands.append(Return(forfeited.at_tahap, forfeited.reason))
    if (cut := deferred.cut) is not None:
        commands.append(CorrectCut(cut.percent, cut.evaluation, cut.case))
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
        case KeepForAppeal():
            return keep_for_appeal(command, state)
        case CorrectCut():
            return correct_cut(command, state)


payment: Final[Decider[Command, PaymentState, Event]] = Decider(Unentitled(), decide, evolve)
