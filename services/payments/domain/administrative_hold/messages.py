"""The administrative hold of a family: what two people can decide on it, and what then happened.

It keeps money from being sent, whatever the family's duties came to. The hold of a payment that was
credited and blocked is conditionality's, and another thing (payment/messages.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias


class HoldKind(StrEnum):
    """Kinds of holds, by what becomes of the money that is not sent."""

    HOLD = "HOLD"  # it waits for the hold's end, and a supplementary run then pays it
    EXCLUSION = "EXCLUSION"  # without an end: it lapses when its tahap is closed


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """On what terms a family is held.

    `reason` is a code, because it is published; `evidence` the number of a document, never what it
    says. `from_tahap` is the first tahap that is concerned, empty for every one whose money is not
    on its way yet; `last_day` the last day that is, None where only people end the hold.
    """

    kind: HoldKind
    reason: str
    evidence: str
    from_tahap: str = ""
    last_day: date | None = None

    def concerns(self, tahap: str, day: date) -> bool:
        """True where money of a tahap that counts for a day is held."""
        return tahap >= self.from_tahap and (self.last_day is None or day <= self.last_day)


# -- Commands


@dataclass(frozen=True, slots=True)
class ProposeHold:
    """The maker's proposal; it replaces what was proposed before."""

    family: str
    maker: str
    terms: HoldTerms


@dataclass(frozen=True, slots=True)
class ApproveHold:
    """Another person's approval: from here on the family is held on the proposed terms."""

    checker: str


@dataclass(frozen=True, slots=True)
class ProposeHoldEnd:
    """The maker's proposal that the family is held no more, with a code of why."""

    maker: str
    reason: str


@dataclass(frozen=True, slots=True)
class ApproveHoldEnd:
    """Another person's approval of the end."""

    checker: str


Command: TypeAlias = ProposeHold | ApproveHold | ProposeHoldEnd | ApproveHoldEnd

# -- Events


@dataclass(frozen=True, slots=True)
class AdministrativeHoldProposed:
    """Somebody proposes to hold a family; nothing is held by it."""

    family: str
    terms: HoldTerms
    maker: str


@dataclass(frozen=True, slots=True)
class AdministrativeHoldPlaced:
    """Two people hold a family, on terms that replace those of an earlier hold.

    `number` counts a family's holds from 1. The evidence stays in the proposal, inside payments.
    """

    family: str
    number: int
    kind: HoldKind
    reason: str
    from_tahap: str
    last_day: date | None
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class AdministrativeHoldEndProposed:
    """Somebody proposes that a family is held no more; it is held as long as nobody approves."""

    family: str
    reason: str
    maker: str


@dataclass(frozen=True, slots=True)
class AdministrativeHoldEnded:
    """Two people ended a family's hold; what was deferred may be paid by a supplementary run."""

    family: str
    number: int
    reason: str
    maker: str
    checker: str


Event: TypeAlias = (
    AdministrativeHoldProposed
    | AdministrativeHoldPlaced
    | AdministrativeHoldEndProposed
    | AdministrativeHoldEnded
)
