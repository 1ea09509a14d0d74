"""Messages that projection reads from the topics: its own copies, with the fields it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

SERVICE: Final = "projection"
FAMILY_TOPIC = "pkh.registry.family.v2"
COMMITMENT_TOPIC = "pkh.conditionality.commitment.v1"
PAYMENT_TOPIC = "pkh.payments.payment.v1"
TAHAP_TOPIC = "pkh.payments.tahap.v1"
SESSION_TOPIC = "pkh.p2k2.session.v1"
CASE_TOPIC = "pkh.complaints.case.v1"


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
class GraduationPending:
    family: str
    tahap: str
    region: str


@dataclass(frozen=True, slots=True)
class FamilyReopened:
    family: str
    tahap: str
    reopening: int
    region: str


@dataclass(frozen=True, slots=True)
class Duty:
    member: int
    duty: str
    month: str | None
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Access:
    of: str
    reached: bool


@dataclass(frozen=True, slots=True)
class CycleEvaluated:
    tahap: str
    family: str
    revision: int
    result: str
    counter: int
    duties: list[Duty]
    access: list[Access] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FamilyUnlisted:
    family: str
    tahap: str
    revision: int


@dataclass(frozen=True, slots=True)
class FamilyErased:
    family: str


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    tahap: str
    family: str
    revision: int


@dataclass(frozen=True, slots=True)
class InvestigationOpened:
    family: str
    tahap: str


@dataclass(frozen=True, slots=True)
class InvestigationWithdrawn:
    family: str
    tahap: str


@dataclass(frozen=True, slots=True)
class Terminated:
    family: str
    cycle: str


@dataclass(frozen=True, slots=True)
class Cleared:
    family: str
    cycle: str


@dataclass(frozen=True, slots=True)
class Component:
    category: str
    members: int


@dataclass(frozen=True, slots=True)
class NotCounted:
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentEntitled:
    payment: str
    tahap: str
    family: str
    kind: str
    region: str
    components: list[Component]
    amount: int
    payee_valid: bool
    benefit_policy: str
    cut: int = 0
    not_counted: list[NotCounted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class AccountCheckFailed:
    payment: str
    family: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentInstructed:
    payment: str
    family: str
    bank: str


@dataclass(frozen=True, slots=True)
class PaymentCredited:
    payment: str
    family: str
    hold: str
    bank_reference: str


@dataclass(frozen=True, slots=True)
class TransferFailed:
    payment: str
    family: str
    code: str


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    payment: str
    family: str
    amount: int
    at_tahap: str


@dataclass(frozen=True, slots=True)
class PaymentReturned:
    payment: str
    family: str
    amount: int
    at_tahap: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentWithheld:
    payment: str
    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentDeferred:
    payment: str
    family: str
    reason: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    payment: str
    family: str


@dataclass(frozen=True, slots=True)
class SessionHeld:
    session: str
    group: str
    region: str
    facilitator: str
    on: date
    module: str
    number: int
    sessions: int
    rank: int


@dataclass(frozen=True, slots=True)
class SessionCorrected(SessionHeld):
    pass


@dataclass(frozen=True, slots=True)
class SessionCancelled:
    session: str


class Mark(NamedTuple):
    family: str
    status: str
    was: str


@dataclass(frozen=True, slots=True)
class AttendanceRecorded:
    session: str
    group: str
    on: date
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class FamiliesJoined:
    group: str
    region: str
    facilitator: str
    families: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamiliesLeft:
    group: str
    families: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class OfFamily:
    """Any other message about a family: only its place in the timeline is kept."""

    family: str


@dataclass(frozen=True, slots=True)
class AppealNotPaused:
    family: str
    case: str
    tahap: str
    against: str
    reason: str


@dataclass(frozen=True, slots=True)
class AppealDecisionRefused:
    family: str
    case: str
    tahap: str
    against: str
    decision: int


@dataclass(frozen=True, slots=True)
class ReopeningProposed:
    family: str
    tahap: str
    reopening: int


@dataclass(frozen=True, slots=True)
class ReopeningWithdrawn(ReopeningProposed):
    pass


@dataclass(frozen=True, slots=True)
class ReopeningRejected(ReopeningProposed):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionProposed:
    family: str
    tahap: str
    correction: int
    result: str


@dataclass(frozen=True, slots=True)
class CorrectionApproved:
    family: str
    tahap: str
    correction: int


@dataclass(frozen=True, slots=True)
class CorrectionRejected(CorrectionApproved):
    pass


@dataclass(frozen=True, slots=True)
class CorrectionWithdrawn(CorrectionApproved):
    pass


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
class OfCase:
    """Anything about a case: it has a place in the timeline of the family whose it is.

    Which fields a message has follows from its type: those of a case that is received, of a step
    (`on`), or of an appeal (`tahap`, `effect`).
    """

    case: str
    family: str | None = None
    region: str = ""
    category: str = ""
    channel: str = ""
    received_on: date | None = None
    on: date | None = None
    level: str | None = None
    due_on: date | None = None
    resolution: str | None = None
    tahap: str | None = None
    effect: str | None = None
    outcome: str | None = None
    decided_on: date | None = None
    decision: int = 1


@dataclass(frozen=True, slots=True)
class OfTahap:
    """A document, a decision or the terms of a tahap; its whole body is kept as it came."""

    tahap: str


@dataclass(frozen=True, slots=True)
class ClosingAnnounced(OfTahap):
    """A tahap's closing begins: the months (YYYY-MM) that it covers, and its day."""

    months: tuple[str, ...]
    closing_date: date
