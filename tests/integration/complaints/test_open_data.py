"""Open data of complaints: what everybody is told, and that nothing small follows from it."""

from __future__ import annotations

import csv
from typing import Any

import pytest_asyncio

from tests.doors import Door
from tests.integration.complaints.kit import problem, received

HERE, THERE = {"region": "61.03.01.2026"}, {"region": "61.04.01.2001"}
OF_MARCH, OF_APRIL = {"received_on": "2026-03-30"}, {"received_on": "2026-04-02"}


def anybody(service: Door) -> dict[str, str]:
    return service.who("portal", "complaints:follow", regions=())


async def counts(service: Door, **query: Any) -> list[dict[str, Any]]:
    answer = await service.client.get("/open-data/cases", headers=anybody(service), params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


@pytest_asyncio.fixture
async def filled(complaints: Door) -> Door:
    """Six cases of March and five of April in one regency, four of March in another."""
    for count, where, when in ((6, HERE, OF_MARCH), (4, THERE, OF_MARCH), (5, HERE, OF_APRIL)):
        for _ in range(count):
            await received(complaints, **where, **when)
    return complaints


async def test_everybody_is_told_counts_by_month_regency_category_and_level(filled: Door) -> None:
    common = {"regency": "61.03", "category": "AMOUNT_WRONG", "level": "DISTRICT"}

    assert await counts(filled) == [
        {"month": "2026-03", **common, "cases": 6},
        {"month": "2026-04", **common, "cases": 5},
    ]


async def test_a_count_under_five_is_nowhere_told_and_follows_from_no_sum(filled: Door) -> None:
    of_province = await counts(filled, area="61")

    assert {count["regency"] for count in of_province} == {"61.03"}
    assert await counts(filled, area="61.04") == []
    assert of_province == await counts(filled, area="61.03")


async def test_no_count_is_told_of_an_area_within_a_regency(filled: Door) -> None:
    answer = await filled.client.get(
        "/open-data/cases", headers=anybody(filled), params={"area": "61.03.01"}
    )

    assert problem(answer) == "invalid-request"


async def test_a_month_that_is_not_over_is_not_told(complaints: Door) -> None:
    for _ in range(5):
        await received(complaints, received_on="2026-06-09")

    assert await counts(complaints) == []


async def test_a_case_that_is_passed_on_changes_no_count(filled: Door) -> None:
    before = await counts(filled)

    operator = filled.who("operator", "platform:operate", regions=("*",))
    await filled.post("/sweeps", operator, json={"on": "2026-06-09"})

    assert await counts(filled) == before


async def test_the_file_says_the_same_and_pages_do(filled: Door) -> None:
    answer = await filled.client.get("/open-data/cases.csv", headers=anybody(filled))
    rows = [row | {"cases": int(row["cases"])} for row in csv.DictReader(answer.text.splitlines())]

    assert answer.headers["content-type"].startswith("text/csv")
    assert rows == await counts(filled)
    pages = [*await counts(filled, limit=1), *await counts(filled, since="2026-04-15")]
    assert pages == rows


async def test_who_may_neither_follow_nor_read_cases_is_refused(complaints: Door) -> None:
    who = complaints.who("school", "conditionality:record")

    answer = await complaints.client.get("/open-data/cases", headers=who)

    assert answer.status_code == 403
