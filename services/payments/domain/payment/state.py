"""The state of a payment: its transfer, its hold, and how each event moves them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from services.payments.domain.payment.messages import (
    AccountCheckFailed,
    EffectTooLate,
    Event,
    HoldCleared,
    HoldForfeited,
    HoldLifted,
    HoldPlaced,
    HoldStatus,
    PaymentCredited,
    PaymentDeferred,
    PaymentEntitled,
    PaymentInstructed,
    PaymentReleased,
    PaymentReturned,
    PaymentVoided,
    PaymentWithheld,
    ReturnReason,
    TransferFailed,
)
from services.payments.domain.shared.ids import REGULAR


class Transfer(StrEnum):
    """The step that the money has reached."""

    NONE = "NONE"  # nothing is entitled; only a hold may have come
    ENTITLED = "ENTITLED"
    DEFERRED = "DEFERRED"
    WITHHELD = "WITHHELD"
    ACCOUNT_FAILED = "ACCOUNT_FAILED"
    INSTRUCTED = "INSTRUCTED"  # the outcome is unknown until the bank answers
    CREDITED = "CREDITED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Lift:
    """By what a hold was lifted before the credit."""

    effect: str
    at_tahap: str
    cleared: bool


@dataclass(frozen=True, slots=True)
class PaymentState:
    """The state of a payment that later decisions need.

    `answer` is what the transfer came to: the failing code of check or transfer, the bank's
    reference of a credit. `effects` are the ids that were applied, so that none is twice.
    """

    payment: str = ""
    tahap: str = ""
    family: str = ""
    kind: str = ""
    amount: int = 0
    cut: int = 0
    payee_valid: bool = False
    benefit_policy: str = ""
    transfer: Transfer = Transfer.NONE
    answer: str = ""
    order: str = ""
    bank: str = ""
    hold: HoldStatus = HoldStatus.NONE
    held_by: str = ""
    lifted: Lift | None = None
    forfeited_at: str = ""
    forfeited_for: ReturnReason | None = None
    effects: tuple[str, ...] = ()

    @property
    def due(self) -> int:
        """The rupiah to be paid: the amount less what is cut."""
        return self.amount - self.cut


def evolve(state: PaymentState, event: Event) -> PaymentState:
    """The state after an event."""
    match event:
        case PaymentEntitled():
            return replace(
                state,
                payment=event.payment,
                tahap=event.tahap,
                family=event.family,
                kind=event.kind,
                amount=event.amount,
                cut=event.cut,
                payee_valid=event.payee_valid,
                benefit_policy=event.benefit_policy,
                transfer=Transfer.ENTITLED,
            )
        case PaymentDeferred():
            return replace(
                state,
                payment=event.payment,
                tahap=event.tahap,
                family=event.family,
                kind=event.kind,
                transfer=Transfer.DEFERRED,
                # Of a payment that was never entitled older snapshots keep no reason.
                answer=event.reason if state.transfer is not Transfer.NONE else state.answer,
            )
        case PaymentVoided():
            return _voided(state, event)
        case PaymentWithheld():
            return replace(state, transfer=Transfer.WITHHELD, answer=event.reason)
        case AccountCheckFailed():
            return replace(state, transfer=Transfer.ACCOUNT_FAILED, answer=event.code)
        case PaymentInstructed():
            return replace(state, transfer=Transfer.INSTRUCTED, order=event.order, bank=event.bank)
        case PaymentCredited():
            return replace(state, transfer=Transfer.CREDITED, answer=event.bank_reference)
        case TransferFailed():
            return replace(state, transfer=Transfer.FAILED, answer=event.code)
        case _:
            return _evolve_hold(state, event)


def _voided(state: PaymentState, event: PaymentVoided) -> PaymentState:
    """The payment that nobody is entitled to; a supplementary one held only what was carried to
    it, and is carried it anew where the next announcement needs it."""
    void = replace(
        state,
        amount=0,
        cut=0,
        payee_valid=False,
        benefit_policy="",
        transfer=Transfer.NONE,
        answer="",
        order="",
        bank="",
    )
    return void if event.kind == REGULAR else replace(_without_hold(void), effects=())


def _without_hold(state: PaymentState) -> PaymentState:
    return replace(
        state,
        hold=HoldStatus.NONE,
        held_by="",
        lifted=None,
        forfeited_at="",
        forfeited_for=None,
    )


def _evolve_hold(
    state: PaymentState,
    event: HoldPlaced
    | HoldCleared
    | HoldLifted
    | HoldForfeited
    | EffectTooLate
    | PaymentReleased
    | PaymentReturned,
) -> PaymentState:
    match event:
        case HoldPlaced():
            held = _noted(state, event.effect)
            return replace(held, hold=HoldStatus.HELD, held_by=event.effect, lifted=None)
        case HoldCleared():
            return _without_hold(_noted(state, event.effect))
        case HoldLifted() if state.hold is HoldStatus.HELD:
            lifted = Lift(event.effect, event.at_tahap, event.cleared)
            return replace(_noted(state, event.effect), hold=HoldStatus.RELEASED, lifted=lifted)
        case HoldLifted() | EffectTooLate():
            return _noted(state, event.effect)
        case PaymentReleased():
            return replace(_noted(state, event.effect), hold=HoldStatus.RELEASED)
        case HoldForfeited() | PaymentReturned():
            return replace(
                state,
                hold=HoldStatus.FORFEITED,
                forfeited_at=event.at_tahap,
                forfeited_for=event.reason,
            )


def _noted(state: PaymentState, effect: str) -> PaymentState:
    if effect in state.effects:
        return state
    return replace(state, effects=(*state.effects, effect))
