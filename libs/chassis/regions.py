"""Lists cut by regions: the ranges that a token's regions cover, and a filter within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query

from libs.chassis.auth import NATION

RegionWithin = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$",
        description="Only what lies within this region: a dotted code, province to village.",
    ),
]
"""A list's filter; see `Principal.within`."""


def region_ranges(regions: Sequence[str]) -> tuple[list[str], list[str]]:
    """The half-open ranges of region codes, in byte order, that a principal's regions cover.

    A code's descendants begin with it and a dot, and "/" follows "." in byte order: ranges use
    the index that LIKE would not.
    """
    lows = ["" if region == NATION else region for region in regions]
    highs = ["~" if region == NATION else f"{region}/" for region in regions]
    return lows, highs
