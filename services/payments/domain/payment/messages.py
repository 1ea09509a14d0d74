"""Commands to a payment and its events: of the transfer, and of the hold of its money.

The hold is the block that a failed cycle puts on credited money. What two people decide to hold
before it is sent is an administrative hold, and stands elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from services.payments.domain.entitlement import NO_CUT, Component, Counted, Cut, NotCounted


class WithheldReason(StrEnum):
    """Why an entitlement is never instructed, though nothing is wrong with payee or account."""

    DUPLICATE_PERSON = "DUPLICATE_PERSON"


class ArrearReason(StrEnum):
    """Why money that is owed since a correction is not paid."""

    NO_RUN_PAYS_ARREARS = "NO_RUN_PAYS_ARREARS"


class HoldStatus(StrEnum):
    """May the family draw the money? Independent of whether the money has been credited."""

    NONE = "NONE"
    HELD = "HELD"
    RELEASED = "RELEASED"
    FORFEITED = "FORFEITED"


class ReturnReason(StrEnum):
    """Why held money goes back to the treasury."""

    GRADUATED_NATURAL = "GRADUATED_NATURAL"
    TERMINATED = "TERMINATED"


# -- Commands: the transfer


@dataclass(frozen=True, slots=True)
class Entitle:
    """Record what a frozen list entitles a family to.

    `duplicate_person`: the claim that each of its persons is paid once in this tahap was lost to
    another payment, so this one is on record and never instructed. `amount` is before the `cut`,
    `source` the hash (16 hex) of the roster line that all of it was read from.
    """

    tahap: str
    family: str
    kind: str
    region: str
    components: tuple[Component, ...]
    amount: int
    payee_valid: bool
    benefit_policy: str
    duplicate_person: bool = False
    counted: tuple[Counted, ...] = ()
    cut: Cut = NO_CUT
    source: str = ""
    not_counted: tuple[NotCounted, ...] = ()


@dataclass(frozen=True, slots=True)
class Defer:
    """Record that this family was deferred by name: this payment is never made."""

    tahap: str
    family: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakeOut:
    """Take an entitled payment out of its run, before the bank's file: it is deferred after all.

    `ordered`: the run's order has it, so its money is on the way to the bank and goes back.
    """

    reason: str
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class FailAccountCheck:
    """Record that the treasury's account check failed, with its code."""

    code: str


@dataclass(frozen=True, slots=True)
class Instruct:
    """Instruct the bank under a payment order; `account_check` is the treasury's code, OK to pay.

    The code stands in the command because a check that passed leaves no event of its own.
    """

    order: str
    bank: str
    account_check: str


@dataclass(frozen=True, slots=True)
class Credit:
    """Record the bank's answer that it credited this amount, with the bank's own reference."""

    bank_reference: str
    amount: int


@dataclass(frozen=True, slots=True)
class FailTransfer:
    """Record the bank's answer that it could not credit, with its code."""

    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class Void:
    """Take back what a cancelled announcement of its tahap made of the payment.

    Only a run that is over asks for it, and one ends only before its first bank file. `recalled` is
    the order that the treasury has not given back yet; the funds of an earlier one, which it has,
    go back with the payment.
    """

    recalled: str = ""


# -- Commands: the hold


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the family from drawing this money. `effect` is the deciding cycle's effect id."""

    effect: str


@dataclass(frozen=True, slots=True)
class Release:
    """Let the family draw the money, because of what tahap `at_tahap` came to.

    `cleared`: an investigation decided it; otherwise a compliant or corrected cycle did.
    """

    effect: str
    at_tahap: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    """Give held money back to the treasury, because of what tahap `at_tahap` came to."""

    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class ClearHold:
    """Forget what was decided of this money: its cycle was withdrawn with its tahap."""

    effect: str


@dataclass(frozen=True, slots=True)
class KeepForAppeal:
    """Held money would go back because of what `at_tahap` came to, and stays: `cases` appeal."""

    at_tahap: str
    cases: tuple[str, ...]


# -- Commands: the cut


@dataclass(frozen=True, slots=True)
class CorrectCut:
    """Revision `evaluation` of the cycle, behind the freeze of its list, cuts `percent` of it.

    `case` is the complaint by which it was decided again, empty where late facts did it.
    """

    percent: int
    evaluation: int
    case: str = ""


Command: TypeAlias = (
    Entitle
    | Void
    | Defer
    | TakeOut
    | FailAccountCheck
    | Instruct
    | Credit
    | FailTransfer
    | Hold
    | ClearHold
    | Release
    | Return
    | KeepForAppeal
    | CorrectCut
)

# -- Events: the transfer


@dataclass(frozen=True, slots=True)
class PaymentEntitled:
    """A family is entitled to this amount, whole rupiah, 0 or more, for the members counted.

    `cut` are the rupiah of it that are not paid, because revision `evaluation` of the cycle's
    evaluation takes off `cut_percent`; all three are 0 where nothing is cut. `source` is the hash
    (16 hex) of the roster line that it rests on, empty where it was not kept yet.
    """

    payment: str
    tahap: str
    family: str
    kind: str
    region: str
    components: tuple[Component, ...]
    amount: int
    payee_valid: bool
    benefit_policy: str
    counted: tuple[Counted, ...] = ()
    cut: int = 0
    cut_percent: int = 0
    evaluation: int = 0
    source: str = ""
    not_counted: tuple[NotCounted, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    """This payment is never made; a supplementary payment takes its place.

    `returned`: the rupiah that go back to the treasury, because the bank was to be instructed
    already; its file goes without them.
    """

    payment: str
    tahap: str
    family: str
    kind: str
    reason: str
    returned: int = 0


@dataclass(frozen=True, slots=True)
class PaymentWithheld:
    """The entitlement stands and is never instructed."""

    payment: str
    tahap: str
    family: str
    reason: WithheldReason


@dataclass(frozen=True, slots=True)
class AccountCheckFailed:
    """The account check failed; the payment is in no order and no arrear is owed."""

    payment: str
    tahap: str
    family: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentInstructed:
    """The bank is instructed; until it answers the outcome is unknown."""

    payment: str
    tahap: str
    family: str
    amount: int
    bank: str
    order: str


@dataclass(frozen=True, slots=True)
class PaymentCredited:
    """The money is in the family's account; `hold` says whether it may be drawn.

    NONE: it may. HELD: it is blocked there. RELEASED: its own cycle had failed and was corrected
    before the credit, so it never was blocked.
    """

    payment: str
    tahap: str
    family: str
    amount: int
    hold: HoldStatus
    bank_reference: str


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """The bank could not credit; the amount goes back to the treasury, no arrear is owed."""

    payment: str
    tahap: str
    family: str
    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    """Its tahap was cancelled before a bank had a file: what was made of it counts no more.

    The next announcement may entitle the same payment anew. `instructed` are the rupiah that
    `bank` was to pay under `order` and that go back to the programme, 0 where it was to pay
    nothing; `deferred` those of them that a deferral had sent back to the treasury before; `funds`
    those that the treasury has back since its order was cancelled, and that waited for this.
    """

    payment: str
    tahap: str
    family: str
    kind: str
    order: str = ""
    bank: str = ""
    instructed: int = 0
    deferred: int = 0
    funds: int = 0


# -- Events: the hold


@dataclass(frozen=True, slots=True)
class HoldCleared:
    """Nothing that was decided of this money before counts any more."""

    effect: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """The family may not draw this money, now or when it is credited."""

    effect: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """The family may draw this money, once it is credited; nothing moves yet."""

    effect: str
    at_tahap: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class HoldForfeited:
    """Held money that is not credited yet goes back to the treasury once it is."""

    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class EffectTooLate:
    """The money cannot follow: it is drawable already (HELD was wanted) or forfeited.

    An outcome that a person may have to answer with a correction, not an error: a late fact
    re-decides a cycle whose money has long gone its way.
    """

    effect: str
    wanted: HoldStatus


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """Blocked money became the family's to draw, at tahap `at_tahap`."""

    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class PaymentReturned:
    """Blocked money went back to the treasury, at tahap `at_tahap`."""

    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class ReturnWaits:
    """Held money that was to go back to the treasury at tahap `at_tahap` stays where it is, until
    the appeals of `cases` have ended."""

    payment: str
    tahap: str
    family: str
    at_tahap: str
    cases: tuple[str, ...]


# -- Events: the cut


@dataclass(frozen=True, slots=True)
class CutCorrected:
    """The cycle behind the cut was decided otherwise since its list was frozen."""

    percent: int
    evaluation: int
    case: str = ""


@dataclass(frozen=True, slots=True)
class ArrearOwed:
    """The family is owed these rupiah, by which more was cut of what it was paid than revision
    `evaluation` of its cycle cuts; 0: nothing is owed any more. No run pays it, for the `reason`.
    """

    payment: str
    tahap: str
    family: str
    amount: int
    cut_percent: int
    evaluation: int
    case: str = ""
    reason: ArrearReason = ArrearReason.NO_RUN_PAYS_ARREARS


HoldEvent: TypeAlias = (
    HoldPlaced
    | HoldCleared
    | HoldLifted
    | HoldForfeited
    | EffectTooLate
    | PaymentReleased
    | PaymentReturned
    | ReturnWaits
)
CutEvent: TypeAlias = CutCorrected | ArrearOwed

Event: TypeAlias = (
    PaymentEntitled
    | PaymentVoided
    | PaymentDeferred
    | PaymentWithheld
    | AccountCheckFailed
    | PaymentInstructed
    | PaymentCredited
    | TransferFailed
    | HoldEvent
    | CutEvent
)
