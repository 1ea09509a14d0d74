"""An erased family: its cycles are shown to nobody, and facts of its people are nobody's."""

from __future__ import annotations

from itertools import islice

from libs.events.bus import Record
from tests.doors import Door
from tests.integration.conditionality.kit import BAD, TAHAP, Bench, families

ERASED, OTHER = islice(families(), 2)


def erasure(bench: Bench) -> Record:
    return bench.roster.record("ErasureApproved", ERASED, {"family": ERASED})


async def test_nothing_is_shown_of_an_erased_family_and_the_others_stay(
    conditionality: Door, bench: Bench
) -> None:
    for family in (ERASED, OTHER):
        await bench.school(family, BAD)
    await bench.take(bench.announced(), bench.line(ERASED), bench.line(OTHER))
    await bench.take(erasure(bench))
    who = conditionality.who("reader-1", "conditionality:read")
    unmet = await conditionality.client.get("/unmet-cycles", headers=who, params={"tahap": TAHAP})
    standing = [
        await conditionality.client.get(f"/commitments/{family}", headers=who)
        for family in (ERASED, OTHER)
    ]

    assert [item["family"] for item in unmet.json()["items"]] == [OTHER]
    assert [answer.status_code for answer in standing] == [404, 200]


async def test_a_line_of_an_erased_family_is_judged_so_that_its_list_is_whole(
    bench: Bench,
) -> None:
    await bench.take(bench.announced(), bench.line(ERASED), bench.line(OTHER), erasure(bench))

    rows = await bench.store.pool.fetch("SELECT family::text FROM evaluated_line")
    held = await bench.store.pool.fetch("SELECT family::text FROM duty_holder")
    assert {row["family"] for row in rows} == {ERASED, OTHER}
    assert {row["family"] for row in held} == {OTHER}
