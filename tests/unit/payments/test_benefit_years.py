"""Worked examples of the programme's years: who is in the family, and what the year pays it."""

import pytest

from services.payments import policy
from services.payments.domain.entitlement import BenefitTable, Circumstances, Member, entitlement

POLICIES = policy.load()
PAPUA = "91"


def paid(
    year: BenefitTable | str,
    *members: str,
    tahap: int = 1,
    province: str = "61",
    access: bool = False,
) -> int:
    """The rupiah of one payment, members from the youngest to the oldest."""
    table = POLICIES.benefits[year] if isinstance(year, str) else year
    listed = [Member(n + 1, n, tuple(held.split())) for n, held in enumerate(members)]
    return entitlement(listed, table, Circumstances(tahap, province, access)).amount


def year_of(
    year: str, *members: str, province: str = "61", access: bool = False
) -> tuple[int, int, int, int]:
    first, second, third, fourth = (
        paid(year, *members, tahap=n, province=province, access=access) for n in (1, 2, 3, 4)
    )
    return first, second, third, fourth


# -- 2021 and after


def test_2021_of_five_members_the_pupil_of_primary_school_is_left_out() -> None:
    # 750 + 750 + 500 + 375 thousand, 9,500,000 a year
    members = ("EARLY_CHILD", "SD", "SMP", "SMA", "PREGNANT")

    assert paid("2021-2024", *members) == 2_375_000
    assert sum(year_of("2021-2024", *members)) == 9_500_000


def test_2021_three_small_children_and_a_pupil_without_caps() -> None:
    assert paid("2021-2024", "EARLY_CHILD", "EARLY_CHILD", "EARLY_CHILD", "SD") == 2_475_000


def test_2021_a_widow_of_seventy_alone() -> None:
    assert year_of("2021-2024", "ELDERLY") == (600_000,) * 4


def test_2022_a_child_enters_primary_school_in_july() -> None:
    # Early childhood in tahap 1 and 2, pupil in tahap 3 and 4: 1,950,000.
    year = [paid("2021-2024", held) for held in ("EARLY_CHILD", "EARLY_CHILD", "SD", "SD")]

    assert year == [750_000, 750_000, 225_000, 225_000]
    assert sum(year) == 1_950_000


def test_2022_a_child_of_seven_who_is_not_enrolled_leaves_nothing_to_pay() -> None:
    assert paid("2021-2024", "") == 0


def test_2022_a_mother_gives_birth_in_may() -> None:
    year = [paid("2021-2024", each) for each in ("PREGNANT", "PREGNANT", "EARLY_CHILD")]

    assert year == [750_000] * 3
    assert paid("2021-2024", "EARLY_CHILD", "PREGNANT") == 1_500_000


def test_2024_a_pupil_who_finishes_school_leaves_nothing_to_pay() -> None:
    assert [paid("2021-2024", held) for held in ("SMA", "SMA", "", "")] == [500_000, 500_000, 0, 0]


def test_2024_by_card_a_payment_covers_two_months_and_comes_to_the_same_year() -> None:
    by_card = paid("2024-two-months", "EARLY_CHILD", "SD", "SEVERE_DISABILITY")
    by_post = paid("2021-2024", "EARLY_CHILD", "SD", "SEVERE_DISABILITY")

    assert (by_card, by_post) == (1_050_000, 1_575_000)
    assert by_card * 6 == by_post * 4 == 6_300_000


def test_2024_by_card_an_upper_pupils_sixth_is_floored_to_a_thousand() -> None:
    assert paid("2024-two-months", "SMA") * 6 == 1_998_000
    assert paid("2021-2024", "SMA") * 4 == 2_000_000


def test_2024_a_victim_of_a_gross_violation_and_a_grandchild() -> None:
    assert paid("2021-2024", "SD", "HR_VICTIM") == 2_925_000
    assert sum(year_of("2021-2024", "SD", "HR_VICTIM")) == 11_700_000


def test_2024_a_mother_who_died_counts_no_more_and_her_children_do() -> None:
    assert paid("2021-2024", "EARLY_CHILD", "SD") == 975_000


def test_two_family_cards_of_one_house_are_two_families() -> None:
    assert paid("2021-2024", "SD") == 225_000
    assert paid("2021-2024", "ELDERLY") == 600_000
    assert paid("2021-2024", "SD", "ELDERLY") == 825_000


def test_2026_pays_as_2024_before_any_cut() -> None:
    assert paid("2025-2026", "SD", "SMP") == 600_000


def test_every_amount_of_a_tahap_since_2021_is_a_multiple_of_25_thousand() -> None:
    amounts = POLICIES.benefits["2021-2024"].components.values()

    assert [amount % 25_000 for amount in amounts] == [0] * 8


# -- Before


def test_2017_is_flat_and_splits_1_890_000() -> None:
    assert year_of("2017", "SD") == (500_000, 500_000, 500_000, 390_000)
    assert year_of("2017", "SD", "SD", "SMP", "SMP", "SMA") == year_of("2017", "SD")


@pytest.mark.parametrize("who", [("SD", "ELDERLY"), ("SEVERE_DISABILITY",)])
def test_2017_is_2_000_000_with_an_elderly_or_disabled_member(who: tuple[str, ...]) -> None:
    assert year_of("2017", *who) == (500_000,) * 4


def test_2017_is_2_000_000_in_papua() -> None:
    assert year_of("2017", "PREGNANT", province=PAPUA) == (500_000,) * 4


def test_2017_pays_nothing_to_a_family_without_a_category() -> None:
    assert paid("2017", "") == 0


def test_2019_adds_a_fixed_part_in_the_first_tahap() -> None:
    assert year_of("2019", "EARLY_CHILD", "SD", "PREGNANT") == (1_975_000, *[1_425_000] * 3)
    assert sum(year_of("2019", "EARLY_CHILD", "SD", "PREGNANT")) == 6_250_000
    assert year_of("2019", "ELDERLY") == (1_150_000, 600_000, 600_000, 600_000)


def test_2019_adds_a_larger_fixed_part_in_an_access_area() -> None:
    year = year_of("2019", "SD", "SMP", access=True)

    assert year == (1_600_000, 600_000, 600_000, 600_000)
    assert sum(year) == 3_400_000


def test_2019_takes_the_four_members_worth_most() -> None:
    members = ("EARLY_CHILD", "SD", "SMP", "SMA", "PREGNANT", "ELDERLY")

    assert year_of("2019", *members) == (2_850_000, 2_300_000, 2_300_000, 2_300_000)
    assert sum(year_of("2019", *members)) == 9_750_000


def test_2020_is_paid_by_the_quarter_and_from_april_by_the_month() -> None:
    quarter, month = (paid(f"2020-{by}", "SMA", "PREGNANT") for by in ("quarterly", "monthly"))

    assert (quarter, month) == (1_250_000, 416_000)
    assert quarter + 9 * month == 4_994_000
