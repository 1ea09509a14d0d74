"""Indicators are judged by whole numbers against the target of the tahap's year."""

from __future__ import annotations

from datetime import date

import pytest

from services.p2k2 import policy as sessions
from services.projection.policy import INDICATORS, TARGETS, Target, targets_of
from services.projection.policy.areas import LEVELS, below, level_of, name_of


@pytest.mark.parametrize(
    ("reached", "families", "met"),
    [(35, 100, True), (34, 100, False), (7, 20, True), (6, 20, False), (0, 0, False)],
)
def test_a_share_is_met_from_its_target_on(reached: int, families: int, met: bool) -> None:
    assert Target(35_000).is_met(reached, families) is met


@pytest.mark.parametrize(
    ("failed", "ordered", "met"),
    [(2, 100_000, True), (3, 100_000, False), (0, 1, True), (1, 50_000, True), (1, 49_999, False)],
)
def test_a_share_that_is_not_to_be_passed_is_met_up_to_its_target(
    failed: int, ordered: int, met: bool
) -> None:
    assert Target(2, at_most=True).is_met(failed, ordered) is met


def test_the_target_is_that_of_the_tahaps_year() -> None:
    for tahap in ("2023-4", "2025-1", "2012-1"):
        found = {name: targets_of(tahap).of(name) for name in INDICATORS}
        assert found == {
            "EDUCATION": Target(85_000),
            "HEALTH": Target(85_000),
            "P2K2": Target(35_000),
            "TRANSFERS": Target(2, at_most=True),
        }


def test_both_services_know_the_same_target() -> None:
    policies = sessions.load()

    for day in (*TARGETS, *policies.groups, date(2030, 1, 1)):
        theirs = policies.figures(day).reached_percent
        assert targets_of(f"{day.year}-1").p2k2_percent == theirs


def test_an_area_has_a_level_and_a_name() -> None:
    areas = (None, "61", "61.03", "61.03.01", "61.03.01.2001")

    assert [level_of(area) for area in areas] == [*LEVELS[:-1]]
    assert [below(level) for level in LEVELS] == [*LEVELS[1:], "FAMILY"]
    names = [name_of(area) for area in ("", "61", "61.03", "99.99")]
    assert names == ["INDONESIA", "KALIMANTAN BARAT", "KABUPATEN SANGGAU", "99.99"]
