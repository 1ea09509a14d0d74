"""The state that decisions about a family need: its facts with their dates, none overwritten.

The parts are named tuples, which a snapshot keeps as plain arrays: ten million families are
stored, and field names would be half of it. Schools, moves and payees stand in the order in which
they apply (effective, then reported, then as they came): the last that holds counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

from libs.events.domain.personal import PersonalDay
from services.registry.domain.closing import tahap_order
from services.registry.domain.family.events import ChangeProposed, LateFact, SchoolLevel, Status
from services.registry.domain.family.list_events import FamilyListed, LineOutcome


class Dated(Protocol):
    """A fact that is known from a day on; None is known from the beginning."""

    @property
    def reported_on(self) -> date | None: ...


F = TypeVar("F", bound=Dated)


class Member(NamedTuple):
    """A person of the family; `effective_on` and `reported_on` are a later child's birth."""

    member: int
    token: str
    fingerprint: str
    nik_valid: bool
    birth_date: PersonalDay
    occupation: str | None = None
    school_level: SchoolLevel | None = None
    severe_disability: bool = False
    effective_on: PersonalDay | None = None
    reported_on: date | None = None


class Payee(NamedTuple):
    """Who receives the money, and where; all but token and bank are sealed."""

    token: str
    nik: str
    bank: str
    account_no: str
    account_name: str
    account_token: str = ""


NOBODY: Final = Payee("", "", "", "", "")


class Died(NamedTuple):
    """A member's death."""

    effective_on: date
    reported_on: date
    member: int


class Schooled(NamedTuple):
    """A member's school from a day on; no level is no school."""

    effective_on: date
    reported_on: date
    member: int
    school_level: SchoolLevel | None


class Expecting(NamedTuple):
    """A member's pregnancy; the one that came with the card has no dates and was always known."""

    effective_on: date | None
    reported_on: date | None
    member: int
    due_date: PersonalDay
    order: int | None


class Moved(NamedTuple):
    """The family's region from a day on."""

    effective_on: date
    reported_on: date
    region: str


class Paid(NamedTuple):
    """The family's payee from a day on; `approved_on` is None where nobody was asked."""

    effective_on: date
    reported_on: date
    payee: Payee
    approved_on: date | None = None


class Designation(NamedTuple):
    """The family's judgement at its first closing."""

    status: Status
    reason: str


class Listed(NamedTuple):
    """The last list that has looked at the family, and what came of it; PENDING has no line."""

    tahap: str
    revision: int
    outcome: LineOutcome | Literal["GRADUATION_PENDING"]

    @classmethod
    def of(cls, line: FamilyListed) -> Listed:
        """The list that a line stands on."""
        return cls(line.tahap, line.revision, line.outcome)

    @property
    def order(self) -> tuple[tuple[int, int], int]:
        """The list's place among all lists, in the order of time."""
        return tahap_order(self.tahap), self.revision


class WithoutCategory(NamedTuple):
    """A closing at which nobody held a category; facts reported by its term's end may tell."""

    tahap: str
    closing_date: date
    term_ends_on: date


class Waiting(NamedTuple):
    """The first of the closings in a row that found no category, and the end of its term."""

    tahap: str
    graduates_from: date


class Reopening(NamedTuple):
    """The latest proposal to re-open a tahap, with the line that it would bring."""

    number: int
    tahap: str
    late: tuple[LateFact, ...]
    line: FamilyListed
    standing: Literal["WAITING", "APPROVED", "REJECTED"] = "WAITING"


class TakeBack(NamedTuple):
    """The latest order to take the family's termination back."""

    order: str
    case: str
    asked_by: tuple[str, ...]
    standing: Literal["WAITING", "APPROVED", "REJECTED"] = "WAITING"


DepartureKind: TypeAlias = Literal["GRADUATED_NATURAL", "TERMINATED"]


class Departure(NamedTuple):
    """Why the family has left the programme; `tahap` is the last one that lists it."""

    kind: DepartureKind
    tahap: str


@dataclass(frozen=True, slots=True)
class Family:
    """A family with every fact ever reported; `family` is empty until it is registered."""

    family: str = ""
    fingerprint: str = ""
    in_dtks: bool = False
    region: str = ""
    payee: Payee = NOBODY
    members: tuple[Member, ...] = ()
    deaths: tuple[Died, ...] = ()
    schools: tuple[Schooled, ...] = ()
    pregnancies: tuple[Expecting, ...] = ()
    moves: tuple[Moved, ...] = ()
    payees: tuple[Paid, ...] = ()
    reported: tuple[str, ...] = ()  # fingerprints of life events
    duplicates: tuple[int, ...] = ()  # members whose number another family's card holds too
    designation: Designation | None = None
    listed: Listed | None = None
    departure: Departure | None = None
    waiting: Waiting | None = None
    without_category: tuple[WithoutCategory, ...] = ()  # by tahap, where the rules have a term
    reopenings: tuple[Reopening, ...] = ()  # by tahap
    proposals: int = 0  # to re-open a tahap, so far
    changes: tuple[ChangeProposed, ...] = ()  # that wait for another person
    changes_proposed: int = 0  # so far
    group: str = ""
    take_back: TakeBack | None = None
    orders: tuple[str, ...] = ()  # of cases, that were answered

    @property
    def closed(self) -> bool:
        """True where the key is destroyed that opened when its members were born."""
        return any(member.birth_date.lost for member in self.members)

    def holder_of(self, token: str) -> Member | None:
        """The member with this person token."""
        for member in self.members:
            if member.token == token:
                return member
        return None

    def reopening(self, tahap: str) -> Reopening | None:
        """The latest proposal to re-open a tahap."""
        return next((reopening for reopening in self.reopenings if reopening.tahap == tahap), None)

    def waiting_change(self, change: int) -> ChangeProposed | None:
        """The change of this number, while nobody has decided on it."""
        return next((waiting for waiting in self.changes if waiting.change == change), None)


def known_by(family: Family, day: date) -> Family:
    """The family without the facts that were reported after `day`."""
    if not family.reported:  # nothing but its card: the common case, and the cheap one
        return family
    return replace(
        family,
        members=_reported(family.members, day),
        deaths=_reported(family.deaths, day),
        schools=_reported(family.schools, day),
        pregnancies=_reported(family.pregnancies, day),
        moves=_reported(family.moves, day),
        payees=_reported(family.payees, day),
    )


def _reported(facts: tuple[F, ...], day: date) -> tuple[F, ...]:
    return tuple(f for f in facts if f.reported_on is None or f.reported_on <= day)
