from datetime import date, timedelta
from pathlib import Path
from shutil import copytree

import pytest

from libs.policy.files import PolicyError
from services.payments import policy
from services.payments.policy import NoRuleSet

TIE_ORDER = ("PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD")
UNVERIFIED = ("2007-2012", "2013-2014", "2015", "2016", "2018")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the policy files that a test may spoil."""
    return copytree(policy.FOLDER, tmp_path / "policy")


def test_the_rule_set_of_the_sample_year() -> None:
    valid = policy.load().on(date(2023, 3, 31))

    assert (valid.id, valid.benefit.id) == ("2021-2024", "2021-2024")
    assert valid.benefit.unit == "IDR/tahap"
    assert valid.benefit.members_max == 4
    assert valid.benefit.order[:7] == TIE_ORDER
    assert not valid.benefit.category_max


@pytest.mark.parametrize(
    ("day", "rule_set"),
    [
        (date(2017, 12, 31), "2017"),
        (date(2020, 3, 31), "2020-quarterly"),
        (date(2020, 4, 1), "2020-monthly"),
        (date(2021, 1, 1), "2021-2024"),
        (date(2024, 12, 31), "2021-2024"),
        (date(2025, 1, 1), "2025-2026"),
    ],
)
def test_a_rule_set_is_valid_from_its_first_to_its_last_day(day: date, rule_set: str) -> None:
    assert policy.load().on(day).id == rule_set


def test_every_day_from_2007_on_has_a_rule_set() -> None:
    known = policy.load()
    days = [date(2007, 1, 1) + timedelta(days=n) for n in range(20 * 365)]

    assert all(known.on(day).valid_from <= day for day in days)


@pytest.mark.parametrize("day", [date(2006, 12, 31), date(2027, 1, 1)])
def test_a_day_without_rules_is_refused(day: date) -> None:
    with pytest.raises(NoRuleSet):
        policy.load().on(day)


def test_a_rule_set_that_nobody_knows_is_refused() -> None:
    with pytest.raises(NoRuleSet):
        policy.load().benefit("1999")


def test_tables_without_a_sufficient_source_are_kept_and_marked() -> None:
    known = policy.load()

    assert tuple(each.id for each in known.benefits.values() if not each.verified) == UNVERIFIED


SPOILT = [
    ("2021-2024.yaml", "members_max: 4", "members_max: four", "members_max"),
    ("2021-2024.yaml", "members_max: 4", "members_max: 0", "members_max"),
    ("2021-2024.yaml", "SD: 225_000", "SD: 225000.5", "components.SD"),
    ("2021-2024.yaml", "SD: 225_000", "SD: -1", "components.SD"),
    ("2021-2024.yaml", "SD: 225_000", "PAUD: 225_000", "components.PAUD"),
    ("2021-2024.yaml", "SMP, SD,", "SMP,", "order"),
    ("2021-2024.yaml", "SMP, SD,", "SMP, SD, SD,", "order"),
    ("2021-2024.yaml", "verified: true", "verified: perhaps", "verified"),
    ("2021-2024.yaml", "unit: IDR/tahap", "unit: USD/tahap", "unit"),
    ("2021-2024.yaml", "unit: IDR/tahap", "unit: IDR/year", "unit"),
    ("2021-2024.yaml", "title: Benefit", "titel: Benefit", "titel"),
    ("2021-2024.yaml", "members_max: 4", "category_max: {PAUD: 2}\nmembers_max: 4", "category_max"),
    ("2019.yaml", "[550_000, 0, 0, 0]", "[550_000, 0, 0]", "family_part.regular"),
    ("2019.yaml", "  regular: [550_000, 0, 0, 0]\n", "", "family_part.regular"),
    ("2016.yaml", "verified: false", "verified: true", "unit"),
    ("2021-2024.yaml", "  SD: 225_000", "  SD: 225_000\n  SD: 252_000", "line 24"),
    ("rule_sets.yaml", "benefit: 2021-2024", "benefit: of-2022", "rule_sets.2021-2024.benefit"),
    ("rule_sets.yaml", "from: 2021-01-01", "from: 2020-12-31", "rule_sets.2021-2024.valid_from"),
    ("rule_sets.yaml", "to: 2024-12-31", "to: 2020-12-31", "rule_sets.2021-2024.valid_to"),
    ("rule_sets.yaml", "to: 2024-12-31", "to: soon", "rule_sets.2021-2024.valid_to"),
    ("rule_sets.yaml", "rule_sets:", "rule_sets: {}\nrules:", "rules"),
]


@pytest.mark.parametrize(("file", "good", "bad", "key"), SPOILT)
def test_a_malformed_file_is_refused_by_file_and_key(
    folder: Path, file: str, good: str, bad: str, key: str
) -> None:
    text = (folder / file).read_text()
    assert good in text
    (folder / file).write_text(text.replace(good, bad, 1))

    with pytest.raises(PolicyError) as refused:
        policy.load(folder)

    assert refused.value.file == file
    assert refused.value.key.startswith(key)


@pytest.mark.parametrize(
    ("tahap", "closing_date", "rule_set"),
    [
        ("2023-4", date(2024, 1, 15), "2021-2024"),
        ("2024-4", date(2024, 12, 31), "2021-2024"),
        ("2024-4", date(2025, 1, 15), "2021-2024"),
        ("2025-1", date(2025, 3, 31), "2025-2026"),
        ("2026-4", date(2027, 1, 15), "2025-2026"),
        # Facts may be closed before the year of the payment begins.
        ("2025-1", date(2024, 12, 31), "2021-2024"),
    ],
)
def test_a_closing_in_january_goes_by_the_rules_of_the_year_that_it_closes(
    tahap: str, closing_date: date, rule_set: str
) -> None:
    assert policy.load().of_tahap(tahap, closing_date).id == rule_set


def test_a_tahap_of_a_year_without_rules_is_refused() -> None:
    with pytest.raises(NoRuleSet):
        policy.load().of_tahap("0000-1", date(2023, 3, 31))


def test_a_rule_set_may_be_valid_on_one_day_only(folder: Path) -> None:
    text = (folder / "rule_sets.yaml").read_text()
    (folder / "rule_sets.yaml").write_text(text.replace("to: 2026-12-31", "to: 2025-01-01"))

    assert policy.load(folder).on(date(2025, 1, 1)).id == "2025-2026"


def test_a_file_that_is_not_yaml_is_refused(folder: Path) -> None:
    (folder / "2019.yaml").write_text("title: [")

    with pytest.raises(PolicyError, match=r"2019\.yaml"):
        policy.load(folder)


def test_missing_rule_sets_are_refused(folder: Path) -> None:
    (folder / "rule_sets.yaml").unlink()

    with pytest.raises(PolicyError, match=r"rule_sets\.yaml"):
        policy.load(folder)
