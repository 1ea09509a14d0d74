"""Messages about a family, as far as an explanation needs them: its own copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Generic, TypeVar

from services.projection.explanation.facts import FACTS

B = TypeVar("B", covariant=True)


@dataclass(frozen=True, slots=True)
class Published(Generic[B]):
    """A message, with the service that published it and its position in that service's log."""

    service: str
    position: int
    body: B


# -- Registry --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyDesignated:
    family: str
    tahap: str
    status: str
    reason: str
    region: str


@dataclass(frozen=True, slots=True)
class FamilyGraduated:
    family: str
    tahap: str
    kind: str
    region: str


@dataclass(frozen=True, slots=True)
class FamilyUnlisted:
    family: str
    tahap: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class GraduationPending:
    family: str
    tahap: str
    region: str
    graduates_from: date
    term_ends_on: date


@dataclass(frozen=True, slots=True)
class LateFact:
    fact: str
    reported_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ReopeningProposed:
    family: str
    tahap: str
    reopening: int
    region: str
    late: tuple[LateFact, ...]


@dataclass(frozen=True, slots=True)
class ReopeningWithdrawn:
    family: str
    tahap: str
    reopening: int


@dataclass(frozen=True, slots=True)
class ReopeningRejected:
    family: str
    tahap: str
    reopening: int
    checker: str


@dataclass(frozen=True, slots=True)
class FamilyReopened:
    family: str
    tahap: str
    reopening: int
    region: str
    checker: str


# -- Conditionality -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Duty:
    member: int
    duty: str
    month: str | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    member: int
    duty: str
    month: str | None
    service: str | None
    missed: tuple[str, ...]
    effective_days: int
    absent: int
    permitted: int
    sick: int


@dataclass(frozen=True, slots=True)
class Excused:
    member: int
    duty: str
    month: str | None
    exception: str
    reason: str


@dataclass(frozen=True, slots=True)
class CycleEvaluated:
    tahap: str
    family: str
    revision: int
    result: str
    counter: int
    duties: tuple[Duty, ...]
    evidence: tuple[Evidence, ...] = ()
    cut_percent: int = 0
    excused: tuple[Excused, ...] = ()


@dataclass(frozen=True, slots=True)
class Suspended:
    family: str
    tahap: str
    counter: int


@dataclass(frozen=True, slots=True)
class Released:
    family: str
    tahaps: tuple[str, ...]
    cycle: str


@dataclass(frozen=True, slots=True)
class InvestigationOpened:
    family: str
    tahap: str
    cycle: str
    counter: int


@dataclass(frozen=True, slots=True)
class InvestigationWithdrawn:
    family: str
    tahap: str
    cycle: str


@dataclass(frozen=True, slots=True)
class Terminated:
    family: str
    tahaps: tuple[str, ...]
    cycle: str
    investigation: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class TerminationTakenBack:
    family: str
    tahap: str
    case: str
    checker: str


@dataclass(frozen=True, slots=True)
class Cleared:
    family: str
    tahaps: tuple[str, ...]
    cycle: str
    investigation: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class CorrectionProposed:
    tahap: str
    family: str
    correction: int
    result: str
    cut_percent: int = 0
    cut_percent_before: int = 0
    excused: tuple[Excused, ...] = ()


@dataclass(frozen=True, slots=True)
class CorrectionApproved:
    tahap: str
    family: str
    correction: int
    approver: str


@dataclass(frozen=True, slots=True)
class CorrectionRejected:
    tahap: str
    family: str
    correction: int
    approver: str


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    family: str
    tahap: str


# -- Payments -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counted:
    member: int
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class NotCounted:
    member: int
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentEntitled:
    payment: str
    tahap: str
    family: str
    kind: str
    region: str
    amount: int
    payee_valid: bool
    benefit_policy: str
    counted: tuple[Counted, ...] = ()
    cut: int = 0
    cut_percent: int = 0
    evaluation: int = 0
    not_counted: tuple[NotCounted, ...] = ()


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    payment: str
    tahap: str
    family: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentWithheld:
    payment: str
    tahap: str
    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class AccountCheckFailed:
    payment: str
    tahap: str
    family: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentInstructed:
    payment: str
    tahap: str
    family: str
    amount: int
    bank: str
    order: str


@dataclass(frozen=True, slots=True)
class PaymentCredited:
    payment: str
    tahap: str
    family: str
    amount: int
    hold: str
    bank_reference: str


@dataclass(frozen=True, slots=True)
class TransferFailed:
    payment: str
    tahap: str
    family: str
    code: str
    amount: int


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str


@dataclass(frozen=True, slots=True)
class PaymentReturned:
    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str
    reason: str


@dataclass(frozen=True, slots=True)
class EffectTooLate:
    payment: str
    tahap: str
    family: str
    wanted: str
    hold: str


@dataclass(frozen=True, slots=True)
class ReturnWaits:
    payment: str
    tahap: str
    family: str
    at_tahap: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ArrearOwed:
    payment: str
    tahap: str
    family: str
    amount: int
    cut_percent: int
    evaluation: int
    case: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    payment: str
    tahap: str
    family: str


@dataclass(frozen=True, slots=True)
class AdministrativeHoldPlaced:
    family: str
    number: int
    kind: str
    reason: str
    from_tahap: str
    last_day: date | None


@dataclass(frozen=True, slots=True)
class AdministrativeHoldEnded:
    family: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class AppealPaused:
    tahap: str
    family: str
    case: str
    against: str


@dataclass(frozen=True, slots=True)
class AppealNotPaused:
    tahap: str
    family: str
    case: str
    against: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppealUpheld:
    tahap: str
    family: str
    case: str
    against: str


@dataclass(frozen=True, slots=True)
class AppealDecisionRefused:
    tahap: str
    family: str
    case: str
    against: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppealEnded:
    tahap: str
    family: str
    case: str
    against: str
    outcome: str


OF_FAMILY: Final = (
    *FACTS,
    *(FamilyDesignated, FamilyGraduated, FamilyUnlisted, GraduationPending),
    *(ReopeningProposed, ReopeningWithdrawn, ReopeningRejected, FamilyReopened),
    *(CycleEvaluated, CycleWithdrawn, Suspended, Released),
    *(InvestigationOpened, InvestigationWithdrawn),
    *(Terminated, TerminationTakenBack, Cleared),
    *(CorrectionProposed, CorrectionApproved, CorrectionRejected),
    *(AppealPaused, AppealNotPaused, AppealUpheld, AppealDecisionRefused, AppealEnded),
    *(AdministrativeHoldPlaced, AdministrativeHoldEnded),
    *(PaymentEntitled, PaymentVoided, PaymentDeferred, PaymentWithheld),
    *(AccountCheckFailed, PaymentInstructed),
    *(PaymentCredited, TransferFailed, PaymentReleased, PaymentReturned, EffectTooLate),
    *(ReturnWaits, ArrearOwed),
)
"""The messages of a family that an explanation reads; others are passed over."""
