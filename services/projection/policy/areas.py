"""The areas of the nation by their dotted codes, province to village, and what people call them.

Codes and names contain information from idn-area-data, under the ODbL 1.0.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from libs.policy.files import PolicyError
from services.projection.policy import FOLDER

Level: TypeAlias = Literal["NATION", "PROVINCE", "REGENCY", "DISTRICT", "VILLAGE", "FAMILY"]

LEVELS: Final[tuple[Level, ...]] = (
    "NATION",
    "PROVINCE",
    "REGENCY",
    "DISTRICT",
    "VILLAGE",
    "FAMILY",
)
CODE_LENGTHS: Final[Mapping[Level, int]] = dict(zip(LEVELS, (0, 2, 5, 8, 13, 13), strict=True))
"""Of a level the characters of its codes; a family stands under its village."""
NATION_NAME: Final = "INDONESIA"


def level_of(area: str | None) -> Level:
    """The level of an area's code; that of no area is the nation."""
    length = len(area or "")
    return next(level for level in LEVELS if CODE_LENGTHS[level] == length)


def below(level: Level) -> Level:
    """The next level down; a family is its own."""
    return LEVELS[min(LEVELS.index(level) + 1, len(LEVELS) - 1)]


def name_of(area: str) -> str:
    """The name of an area; its code where the list has it not, the nation for no code."""
    return names().get(area, area) if area else NATION_NAME


@cache
def names() -> Mapping[str, str]:
    """The name of every area by its code. Raises PolicyError for a file of another form."""
    with (FOLDER / "areas.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows, None) != ["code", "name"]:
            raise PolicyError("areas.csv", "line 1", "is not code,name")
        return MappingProxyType(dict(rows))
