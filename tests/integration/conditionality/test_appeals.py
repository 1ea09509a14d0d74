"""Cases ask on their topic: to pause what came of a cycle, to go on, to judge it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from services.conditionality import policy
from tests.doors import Door, sent
from tests.integration.conditionality.kit import (
    BAD,
    CASE,
    GOOD,
    NEXT_TAHAP,
    ORDER,
    TAHAP,
    Bench,
    bench_at,
    families,
    months_of,
)

FAMILY = next(families())
PAUSE = {name: replace(each, appeals_pause=True) for name, each in policy.load().items()}


@pytest_asyncio.fixture
async def bench(settings: Settings) -> AsyncIterator[Bench]:
    """Conditionality by its parts, where appeals pause; the family has failed its first cycle."""
    async with bench_at(settings, PAUSE) as parts:
        await failed(parts)
        yield parts


async def failed(bench: Bench) -> None:
    await bench.school(FAMILY, BAD)
    await bench.take(bench.announced(), bench.line(FAMILY), bench.list_closed(1))
    await bench.take(bench.frozen())


async def complied(bench: Bench) -> None:
    await bench.school(FAMILY, GOOD, months=months_of(NEXT_TAHAP))
    await bench.take(bench.announced(NEXT_TAHAP), bench.line(FAMILY, NEXT_TAHAP))


async def answers(bench: Bench) -> list[dict[str, Any]]:
    return [dict(m.body) for m in await sent(bench.store) if m.body.get("case") == CASE]


async def test_an_appeal_keeps_its_money_held_until_it_is_rejected(bench: Bench) -> None:
    await bench.take(bench.appeal(FAMILY))
    await complied(bench)

    assert await bench.followed(FAMILY) == ["Suspended", "AppealPaused"]
    await bench.take(bench.appeal_decided(FAMILY, "REJECTED"))

    assert await bench.followed(FAMILY) == ["Suspended", "AppealPaused", "Released", "AppealEnded"]
    [released] = await sent(bench.store, "Released")
    assert (released.body["tahaps"], released.body["cycle"]) == ([TAHAP], NEXT_TAHAP)


async def test_by_the_shipped_rules_an_appeal_pauses_nothing_and_that_is_answered(
    settings: Settings,
) -> None:
    async with bench_at(settings) as shipped:
        await failed(shipped)
        await shipped.take(shipped.appeal(FAMILY))
        await complied(shipped)

        assert await shipped.followed(FAMILY) == ["Suspended", "AppealNotPaused", "Released"]
        [answer] = await answers(shipped)
        assert answer["reason"] == "NOT_BY_POLICY"


async def test_of_a_family_that_was_never_judged_it_is_answered(bench: Bench) -> None:
    stranger = list(zip(families(), "12", strict=False))[1][0]

    await bench.take(bench.appeal(stranger), bench.ordered(stranger))

    [appeal, order] = await answers(bench)
    assert appeal["reason"] == order["reason"] == "NO_SUCH_CYCLE"


@pytest.mark.parametrize("regions", [["61.04"], ["61.03.01.2027"], ["61.0"], [""], ["61.03.01.2"]])
async def test_of_a_family_that_lives_elsewhere_nothing_is_paused_ended_or_judged_again(
    bench: Bench, regions: list[str]
) -> None:
    stranger = list(zip(families(), "12", strict=False))[1][0]
    for family in (FAMILY, stranger):
        await bench.take(
            bench.appeal(family, regions=regions),
            bench.ordered(family, f"o-{family}", regions=regions),
        )

    refused = {answer["reason"] for answer in await answers(bench)}
    assert refused == {"OUTSIDE_REGIONS"}
    assert await bench.corrections() == []


async def test_a_message_that_names_no_regions_allows_nothing(bench: Bench) -> None:
    await bench.take(bench.appeal(FAMILY, regions=[]), bench.ordered(FAMILY, regions=[]))

    assert {answer["reason"] for answer in await answers(bench)} == {"OUTSIDE_REGIONS"}


async def test_a_decision_of_somebody_elsewhere_is_answered_and_the_appeal_goes_on(
    bench: Bench,
) -> None:
    await bench.take(bench.appeal(FAMILY, regions=["61.03"]))
    await bench.take(
        bench.appeal_decided(FAMILY, "UPHELD", regions=["61.04"], decision=1),
        bench.ordered(FAMILY, regions=["61.04"]),
    )
    assert await bench.followed(FAMILY) == [
        *("Suspended", "AppealPaused", "AppealDecisionRefused", "OrderAnswered")
    ]
    await bench.take(bench.appeal_decided(FAMILY, "REJECTED", regions=["61.03"], decision=2))
    assert (await bench.followed(FAMILY))[-1] == "AppealEnded"


async def test_upheld_the_cycle_is_corrected_by_a_person_who_had_no_part_in_it(
    conditionality: Door, bench: Bench
) -> None:
    await bench.take(bench.appeal(FAMILY))
    await bench.take(bench.appeal_decided(FAMILY, "UPHELD"), bench.ordered(FAMILY))
    [proposed] = await bench.corrections()
    assert (proposed.body["case"], proposed.body["order"]) == (CASE, ORDER)
    assert proposed.body["recorded_by"] == ["officer-8", "officer-9", "school-1"]

    async def approve(subject: str) -> int:
        who = conditionality.who(subject, "conditionality:approve", "conditionality:read")
        path = f"/commitments/{FAMILY}"
        tag = (await conditionality.client.get(path, headers=who)).headers["ETag"]
        path = f"{path}/corrections/{proposed.body['correction']}/approval"
        return (await conditionality.post(path, who | {"If-Match": tag})).status_code

    for had_part in ("officer-8", "OFFICER-9", "school-1"):
        assert await approve(had_part) == 409
    assert await approve("supervisor-1") == 204

    assert await bench.evaluated(FAMILY) == [(1, "FAILED"), (2, "COMPLIANT")]
    [released] = await sent(bench.store, "Released")
    assert released.body["tahaps"] == [TAHAP]
    assert [answer.get("outcome") for answer in (await answers(bench))[-2:]] == ["DONE", "UPHELD"]


async def test_an_order_that_comes_again_and_one_of_another_service_leave_nothing(
    bench: Bench,
) -> None:
    await bench.take(bench.ordered(FAMILY))
    before = await bench.decided()

    await bench.take(bench.ordered(FAMILY))
    await bench.take(bench.ordered(FAMILY, "order-2", "TAKE_BACK_TERMINATION"))

    assert await bench.decided() == before
    [answer] = await answers(bench)
    assert (answer["outcome"], answer["reason"]) == ("REFUSED", "NOTHING_CHANGED")


async def test_what_a_case_cannot_have_asked_is_parked_and_stops_nobody(bench: Bench) -> None:
    bad = bench.cases.record("AppealOpened", "another-case", {"case": "another-case"})

    await bench.take(bad, bench.appeal(FAMILY))

    assert "AppealPaused" in await bench.followed(FAMILY)
    parked = await bench.store.pool.fetchval("SELECT count(*) FROM parked")
    assert parked == 1


async def test_a_family_whose_termination_was_taken_back_is_judged_again(
    conditionality: Door, bench: Bench
) -> None:
    tahaps = [TAHAP, NEXT_TAHAP, "2023-3"]
    for tahap in tahaps[1:]:
        await bench.school(FAMILY, BAD, months=months_of(tahap))
        await bench.take(bench.announced(tahap), bench.line(FAMILY, tahap))
    path = f"/investigations/{FAMILY}/2023-3"
    for subject, step, body in (
        ("officer-1", "finding", {"outcome": "CONFIRMED"}),
        ("supervisor-1", "decision", {"decision": "APPROVED"}),
    ):
        scopes = ("investigate", "approve", "read")
        who = conditionality.who(subject, *(f"conditionality:{scope}" for scope in scopes))
        tag = (await conditionality.client.get(path, headers=who)).headers["ETag"]
        answer = await conditionality.post(f"{path}/{step}", who | {"If-Match": tag}, json=body)
        assert answer.status_code == 204, answer.text

    await bench.take(bench.roster.record("FamilyReinstated", FAMILY, {"family": FAMILY}))
    await bench.school(FAMILY, BAD, months=months_of("2023-4"))
    await bench.take(bench.announced("2023-4"), bench.line(FAMILY, "2023-4"))

    assert await bench.evaluated(FAMILY, "2023-4") == [(1, "FAILED")]
    assert (await sent(bench.store, "Suspended"))[-1].body["counter"] == 1
