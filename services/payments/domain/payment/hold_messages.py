"""The hold of a payment's money: what conditionality asks for, and what comes of it.

This hold is the block that a failed cycle puts on credited money. What two people decide to hold
before it is sent is an administrative hold, and stands elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class HoldStatus(StrEnum):
    """May the family draw the money? Independent of whether the money has been credited."""

    NONE = "NONE"
    HELD = "HELD"
    RELEASED = "RELEASED"
    FORFEITED = "FORFEITED"


class ReturnReason(StrEnum):
    """Why held money goes back to the treasury."""

    GRADUATED_NATURAL = "GRADUATED_NATURAL"
    TERMINATED = "TERMINATED"


# -- Commands


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep the family from drawing this money. `effect` is the deciding cycle's effect id."""

    effect: str


@dataclass(frozen=True, slots=True)
class Release:
    """Let the family draw the money, because of what tahap `at_tahap` came to.

    `cleared`: an investigation decided it; otherwise a compliant or corrected cycle did.
    """

    effect: str
    at_tahap: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class Return:
    """Give held money back to the treasury, because of what tahap `at_tahap` came to."""

    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class ClearHold:
    """Forget what was decided of this money: its cycle was withdrawn with its tahap."""

    effect: str


# -- Events


@dataclass(frozen=True, slots=True)
class HoldCleared:
    """Nothing that was decided of this money before counts any more."""

    effect: str


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """The family may not draw this money, now or when it is credited."""

    effect: str


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """The family may draw this money, once it is credited; nothing moves yet."""

    effect: str
    at_tahap: str
    cleared: bool = False


@dataclass(frozen=True, slots=True)
class HoldForfeited:
    """Held money that is not credited yet goes back to the treasury once it is."""

    at_tahap: str
    reason: ReturnReason


@dataclass(frozen=True, slots=True)
class EffectTooLate:
    """The money cannot follow: it is drawable already (HELD was wanted) or forfeited.

    An outcome that a person may have to answer with a correction, not an error: a late fact
    re-decides a cycle whose money has long gone its way.
    """

    effect: str
    wanted: HoldStatus


@dataclass(frozen=True, slots=True)
class PaymentReleased:
    """Blocked money became the family's to draw, at tahap `at_tahap`."""

    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str
    effect: str


@dataclass(frozen=True, slots=True)
class PaymentReturned:
    """Blocked money went back to the treasury, at tahap `at_tahap`."""

    payment: str
    tahap: str
    family: str
    amount: int
    at_tahap: str
    reason: ReturnReason
