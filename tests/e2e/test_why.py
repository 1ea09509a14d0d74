"""Why, over the whole small year: every row of what is expected has its explanation.

At its end a termination of the year is taken back, and the next tahap pays the family.
"""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from cli.client.complaints import ask_remedy, receive, see_remedy
from cli.client.screen import Screen
from cli.client.take_backs import decide, see, waiting
from cli.client.waiting import until_quiet
from cli.client.year import Tahap
from cli.demo.tahap_run import run_tahap
from tests.e2e.demos import YEAR, Demo
from tests.e2e.explained import Explained, explained, steps, why

pytestmark = pytest.mark.asyncio(loop_scope="module")

ABSENT = {"INELIGIBLE", "ON_HOLD", "GRADUATED_EARLIER", "TERMINATED_EARLIER"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def year(small_year: Demo) -> AsyncIterator[Explained]:
    """The year that the demo has run, on its platform started once more."""
    async with explained(YEAR, small_year.data) as found:
        yield found


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


# -- Last: it goes on with the year ---------------------------------------------------------------

NEXT = Tahap(
    number=1,
    id="2024-1",
    months=("2024-01", "2024-02", "2024-03"),
    closing_date=date(2024, 3, 31),
    account_check_date=date(2024, 4, 5),
    credit_date=date(2024, 4, 20),
)
CARD, TERMINATED_WITH = "6112031407060141", "2023-3"


async def test_a_termination_that_is_taken_back_is_paid_again_and_the_case_and_why_say_so(
    year: Explained,
) -> None:
    family, front = year.who[CARD].family, year.front
    quiet = front.client("observer", "platform:read"), tuple(front.urls)
    assert not await in_its_group(year, family)

    officer = front.client(
        "officer", *(f"complaints:{may}" for may in ("receive", "read", "decide"))
    )
    complaint: dict[str, object] = {
        "category": "SUSPENSION_APPEAL",
        "channel": "FACE_TO_FACE",
        "region": "61.12.03.2004",
        "received_on": "2024-01-25",
        "family": family,
    }
    case = (await receive(officer, complaint)).case
    await ask_remedy(officer, case, "orders", {"ordered": "TAKE_BACK_TERMINATION"})
    await until_quiet(*quiet)
    checker = front.client("supervisor", "registry:read", "registry:approve")
    [order] = await waiting(checker)
    assert (order.family, order.case, order.tahap) == (family, case, TERMINATED_WITH)
    assert [each.answer for each in (await see_remedy(officer, case)).value.orders] == ["PROPOSED"]

    await decide(checker, await see(checker, family), "APPROVED")
    await until_quiet(*quiet)

    assert await waiting(checker) == []
    assert [each.answer for each in (await see_remedy(officer, case)).value.orders] == ["DONE"]
    assert await in_its_group(year, family)
    with Screen(Console(quiet=True)) as screen:
        await run_tahap(front, NEXT, None, screen)
    reader = front.client("officer", "projection:read")
    paid = await why(reader, family, NEXT.id)
    assert (paid["disposition"], paid["amount"] > 0) == ("PAID", True)
    ended = await why(reader, family, TERMINATED_WITH)
    assert any(case in step["text"]["en"] for step in steps(ended, "INVESTIGATION"))


async def in_its_group(year: Explained, family: str) -> bool:
    """True where the group to which the register assigns a family has it today."""
    with (year.year / "families.csv").open(newline="", encoding="utf-8") as text:
        [group] = [row["group_id"] for row in csv.DictReader(text) if row["no_kk"] == CARD]
    reader = year.front.client("facilitator", "p2k2:read")
    found = await reader.get("p2k2", f"/groups/{group}", dict[str, Any], year=2024)
    return family in found["families"]
