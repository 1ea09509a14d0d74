"""Why, over the whole small year: every row of what is expected has its explanation."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.e2e.demos import YEAR, Demo
from tests.e2e.explained import Explained, explained, steps

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABSENT = {"INELIGIBLE", "ON_HOLD", "GRADUATED_EARLIER", "TERMINATED_EARLIER"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def year(small_year: Demo) -> Explained:
    """The year that the demo has run, on its platform started once more."""
    return await explained(YEAR, small_year.data)


async def test_every_row_has_its_disposition_and_a_sum_that_is_its_amount(year: Explained) -> None:
    seen = set()
    for row, explanation in year.rows():
        parts = [step["amount"] for step in explanation["steps"] if step["kind"] in PARTS]
        seen.add(row["disposition"])
        assert explanation["disposition"] == row["disposition"]
        assert explanation["amount"] == sum(parts) == int(row["amount"])
        assert explanation["region"] == row["region_code"]

    assert {"PAID", "BLOCKED", "ACCOUNT_FAILED", "BLOCKED+TERMINATED", "GRADUATED_NATURAL"} <= seen


PARTS = ("COUNTED", "FAMILY_PART")


async def test_every_failing_member_is_named_with_what_the_school_reported(
    year: Explained,
) -> None:
    attendance, checked = year.attendance(), 0
    for row, explanation in year.rows():
        failed = steps(explanation, "DUTY_FAILED")
        named = {step["member"] for step in failed}
        assert named == year.numbers(row["no_kk"], row["failing_members"])
        niks = {each.member: each.nik for each in year.who[row["no_kk"]].members}
        for step in failed:
            assert step["facts"], step["text"]["en"]
            days = {fact["name"]: fact["value"] for fact in step["facts"]}
            for name in [name for name in days if name.endswith(".absent")]:
                month = name.partition(".")[0]
                reported = attendance[niks[step["member"]], month]
                for column in ("effective_days", "absent", "permitted", "sick"):
                    assert days[f"{month}.{column}"] == reported[column]
                checked += 1

    assert checked > 50


async def test_who_counts_what_failed_and_what_is_held_cite_their_sources(
    year: Explained,
) -> None:
    for _, explanation in year.rows():
        for step in (
            steps(explanation, "COUNTED")
            + steps(explanation, "DUTY_FAILED")
            + steps(explanation, "SANCTION")
        ):
            cited = [clause for clause in step["clauses"] if clause["sources"]]
            assert cited, step["text"]["en"]


async def test_nothing_reported_after_a_closing_is_in_its_explanation(year: Explained) -> None:
    late: set[str] = set()
    for (number, _), explanation in year.published.items():
        reported = [
            f["reported_on"] for s in explanation["steps"] for f in s["facts"] if f["reported_on"]
        ]
        assert all(day <= year.closings[number] for day in reported)
        if number == "2":
            late |= {day for day in reported if day > year.closings["1"]}

    assert late, "a fact that was reported after closing 1 is in an explanation of tahap 2"


async def test_a_family_that_is_not_in_a_tahap_is_told_why(year: Explained) -> None:
    expected = {(row["tahap"], row["no_kk"]) for row, _ in year.rows()}
    absent = {
        key: explanation for key, explanation in year.published.items() if key not in expected
    }

    assert {explanation["disposition"] for explanation in absent.values()} == ABSENT
    assert all(
        explanation["amount"] == 0 and explanation["steps"] for explanation in absent.values()
    )
