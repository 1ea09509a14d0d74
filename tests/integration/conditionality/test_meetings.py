"""Attendance of the payee at group sessions: a duty where a rule set asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest_asyncio

from libs.events.bus import Record
from services.conditionality.consumers import subscriptions
from services.conditionality.domain.duties import FurtherDuty, VisitMonthly
from tests.doors import sent
from tests.integration.conditionality.kit import GOOD, RULE_SET, Bench, families

FAMILY, OTHER = islice(families(), 2)
GROUP = "G6103012026-1"


@pytest_asyncio.fixture
async def asking(bench: Bench) -> Bench:
    """Conditionality of a year in which payees owe a session in every month."""
    further = {"P2K2": FurtherDuty("PAYEE", VisitMonthly("P2K2"))}
    policies = {**bench.policies, RULE_SET: replace(bench.policies[RULE_SET], further=further)}
    consumer = replace(bench.consumer, subscriptions=subscriptions(policies, bench.outside))
    return replace(bench, policies=policies, consumer=consumer)


def attended(bench: Bench, session: str, on: str, marks: Mapping[str, str]) -> Record:
    body = {"session": session, "group": GROUP, "on": on}
    rows = [[family, status, ""] for family, status in marks.items()]
    return bench.sessions.record("AttendanceRecorded", GROUP, body | {"marks": rows})


async def given_sessions(bench: Bench, february: str) -> None:
    """A pupil who was at school, and a payee at the sessions of January and March."""
    await bench.school(FAMILY, GOOD)
    await bench.take(
        attended(bench, "S0000001", "2023-01-05", {FAMILY: "H", OTHER: "A"}),
        attended(bench, "S0000002", "2023-02-05", {FAMILY: february}),
        attended(bench, "S0000003", "2023-03-05", {FAMILY: "H"}),
    )


async def said(bench: Bench) -> Mapping[str, Any]:
    bodies: list[Mapping[str, Any]] = [
        m.body for m in await sent(bench.store, "CycleEvaluated") if m.key == FAMILY
    ]
    return bodies[-1]


async def test_an_absence_of_the_payee_fails_the_cycle_and_its_reason_names_the_month(
    asking: Bench,
) -> None:
    await given_sessions(asking, "A")

    await asking.take(asking.announced(), asking.line(FAMILY))

    assert await asking.evaluated(FAMILY) == [(1, "FAILED")]
    body = await said(asking)
    [failed] = [duty for duty in body["duties"] if duty["outcome"] == "FAILED"]
    assert (failed["member"], failed["duty"], failed["month"]) == (0, "P2K2", "2023-02")
    [shown] = body["evidence"]
    assert (shown["service"], shown["missed"]) == ("P2K2", ["2023-02"])


async def test_a_payee_who_came_to_one_session_of_each_month_has_kept_it(asking: Bench) -> None:
    await given_sessions(asking, "A")
    await asking.take(attended(asking, "S0000009", "2023-02-19", {FAMILY: "H"}))

    await asking.take(asking.announced(), asking.line(FAMILY))

    assert await asking.evaluated(FAMILY) == [(1, "COMPLIANT")]


async def test_who_was_excused_is_neither_met_nor_missed(asking: Bench) -> None:
    await given_sessions(asking, "I")

    await asking.take(asking.announced(), asking.line(FAMILY))

    assert await asking.evaluated(FAMILY) == [(1, "UNVERIFIED")]


async def test_what_becomes_of_a_session_later_is_judged_again(asking: Bench) -> None:
    await given_sessions(asking, "A")
    await asking.take(asking.announced(), asking.line(FAMILY))

    moved = {"session": "S0000002", "group": GROUP, "on": "2023-03-12"}
    await asking.take(asking.sessions.record("SessionCorrected", GROUP, moved))
    await asking.re_decide()
    cancelled = {"session": "S0000003", "group": GROUP}
    await asking.take(asking.sessions.record("SessionCancelled", GROUP, cancelled))
    await asking.re_decide()

    # The absence of February is one of March, first beside a session attended, then alone.
    assert await asking.evaluated(FAMILY) == [(1, "FAILED"), (2, "UNVERIFIED"), (3, "FAILED")]
    assert [e["month"] for e in (await said(asking))["evidence"]] == ["2023-03"]


async def test_where_no_rule_set_asks_for_it_nothing_is_kept(bench: Bench, asking: Bench) -> None:
    await given_sessions(bench, "A")

    await bench.take(bench.announced(), bench.line(FAMILY))

    assert await bench.evaluated(FAMILY) == [(1, "COMPLIANT")]
    assert await bench.store.pool.fetchval("SELECT count(*) FROM meeting_mark") == 0
