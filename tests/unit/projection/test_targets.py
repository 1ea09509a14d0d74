"""Indicators are judged by whole numbers against the target of the tahap's year."""

from __future__ import annotations

from datetime import date

import pytest

from services.p2k2 import policy as sessions
from services.projection.policy import TARGETS, is_met, targets_of


@pytest.mark.parametrize(
    ("reached", "families", "met"),
    [(35, 100, True), (34, 100, False), (7, 20, True), (6, 20, False), (0, 0, False)],
)
def test_a_share_is_met_from_its_target_on(reached: int, families: int, met: bool) -> None:
    assert is_met(reached, families, 35) is met


def test_the_target_is_that_of_the_tahaps_year() -> None:
    assert [targets_of(tahap).p2k2_percent for tahap in ("2023-4", "2025-1", "2012-1")] == [35] * 3


def test_both_services_know_the_same_target() -> None:
    policies = sessions.load()

    for day in (*TARGETS, *policies.groups, date(2030, 1, 1)):
        theirs = policies.figures(day).reached_percent
        assert targets_of(f"{day.year}-1").p2k2_percent == theirs
