"""Rule sets by the dates on which they are valid: no day has two that are run."""

from datetime import date
from pathlib import Path

import pytest

from libs.policy.files import PolicyError
from libs.policy.rule_sets import ListedRuleSet, RuleSetEntry, listed, read_rule_sets

FIRST = "  '2021': {valid_from: 2021-01-01, valid_to: 2021-12-31}"


def written(directory: Path, *lines: str) -> Path:
    file = directory / "rule_sets.yaml"
    file.write_text("\n".join(["rule_sets:", *lines]))
    return file


def test_a_rule_set_runs_unless_it_says_why_not(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        FIRST,
        "  '2020': {valid_from: 2020-01-01, valid_to: 2020-12-31, not_run: no source}",
    )
    entries = read_rule_sets(file, RuleSetEntry)

    assert [listed(name, entry, verified=name == "2021") for name, entry in entries.items()] == [
        ListedRuleSet("2021", date(2021, 1, 1), date(2021, 12, 31), runs=True),
        ListedRuleSet(
            "2020",
            date(2020, 1, 1),
            date(2020, 12, 31),
            runs=False,
            verified=False,
            reason="no source",
        ),
    ]


@pytest.mark.parametrize(
    "beside",
    [
        "{valid_from: 2021-12-31, valid_to: 2022-12-31}",
        "{valid_from: 2020-01-01, valid_to: 2021-01-01}",
        "{valid_from: 2020-01-01, valid_to: null}",
        "{valid_from: 2020-01-01, valid_to: 2022-12-31, not_run: no source}",
    ],
)
def test_two_rule_sets_of_one_day_are_refused(tmp_path: Path, beside: str) -> None:
    with pytest.raises(PolicyError, match=r"rule_sets\.\w+\.valid_from: lies within \w+"):
        read_rule_sets(written(tmp_path, FIRST, f"  other: {beside}"), RuleSetEntry)


def test_a_rule_set_that_lies_within_an_earlier_one_behind_a_third_is_refused(
    tmp_path: Path,
) -> None:
    long = "  long: {valid_from: 2020-01-01, valid_to: 2023-12-31, not_run: a}"
    short = "  short: {valid_from: 2020-06-01, valid_to: 2020-07-01, not_run: b}"
    late = "  late: {valid_from: 2023-01-01, valid_to: 2024-12-31}"

    with pytest.raises(PolicyError, match=r"rule_sets\.late\.valid_from: lies within long"):
        read_rule_sets(written(tmp_path, long, short, late), RuleSetEntry)


def test_channels_of_one_year_stand_side_by_side_while_neither_is_run(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "  cash: {valid_from: 2017-01-01, valid_to: 2017-12-31, not_run: a}",
        "  noncash: {valid_from: 2017-01-01, valid_to: 2017-12-31, not_run: b}",
    )

    assert list(read_rule_sets(file, RuleSetEntry)) == ["cash", "noncash"]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("  a: {valid_from: 2021-01-01, valid_to: 2020-12-31}", "a.valid_to: is before valid_from"),
        ("  a: {valid_from: 2021-01-01}", "a.valid_to: is missing"),
        ("  a: {valid_from: soon, valid_to: null}", "a.valid_from: "),
        ("  a: {valid_from: 2021-01-01, valid_to: null, runs: false}", "a.runs: is unknown"),
        ("  a: {valid_from: 2021-01-01, valid_to: null, not_run: ''}", "a.not_run: "),
        ("  a: [1]", "rule_sets.a: "),
    ],
)
def test_a_malformed_rule_set_is_refused_by_its_key(tmp_path: Path, line: str, wrong: str) -> None:
    with pytest.raises(PolicyError) as refused:
        read_rule_sets(written(tmp_path, line), RuleSetEntry)

    assert wrong in str(refused.value)
