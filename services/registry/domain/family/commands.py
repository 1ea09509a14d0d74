"""Commands to a family; each carries everything that it needs from outside.

Sealed values and tokens are opaque text here. A `fingerprint` is the keyed hash of the row that
a command was made from: the same row again changes nothing, another row in its place is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, TypeAlias

from libs.events.domain.personal import PersonalDay
from services.registry.domain.closing import Closing, RuleSet
from services.registry.domain.family.events import (
    Decision,
    FamilyListed,
    FamilyRow,
    LateFact,
    MemberRow,
    SchoolLevel,
)
from services.registry.domain.family.state import Family

NIK_DIGITS = 16


def well_formed_nik(nik: str) -> bool:
    """True if a personal number can be one: sixteen digits and nothing else."""
    return len(nik) == NIK_DIGITS and nik.isascii() and nik.isdecimal()


@dataclass(frozen=True, slots=True)
class RegisterFamily:
    """Take in a candidate family from the integrated social data."""

    family: str
    row: FamilyRow


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who brings a change, and the job of the import that it came with."""

    person: str
    batch: str


@dataclass(frozen=True, slots=True)
class RegisterMembers:
    """Take in the people of the family's card on a day, each with the next free number.

    `evidence` has, by person token, the number of the document that admits somebody to a family
    that was judged already.
    """

    rows: tuple[MemberRow, ...]
    reporter: Reporter
    day: date
    evidence: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Birth:
    """A child was born into the family."""

    token: str
    nik: str  # sealed
    name: str  # sealed
    nik_valid: bool
    sex: str
    birth_date: PersonalDay
    effective_on: PersonalDay


@dataclass(frozen=True, slots=True)
class Death:
    """A member has died."""

    token: str


@dataclass(frozen=True, slots=True)
class SchoolChange:
    """A member entered, changed or (no level) left school."""

    token: str
    school_level: SchoolLevel | None
    npsn: str | None = None  # sealed
    nisn: str | None = None  # sealed


@dataclass(frozen=True, slots=True)
class Pregnancy:
    """A member expects a child; `pregnancy_order` is None where nobody knows which."""

    token: str
    due_date: PersonalDay | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """The family lives elsewhere now."""

    region: str


@dataclass(frozen=True, slots=True)
class PayeeChange:
    """Somebody else receives the money, on another account. It may be no member at all."""

    payee_token: str
    payee_nik: str  # sealed
    bank: str
    account_no: str  # sealed
    account_name: str  # sealed
    account_token: str = ""


LifeEvent: TypeAlias = Birth | Death | SchoolChange | Pregnancy | Move | PayeeChange


@dataclass(frozen=True, slots=True)
class ReportLifeEvent:
    """Take in a data update: true from `effective_on`, known from `reported_on`.

    `judged_on` is the later one of `reported_on` and the last closing's date, which no reporter
    writes; `rules` are those of that day. `away` says that a move leads out of the regions that the
    reporter answers for.
    """

    effective_on: date
    reported_on: date
    fingerprint: str
    fact: LifeEvent
    judged_on: date
    rules: RuleSet
    reporter: Reporter
    away: bool = False


@dataclass(frozen=True, slots=True)
class RecordNik:
    """Say the number of a member who has none that can be one."""

    member: int
    token: str
    nik: str  # sealed
    fingerprint: str
    reporter: Reporter


class Persons(NamedTuple):
    """Members of whom other families say something: whom another family has, and those about whom
    two people decided whose they are."""

    elsewhere: frozenset[int] = frozenset()
    decided: frozenset[int] = frozenset()


NOBODY_ELSEWHERE: Final = Persons()


@dataclass(frozen=True, slots=True)
class AdjudicatePerson:
    """Say that a member whom another family names too is this family's.

    `evidence` is the number of the document that shows it.
    """

    member: int
    evidence: str
    fingerprint: str
    persons: Persons
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class AssignGroup:
    """Say that the family, by its card's token, is of another group from a day on."""

    card: str
    group: str
    facilitator: str
    since: date
    fingerprint: str
    reporter: Reporter


@dataclass(frozen=True, slots=True)
class DecideChange:
    """Another person lets a change be, or not; `decided_on` is the day by their calendar."""

    change: int
    decision: Decision
    checker: str
    decided_on: date


@dataclass(frozen=True, slots=True)
class WithdrawChange:
    """Take a change back before anybody has decided on it."""

    change: int
    maker: str


@dataclass(frozen=True, slots=True)
class MarkDuplicate:
    """Note that a member's number also stands on another family's card."""

    token: str


@dataclass(frozen=True, slots=True)
class ListFamily:
    """Judge the family at a closing and write its line of the list.

    `nik_order` ranks members that share a birth date by NIK; only the edge can know it
    (`sharing_birth_date` says for whom it is needed).
    """

    closing: Closing
    nik_order: Mapping[int, int] = field(default_factory=dict)
    persons: Persons = NOBODY_ELSEWHERE


@dataclass(frozen=True, slots=True)
class RepeatLine:
    """Send a line of the family again, word for word, because somebody did not get it."""

    line: FamilyListed


@dataclass(frozen=True, slots=True)
class ReviewClosing:
    """Look whether a closing that found no category would find one by what is known since.

    `closing` is that of the list; `late` are the facts stored behind the list's cut, in order;
    `nik_order` and `persons` are as for `ListFamily`.
    """

    closing: Closing
    late: tuple[LateFact, ...]
    nik_order: Mapping[int, int] = field(default_factory=dict)
    persons: Persons = NOBODY_ELSEWHERE


@dataclass(frozen=True, slots=True)
class DecideReopening:
    """Another person than those who recorded its facts lets a re-opening take effect, or not.

    `frozen` says that the tahap's list is frozen: before that, nobody could be paid beside it.
    """

    tahap: str
    decision: Decision
    checker: str
    frozen: bool


@dataclass(frozen=True, slots=True)
class MarkTerminated:
    """Note that conditionality has ended the family's participation with a tahap."""

    tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class AskTakeBack:
    """A case orders the family's termination to be taken back; who asked does not decide on it.

    `there` says that the family is registered and not erased, `inside` that it lives in a region
    of who asked.
    """

    family: str
    order: str
    case: str
    asked_by: tuple[str, ...]
    there: bool
    inside: bool = True


@dataclass(frozen=True, slots=True)
class DecideTakeBack:
    """Another person takes the termination back, or lets it stay."""

    decision: Decision
    checker: str


@dataclass(frozen=True, slots=True)
class AbandonTakeBack:
    """Two people erase the family, the second of them `checker`: an order that waits is over."""

    checker: str


@dataclass(frozen=True, slots=True)
class UnlistFamily:
    """Take back what the cancelled list of a tahap did; `before` is the family at its cut."""

    tahap: str
    revision: int
    before: Family


Command: TypeAlias = (
    RegisterFamily
    | RegisterMembers
    | ReportLifeEvent
    | RecordNik
    | AdjudicatePerson
    | AssignGroup
    | DecideChange
    | WithdrawChange
    | MarkDuplicate
    | ListFamily
    | RepeatLine
    | ReviewClosing
    | DecideReopening
    | UnlistFamily
    | MarkTerminated
    | AskTakeBack
    | DecideTakeBack
    | AbandonTakeBack
)
