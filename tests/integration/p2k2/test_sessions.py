"""Sessions at the door of p2k2: each bad report its own problem, nothing shown to other regions."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.doors import Door, sent, waits_for_a_lock
from tests.integration.p2k2.kit import (
    ANA,
    BUDI,
    CITRA,
    GROUP,
    MEETING,
    OTHER_GROUP,
    READ,
    Bench,
    kind,
    post,
    shown,
)
from tests.servers import eventually


def marks(**statuses: str) -> dict[str, Any]:
    """The attendance of families by their names here."""
    families = {"ana": ANA, "budi": BUDI, "citra": CITRA}
    return {
        "marks": [{"family": families[name], "status": mark} for name, mark in statuses.items()]
    }


async def test_a_session_is_planned_held_attended_noted_and_corrected(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI))
    notes = {"notes": "All spoke.", "follow_up": "Bring the book.", "photo": "photos/S1"}
    corrected = {name: value for name, value in MEETING.items() if name != "group"}
    for step, body in (
        ("plan", MEETING),
        ("report", MEETING),
        ("attendance", marks(ana="H", budi="I")),
        ("attendance", marks(budi="A")),
        ("notes", notes),
        ("supervision", {"supervisor": "SV610300", "on": "2023-01-06", "findings": "All well."}),
        ("correction", corrected | {"on": "2023-01-06", "reason": "The wrong day."}),
    ):
        answer = await post(p2k2, step, body)
        assert answer.status_code == 204, answer.text

    view = (await shown(p2k2)).json()

    assert (view["standing"], view["on"], view["corrections"]) == ("HELD", "2023-01-06", 1)
    assert {mark["family"]: mark["status"] for mark in view["marks"]} == {ANA: "H", BUDI: "A"}
    assert view["follow_up"] == "Bring the book."
    assert [visit["findings"] for visit in view["visits"]] == ["All well."]
    messages = await sent(bench.store)
    assert [message.type for message in messages] == [
        "SessionPlanned",
        "SessionHeld",
        "AttendanceRecorded",
        "AttendanceRecorded",
        "SessionCorrected",
    ]
    assert {message.key for message in messages} == {GROUP}
    assert b"wrong day" not in b"".join(message.value for message in messages)


async def test_the_same_report_and_marks_again_change_nothing(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA))
    for _ in range(2):
        assert (await post(p2k2, "report", MEETING)).status_code == 204
        assert (await post(p2k2, "attendance", marks(ana="H"))).status_code == 204

    assert len(await sent(bench.store)) == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"on": "2099-01-05"}, "409 session-in-future"),
        ({"module": "NO_SUCH"}, "409 module-unknown"),
        ({"session": 4}, "409 module-unknown"),
        ({"group": "G9"}, "404 group-unknown"),
        ({"venue": "<script>"}, "409 note-unfit"),
        ({"starts_at": "25:00"}, "422 invalid-request"),
        ({"venue": "x" * 201}, "422 invalid-request"),
    ],
)
async def test_a_report_that_cannot_be_is_its_own_problem(
    p2k2: Door, bench: Bench, changes: Mapping[str, Any], problem: str
) -> None:
    await bench.take(bench.assigned(ANA))

    assert kind(await post(p2k2, "report", {**MEETING, **changes})) == problem
    assert await sent(bench.store) == []


async def test_a_group_is_at_one_session_at_a_time(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI, OTHER_GROUP))
    nine, noon = MEETING | {"starts_at": "09:00"}, MEETING | {"starts_at": "12:00"}
    assert (await post(p2k2, "report", nine)).status_code == 204

    assert kind(await post(p2k2, "report", MEETING, number="S2")) == "409 session-clashes"
    assert (await post(p2k2, "report", noon, number="S2")).status_code == 204
    other = MEETING | {"group": OTHER_GROUP}
    assert (await post(p2k2, "report", other, number="S3")).status_code == 204
    await post(p2k2, "cancellation", {"reason": "It rained."}, number="S2")
    assert (await post(p2k2, "report", noon, number="S4")).status_code == 204


async def test_of_two_reports_at_once_of_one_group_and_time_one_is_taken(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA))
    async with bench.store.pool.acquire() as somebody, somebody.transaction():
        await somebody.execute("SELECT FROM study_group FOR UPDATE")
        reports = [
            asyncio.create_task(post(p2k2, "report", MEETING, number=f"S{n}")) for n in (1, 2)
        ]

        async def wait() -> bool:
            assert not any(report.done() for report in reports), "nobody waits for the group"
            return await waits_for_a_lock(bench.store, waiting=2)

        await eventually(wait)

    answers = await asyncio.gather(*reports)

    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_nobody_attends_a_session_that_was_cancelled_or_is_planned_or_is_none(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA))
    assert kind(await post(p2k2, "attendance", marks(ana="H"))) == "404 session-unknown"
    await post(p2k2, "plan", MEETING)
    assert kind(await post(p2k2, "attendance", marks(ana="H"))) == "409 session-not-held"
    await post(p2k2, "cancellation", {"reason": "It rained."})
    assert kind(await post(p2k2, "attendance", marks(ana="H"))) == "409 session-is-cancelled"


async def test_a_family_of_another_group_or_of_nobody_attends_nothing_and_takes_all_with_it(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI, OTHER_GROUP))
    await post(p2k2, "report", MEETING)

    for stranger in ("budi", "citra"):
        refused = await post(p2k2, "attendance", marks(ana="H", **{stranger: "H"}))
        assert kind(refused) == "409 family-of-another-group"
    assert (await shown(p2k2)).json()["marks"] == []


async def test_what_changed_since_it_was_seen_is_not_corrected(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA))
    await post(p2k2, "report", MEETING)
    tag = (await shown(p2k2)).headers["ETag"]
    await post(p2k2, "attendance", marks(ana="H"))
    who = p2k2.who("clerk-1", "p2k2:record") | {"If-Match": tag}

    stale = await p2k2.post("/sessions/S0000001/cancellation", who, json={"reason": "It rained."})

    assert kind(stale) == "412 version-stale"


async def test_a_session_of_another_region_is_as_unknown_as_none(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA))
    await post(p2k2, "plan", MEETING, number="S2")
    await post(p2k2, "report", MEETING | {"on": "2023-01-06"})
    correction = {name: value for name, value in MEETING.items() if name != "group"}
    bodies: Mapping[str, Any] = {
        "attendance": marks(ana="H"),
        "notes": {"notes": "All spoke."},
        "supervision": {"supervisor": "SV1", "on": "2023-01-06", "findings": "All well."},
        "cancellation": {"reason": "It rained."},
        "correction": correction | {"reason": "The wrong day."},
    }
    before = await sent(bench.store)
    for regions in (("61.04",), ("11",), ()):
        assert kind(await shown(p2k2, regions=regions)) == "404 session-unknown"
        for step, body in bodies.items():
            answer = await post(p2k2, step, body, regions=regions)
            assert kind(answer) == "404 session-unknown"
        for step in ("plan", "report"):
            answer = await post(p2k2, step, MEETING, number="S3", regions=regions)
            assert kind(answer) == "404 group-unknown"
        who = p2k2.who("reader-1", READ, regions=regions)
        assert (await p2k2.client.get("/sessions", headers=who)).json()["items"] == []
    assert await sent(bench.store) == before
    for regions in (("61.03",), ("61.03.01.2026",)):
        assert (await shown(p2k2, regions=regions)).status_code == 200


async def test_sessions_are_listed_by_group_and_facilitator(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI, OTHER_GROUP))
    await post(p2k2, "report", MEETING)
    await post(p2k2, "report", MEETING | {"group": OTHER_GROUP, "facilitator": "PD2"}, number="S2")
    who = p2k2.who("reader-1", READ)

    async def listed(**query: str) -> list[str]:
        answer = await p2k2.client.get("/sessions", headers=who, params=query)
        return [item["number"] for item in answer.json()["items"]]

    assert await listed() == ["S0000001", "S2"]
    assert await listed(group=OTHER_GROUP) == ["S2"]
    assert await listed(facilitator="PD610301") == ["S0000001"]
    assert await listed(region="61.04") == []


async def test_the_modules_of_a_day_are_shown_with_their_sessions(p2k2: Door) -> None:
    who = p2k2.who("reader-1", READ)
    answer = await p2k2.client.get("/modules", headers=who, params={"on": "2017-06-01"})

    found = {item["module"]: len(item["sessions"]) for item in answer.json()["items"]}
    assert found == {
        "KESEHATAN": 6,
        "PENDIDIKAN": 6,
        "EKONOMI": 5,
        "PERLINDUNGAN_ANAK": 4,
        "KESEJAHTERAAN_SOSIAL": 2,
    }
