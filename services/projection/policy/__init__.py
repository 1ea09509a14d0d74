"""The targets of the programme's indicators, read once at start from the file beside this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, get_args

import msgspec

from libs.policy.files import Count, Percent, Reference, Shape, Text, read

FOLDER: Final = Path(__file__).parent

Indicator: TypeAlias = Literal["EDUCATION", "HEALTH", "P2K2", "TRANSFERS"]
SCALE: Final = 100_000
PER_PERCENT: Final = SCALE // 100


INDICATORS: Final[tuple[Indicator, ...]] = get_args(Indicator)


def indicator_named(name: str) -> Indicator:
    """The indicator of a name. Raises StopIteration for no such name."""
    return next(indicator for indicator in INDICATORS if indicator == name)


@dataclass(frozen=True, slots=True)
class Target:
    """A share of 100,000 that is to be reached, or not to be passed."""

    per_100000: int
    at_most: bool = False

    def is_met(self, part: int, whole: int) -> bool:
        """True where a part is such a share of the whole; of nothing it is none."""
        # Whole numbers on both sides: exactly the target counts, and a float could miss it.
        share, wanted = SCALE * part, self.per_100000 * whole
        return whole > 0 and (share <= wanted if self.at_most else share >= wanted)


class Targets(Shape):
    """Shares to be reached from a day on, in percent; of failed transfers, not to be passed."""

    p2k2_percent: Percent
    health_percent: Percent
    education_percent: Percent
    transfers_failed_per_100000: Count

    def of(self, indicator: Indicator) -> Target:
        """The target of one indicator."""
        match indicator:
            case "P2K2":
                return Target(self.p2k2_percent * PER_PERCENT)
            case "HEALTH":
                return Target(self.health_percent * PER_PERCENT)
            case "EDUCATION":
                return Target(self.education_percent * PER_PERCENT)
            case "TRANSFERS":
                return Target(self.transfers_failed_per_100000, at_most=True)


class TargetsFile(Shape):
    """The content of indicators.yaml."""

    description: Text
    unit: Text
    values: Annotated[dict[date, Targets], msgspec.Meta(min_length=1)]
    reference: Annotated[list[Reference], msgspec.Meta(min_length=1)]


TARGETS: Final = read(FOLDER / "indicators.yaml", TargetsFile).values


def targets_of(tahap: str) -> Targets:
    """The targets of a tahap's year; those of the first day before it."""
    begun = [day for day in TARGETS if day.year <= int(tahap[:4])]
    return TARGETS[max(begun) if begun else min(TARGETS)]
