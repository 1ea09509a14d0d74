"""The rule sets by year, and what the loader refuses to read."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from libs.policy.files import PolicyError
from services.registry.policy import FILE, RuleSetUnknown, load_rule_sets

Entry = dict[str, Any]


def test_the_years_from_2021_to_2024() -> None:
    rules = load_rule_sets().named("2021-2024")

    assert (rules.valid_from, rules.valid_to) == (date(2021, 1, 1), date(2024, 12, 31))
    assert (rules.pregnancy_days_before, rules.pregnancy_days_after) == (280, 42)
    assert rules.pregnancy_order_max == 2
    assert rules.early_child_below_years == 7
    assert (rules.school_from_years, rules.school_to_years) == (6, 21)
    assert rules.elderly_from_years == 70
    assert rules.payee_from_years == 17
    assert rules.excluded_occupations == {
        "ASN",
        "TNI",
        "POLRI",
        "PENSIUNAN",
        "PERANGKAT_DESA",
        "GURU_BERSERTIFIKAT",
        "TENAGA_KESEHATAN",
        "DIREKSI",
    }


@pytest.mark.parametrize(
    ("rule_set", "years"),
    [("2016-2017", 70), ("2018-2019", 60), ("2020", 70), ("2021-2024", 70), ("2025-2026", 60)],
)
def test_the_age_of_the_elderly_by_year(rule_set: str, years: int) -> None:
    assert load_rule_sets().named(rule_set).elderly_from_years == years


def test_pregnancies_are_limited_from_2021_on() -> None:
    limits = {key: rules.pregnancy_order_max for key, rules in load_rule_sets().by_id.items()}

    assert limits == {
        "2016-2017": None,
        "2018-2019": None,
        "2020": None,
        "2021-2024": 2,
        "2025-2026": 2,
    }


@pytest.mark.parametrize(
    ("day", "rule_set"),
    [
        (date(2007, 7, 1), "2016-2017"),
        (date(2020, 12, 31), "2020"),
        (date(2023, 3, 31), "2021-2024"),
        (date(2031, 1, 1), "2025-2026"),
    ],
)
def test_every_day_has_rules_by_which_a_report_is_judged(day: date, rule_set: str) -> None:
    assert load_rule_sets().on(day).id == rule_set


def test_an_unknown_rule_set_is_named() -> None:
    with pytest.raises(RuleSetUnknown, match="'1999' is none of"):
        load_rule_sets().named("1999")


def without(key: str) -> Callable[[Entry], None]:
    return lambda entry: entry.pop(key)


def with_value(key: str, value: object) -> Callable[[Entry], None]:
    return lambda entry: entry.update({key: value})


def with_coverage(*keys: str) -> Callable[[Entry], None]:
    return with_value("references", [{"title": "Somewhere", "covers": list(keys)}])


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (without("elderly_from_years"), "2021-2024.elderly_from_years: is missing"),
        (with_value("elderly_years", 70), "2021-2024.elderly_years: is unknown"),
        (with_value("elderly_from_years", "seventy"), "elderly_from_years"),
        (with_value("elderly_from_years", 69.5), "elderly_from_years"),
        (with_value("elderly_from_years", -1), "elderly_from_years: Expected `int` >= 0"),
        (with_value("excluded_occupations", "ASN"), "excluded_occupations"),
        (with_value("valid_from", "some day"), "valid_from"),
        (with_value("valid_to", date(2020, 1, 1)), "valid_to: is before valid_from"),
        (with_value("school_to_years", 5), "school_to_years: is below school_from_years"),
        (with_coverage("elderly_from_years"), "birth_reported_days_max: has no reference"),
        (with_value("references", []), "has no reference"),
    ],
)
def test_a_malformed_rule_set_is_refused_by_file_and_key(
    tmp_path: Path, spoil: Callable[[Entry], None], named: str
) -> None:
    content = yaml.safe_load(FILE.read_text())
    spoil(content["rule_sets"]["2021-2024"])

    with pytest.raises(PolicyError) as refused:
        load_rule_sets(_file(tmp_path, yaml.safe_dump(content)))

    assert str(refused.value).startswith("spoilt.yaml: rule_sets.2021-2024")
    assert named in str(refused.value)


def test_a_reference_may_not_cover_what_there_is_not(tmp_path: Path) -> None:
    content = yaml.safe_load(FILE.read_text())
    content["rule_sets"]["2020"]["references"][0]["covers"].append("shoe_size")

    with pytest.raises(PolicyError, match="references: cover shoe_size"):
        load_rule_sets(_file(tmp_path, yaml.safe_dump(content)))


def test_no_day_has_two_rule_sets(tmp_path: Path) -> None:
    content = yaml.safe_load(FILE.read_text())
    content["rule_sets"]["2020"]["valid_to"] = date(2021, 1, 1)

    with pytest.raises(PolicyError, match=r"2021-2024\.valid_from: lies within 2020"):
        load_rule_sets(_file(tmp_path, yaml.safe_dump(content)))


@pytest.mark.parametrize(
    "text",
    ["[]", "rule_sets: []", "rule_sets: {a: 1}", "others: {}", "{", "rule_sets: {}\nrule_sets: {}"],
)
def test_a_file_that_is_no_mapping_of_rule_sets_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError, match=r"spoilt\.yaml"):
        load_rule_sets(_file(tmp_path, text))


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = FILE.read_text().replace(
        "    elderly_from_years: 60\n", "    elderly_from_years: 60\n    elderly_from_years: 70\n"
    )

    with pytest.raises(PolicyError, match="elderly_from_years stands here twice"):
        load_rule_sets(_file(tmp_path, twice))


def _file(directory: Path, text: str) -> Path:
    file = directory / "spoilt.yaml"
    file.write_text(text)
    return file


def test_a_family_graduates_at_once_in_every_year_that_is_shipped() -> None:
    terms = {rules.natural_graduation_term_days for rules in load_rule_sets().by_id.values()}

    assert terms == {0}
