import shutil
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from libs.policy.files import PolicyError
from services.conditionality import policy
from services.conditionality.domain.duties import (
    Cut,
    FurtherDuty,
    SchoolMonthly,
    Suspension,
    VisitMonthly,
    VisitWhenDue,
)
from services.conditionality.domain.person import SERVICES
from services.conditionality.policy.files import Service
from tests.unit.conditionality.kit import POLICY

BASE = {"WEIGHING", "MATERNAL_CHECK", "HOME_VISIT", "ELDERLY_CHECK"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the policy's files, free to be spoilt."""
    for file in policy.FOLDER.glob("*.yaml"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_the_rules_of_2021_to_2024_are_those_of_the_sample_year() -> None:
    assert replace(policy.load()["2021-2024"], sources=(), excuses={}) == POLICY


def test_every_part_of_the_rules_names_its_sources() -> None:
    for rules in policy.load().values():
        assert {source.of for source in rules.sources} == {"ATTENDANCE", "DUTIES", "SANCTION"}


@pytest.mark.parametrize(
    ("rule_set", "sanction"),
    [
        ("2017-cash", Suspension("WITHHOLD", failures_to_investigation=3)),
        ("2017-noncash", Suspension("BLOCK", failures_to_investigation=3)),
        ("2018-2020", Suspension("BLOCK", failures_to_investigation=3)),
        ("2021-2024", Suspension("BLOCK", failures_to_investigation=3)),
        ("2025-2026", Cut(percent=10, per="CYCLE", failures_to_investigation=3)),
    ],
)
def test_each_rule_set_has_its_years_sanction(rule_set: str, sanction: object) -> None:
    assert policy.load()[rule_set].sanction == sanction


@pytest.mark.parametrize("rule_set", ["2017-cash", "2018-2020", "2021-2024", "2025-2026"])
def test_eighty_five_percent_is_asked_in_every_year(rule_set: str) -> None:
    loaded = policy.load()[rule_set]

    assert loaded.attendance_percent_min == 85
    assert loaded.duties["SMA"] == SchoolMonthly()


def test_a_value_holds_until_a_later_one_takes_its_place(folder: Path) -> None:
    _replace(folder / "attendance.yaml", "  2017-01-01: 85", "  2017-01-01: 85\n  2021-01-01: 90")

    loaded = policy.load(folder)

    assert loaded["2018-2020"].attendance_percent_min == 85
    assert loaded["2021-2024"].attendance_percent_min == 90


def test_no_year_asks_for_more_than_a_categorys_own_duty_until_its_day_is_named(
    folder: Path,
) -> None:
    assert all(not rules.further for rules in policy.load().values())
    file = folder / "further_duties.yaml"
    _replace(file, "2017-01-01: []", "2017-01-01: []\n  2025-01-01: [P2K2, VITAMIN_A]")

    loaded = policy.load(folder)

    assert loaded["2021-2024"].further == {}
    assert loaded["2025-2026"].further == {
        "P2K2": FurtherDuty("PAYEE", VisitMonthly("P2K2")),
        "VITAMIN_A": FurtherDuty("EARLY_CHILD", VisitWhenDue("VITAMIN_A")),
    }


@pytest.mark.parametrize("name", sorted(SERVICES - BASE))
def test_every_further_service_has_a_duty(folder: Path, name: str) -> None:
    _replace(folder / "further_duties.yaml", "2017-01-01: []", f"2017-01-01: [{name}]")

    assert policy.load(folder)["2021-2024"].further[name].rule == VisitWhenDue(name)


def test_every_service_that_can_be_recorded_can_be_asked_for() -> None:
    assert set(get_args(Service)) == SERVICES


@pytest.mark.parametrize(
    ("file", "right", "wrong", "key"),
    [
        ("attendance.yaml", "2017-01-01: 85", "2017-01-01: '85'", "values.2017-01-01"),
        ("attendance.yaml", "2017-01-01: 85", "2017-01-01: 185", "values.2017-01-01"),
        ("attendance.yaml", "2017-01-01: 85", "2019-01-01: 85", "values"),
        ("attendance.yaml", "unit:", "units:", "units"),
        ("attendance.yaml", "2017-01-01: 85", "2017-01-01: 85\n  2017-01-01: 75", "line 8"),
        ("attendance.yaml", "values:", "values: [", "line 8"),
        (
            "duties.yaml",
            "service: WEIGHING",
            "service: WAITING",
            "values.2017-01-01.EARLY_CHILD.service",
        ),
        ("duties.yaml", "    SD: {duty: SCHOOL_MONTHLY}\n", "", "values.2017-01-01.SD"),
        (
            "duties.yaml",
            "    SD: {",
            "    TK: {duty: SCHOOL_MONTHLY}\n    SD: {",
            "values.2017-01-01.TK",
        ),
        (
            "exceptions.yaml",
            "DISASTER: {excuses: *all, days_max: 184}",
            "DISASTER: {excuses: *all, days_max: 0}",
            "values.2017-01-01.DISASTER.days_max",
        ),
        (
            "exceptions.yaml",
            "- WEIGHING",
            "- WAITING",
            "values.2017-01-01.NO_FACILITY.excuses[1]",
        ),
        ("further_duties.yaml", "2017-01-01: []", "2017-01-01: [MILK]", "values.2017-01-01"),
        ("further_duties.yaml", "duty: VISIT_MONTHLY", "duty: YEARLY", "duties.P2K2.duty"),
        ("sanctions.yaml", "kind: WITHHOLD", "kind: FORGIVE", "sanctions.CASH_WITHHOLD.kind"),
        ("sanctions.yaml", "per: CYCLE", "per: YEAR", "sanctions.CUT_2025.per"),
        (
            "rule_sets.yaml",
            "sanction: CUT_2025",
            "sanction: CUT_2026",
            "rule_sets.2025-2026.sanction",
        ),
        ("rule_sets.yaml", "from: 2025-01-01", "from: soon", "rule_sets.2025-2026.valid_from"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_key(
    folder: Path, file: str, right: str, wrong: str, key: str
) -> None:
    _replace(folder / file, right, wrong)

    with pytest.raises(PolicyError) as refused:
        policy.load(folder)

    assert (refused.value.file, refused.value.key) == (file, key)


def test_a_missing_file_is_refused_by_name(folder: Path) -> None:
    (folder / "sanctions.yaml").unlink()

    with pytest.raises(PolicyError) as refused:
        policy.load(folder)

    assert refused.value.file == "sanctions.yaml"


def _replace(file: Path, right: str, wrong: str) -> None:
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
