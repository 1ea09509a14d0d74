"""Roles of people and systems: the scopes of each, and how wide its regions may be."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from libs.policy.files import Reference, Shape, Text, read

FILE: Final = Path(__file__).with_name("roles.yaml")
NATION: Final = "*"
PARTS: Final[Mapping[str, int]] = {"nation": 0, "province": 1, "regency": 2, "district": 3}
"""The parts that a region's code has at least, by how wide it may be."""

Scope = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9]*:[a-z]+$")]


class Role(Shape):
    """A role; `widest` bounds the regions of its tokens, and `task` says what it is there for."""

    widest: Literal["nation", "province", "regency", "district", "none"]
    task: Text
    scopes: tuple[Scope, ...]

    def holds(self, regions: Collection[str]) -> bool:
        """True where none of these regions is wider than the role's; `none` has no region."""
        if self.widest == "none":
            return not regions
        return all(_parts(region) >= PARTS[self.widest] for region in regions)


class RolesFile(Shape):
    """Roles by name, the day from which they hold, and where they come from."""

    valid_from: date
    references: Annotated[tuple[Reference, ...], msgspec.Meta(min_length=1)]
    roles: dict[str, Role]


@cache
def roles() -> Mapping[str, Role]:
    """The roles by name; raises `PolicyError`."""
    return read(FILE, RolesFile).roles


def _parts(region: str) -> int:
    return 0 if region == NATION else region.count(".") + 1
