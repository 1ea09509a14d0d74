"""Messages of an administrative hold, as an explanation reads them: its own copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class AdministrativeHoldPlaced:
    family: str
    number: int
    kind: str
    reason: str
    from_tahap: str
    last_day: date | None


@dataclass(frozen=True, slots=True)
class AdministrativeHoldEnded:
    family: str
    number: int
    reason: str
