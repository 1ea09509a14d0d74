"""Two things happen to an appealed cycle at one moment: each pair ends in one explained state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import replace
from typing import Any, Final

import httpx
import msgspec
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.events.bus import Record
from services.conditionality.contract import CASE_TOPIC
from tests.doors import TOPICS, Door, deliver, sent
from tests.integration.conditionality.kit import (
    BAD,
    CASE,
    NEXT_TAHAP,
    TAHAP,
    Bench,
    bench_at,
    months_of,
)
from tests.integration.conditionality.test_appeals import FAMILY, PAUSE, complied, failed

OTHER: Final = "2f6c3a10-7d1e-4a52-8a35-0d2f0e7b6c41"
ENDS: Final = {"Released", "AppealEnded"}


@pytest_asyncio.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    """Conditionality where appeals pause; the family has failed its first cycle."""
    async with bench_at(settings, PAUSE) as parts:
        await failed(parts)
        yield parts


def beside(bench: Bench, *records: Record) -> Awaitable[None]:
    """The same messages at another member of the group."""
    return deliver(replace(bench.consumer), *records)


def of_other_case(bench: Bench, record: Record) -> Record:
    """The message of another case, which another member reads at the same time."""
    assert len({TOPICS.partition(CASE_TOPIC, case) for case in (CASE, OTHER)}) == 2
    body = msgspec.json.decode(record.value) | {"case": OTHER}
    return bench.cases.record("AppealOpened", OTHER, body)


async def said(bench: Bench, *types: str) -> list[Any]:
    return [message.body for message in await sent(bench.store, *types)]


async def decide(door: Door, subject: str, path: str, body: object = None) -> httpx.Response:
    """A decision of somebody on what stands now."""
    scopes = ("investigate", "approve", "read")
    who = door.who(subject, *(f"conditionality:{scope}" for scope in scopes))
    seen = path.rpartition("/")[0].partition("/corrections")[0]
    tag = (await door.client.get(seen, headers=who)).headers["ETag"]
    return await door.post(path, who | {"If-Match": tag}, json=body)


async def test_of_two_cases_that_appeal_at_once_one_pauses_and_the_other_is_refused(
    bench: Bench,
) -> None:
    own = bench.appeal(FAMILY)
    other = of_other_case(bench, own)

    await asyncio.gather(bench.take(own), beside(bench, other))

    [paused] = await said(bench, "AppealPaused")
    [refused] = await said(bench, "AppealNotPaused")
    assert {paused["case"], refused["case"]} == {CASE, OTHER}
    assert refused["reason"] == "ANOTHER_IS_OPEN"


async def test_an_order_that_two_members_carry_out_at_once_is_proposed_once(bench: Bench) -> None:
    await bench.take(bench.appeal(FAMILY), bench.appeal_decided(FAMILY, "UPHELD"))
    order = bench.ordered(FAMILY)

    await asyncio.gather(bench.take(order), beside(bench, order), return_exceptions=True)
    await bench.take(order)

    assert [answer["outcome"] for answer in await said(bench, "OrderAnswered")] == ["PROPOSED"]
    assert len(await said(bench, "CorrectionProposed")) == 1


async def test_of_two_who_approve_a_correction_at_once_one_does(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.appeal(FAMILY), bench.appeal_decided(FAMILY, "UPHELD"))
    await bench.take(bench.ordered(FAMILY))
    path = f"/commitments/{FAMILY}/corrections/1/approval"

    both = await asyncio.gather(*(decide(conditionality, f"supervisor-{n}", path) for n in (1, 2)))

    assert sorted(answer.status_code for answer in both) in ([204, 409], [204, 412], [204, 404])
    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    assert len(await said(bench, "Released")) == 1
    assert [each["outcome"] for each in await said(bench, "AppealEnded")] == ["UPHELD"]


async def test_an_appeal_and_the_cycle_that_would_release_its_money_are_one_before_the_other(
    bench: Bench,
) -> None:
    await asyncio.gather(bench.take(bench.appeal(FAMILY)), complied(bench))

    paused, released = await said(bench, "AppealPaused"), await said(bench, "Released")
    if paused:
        assert released == []
        await bench.take(bench.appeal_decided(FAMILY, "REJECTED"))
    else:
        assert [each["reason"] for each in await said(bench, "AppealNotPaused")] == ["NO_EFFECT"]
    [released] = await said(bench, "Released")
    assert (released["tahaps"], released["cycle"]) == ([TAHAP], NEXT_TAHAP)


async def test_the_end_of_an_appeal_and_the_cycle_that_releases_come_to_one_release(
    bench: Bench,
) -> None:
    await bench.take(bench.appeal(FAMILY))

    rejected = bench.appeal_decided(FAMILY, "REJECTED")
    await asyncio.gather(bench.take(rejected), complied(bench))

    assert {*await bench.followed(FAMILY)} >= ENDS
    [released] = await said(bench, "Released")
    assert (released["tahaps"], released["cycle"]) == ([TAHAP], NEXT_TAHAP)


async def test_an_upheld_appeal_and_the_freeze_of_its_list_come_to_one_correction(
    settings: Settings, conditionality: Door
) -> None:
    async with bench_at(settings, PAUSE) as bench:
        await bench.school(FAMILY, BAD)
        await bench.take(bench.announced(), bench.line(FAMILY), bench.list_closed(1))
        await bench.take(bench.appeal(FAMILY))

        upheld = bench.appeal_decided(FAMILY, "UPHELD"), bench.ordered(FAMILY)
        await asyncio.gather(bench.take(*upheld), beside(bench, bench.frozen()))
        path = f"/commitments/{FAMILY}/corrections/1/approval"
        assert (await decide(conditionality, "supervisor-1", path)).status_code == 204

        assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
        assert [each["outcome"] for each in await said(bench, "AppealEnded")] == ["UPHELD"]


async def test_an_appeal_and_the_termination_it_is_against_are_one_before_the_other(
    conditionality: Door, bench: Bench
) -> None:
    for tahap in (NEXT_TAHAP, "2023-3"):
        await bench.school(FAMILY, BAD, months=months_of(tahap))
        await bench.take(bench.announced(tahap), bench.line(FAMILY, tahap))
    path = f"/investigations/{FAMILY}/2023-3"
    found = await decide(conditionality, "officer-1", f"{path}/finding", {"outcome": "CONFIRMED"})
    assert found.status_code == 204, found.text

    approved, _ = await asyncio.gather(
        decide(conditionality, "supervisor-1", f"{path}/decision", {"decision": "APPROVED"}),
        bench.take(bench.appeal(FAMILY, "2023-3", "TERMINATION")),
    )
    if approved.status_code == 412:  # the appeal came between the look and the decision
        again = await decide(
            conditionality, "supervisor-1", f"{path}/decision", {"decision": "APPROVED"}
        )
        assert again.status_code == 204

    if await said(bench, "AppealPaused"):
        assert await said(bench, "Terminated") == []
        await bench.take(bench.appeal_decided(FAMILY, "REJECTED", "2023-3", effect="TERMINATION"))
    else:
        assert [each["reason"] for each in await said(bench, "AppealNotPaused")] == ["RETURNED"]
    [ended] = await said(bench, "Terminated")
    assert ended["tahaps"] == [TAHAP, NEXT_TAHAP, "2023-3"]
