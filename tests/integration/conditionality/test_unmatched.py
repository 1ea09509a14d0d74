"""Facts of persons whom no family has: kept, shown to their sender, counted once they are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import httpx
import pytest

from services.conditionality.tables.unmatched import unmatched_readings
from tests.doors import CONTEXT, NATION, Door
from tests.integration.conditionality.kit import Bench, families, months_of, nik_of
from tests.integration.conditionality.test_facts import FORM_HEADER, SCHOOL_HEADER, form, school

FAMILY, STRANGER, OTHER = islice(families(), 3)
SCHOOL, MONTH = "30141147", "2023-01"
HERE, THERE = ("61.03",), ("11",)
RECORD, READ = "conditionality:record", "conditionality:read"


def months(family: str, school_code: str = SCHOOL) -> list[str]:
    """Rows of a pupil who was there in every month of the first tahap."""
    rows = [school(nik_of(family), month) for month in months_of("2023-1")]
    return [row.replace(SCHOOL, school_code, 1) for row in rows]


async def hand_in(
    door: Door, *rows: str, regions: Sequence[str] = HERE, partial: bool = False
) -> dict[str, Any]:
    """The result of a school's file."""
    text = "\n".join((SCHOOL_HEADER, *rows)) + "\n"
    query = {"partial": "true"} if partial else {}
    who = door.who("school-1", RECORD, regions=regions)
    answer = await door.post("/imports/school-attendance", who, content=text, params=query)
    report: dict[str, Any] = answer.json().get("report", answer.json())
    return report


async def report(
    door: Door, family: str, *, regions: Sequence[str] = HERE, **more: Any
) -> httpx.Response:
    """A single month of a pupil, reported by itself."""
    days = {"effective_days": 20, "absent": 1, "permitted": 0, "sick": 0}
    body = {"nik": nik_of(family), "month": MONTH, "npsn": SCHOOL} | days | more
    return await door.post(
        "/school-months", door.who("school-1", RECORD, regions=regions), json=body
    )


async def unmatched(
    door: Door, lines: str = "", *, regions: Sequence[str] = HERE, **filters: str
) -> list[dict[str, Any]]:
    """The facts of persons whom no family has; `lines` asks where they came from."""
    who = door.who("reader-1", READ, regions=regions)
    answer = await door.client.get(f"/unmatched-facts{lines}", headers=who, params=filters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_files_report_says_whose_rows_a_family_has_and_whose_none(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.registered(FAMILY))

    report = await hand_in(conditionality, *months(FAMILY), *months(STRANGER))

    assert (report["accepted"], report["matched"], report["unmatched"]) == (6, 3, 3)
    who = conditionality.who("school-1", RECORD)
    job = (await conditionality.client.get(f"/jobs/{report['job']}", headers=who)).json()
    assert (job["result"]["matched"], job["result"]["unmatched"]) == (3, 3)
    assert job["counts"]["unmatched"] == 3


async def test_what_nobody_has_is_counted_by_school_and_month_and_found_again_by_line(
    conditionality: Door, bench: Bench
) -> None:
    report = await hand_in(conditionality, *months(STRANGER), *months(OTHER, "30141148")[:1])

    counts = await unmatched(conditionality)
    assert [(each["reporter"], each["month"], each["facts"]) for each in counts] == [
        *((SCHOOL, month, 1) for month in months_of("2023-1")),
        ("30141148", MONTH, 1),
    ]
    lines = await unmatched(conditionality, "/lines", source=report["job"], month=MONTH)
    assert [(each["line"], each["reporter"]) for each in lines] == [(2, SCHOOL), (5, "30141148")]
    for shown in (counts, lines):
        assert nik_of(STRANGER) not in str(shown)
        assert {each["kind"] for each in shown} == {"SCHOOL"}
    assert await unmatched(conditionality, kind="FACILITY") == []
    assert len(await unmatched(conditionality, reporter=SCHOOL)) == 3
    values = {reading.labels: reading.value for reading in await unmatched_readings(bench.store)}
    assert values == {("SCHOOL",): 4, ("FACILITY",): 0}


async def test_a_month_that_a_file_reports_twice_is_found_where_it_was_reported_last(
    conditionality: Door,
) -> None:
    [row, *_] = months(STRANGER)
    report = await hand_in(conditionality, row, row)

    lines = await unmatched(conditionality, "/lines", source=report["job"])

    assert [each["line"] for each in lines] == [3]


async def test_a_fact_reported_before_its_person_is_registered_counts_in_the_running_cycle(
    conditionality: Door, bench: Bench
) -> None:
    await hand_in(conditionality, *months(FAMILY))
    assert len(await unmatched(conditionality)) == 3

    await bench.take(bench.registered(FAMILY))
    assert await unmatched(conditionality) == []
    await bench.take(bench.announced(), bench.line(FAMILY))

    assert await bench.evaluated(FAMILY) == [(1, "COMPLIANT")]


async def test_a_person_who_is_registered_after_a_cycle_counts_in_the_next(
    conditionality: Door, bench: Bench
) -> None:
    rows = [school(nik_of(FAMILY), month) for month in months_of("2023-2")]
    await bench.take(bench.announced(), bench.line(FAMILY, members=[]))
    await hand_in(conditionality, *rows)

    await bench.take(bench.registered(FAMILY))
    await bench.take(bench.announced("2023-2"), bench.line(FAMILY, "2023-2"))

    assert await bench.evaluated(FAMILY, "2023-2") == [(1, "COMPLIANT")]


async def test_a_single_report_says_whether_a_family_has_the_person(
    conditionality: Door, bench: Bench
) -> None:
    first = await report(conditionality, FAMILY)
    [line] = await unmatched(conditionality, "/lines")
    await bench.take(bench.registered(FAMILY))
    second = await report(conditionality, FAMILY)

    assert (first.json(), second.json()) == ({"matched": False}, {"matched": True})
    assert (line["source"], line["line"]) == (first.headers["X-Request-ID"], 0)
    assert await unmatched(conditionality, "/lines") == []


async def test_a_person_of_a_roster_line_is_known_though_registry_has_not_told(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.announced(), bench.line(FAMILY))

    assert (await report(conditionality, FAMILY)).json() == {"matched": True}


async def test_what_came_in_while_its_person_was_told_of_is_not_unmatched(
    conditionality: Door, bench: Bench
) -> None:
    await hand_in(conditionality, *months(FAMILY))
    token = bench.pseudonymizer.nik(nik_of(FAMILY))
    async with bench.store.transaction(CONTEXT) as unit:  # ends before the upload that saw nobody
        statement = "INSERT INTO person_family (token, family) VALUES ($1, $2)"
        await unit.connection.execute(statement, token, FAMILY)

    assert await unmatched(conditionality) == []


@pytest.mark.parametrize("regions", [THERE, ("61.04",), ()], ids=["other", "beside", "none"])
async def test_facts_of_a_person_who_lives_elsewhere_are_refused_and_named_by_line(
    conditionality: Door, bench: Bench, regions: Sequence[str]
) -> None:
    await bench.take(bench.registered(FAMILY))
    before = await bench.head()

    refused = await hand_in(conditionality, *months(FAMILY)[:1], regions=regions)
    single = await report(conditionality, FAMILY, regions=regions)

    [error] = refused["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "nik", "REGION_NOT_YOURS")
    assert (single.status_code, single.json()["type"]) == (403, "/problems/region-not-yours")
    assert await bench.head() == before


@pytest.mark.parametrize("regions", [HERE, ("61",), NATION], ids=["own", "above", "nation"])
async def test_facts_of_a_person_of_the_tokens_regions_are_taken(
    conditionality: Door, bench: Bench, regions: Sequence[str]
) -> None:
    await bench.take(bench.registered(FAMILY))

    taken = await hand_in(conditionality, *months(FAMILY), regions=regions)

    assert (taken["refused"], taken["matched"]) == (0, 3)


async def test_a_forms_row_of_who_lives_elsewhere_is_refused_once_and_the_others_are_taken(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.registered(FAMILY))
    text = "\n".join((FORM_HEADER, form(nik_of(FAMILY)), form(nik_of(STRANGER)))) + "\n"
    who, query = conditionality.who("school-1", RECORD, regions=THERE), {"partial": "true"}

    answer = await conditionality.post("/imports/school-form", who, content=text, params=query)

    taken = answer.json()
    [error] = taken["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "nik", "REGION_NOT_YOURS")
    assert (taken["refused"], taken["accepted"], taken["unmatched"]) == (1, 3, 3)


async def test_a_page_that_ends_within_a_forms_row_leaves_none_of_its_months_out(
    conditionality: Door,
) -> None:
    text = f"{FORM_HEADER}\n{form(nik_of(STRANGER))}\n"
    who = conditionality.who("school-1", RECORD, regions=HERE)
    await conditionality.post("/imports/school-form", who, content=text)

    seen, following = [], ""
    while True:
        query = {"limit": "2"} | ({"cursor": following} if following else {})
        page = (
            await conditionality.client.get("/unmatched-facts/lines", headers=who, params=query)
        ).json()
        seen += [(each["line"], each["month"]) for each in page["items"]]
        if not (following := page["next"]):
            break

    assert seen == [(2, "2023-01"), (2, "2023-02"), (2, "2023-03")]


async def test_a_sender_of_no_region_reports_of_nobody(conditionality: Door, bench: Bench) -> None:
    refused = await hand_in(conditionality, *months(STRANGER)[:1], regions=())
    single = await report(conditionality, STRANGER, regions=())

    assert (refused["errors"][0]["code"], single.status_code) == ("REGION_NOT_YOURS", 403)
    assert await bench.head() == 0


async def test_unmatched_facts_are_their_senders_regions(conditionality: Door) -> None:
    await hand_in(conditionality, *months(STRANGER)[:1], regions=("61.03.01",))

    seen: list[Sequence[str]] = [HERE, ("61.03.01",), NATION]
    unseen: list[Sequence[str]] = [THERE, ("61.03.02",), ()]
    for regions in seen:
        assert len(await unmatched(conditionality, regions=regions)) == 1
    for regions in unseen:
        assert await unmatched(conditionality, regions=regions) == []
        assert await unmatched(conditionality, "/lines", regions=regions) == []
    assert len(await unmatched(conditionality, regions=("61",), region="61.03")) == 1
    assert await unmatched(conditionality, regions=("61",), region="61.04") == []
    assert await unmatched(conditionality, regions=("61.04",), region="61") == []


@pytest.mark.parametrize("code", [nik_of(STRANGER), "school 7", "3014114"])
async def test_a_school_without_the_form_of_a_schools_number_is_refused(
    conditionality: Door, bench: Bench, code: str
) -> None:
    refused = await hand_in(conditionality, *months(STRANGER, code)[:1])
    single = await report(conditionality, STRANGER, npsn=code)

    [error] = refused["errors"]
    assert (error["line"], error["column"], error["code"]) == (2, "npsn", "NOT_AN_ID")
    assert single.status_code == 422
    assert await bench.head() == 0
