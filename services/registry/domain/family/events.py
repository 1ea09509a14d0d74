"""What has happened to a family. Text called sealed is ciphertext, and opaque here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

SchoolLevel: TypeAlias = Literal["SD", "SMP", "SMA"]
Category: TypeAlias = Literal[
    "PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"
]
Status: TypeAlias = Literal["ELIGIBLE", "INELIGIBLE", "HOLD"]
LineOutcome: TypeAlias = Literal["LISTED", "GRADUATED_NATURAL"]

LISTED: Final = "LISTED"
GRADUATED_NATURAL: Final = "GRADUATED_NATURAL"
GRADUATION_PENDING: Final = "GRADUATION_PENDING"


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


@dataclass(frozen=True, slots=True)
class FamilyRegistered:
    """A candidate family stands in the register."""

    family: str
    row: FamilyRow


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A person on the family's card. `occupation` is None where it is none of interest."""

    token: str
    fingerprint: str
    nik: str  # sealed
    name: str  # sealed
    nik_valid: bool
    sex: str
    birth_date: date
    relationship: str
    occupation: str | None
    school_level: SchoolLevel | None
    npsn: str | None  # sealed
    nisn: str | None  # sealed
    severe_disability: bool
    pregnancy_due_date: date | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class MembersRegistered:
    """People of the family's card, numbered from `first_member` in the order of `rows`."""

    first_member: int
    rows: tuple[MemberRow, ...]


@dataclass(frozen=True, slots=True)
class PersonsRegistered:
    """Persons, by token, are now known to belong to a family that lives in `region`.

    What others reported of a person before counts for the family from now on.
    """

    family: str
    region: str
    persons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberBorn:
    """A child was born into the family and has the next number."""

    member: int
    effective_on: date
    reported_on: date
    fingerprint: str
    token: str
    nik: str  # sealed
    name: str  # sealed
    nik_valid: bool
    sex: str
    birth_date: date


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
    due_date: date | None
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
    """Somebody else receives the money, on another account."""

    effective_on: date
    reported_on: date
    fingerprint: str
    payee_token: str
    payee_nik: str  # sealed
    bank: str
    account_no: str  # sealed
    account_name: str  # sealed


@dataclass(frozen=True, slots=True)
class DuplicateMarked:
    """A member's number also stands on another family's card."""

    member: int


@dataclass(frozen=True, slots=True)
class FamilyDesignated:
    """The family was judged, once, at its first closing; `reason` is empty when ELIGIBLE."""

    family: str
    tahap: str
    status: Status
    reason: str
    region: str
    closing_date: date
    rule_set: str


@dataclass(frozen=True, slots=True)
class RosterMember:
    """A member who holds a category at a month's end of the cycle or at the closing.

    `months` runs parallel to the months of the tahap. `seniority` counts the line's members
    from 0, youngest first, then by NIK.
    """

    member: int
    token: str
    seniority: int
    months: tuple[tuple[Category, ...], ...]
    closing: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class FamilyListed:
    """The family's line of a tahap's list; a graduated family's line has no members or account.

    It names months and rule set itself, so that who reads it needs no other message first.
    """

    tahap: str
    months: tuple[str, ...]
    rule_set: str
    revision: int
    family: str
    outcome: LineOutcome
    region: str
    payee_valid: bool
    bank: str | None
    account_no: str | None  # sealed
    account_name: str | None  # sealed
    payee_nik: str | None  # sealed
    members: tuple[RosterMember, ...]


@dataclass(frozen=True, slots=True)
class GraduationPending:
    """No member holds a category, and the family waits before it graduates: it has not left.

    It has no line: nothing is owed, nothing judged, and what is blocked stays blocked. A closing
    on or after `graduates_from`, the end of the term of the first such closing in a row, lets it
    graduate. A fact that is reported by `term_ends_on` may re-open this tahap.
    """

    family: str
    tahap: str
    revision: int
    region: str
    closing_date: date
    rule_set: str
    graduates_from: date
    term_ends_on: date


@dataclass(frozen=True, slots=True)
class FamilyGraduated:
    """No member holds a category any more: the family leaves the programme with this tahap.

    A fact that is reported by `term_ends_on` may re-open it; None where the rules have no term.
    """

    family: str
    tahap: str
    kind: Literal["NATURAL"]
    region: str
    closing_date: date
    rule_set: str
    term_ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class FamilyTerminated:
    """Conditionality has ended the family's participation; `tahap` is its last."""

    tahap: str
    effect: str


LifeFact: TypeAlias = (
    MemberBorn | MemberDied | SchoolChanged | PregnancyReported | FamilyMoved | PayeeChanged
)

Event: TypeAlias = (
    FamilyRegistered
    | MembersRegistered
    | PersonsRegistered
    | LifeFact
    | DuplicateMarked
    | FamilyDesignated
    | FamilyListed
    | GraduationPending
    | FamilyGraduated
    | FamilyTerminated
)
