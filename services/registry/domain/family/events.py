"""Events of a family. Text called sealed is ciphertext, and opaque here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from libs.events.domain.personal import PersonalDay
from services.registry.domain.family.list_events import (
    GRADUATED_NATURAL,
    GRADUATION_PENDING,
    LISTED,
    Category,
    FamilyDesignated,
    FamilyGraduated,
    FamilyListed,
    FamilyUnlisted,
    GraduationPending,
    LineOutcome,
    RosterMember,
    Status,
)
from services.registry.domain.family.reopening_events import (
    Decision,
    FamilyReopened,
    LateFact,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)

SchoolLevel: TypeAlias = Literal["SD", "SMP", "SMA"]


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A candidate family as the integrated social data knows it. `decile` is 1 (poorest) to 10."""

    fingerprint: str
    card_token: str
    card: str  # sealed no_kk
    dtks_id: str  # sealed
    dtks: bool
    decile: int | None
    region: str
    address: str  # sealed, with RT and RW
    payee_token: str
    payee_nik: str  # sealed
    bank: str
    account_no: str  # sealed
    account_name: str  # sealed
    facilitator: str
    group: str
    account_token: str = ""  # of bank and number; empty without an account, and in older events


@dataclass(frozen=True, slots=True)
class FamilyRegistered:
    """A candidate family stands in the register."""

    family: str
    row: FamilyRow


@dataclass(frozen=True, slots=True)
class GroupAssigned:
    """The family, by the token of its card, belongs to a group of a facilitator.

    `region` is where it lived on the first day of that, `since`; None is from the beginning on.
    """

    family: str
    card: str
    region: str
    group: str
    facilitator: str
    since: date | None = None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person on the family's card. `occupation` is None where it is none of interest."""

    token: str
    fingerprint: str
    nik: str  # sealed
    name: str  # sealed
    nik_valid: bool
    sex: str
    birth_date: PersonalDay
    relationship: str
    occupation: str | None
    school_level: SchoolLevel | None
    npsn: str | None  # sealed
    nisn: str | None  # sealed
    severe_disability: bool
    pregnancy_due_date: PersonalDay | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class MembersRegistered:
    """People of the family's card, numbered from `first_member` in the order of `rows`."""

    first_member: int
    rows: tuple[MemberRow, ...]


@dataclass(frozen=True, slots=True)
class PersonsRegistered:
    """Persons, by token, are now known to belong to a family that lives in `region`.

    What others reported of a person before counts for the family from now on. `decided`: two people
    said whose a person is whom another family named, too.
    """

    family: str
    region: str
    persons: tuple[str, ...]
    decided: bool = False


@dataclass(frozen=True, slots=True)
class MemberBorn:
    """A child was born into the family and has the next number."""

    member: int
    effective_on: PersonalDay
    reported_on: date
    fingerprint: str
    token: str
    nik: str  # sealed
    name: str  # sealed
    nik_valid: bool
    sex: str
    birth_date: PersonalDay


@dataclass(frozen=True, slots=True)
class NikRecorded:
    """The number of a member who had none, or none that can be one, is known now."""

    member: int
    fingerprint: str
    token: str
    nik: str  # sealed


@dataclass(frozen=True, slots=True)
class PersonAdjudicated:
    """Two people decided whose a person is whom several families name: this family's, by token."""

    member: int
    fingerprint: str
    token: str


@dataclass(frozen=True, slots=True)
class MemberDied:
    """A member has died."""

    member: int
    effective_on: date
    reported_on: date
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SchoolChanged:
    """A member entered, changed or (no level) left school."""

    member: int
    effective_on: date
    reported_on: date
    fingerprint: str
    school_level: SchoolLevel | None
    npsn: str | None  # sealed
    nisn: str | None  # sealed


@dataclass(frozen=True, slots=True)
class PregnancyReported:
    """A member expects a child."""

    member: int
    effective_on: date
    reported_on: date
    fingerprint: str
    due_date: PersonalDay | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class FamilyMoved:
    """The family lives elsewhere."""

    effective_on: date
    reported_on: date
    fingerprint: str
    region: str


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    """Somebody else receives the money, or on another account; a second person let it, on a day."""

    effective_on: date
    reported_on: date
    fingerprint: str
    payee_token: str
    payee_nik: str  # sealed
    bank: str
    account_no: str  # sealed
    account_name: str  # sealed
    account_token: str = ""
    approved_on: date | None = None  # None in events from before a second person was asked


@dataclass(frozen=True, slots=True)
class DuplicateMarked:
    """A member's number also stands on another family's card."""

    member: int


@dataclass(frozen=True, slots=True)
class FamilyTerminated:
    """Conditionality has ended the family's participation; `tahap` is its last."""

    tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class TakeBackProposed:
    """A case asks for the family's termination to be taken back; another person decides on it."""

    family: str
    order: str
    case: str
    asked_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TakeBackRejected:
    """The family's termination stays."""

    family: str
    order: str
    case: str
    checker: str


@dataclass(frozen=True, slots=True)
class TerminationTakenBack:
    """Another person than who asked took the termination with `tahap` back: the next list has the
    family again."""

    family: str
    tahap: str
    order: str
    case: str
    checker: str


@dataclass(frozen=True, slots=True)
class FamilyReinstated:
    """A family whose termination was taken back is in the programme: its cycles are judged again,
    and its failures counted anew."""

    family: str


@dataclass(frozen=True, slots=True)
class OrderAnswered:
    """The answer to an order of a case: PROPOSED to another person, DONE, or REFUSED for a
    reason."""

    family: str
    order: str
    case: str
    outcome: Literal["PROPOSED", "DONE", "REFUSED"]
    reason: str = ""


TakeBackEvent: TypeAlias = (
    TakeBackProposed | TakeBackRejected | TerminationTakenBack | FamilyReinstated | OrderAnswered
)
LifeFact: TypeAlias = (
    MemberBorn | MemberDied | SchoolChanged | PregnancyReported | FamilyMoved | PayeeChanged
)
ProposedFact: TypeAlias = (
    PayeeChanged
    | MemberBorn
    | MembersRegistered
    | SchoolChanged
    | PregnancyReported
    | FamilyMoved
    | NikRecorded
    | PersonAdjudicated
    | GroupAssigned
)


@dataclass(frozen=True, slots=True)
class ChangeProposed:
    """A change waits for another person; `change` numbers the family's proposals, from 1.

    One fact is set: what the family gains by the approval, a member with the number that is free
    then. `batch` is the job of the import, `evidence` the number of a document. A move with a
    `receiver` is confirmed from that region.
    """

    change: int
    maker: str
    batch: str
    fingerprint: str
    evidence: str = ""
    receiver: str | None = None
    payee_changed: PayeeChanged | None = None
    member_born: MemberBorn | None = None
    members_registered: MembersRegistered | None = None
    school_changed: SchoolChanged | None = None
    pregnancy_reported: PregnancyReported | None = None
    family_moved: FamilyMoved | None = None
    nik_recorded: NikRecorded | None = None
    person_adjudicated: PersonAdjudicated | None = None
    group_assigned: GroupAssigned | None = None

    @property
    def fact(self) -> ProposedFact:
        """The fact that waits."""
        facts = (
            *(self.payee_changed, self.member_born, self.members_registered),
            *(self.school_changed, self.pregnancy_reported, self.family_moved, self.nik_recorded),
            *(self.person_adjudicated, self.group_assigned),
        )
        return next(fact for fact in facts if fact is not None)


@dataclass(frozen=True, slots=True)
class ChangeApproved:
    """Another person let the change be; its fact follows."""

    change: int
    maker: str
    checker: str
    approved_on: date


@dataclass(frozen=True, slots=True)
class ChangeRejected:
    """Another person refused the change; the same row again proposes nothing."""

    change: int
    checker: str


@dataclass(frozen=True, slots=True)
class ChangeWithdrawn:
    """The maker took the change back, or sent another in its place."""

    change: int
    maker: str


ChangeEvent: TypeAlias = ChangeProposed | ChangeApproved | ChangeRejected | ChangeWithdrawn

Event: TypeAlias = (
    FamilyRegistered
    | GroupAssigned
    | MembersRegistered
    | PersonsRegistered
    | LifeFact
    | NikRecorded
    | PersonAdjudicated
    | ChangeEvent
    | DuplicateMarked
    | FamilyDesignated
    | FamilyListed
    | GraduationPending
    | FamilyGraduated
    | ReopeningProposed
    | ReopeningWithdrawn
    | ReopeningRejected
    | FamilyReopened
    | FamilyUnlisted
    | FamilyTerminated
    | TakeBackEvent
)

__all__ = [
    "GRADUATED_NATURAL",
    "GRADUATION_PENDING",
    "LISTED",
    "Category",
    "Decision",
    "FamilyDesignated",
    "FamilyGraduated",
    "FamilyListed",
    "FamilyReopened",
    "FamilyUnlisted",
    "GraduationPending",
    "LateFact",
    "LineOutcome",
    "ReopeningProposed",
    "ReopeningRejected",
    "ReopeningWithdrawn",
    "RosterMember",
    "Status",
]
