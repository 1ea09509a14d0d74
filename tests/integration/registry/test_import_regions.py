"""Rows of families outside the importer's regions are refused by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from tests.doors import Door
from tests.integration.registry.kit import (
    REGION,
    as_csv,
    child,
    family,
    hand_in,
    handed_in,
    life_event,
    member,
)

CARD, UNKNOWN = "6103010101230001", "6103010101230002"
PAYEE, PUPIL = "6103014107900001", "6103011712160002"
FOREIGN: Final = {"other": ("11", "61.04"), "none": ()}
THEIRS: Final = {"own": ("61.03",), "nation": ("*",)}


async def refused(
    door: Door, file: str, row: Mapping[str, str], regions: Sequence[str]
) -> list[tuple[int, str, str]]:
    """(line, column, code) of what is refused of a file of one row, sent from somewhere."""
    report: dict[str, Any] = (
        await hand_in(door, file, as_csv(file, [row]), partial=True, regions=regions)
    ).json()
    assert report["accepted"] + report["refused"] == 1
    return [(error["line"], error["column"], error["code"]) for error in report["errors"]]


@pytest.mark.parametrize("regions", FOREIGN.values(), ids=FOREIGN.keys())
async def test_a_row_of_a_foreign_village_is_refused_and_one_of_a_foreign_card_is_unknown(
    registry: Door, regions: Sequence[str]
) -> None:
    row = family(CARD, PAYEE)
    assert await refused(registry, "families", row, regions) == [
        (2, "region_code", "REGION_NOT_YOURS")
    ]
    await handed_in(registry, "families", row)
    for card in (CARD, UNKNOWN):
        rows = {
            "members": member(card, PAYEE),
            "life-events": life_event("MOVE", card, "2023-01-01", "2023-01-02", region_code=REGION),
        }
        for file, foreign in rows.items():
            assert await refused(registry, file, foreign, regions) == [(2, "no_kk", "UNKNOWN_CARD")]


@pytest.mark.parametrize("regions", THEIRS.values(), ids=THEIRS.keys())
async def test_rows_of_the_importers_regions_are_taken(
    registry: Door, regions: Sequence[str]
) -> None:
    moves = life_event("MOVE", CARD, "2023-01-01", "2023-01-02", region_code="11.01.01.2001")
    rows = {
        "families": family(CARD, PAYEE),
        "members": member(CARD, PAYEE),
        "life-events": moves,
    }
    for file, row in rows.items():
        assert await refused(registry, file, row, regions) == []


async def test_a_family_that_has_moved_away_is_its_new_regions(registry: Door) -> None:
    moves = life_event("MOVE", CARD, "2023-01-01", "2023-01-02", region_code="11.01.01.2001")
    await handed_in(registry, "families", family(CARD, PAYEE))
    await handed_in(registry, "life-events", moves)

    here, there = [
        await refused(registry, "members", child(CARD, PUPIL), regions)
        for regions in (("61",), ("11",))
    ]

    assert (here, there) == ([(2, "no_kk", "UNKNOWN_CARD")], [])
