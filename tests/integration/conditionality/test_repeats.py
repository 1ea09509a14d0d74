"""Evaluations that did not arrive as they were proven are said again, exactly as they were."""

from __future__ import annotations

from itertools import islice

from libs.events.domain.list_proof import Buckets
from services.conditionality.contract import ROSTER_TOPIC, TOPIC
from tests.doors import Sent, sent
from tests.integration.conditionality.kit import BAD, GOOD, TAHAP, Bench, families

HOUSES = list(islice(families(), 5))


async def evaluations(bench: Bench) -> list[tuple[str, bytes]]:
    return [(m.key, m.value) for m in await sent(bench.store, "CycleEvaluated")]


async def given_a_closed_tahap(bench: Bench) -> list[Sent]:
    for family, absent in zip(HOUSES, (GOOD, BAD, GOOD, BAD, GOOD), strict=True):
        await bench.school(family, absent)
    await bench.take(bench.announced(), *(bench.line(family) for family in HOUSES))
    await bench.take(bench.list_closed(len(HOUSES)))
    assert await bench.close()
    return await sent(bench.store)


async def test_a_bucket_is_said_again_byte_for_byte_and_nothing_follows_from_it(
    bench: Bench,
) -> None:
    before = await given_a_closed_tahap(bench)
    buckets = sorted({family[:2] for family in HOUSES})

    await bench.take(bench.asked_again(TOPIC, *buckets))
    await bench.repeat()

    again = (await sent(bench.store))[len(before) :]
    assert sorted((m.key, m.value) for m in again) == sorted(await evaluations(bench))[::2]
    assert {m.type for m in again} == {"CycleEvaluated"}
    await bench.re_decide()
    assert not await bench.close()
    [closed] = await bench.closings()
    assert Buckets.from_json(closed["buckets"]) == await bench.latest()


async def test_other_buckets_and_other_topics_stay_quiet(bench: Bench) -> None:
    before = await given_a_closed_tahap(bench)
    wanted = HOUSES[0][:2]

    await bench.take(bench.asked_again(ROSTER_TOPIC, wanted))
    await bench.repeat()
    assert await sent(bench.store) == before

    await bench.take(bench.asked_again(TOPIC, wanted))
    await bench.repeat()
    again = (await sent(bench.store))[len(before) :]
    assert {m.key for m in again} == {f for f in HOUSES if f.startswith(wanted)}


async def test_the_latest_revision_is_said_and_no_older_one(bench: Bench) -> None:
    before = await given_a_closed_tahap(bench)
    late = HOUSES[1]
    await bench.school(late, GOOD)
    await bench.re_decide()
    assert await bench.evaluated(late) == [(1, "FAILED"), (2, "COMPLIANT")]

    await bench.take(bench.asked_again(TOPIC, late[:2]))
    await bench.repeat()

    assert await bench.evaluated(late, TAHAP) == [
        (1, "FAILED"),
        (2, "COMPLIANT"),
        (2, "COMPLIANT"),
    ]
    assert len(await sent(bench.store)) > len(before)
