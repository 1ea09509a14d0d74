"""The dated facts of a family as the registry tells them: its own copies, with the fields needed.

`effective_on` is the day from which a fact is true, `reported_on` that from which it is known;
what came with the family's card has neither and was known from the beginning. Of a birth the years
around it are told ("2010-2019"), and of a pregnancy that there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class FamilyRegistered:
    family: str
    region: str
    dtks: bool


@dataclass(frozen=True, slots=True)
class MemberFacts:
    member: int
    born: str
    school_level: str | None
    severe_disability: bool
    pregnant: bool


@dataclass(frozen=True, slots=True)
class MembersRegistered:
    family: str
    members: tuple[MemberFacts, ...]
    payee: int | None


@dataclass(frozen=True, slots=True)
class MemberBorn:
    family: str
    member: int
    reported_on: date
    born: str


@dataclass(frozen=True, slots=True)
class MemberDied:
    family: str
    member: int
    effective_on: date
    reported_on: date


@dataclass(frozen=True, slots=True)
class SchoolChanged:
    family: str
    member: int
    effective_on: date
    reported_on: date
    school_level: str | None


@dataclass(frozen=True, slots=True)
class PregnancyReported:
    family: str
    member: int
    effective_on: date
    reported_on: date
    pregnant: bool


@dataclass(frozen=True, slots=True)
class FamilyMoved:
    family: str
    effective_on: date
    reported_on: date
    region: str


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    family: str
    effective_on: date
    reported_on: date
    payee: int | None


FACTS: Final = (
    FamilyRegistered,
    MembersRegistered,
    MemberBorn,
    MemberDied,
    SchoolChanged,
    PregnancyReported,
    FamilyMoved,
    PayeeChanged,
)
