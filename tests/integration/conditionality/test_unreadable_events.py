"""An event that nobody can read any more stops no cycle but its own."""

from __future__ import annotations

from itertools import islice

import asyncpg

from libs.chassis.settings import Settings
from libs.events.workers.backoff import failing_item
from services.conditionality.contract import TOPIC
from services.conditionality.workers.withdrawer import WITHDRAWER
from tests.doors import sent
from tests.integration.conditionality.kit import BAD, GOOD, TAHAP, Bench, families, nik_of
from tests.integration.conditionality.test_late_facts import (
    given_closed,
    given_unreadable,
    set_state,
)

FAMILY, SECOND = islice(families(), 2)


async def spoilt(settings: Settings, stream: str, kind: str) -> None:
    """Nobody can read a stream's events of a kind any more, though its state stands."""
    owner = await asyncpg.connect(settings.bus_url)
    try:
        spoil = "UPDATE events SET data = '[]' WHERE stream_id = $1 AND type = $2"
        assert await owner.execute(spoil, stream, kind) != "UPDATE 0"
    finally:
        await owner.close()


async def test_a_late_fact_that_cannot_be_read_may_be_of_any_month_and_stops_nobody(
    bench: Bench, settings: Settings
) -> None:
    for family in (FAMILY, SECOND):
        await bench.school(family, BAD)
    await given_closed(bench, FAMILY, SECOND)
    for family in (FAMILY, SECOND):
        await bench.school(family, GOOD)
    token = bench.pseudonymizer.nik(nik_of(FAMILY))
    await spoilt(settings, f"person-{token}", "SchoolMonthsRecorded")
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert await bench.evaluated(SECOND) == [(1, "FAILED"), (2, "COMPLIANT")]


async def test_an_evaluation_that_cannot_be_read_stops_no_other_cycle(
    bench: Bench, settings: Settings
) -> None:
    for family in (FAMILY, SECOND):
        await bench.school(family, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.line(SECOND))
    await spoilt(settings, f"commitment-{FAMILY}", "CycleEvaluated")
    await bench.school(SECOND, GOOD)
    await bench.re_decide()

    assert await bench.evaluated(SECOND) == [(1, "FAILED"), (2, "COMPLIANT")]


async def test_a_cycle_that_cannot_be_withdrawn_comes_last_and_all_others_are_withdrawn(
    bench: Bench,
) -> None:
    await given_closed(bench, FAMILY, SECOND)
    before = await given_unreadable(bench, FAMILY)
    await bench.take(bench.cancelled(), bench.announced(revision=2))
    await bench.withdraw()

    assert await bench.followed(SECOND) == ["CycleWithdrawn"]
    assert await bench.followed(FAMILY) == []
    assert await failing_item(bench.store.pool, WITHDRAWER, TAHAP) is not None

    await set_state(bench, FAMILY, before)
    await bench.withdraw()

    assert await bench.followed(FAMILY) == ["CycleWithdrawn"]
    assert await failing_item(bench.store.pool, WITHDRAWER, TAHAP) is None


async def test_an_evaluation_that_cannot_be_said_again_keeps_no_other_of_its_bucket(
    bench: Bench,
) -> None:
    bucket = FAMILY[:2]
    other = next(each for each in islice(families(), 2, None) if each[:2] == bucket)
    await given_closed(bench, FAMILY, other)
    await given_unreadable(bench, FAMILY)
    before = len(await sent(bench.store))
    await bench.take(bench.asked_again(TOPIC, bucket))
    await bench.repeat()

    assert [message.key for message in (await sent(bench.store))[before:]] == [other]
