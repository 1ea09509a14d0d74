"""The targets of the programme's indicators, read once at start from the file beside this."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec

from libs.policy.files import Percent, Reference, Shape, Text, read

FOLDER: Final = Path(__file__).parent


class Targets(Shape):
    """Shares to be reached from a day on, in percent."""

    p2k2_percent: Percent


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


def is_met(part: int, whole: int, percent: int) -> bool:
    """True where a part is a share of the whole that was to be reached; of nothing it is none."""
    return whole > 0 and 100 * part >= percent * whole
