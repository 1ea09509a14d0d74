"""Messages of conditionality on its topic, those it reads from others, and its kinds of streams.

Events of the commitment stream are published as they are stored, field for field; a person's
facts, and findings before they are approved, stay inside. Messages that are read are declared
here with the fields that are needed, and the golden examples in contracts/ keep both sides honest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from libs.events.domain.list_proof import BucketsJson
from libs.events.store.model import Message, StreamType, published
from services.conditionality.domain.commitment import (
    Against,
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
    Cleared,
    Commitment,
    CorrectionApproved,
    CorrectionProposed,
    CorrectionRejected,
    CorrectionWithdrawn,
    CycleEvaluated,
    CycleWithdrawn,
    FindingApproved,
    FindingBrought,
    FindingRejected,
    InvestigationOpened,
    InvestigationWithdrawn,
    OrderAnswered,
    Reinstated,
    Released,
    Suspended,
    Terminated,
    commitment,
)
from services.conditionality.domain.commitment import Command as CommitmentCommand
from services.conditionality.domain.commitment import Event as CommitmentEvent
from services.conditionality.domain.duties import ListedMember
from services.conditionality.domain.evaluation.decider import evaluation
from services.conditionality.domain.evaluation.messages import Command as EvaluationCommand
from services.conditionality.domain.evaluation.messages import (
    EvaluationAnnounced,
    EvaluationCancelled,
    EvaluationClosed,
    EvaluationFrozen,
    EvaluationListed,
)
from services.conditionality.domain.evaluation.messages import Event as EvaluationEvent
from services.conditionality.domain.evaluation.state import Evaluation
from services.conditionality.domain.exceptions import Command as ExceptionCommand
from services.conditionality.domain.exceptions import (
    DutyException,
    ExceptionDecided,
    ExceptionProposed,
    duty_exception,
)
from services.conditionality.domain.exceptions import Event as ExceptionEvent
from services.conditionality.domain.person import Command as PersonCommand
from services.conditionality.domain.person import Event as PersonEvent
from services.conditionality.domain.person import (
    Person,
    SchoolMonthsRecorded,
    VisitsRecorded,
    person,
)

SERVICE: Final = "conditionality"
TOPIC: Final = "pkh.conditionality.commitment.v1"
TAHAP_TOPIC: Final = "pkh.payments.tahap.v1"
ROSTER_TOPIC: Final = "pkh.registry.roster.v1"
CASE_TOPIC: Final = "pkh.complaints.case.v1"
SESSION_TOPIC: Final = "pkh.p2k2.session.v1"
EDUCATION_TOPIC: Final = "pkh.inbound.education-attendance.v1"
HEALTH_TOPIC: Final = "pkh.inbound.health-visit.v1"


def _named(*events: type[Any]) -> dict[str, type[Any]]:
    return {event.__name__: event for event in events}


# -- Published ------------------------------------------------------------------------------------

PUBLISHED: Final = _named(
    CycleEvaluated,
    CycleWithdrawn,
    Suspended,
    Released,
    InvestigationOpened,
    InvestigationWithdrawn,
    Terminated,
    Cleared,
    CorrectionProposed,
    CorrectionApproved,
    CorrectionRejected,
    CorrectionWithdrawn,
    AppealPaused,
    AppealNotPaused,
    AppealUpheld,
    AppealDecisionRefused,
    AppealEnded,
    OrderAnswered,
    EvaluationAnnounced,
    EvaluationClosed,
)
OF_A_TAHAP: Final = frozenset({EvaluationAnnounced, EvaluationClosed})


def publish_person(event: PersonEvent, state: Person) -> Message | None:
    """No message: facts stay inside; what leaves is how each duty of a cycle was judged."""
    return None


def publish_evaluation(event: EvaluationEvent, state: Evaluation) -> Message | None:
    """A message of the terms by which a tahap is judged, and one of its closing."""
    match event:
        case EvaluationAnnounced() | EvaluationClosed():
            return Message(TOPIC, event.tahap)
        case _:
            return None


# -- Streams --------------------------------------------------------------------------------------

PERSON: Final[StreamType[PersonCommand, Person, PersonEvent]] = StreamType(
    name="person",
    decider=person,
    events=_named(SchoolMonthsRecorded, VisitsRecorded),
    publish=publish_person,
    snapshot=(Person, 1),
)

COMMITMENT: Final[StreamType[CommitmentCommand, Commitment, CommitmentEvent]] = StreamType(
    name="commitment",
    decider=commitment,
    events=_named(FindingBrought, FindingRejected, FindingApproved, Reinstated)
    | {name: event for name, event in PUBLISHED.items() if event not in OF_A_TAHAP},
    publish=published(
        TOPIC, "family", inside=(FindingBrought, FindingRejected, FindingApproved, Reinstated)
    ),
    snapshot=(Commitment, 10),
)

EXCEPTION: Final[StreamType[ExceptionCommand, DutyException, ExceptionEvent]] = StreamType(
    name="exception",
    decider=duty_exception,
    events=_named(ExceptionProposed, ExceptionDecided),
    publish=lambda _event, _state: None,
    snapshot=(DutyException, 1),
)

EVALUATION: Final[StreamType[EvaluationCommand, Evaluation, EvaluationEvent]] = StreamType(
    name="evaluation",
    decider=evaluation,
    events=_named(
        EvaluationAnnounced,
        EvaluationListed,
        EvaluationClosed,
        EvaluationFrozen,
        EvaluationCancelled,
    ),
    publish=publish_evaluation,
    snapshot=(Evaluation, 4),
)


# -- Read from payments: pkh.payments.tahap.v1 ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Policies:
    """The dated rules that a tahap goes by."""

    rule_set: str


@dataclass(frozen=True, slots=True)
class ClosingAnnounced:
    """A final closing is announced; begin once `after["conditionality"]` of the own log is there.

    `after` gives, per service, the position its facts must have reached.
    """

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    policies: Policies
    after: dict[str, int]
    revision: int = 1


@dataclass(frozen=True, slots=True)
class TahapCancelled:
    """A tahap is cancelled: what was judged by this announcement of it counts no more."""

    tahap: str
    revision: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """A family that waits for a supplementary run."""

    family: str


@dataclass(frozen=True, slots=True)
class ListFrozen:
    """The checker approved the list; deferred families are not on it."""

    tahap: str
    deferred: tuple[Deferred, ...]


@dataclass(frozen=True, slots=True)
class BucketRequested:
    """Evaluations of these buckets (two hex digits) do not agree with their proof."""

    tahap: str
    topic: str
    buckets: tuple[str, ...]


# -- Read from registry: pkh.registry.roster.v1 ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class FamilyListed:
    """One line of the roster; sealed fields are left where they are, unread."""

    tahap: str
    months: tuple[str, ...]
    rule_set: str
    revision: int
    family: str
    outcome: Literal["LISTED", "GRADUATED_NATURAL"]
    region: str
    members: tuple[ListedMember, ...]


@dataclass(frozen=True, slots=True)
class PersonsRegistered:
    """Persons, by token, belong to a family that lives in `region`; whom several families name, to
    the one that two people last `decided` for, else to the first."""

    family: str
    region: str
    persons: tuple[str, ...]
    decided: bool = False


@dataclass(frozen=True, slots=True)
class ErasureApproved:
    """A family is being erased: it has left, and nobody is its person any more."""

    family: str


@dataclass(frozen=True, slots=True)
class FamilyReinstated:
    """A family's termination was taken back: it is listed and judged again."""

    family: str


@dataclass(frozen=True, slots=True)
class ListClosed:
    """The roster of a tahap is complete; graduated families are not evaluated."""

    tahap: str
    revision: int
    listed: int
    graduated: int
    buckets: BucketsJson


# -- Read from complaints: pkh.complaints.case.v1 -------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppealOpened:
    """A family's case appeals against what followed from a tahap's cycle; `regions` are those of
    who opened it. A message without them allows nothing."""

    case: str
    family: str
    tahap: str
    effect: Against
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppealDecided:
    """The appeal of a case was decided by those who handle cases; `regions` are those of who did,
    `decision` is its number on the case."""

    case: str
    family: str
    outcome: Literal["UPHELD", "REJECTED", "WITHDRAWN"]
    tahap: str
    regions: tuple[str, ...] = ()
    decision: int = 1


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """A case asks a service for something; `asked_by` may decide on nothing that follows, and
    `regions` are those of the last of them."""

    order: str
    case: str
    ordered: str
    family: str
    asked_by: tuple[str, ...]
    tahap: str | None = None
    regions: tuple[str, ...] = ()


# -- Read from p2k2: pkh.p2k2.session.v1 ----------------------------------------------------------


class Mark(NamedTuple):
    """A family's attendance at a session: H present, I excused, A absent."""

    family: str
    status: Literal["H", "I", "A"]
    was: str = ""


@dataclass(frozen=True, slots=True)
class AttendanceRecorded:
    """Marks of families at a session that was held on a day."""

    session: str
    on: date
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class SessionCorrected:
    """A held session is known otherwise; its day may be another."""

    session: str
    on: date


@dataclass(frozen=True, slots=True)
class SessionCancelled:
    """A session counts nowhere."""

    session: str


# -- Written from outside -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PupilMonth:
    """One month of a pupil at school, in days of teaching; `month` is YYYY-MM, `absent` without a
    reason (alpa), `permitted` with leave (izin), `sick` with a letter (sakit)."""

    month: str
    effective_days: int
    absent: int
    permitted: int
    sick: int


@dataclass(frozen=True, slots=True)
class PupilMonthsReported:
    """Months of one pupil, as a school says; the message's key is the school's `npsn`.

    `nik` is the pupil's number, as a compact JWE closed for the platform (ECDH-ES, A256GCM), never
    in clear. A later message about a month takes the place of an earlier one; a message whose
    `ce_id` was taken before changes nothing.
    """

    npsn: str
    months: tuple[PupilMonth, ...]
    nik: str = ""


@dataclass(frozen=True, slots=True)
class VisitMonth:
    """The word on a person's visit to one service in a month (YYYY-MM)."""

    month: str
    service: str
    attended: bool


@dataclass(frozen=True, slots=True)
class PersonVisitsReported:
    """Visits of one person, as a health facility says; the message's key is its `facility_code`.

    `nik` is the person's number, as a compact JWE closed for the platform (ECDH-ES, A256GCM), never
    in clear. A later message about a service and month takes the place of an earlier one; a message
    whose `ce_id` was taken before changes nothing.
    """

    facility_code: str
    visits: tuple[VisitMonth, ...]
    nik: str = ""
