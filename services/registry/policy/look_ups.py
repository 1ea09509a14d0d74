"""Purposes and limits of looking up who families are, read once at start from a dated file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Final

import msgspec

from libs.policy.files import Count, PolicyError, Reference, Shape, Text, read

FILE: Final = Path(__file__).with_name("look_ups.yaml")

Purpose = Annotated[str, msgspec.Meta(pattern="^[A-Z][A-Z_]{1,39}$")]


class LimitEntry(Shape):
    """The identities that a subject may ask for in a day, from a day on."""

    valid_from: date
    identities_a_day: Count


class LookUpsFile(Shape):
    """Purposes by code, limits by day, and where both come from."""

    references: Annotated[tuple[Reference, ...], msgspec.Meta(min_length=1)]
    purposes: Annotated[dict[Purpose, Text], msgspec.Meta(min_length=1)]
    limits: Annotated[tuple[LimitEntry, ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class LookUpRules:
    """The purposes of a look-up, by code, and the limits, the latest first."""

    purposes: Mapping[str, str]
    limits: tuple[tuple[date, int], ...]

    def limit_on(self, day: date) -> int:
        """The identities that a subject may ask for on a day; none before the first limit."""
        return next((limit for begins, limit in self.limits if begins <= day), 0)


def load_look_ups(file: Path = FILE) -> LookUpRules:
    """Read purposes and limits; a file that is not whole is refused with `PolicyError`."""
    found = read(file, LookUpsFile)
    limits = [(entry.valid_from, entry.identities_a_day) for entry in found.limits]
    if len({day for day, _ in limits}) < len(limits):
        raise PolicyError(file.name, "limits", "have a day twice")
    return LookUpRules(found.purposes, tuple(sorted(limits, reverse=True)))
