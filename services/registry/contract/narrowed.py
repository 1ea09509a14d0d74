"""The messages of the narrow topic about families that differ from those of the wide one.

They are stored as they are here; of what was stored before days were sealed, contracts/topics.yaml
makes them. Years stand in place of a birth date: "2010-2019"; who needs the day looks it up in the
register, where that is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from libs.events.bus.narrowing import ten_years
from services.registry.contract.facts import MemberBorn, MembersRegistered, PregnancyReported
from services.registry.domain.family.events import LateFact, SchoolLevel


@dataclass(frozen=True, slots=True)
class MemberFactsV2:
    """A member as the family's card has them; `member` is their number within the family."""

    member: int
    born: str
    school_level: SchoolLevel | None
    severe_disability: bool
    pregnant: bool


@dataclass(frozen=True, slots=True)
class MembersRegisteredV2:
    """People of the family's card; `payee` is the one of them who receives the money, if any."""

    family: str
    members: tuple[MemberFactsV2, ...]
    payee: int | None


@dataclass(frozen=True, slots=True)
class MemberBornV2:
    """A child was born into the family and has the next number."""

    family: str
    member: int
    reported_on: date
    born: str


@dataclass(frozen=True, slots=True)
class PregnancyReportedV2:
    """A member expects a child, or (not `pregnant`) expects none any more."""

    family: str
    member: int
    effective_on: date
    reported_on: date
    pregnant: bool


@dataclass(frozen=True, slots=True)
class LateFactV2:
    """A fact that the list did not know: the type of its event, who recorded it, and since when it
    is known, which what came with the family's card does not say."""

    fact: str
    reported_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ReopeningProposedV2:
    """Late facts would have listed the family at a tahap; another person decides on it."""

    family: str
    tahap: str
    reopening: int
    region: str
    late: tuple[LateFactV2, ...]


WideFact: TypeAlias = MembersRegistered | MemberBorn | PregnancyReported
NarrowFact: TypeAlias = MembersRegisteredV2 | MemberBornV2 | PregnancyReportedV2


def narrowed(fact: WideFact) -> NarrowFact:
    """A fact as the narrow topic tells it, without a day of a birth or a pregnancy."""
    match fact:
        case MembersRegistered():
            members = tuple(
                MemberFactsV2(
                    member=row.member,
                    born=ten_years(row.birth_date.isoformat()),
                    school_level=row.school_level,
                    severe_disability=row.severe_disability,
                    pregnant=row.pregnancy_due_date is not None,
                )
                for row in fact.members
            )
            return MembersRegisteredV2(fact.family, members, fact.payee)
        case MemberBorn():
            born = ten_years(fact.birth_date.isoformat())
            return MemberBornV2(fact.family, fact.member, fact.reported_on, born)
        case PregnancyReported():
            dates = fact.effective_on, fact.reported_on
            pregnant = fact.due_date is not None
            return PregnancyReportedV2(fact.family, fact.member, *dates, pregnant)


def narrowed_late(late: tuple[LateFact, ...]) -> tuple[LateFactV2, ...]:
    """Late facts without since when they are true."""
    return tuple(LateFactV2(fact.fact, fact.reported_on, fact.recorded_by) for fact in late)
