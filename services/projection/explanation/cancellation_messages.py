"""Messages about a family that a cancelled tahap takes back: its own copies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FamilyUnlisted:
    family: str
    tahap: str
    revision: int = 1


@dataclass(frozen=True, slots=True)
class CycleWithdrawn:
    family: str
    tahap: str


@dataclass(frozen=True, slots=True)
class PaymentVoided:
    payment: str
    tahap: str
    family: str
