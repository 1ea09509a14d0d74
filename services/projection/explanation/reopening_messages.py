"""Messages of a closing that found no category, as an explanation reads them: its own copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class GraduationPending:
    family: str
    tahap: str
    region: str
    graduates_from: date
    term_ends_on: date


@dataclass(frozen=True, slots=True)
class LateFact:
    fact: str
    effective_on: date | None
    reported_on: date | None
    recorded_by: str


@dataclass(frozen=True, slots=True)
class ReopeningProposed:
    family: str
    tahap: str
    reopening: int
    region: str
    late: tuple[LateFact, ...]


@dataclass(frozen=True, slots=True)
class ReopeningWithdrawn:
    family: str
    tahap: str
    reopening: int


@dataclass(frozen=True, slots=True)
class ReopeningRejected:
    family: str
    tahap: str
    reopening: int
    checker: str


@dataclass(frozen=True, slots=True)
class FamilyReopened:
    family: str
    tahap: str
    reopening: int
    region: str
    checker: str
