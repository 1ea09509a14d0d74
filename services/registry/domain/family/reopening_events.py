"""Events of a closing that found no category, by late facts: proposed, then decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from libs.events.domain.personal import PersonalDay
from services.registry.domain.family.list_events import FamilyListed

Decision: TypeAlias = Literal["APPROVED", "REJECTED"]


@dataclass(frozen=True, slots=True)
class LateFact:
    """A fact that the list did not know: the type of its event, its dates, who recorded it.

    What came with the family's card has no dates.
    """

    fact: str
    effective_on: PersonalDay | None
    reported_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ReopeningProposed:
    """Facts that came late would have listed the family; nothing changes until a person approves.

    `reopening` numbers the family's proposals; a new one for the same tahap takes the place of
    the one before it. `line` is what the family is listed with if somebody approves.
    """

    family: str
    tahap: str
    reopening: int
    closing_date: date
    late: tuple[LateFact, ...]
    line: FamilyListed


@dataclass(frozen=True, slots=True)
class ReopeningWithdrawn:
    """The facts say again that nobody held a category, so there is nothing left to re-open."""

    family: str
    tahap: str
    reopening: int


@dataclass(frozen=True, slots=True)
class ReopeningRejected:
    """A proposed re-opening does not take effect."""

    family: str
    tahap: str
    reopening: int
    checker: str


@dataclass(frozen=True, slots=True)
class FamilyReopened:
    """The family is back in the programme, and its line of the tahap follows."""

    family: str
    tahap: str
    reopening: int
    region: str
    checker: str
