"""Events of a family at a final closing: judged, listed, waiting, or graduated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias

Category: TypeAlias = Literal[
    "PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"
]
Status: TypeAlias = Literal["ELIGIBLE", "INELIGIBLE", "HOLD"]
LineOutcome: TypeAlias = Literal["LISTED", "GRADUATED_NATURAL"]
NotCounted: TypeAlias = Literal["", "INVALID_NIK", "DUPLICATE_NIK", "ADJUDICATED"]
"""The reason why a member does not count for money; empty for one who does.

A person of two families counts in the one that named them first, or that two people decided for.
"""

LISTED: Final = "LISTED"
GRADUATED_NATURAL: Final = "GRADUATED_NATURAL"
GRADUATION_PENDING: Final = "GRADUATION_PENDING"


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
    from 0, youngest first, then by NIK. Who is `not_counted` owes duties all the same, and brings
    no money.
    """

    member: int
    token: str
    seniority: int
    months: tuple[tuple[Category, ...], ...]
    closing: tuple[Category, ...]
    not_counted: NotCounted = ""


@dataclass(frozen=True, slots=True)
class FamilyListed:
    """The family's line of a tahap's list; a graduated family's line has no members or account.

    It names months and rule set itself, so that who reads it needs no other message first. A
    line with a `reopening`, its number in the family, comes behind the list and is in no proof.
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
    reopening: int = 0


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
class FamilyUnlisted:
    """The list of a tahap was cancelled: the family stands again as it stood before that list.

    `designation` is (status, reason), `listed` the list before (tahap, revision, outcome),
    `departure` (kind, tahap), `waiting` (tahap, graduates_from); None where there was none.
    """

    family: str
    tahap: str
    revision: int
    designation: tuple[Status, str] | None
    listed: tuple[str, int, LineOutcome | Literal["GRADUATION_PENDING"]] | None
    departure: tuple[Literal["GRADUATED_NATURAL", "TERMINATED"], str] | None
    waiting: tuple[str, date] | None
    without_category: tuple[tuple[str, date, date], ...] = ()
