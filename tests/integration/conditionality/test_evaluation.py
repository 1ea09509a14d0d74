"""Cycles are judged as the roster comes, and a tahap closes when everyone is accounted for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from libs.events.consumer.parking import Selection, list_parked
from libs.events.consumer.replay import replay
from libs.events.domain.list_proof import Buckets
from services.conditionality.consumers import subscriptions
from services.conditionality.contract import ROSTER_TOPIC
from tests.doors import CONTEXT, sent
from tests.integration.conditionality.kit import (
    BAD,
    GOOD,
    NEXT_TAHAP,
    RULE_SET,
    TAHAP,
    Bench,
    families,
)

FAMILY, SECOND, THIRD = islice(families(), 3)
HERE, ELSEWHERE = next(families(partition=3)), next(families(partition=8))


async def test_a_line_is_evaluated_as_it_comes(bench: Bench) -> None:
    await bench.school(FAMILY, GOOD)
    await bench.school(SECOND, BAD)
    await bench.take(bench.line(FAMILY), bench.line(SECOND), bench.line(THIRD))

    assert await bench.evaluated(FAMILY) == [(1, "COMPLIANT")]
    assert await bench.evaluated(SECOND) == [(1, "FAILED")]
    assert await bench.evaluated(THIRD) == [(1, "UNVERIFIED")]
    assert [await bench.followed(each) for each in (FAMILY, SECOND, THIRD)] == [
        [],
        ["Suspended"],
        [],
    ]


async def test_a_line_that_is_sent_again_changes_nothing(bench: Bench) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.list_closed(1))
    assert await bench.close()
    before = await bench.head()

    await bench.take(bench.line(FAMILY), bench.list_closed(1), bench.announced())
    await bench.re_decide()

    assert not await bench.close()
    assert await bench.head() == before


async def test_a_newer_line_is_judged_again_and_an_older_one_is_not(bench: Bench) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.line(FAMILY, revision=2), bench.line(FAMILY, revision=1))
    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]

    await bench.take(bench.line(FAMILY, revision=3, members=[]))
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]


async def test_a_family_that_graduated_is_not_evaluated(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.graduated(FAMILY), bench.line(SECOND))
    await bench.take(bench.list_closed(1, graduated=1))

    assert await bench.close()
    assert await bench.evaluated(FAMILY) == []
    [closed] = await bench.closings()
    assert (closed["evaluated"], closed["parked"]) == (1, [])


# -- Closing --------------------------------------------------------------------------------------


async def test_it_closes_once_announcement_list_and_every_family_are_there(bench: Bench) -> None:
    steps = [
        bench.line(FAMILY),
        bench.list_closed(2),
        bench.announced(),
        bench.line(SECOND),
    ]
    for step in steps[:-1]:
        await bench.take(step)
        assert not await bench.close()
    await bench.take(steps[-1])

    assert await bench.close()
    assert not await bench.close()
    [closed] = await bench.closings()
    assert (closed["tahap"], closed["revision"], closed["evaluated"]) == (TAHAP, 1, 2)
    assert Buckets.from_json(closed["buckets"]) == await bench.latest()


async def test_an_empty_list_closes_too(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.list_closed(0))

    assert await bench.close()
    [closed] = await bench.closings()
    assert (closed["evaluated"], closed["parked"], closed["buckets"]) == (0, [], {})


@pytest.mark.parametrize("finish", ["one after another", "at once"])
async def test_the_last_of_two_partitions_is_closed_by_the_leader(
    bench: Bench, finish: str
) -> None:
    at_once = finish == "at once"
    await bench.take(bench.announced(), bench.list_closed(2))
    have_written = asyncio.Barrier(2 if at_once else 1)

    async def gate(_unit: Any, _messages: Any) -> None:
        await have_written.wait()  # at once, neither sees what the other has counted

    member = replace(bench, consumer=bench.gated(gate))
    first, second = (member.take(bench.line(each)) for each in (HERE, ELSEWHERE))
    if at_once:
        await asyncio.gather(first, second)
    else:
        await first
        await second
    await bench.close()

    [closed] = await bench.closings()
    assert closed["evaluated"] == 2


async def test_a_parked_family_is_accounted_for_by_name(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.list_closed(2))
    await bench.take(bench.line(FAMILY), bench.line(SECOND, rule_set="1999"))

    assert await bench.close()
    [closed] = await bench.closings()
    assert (closed["evaluated"], closed["parked"]) == (1, [SECOND])
    assert [(p.key, p.error) for p in await list_parked(bench.store)] == [
        (SECOND, "UnknownRuleSet")
    ]


async def test_a_parked_line_that_is_replayed_is_evaluated_and_the_tahap_closed_anew(
    bench: Bench,
) -> None:
    await bench.school(SECOND, BAD)
    await bench.take(bench.announced(), bench.list_closed(2))
    await bench.take(bench.line(FAMILY), bench.line(SECOND, rule_set="1999"))
    await bench.close()

    policies = {**bench.policies, "1999": bench.policies[RULE_SET]}
    mended = subscriptions(policies, bench.outside)
    async with bench.store.transaction(CONTEXT) as unit:
        replayed = await replay(unit, mended, Selection(ROSTER_TOPIC, SECOND))
    assert replayed
    assert (replayed.handled, replayed.refused) == (1, 0)

    assert await bench.evaluated(SECOND) == [(1, "FAILED")]
    assert await bench.close()
    _, again = await bench.closings()
    assert (again["revision"], again["evaluated"], again["parked"]) == (2, 2, [])
    assert Buckets.from_json(again["buckets"]) == await bench.latest()


async def test_a_later_line_of_a_parked_family_waits_and_is_replayed_in_order(
    bench: Bench,
) -> None:
    await bench.take(bench.line(FAMILY, rule_set="1999"), bench.line(FAMILY, NEXT_TAHAP))
    assert await sent(bench.store, "CycleEvaluated") == []

    policies = {**bench.policies, "1999": bench.policies[RULE_SET]}
    mended = subscriptions(policies, bench.outside)
    async with bench.store.transaction(CONTEXT) as unit:
        replayed = await replay(unit, mended, Selection(ROSTER_TOPIC, FAMILY))
    assert replayed
    assert (replayed.handled, replayed.refused) == (2, 0)
    found = await sent(bench.store, "CycleEvaluated")
    assert [message.body["tahap"] for message in found] == [TAHAP, NEXT_TAHAP]


async def test_a_family_that_was_evaluated_and_then_parked_is_counted_once(bench: Bench) -> None:
    await bench.take(bench.announced(), bench.line(FAMILY), bench.line(SECOND))
    await bench.take(bench.line(FAMILY, NEXT_TAHAP, rule_set="1999"), bench.line(FAMILY))
    await bench.take(bench.list_closed(2))

    assert await bench.close()
    [closed] = await bench.closings()
    assert (closed["evaluated"], closed["parked"]) == (2, [])


async def test_a_graduated_line_that_waits_behind_a_parked_one_is_not_waited_for(
    bench: Bench,
) -> None:
    await bench.take(bench.line(FAMILY, rule_set="1999"))
    await bench.take(bench.announced(NEXT_TAHAP), bench.graduated(FAMILY, NEXT_TAHAP))
    await bench.take(bench.line(SECOND, NEXT_TAHAP))
    await bench.take(bench.list_closed(1, graduated=1, tahap=NEXT_TAHAP))

    assert await bench.close()
    [closed] = await bench.closings()
    assert (closed["evaluated"], closed["parked"]) == (1, [])


async def test_a_family_that_is_listed_behind_the_freeze_is_judged_and_closes_nothing_anew(
    bench: Bench,
) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(SECOND), bench.list_closed(1))
    await bench.close()
    await bench.take(bench.frozen())

    await bench.take(bench.line(FAMILY, reopening=1))

    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    assert await bench.followed(FAMILY) == ["Suspended"]
    assert not await bench.close()
    assert len(await bench.closings()) == 1
