"""The state of a payment: a small type for each step of its transfer, each with what is known then.

The hold of the money goes through all of them, because nothing that moves the money decides it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar, TypeAlias

from services.payments.domain.payment.messages import (
    AccountCheckFailed,
    ArrearOwed,
    CutCorrected,
    CutEvent,
    Event,
    HoldCleared,
    HoldEvent,
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
    ReturnWaits,
    TransferFailed,
)
from services.payments.domain.shared.ids import REGULAR

# -- The hold


@dataclass(frozen=True, slots=True)
class Lift:
    """The decision that lifted a hold; `cleared` is known of one before the credit alone."""

    effect: str
    at_tahap: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Forfeit:
    """The decision that gives held money back."""

    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class CutCorrection:
    """The latest decision on the cut since the list was frozen, and the rupiah `owed` by it."""

    percent: int
    evaluation: int
    case: str
    owed: int = 0


@dataclass(frozen=True, slots=True)
class MoneyHold:
    """The decisions on the money: held `by` an effect, and since then lifted or forfeited.

    `effects` are the ids that were applied, so that none is twice. `waits` is the tahap with which
    it would have gone back, were it not for an appeal; `cut` what was decided of the cut since.
    """

    effects: tuple[str, ...] = ()
    by: str | None = None
    lifted: Lift | None = None
    forfeited: Forfeit | None = None
    waits: str | None = None
    cut: CutCorrection | None = None

    @property
    def status(self) -> HoldStatus:
        """May the family draw the money?"""
        if self.by is None:
            return HoldStatus.NONE
        if self.forfeited is not None:
            return HoldStatus.FORFEITED
        return HoldStatus.HELD if self.lifted is None else HoldStatus.RELEASED


# -- The transfer


class Transfer(StrEnum):
    """The step that the money has reached, in the word that others read."""

    NONE = "NONE"
    ENTITLED = "ENTITLED"
    DEFERRED = "DEFERRED"
    WITHHELD = "WITHHELD"
    ACCOUNT_FAILED = "ACCOUNT_FAILED"
    INSTRUCTED = "INSTRUCTED"
    CREDITED = "CREDITED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Identity:
    """The payment's id, and whose money of which tahap and run it is."""

    payment: str
    tahap: str
    family: str
    kind: str


@dataclass(frozen=True, slots=True)
class Entitlement(Identity):
    """The terms on which a family is entitled to `amount` whole rupiah, less the `cut`."""

    amount: int
    cut: int
    payee_valid: bool
    benefit_policy: str

    @classmethod
    def of(cls, event: PaymentEntitled) -> Entitlement:
        """The terms of the event."""
        return cls(
            payment=event.payment,
            tahap=event.tahap,
            family=event.family,
            kind=event.kind,
            amount=event.amount,
            cut=event.cut,
            payee_valid=event.payee_valid,
            benefit_policy=event.benefit_policy,
        )

    @property
    def due(self) -> int:
        """The rupiah to be paid: the amount less what is cut."""
        return self.amount - self.cut


@dataclass(frozen=True, slots=True)
class Instruction:
    """The rupiah that a bank is to pay under an order."""

    order: str
    bank: str
    amount: int


@dataclass(frozen=True, slots=True)
class Unentitled:
    """Nothing is entitled and only a hold may have come; `of` is there if something once was."""

    transfer: ClassVar[Transfer] = Transfer.NONE
    hold: MoneyHold = MoneyHold()
    of: Identity | None = None


@dataclass(frozen=True, slots=True)
class Entitled:
    """The family is entitled, and the account is to be checked."""

    transfer: ClassVar[Transfer] = Transfer.ENTITLED
    terms: Entitlement
    hold: MoneyHold


@dataclass(frozen=True, slots=True)
class Deferred:
    """The payment is never made; terms and instruction are there as far as it had come."""

    transfer: ClassVar[Transfer] = Transfer.DEFERRED
    of: Identity
    hold: MoneyHold
    reason: str
    terms: Entitlement | None = None
    instruction: Instruction | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """The entitlement stands and is never instructed."""

    transfer: ClassVar[Transfer] = Transfer.WITHHELD
    terms: Entitlement
    hold: MoneyHold
    reason: str


@dataclass(frozen=True, slots=True)
class AccountFailed:
    """The account check failed, so the payment is in no order."""

    transfer: ClassVar[Transfer] = Transfer.ACCOUNT_FAILED
    terms: Entitlement
    hold: MoneyHold
    code: str


@dataclass(frozen=True, slots=True)
class Instructed:
    """The bank is instructed; the outcome is unknown until it answers."""

    transfer: ClassVar[Transfer] = Transfer.INSTRUCTED
    terms: Entitlement
    hold: MoneyHold
    instruction: Instruction


@dataclass(frozen=True, slots=True)
class Credited:
    """The money is in the family's account."""

    transfer: ClassVar[Transfer] = Transfer.CREDITED
    terms: Entitlement
    hold: MoneyHold
    instruction: Instruction
    bank_reference: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The bank could not credit, and the money is back in the treasury."""

    transfer: ClassVar[Transfer] = Transfer.FAILED
    terms: Entitlement
    hold: MoneyHold
    instruction: Instruction
    code: str


PaymentState: TypeAlias = (
    Unentitled | Entitled | Deferred | Withheld | AccountFailed | Instructed | Credited | Failed
)


def identity_of(state: PaymentState) -> Identity | None:
    """The payment that a state is of; None where nobody was ever entitled."""
    return state.of if isinstance(state, Unentitled | Deferred) else state.terms


def answer_of(state: PaymentState) -> str:
    """The end of the transfer: a reason, a failing code, a bank's reference; empty before it."""
    match state:
        case Deferred() | Withheld():
            return state.reason
        case AccountFailed() | Failed():
            return state.code
        case Credited():
            return state.bank_reference
        case _:
            return ""


# -- Evolve


def evolve(state: PaymentState, event: Event) -> PaymentState:
    """The state after an event. ValueError where no payment can have come to it from this step."""
    if isinstance(event, HoldEvent):
        return replace(state, hold=_decided(state.hold, event))
    if isinstance(event, CutEvent):
        return replace(state, hold=replace(state.hold, cut=_corrected(state.hold.cut, event)))
    match state, event:
        case _, PaymentEntitled():
            return Entitled(Entitlement.of(event), state.hold)
        case _, PaymentDeferred():
            return _deferred(state, event)
        case _, PaymentVoided():
            # A supplementary one held only what was carried to it, and is carried it anew where
            # the next announcement needs it.
            hold = state.hold if event.kind == REGULAR else MoneyHold()
            return Unentitled(hold, Identity(event.payment, event.tahap, event.family, event.kind))
        case Entitled(terms, hold), PaymentWithheld():
            return Withheld(terms, hold, event.reason)
        case Entitled(terms, hold), AccountCheckFailed():
            return AccountFailed(terms, hold, event.code)
        case Entitled(terms, hold), PaymentInstructed():
            return Instructed(terms, hold, Instruction(event.order, event.bank, event.amount))
        case Instructed(terms, hold, instruction), PaymentCredited():
            return Credited(terms, hold, instruction, event.bank_reference)
        case Instructed(terms, hold, instruction), TransferFailed():
            return Failed(terms, hold, instruction, event.code)
        case _:
            raise ValueError(f"{type(event).__name__} of a payment that is {state.transfer}")


def _deferred(state: PaymentState, event: PaymentDeferred) -> Deferred:
    return Deferred(
        of=Identity(event.payment, event.tahap, event.family, event.kind),
        hold=state.hold,
        reason=event.reason,
        terms=None if isinstance(state, Unentitled) else state.terms,
        instruction=state.instruction if isinstance(state, Instructed) else None,
    )


def _decided(hold: MoneyHold, event: HoldEvent) -> MoneyHold:
    lifted = hold.lifted
    match event:
        case HoldForfeited() | PaymentReturned():
            return replace(hold, forfeited=Forfeit(event.at_tahap, event.reason))
        case HoldPlaced():
            effects = _with_effect(hold, event.effect)
            return MoneyHold(effects, by=event.effect, cut=hold.cut)
        case HoldCleared():
            return MoneyHold(_with_effect(hold, event.effect))
        case ReturnWaits():
            return replace(hold, waits=event.at_tahap)
        case HoldLifted() if hold.status is HoldStatus.HELD:
            lifted = Lift(event.effect, event.at_tahap, event.cleared)
        case PaymentReleased() if lifted is None:
            lifted = Lift(event.effect, event.at_tahap)
    return replace(hold, effects=_with_effect(hold, event.effect), lifted=lifted)


def _corrected(cut: CutCorrection | None, event: CutEvent) -> CutCorrection:
    match event:
        case CutCorrected():
            owed = cut.owed if cut else 0
            return CutCorrection(event.percent, event.evaluation, event.case, owed)
        case ArrearOwed():
            return CutCorrection(event.cut_percent, event.evaluation, event.case, event.amount)


def _with_effect(hold: MoneyHold, effect: str) -> tuple[str, ...]:
    return hold.effects if effect in hold.effects else (*hold.effects, effect)
