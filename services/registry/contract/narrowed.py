"""The messages of the narrow topic about families that differ from those of the wide one.

They are made of those by contracts/topics.yaml, when they are sent. Years stand in place of a birth
date: "2010-2019"; who needs the day looks it up in the register, where that is written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.registry.domain.family.events import SchoolLevel


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
