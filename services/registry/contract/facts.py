"""A family's facts as others are told of them: what categories, region and payee's age rest on.

No number, token, name, account or occupation of anybody goes out: who reads these messages knows
a family by its id and its members by their numbers within it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from services.registry.domain.family import events
from services.registry.domain.family.events import SchoolLevel
from services.registry.domain.family.state import Family

RegisteredFact: TypeAlias = events.FamilyRegistered | events.MembersRegistered | events.LifeFact


@dataclass(frozen=True, slots=True)
class FamilyRegistered:
    """A candidate family stands in the register; `dtks`: it is in the integrated data."""

    family: str
    region: str
    dtks: bool


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """A member as the family's card has them; `member` is their number within the family."""

    member: int
    birth_date: date
    school_level: SchoolLevel | None
    severe_disability: bool
    pregnancy_due_date: date | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class MembersRegistered:
    """People of the family's card; `payee` is the one of them who receives the money, if any."""

    family: str
    members: tuple[MemberFacts, ...]
    payee: int | None


@dataclass(frozen=True, slots=True)
class MemberBorn:
    """A child was born into the family and has the next number."""

    family: str
    member: int
    effective_on: date
    reported_on: date
    birth_date: date


@dataclass(frozen=True, slots=True)
class MemberDied:
    """A member has died."""

    family: str
    member: int
    effective_on: date
    reported_on: date


@dataclass(frozen=True, slots=True)
class SchoolChanged:
    """A member entered, changed or (no level) left school."""

    family: str
    member: int
    effective_on: date
    reported_on: date
    school_level: SchoolLevel | None


@dataclass(frozen=True, slots=True)
class PregnancyReported:
    """A member expects a child."""

    family: str
    member: int
    effective_on: date
    reported_on: date
    due_date: date | None
    pregnancy_order: int | None


@dataclass(frozen=True, slots=True)
class FamilyMoved:
    """The family lives elsewhere."""

    family: str
    effective_on: date
    reported_on: date
    region: str


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    """Somebody else receives the money: the member `payee`, or nobody of the family."""

    family: str
    effective_on: date
    reported_on: date
    payee: int | None


def fact_of(event: RegisteredFact, state: Family) -> object:
    """An event of a family without anything that says who somebody is; `state` is behind it."""
    match event:
        case events.FamilyRegistered(row=row):
            return FamilyRegistered(event.family, row.region, row.dtks)
        case events.MembersRegistered():
            return _members(event, state)
        case _:
            return _life_fact(event, state)


def _members(event: events.MembersRegistered, state: Family) -> MembersRegistered:
    numbered = list(enumerate(event.rows, start=event.first_member))
    payees = [number for number, row in numbered if row.token == state.payee.token]
    members = tuple(
        MemberFacts(
            member=number,
            birth_date=row.birth_date.clear,
            school_level=row.school_level,
            severe_disability=row.severe_disability,
            pregnancy_due_date=row.pregnancy_due_date and row.pregnancy_due_date.clear,
            pregnancy_order=row.pregnancy_order,
        )
        for number, row in numbered
    )
    return MembersRegistered(state.family, members, payees[0] if payees else None)


def _life_fact(event: events.LifeFact, state: Family) -> object:
    family, since, reported_on = state.family, event.effective_on, event.reported_on
    match event:
        case events.MemberBorn():
            born = event.effective_on.clear, reported_on, event.birth_date.clear
            return MemberBorn(family, event.member, *born)
        case events.MemberDied():
            return MemberDied(family, event.member, since, reported_on)
        case events.SchoolChanged():
            return SchoolChanged(family, event.member, since, reported_on, event.school_level)
        case events.PregnancyReported():
            due, order = event.due_date and event.due_date.clear, event.pregnancy_order
            return PregnancyReported(family, event.member, since, reported_on, due, order)
        case events.FamilyMoved():
            return FamilyMoved(family, since, reported_on, event.region)
        case events.PayeeChanged():
            holder = state.holder_of(event.payee_token)
            return PayeeChanged(family, since, reported_on, holder.member if holder else None)
