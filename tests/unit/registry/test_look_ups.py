"""Purposes and limits of look-ups: what the file says, and what the loader refuses."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from libs.policy.files import PolicyError
from services.registry.policy.look_ups import FILE, load_look_ups

REFERENCES = "references: [{title: UU 27/2022}]\n"
TWENTY = "{valid_from: 2021-01-01, identities_a_day: 20}"
PURPOSES = "purposes: {COMPLAINT: A family complains.}\n"


def test_the_limit_is_that_of_the_day(tmp_path: Path) -> None:
    file = tmp_path / "look_ups.yaml"
    entries = [("2027-01-01", 10), ("2021-01-01", 20)]
    limits = ", ".join(f"{{valid_from: {day}, identities_a_day: {n}}}" for day, n in entries)
    file.write_text(f"{REFERENCES}{PURPOSES}limits: [{limits}]\n")

    rules = load_look_ups(file)

    days = date(2020, 12, 31), date(2026, 12, 31), date(2027, 1, 1)
    assert [rules.limit_on(day) for day in days] == [0, 20, 10]


def test_what_ships_has_purposes_that_an_approval_needs_too() -> None:
    rules = load_look_ups(FILE)

    assert {"APPROVAL", "REPORT", "COMPLAINT"} <= rules.purposes.keys()
    assert rules.limit_on(date(2026, 11, 30)) == 10_000


@pytest.mark.parametrize(
    "limits",
    [
        "[]",
        "[{valid_from: 2021-01-01, identities_a_day: 0}]",
        f"[{TWENTY}, {TWENTY}]",
    ],
    ids=["none", "zero", "a day twice"],
)
def test_a_limit_that_is_none_stops_the_service(tmp_path: Path, limits: str) -> None:
    file = tmp_path / "look_ups.yaml"
    file.write_text(f"{REFERENCES}{PURPOSES}limits: {limits}\n")

    with pytest.raises(PolicyError):
        load_look_ups(file)
