"""Files of sessions and attendance: whole or not at all, each wrong row named by line and code."""

from __future__ import annotations

import pytest

from tests.doors import Door, sent
from tests.integration.p2k2.kit import (
    ANA,
    ATTENDANCE_HEADER,
    BUDI,
    CARDS,
    GROUP,
    MEETING,
    OTHER_GROUP,
    SESSION_HEADER,
    Bench,
    hand_in,
    post,
    refusals,
    shown,
)

HELD = f"S0000001,{GROUP},PD610301,2023-01-05,KEUANGAN,1"
SESSIONS, ATTENDANCE = ("p2k2-sessions", SESSION_HEADER), ("p2k2-attendance", ATTENDANCE_HEADER)


def came(family: str, status: str = "H", number: str = "S0000001") -> str:
    """A row of attendance."""
    return f"{number},{CARDS[family]},{status}"


async def test_sessions_and_attendance_are_taken_once(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI))

    held = await hand_in(p2k2, *SESSIONS, HELD)
    attended = await hand_in(p2k2, *ATTENDANCE, came(ANA), came(BUDI, "I"))
    again = await hand_in(p2k2, *SESSIONS, HELD)
    once_more = await hand_in(p2k2, *ATTENDANCE, came(ANA), came(BUDI, "A"))

    counts = [(report["accepted"], report["unchanged"]) for report in (held, attended)]
    assert counts == [(1, 0), (2, 0)]
    assert (again["accepted"], again["unchanged"]) == (0, 1)
    assert (once_more["accepted"], once_more["unchanged"]) == (1, 1)
    marks = {mark["family"]: mark["status"] for mark in (await shown(p2k2)).json()["marks"]}
    assert marks == {ANA: "H", BUDI: "A"}
    for message in await sent(bench.store):
        assert not any(card.encode() in message.value for card in CARDS.values())


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [
        (f"S2,{GROUP},PD610301,2099-01-05,KEUANGAN,1", "held_on", "SESSION_IN_FUTURE"),
        (f"S2,{GROUP},PD610301,2023-1-5,KEUANGAN,1", "held_on", "NOT_A_DATE"),
        (f"S2,{GROUP},PD610301,2023-01-06,NO_SUCH,1", "module", "MODULE_UNKNOWN"),
        (f"S2,{GROUP},PD610301,2023-01-06,KEUANGAN,4", "module", "MODULE_UNKNOWN"),
        (f"S2,{GROUP},PD610301,2023-01-05,KEUANGAN,2", "held_on", "SESSION_CLASHES"),
        (f"S0000001,{GROUP},PD610301,2023-01-06,KEUANGAN,1", "session_id", "RECORDED_DIFFERENTLY"),
        ("S2,G9,PD610301,2023-01-06,KEUANGAN,1", "group_id", "GROUP_UNKNOWN"),
        (f"s2,{GROUP},PD610301,2023-01-06,KEUANGAN,1", "session_id", "NOT_AN_ID"),
        (f",{GROUP},PD610301,2023-01-06,KEUANGAN,1", "session_id", "MISSING"),
        (f"S2,{GROUP},PD610301,2023-01-06,KEUANGAN,0", "session", "NOT_AN_ID"),
    ],
)
async def test_a_wrong_session_is_named_and_takes_no_other_with_it(
    p2k2: Door, bench: Bench, row: str, column: str, code: str
) -> None:
    await bench.take(bench.assigned(ANA))

    whole = await hand_in(p2k2, *SESSIONS, HELD, row)
    assert refusals(whole) == [(3, column, code)]
    assert await sent(bench.store) == []  # refused whole
    partly = await hand_in(p2k2, *SESSIONS, HELD, row, partial=True)

    assert (partly["accepted"], refusals(partly)) == (1, [(3, column, code)])


async def test_a_wrong_mark_is_named_and_takes_no_other_with_it(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI, OTHER_GROUP))
    await hand_in(p2k2, *SESSIONS, HELD)
    await post(p2k2, "plan", MEETING | {"on": "2023-02-05"}, number="S2")
    await post(p2k2, "report", MEETING | {"on": "2023-03-05"}, number="S3")
    await post(p2k2, "cancellation", {"reason": "It rained."}, number="S3")
    rows = [
        came(BUDI),
        "S0000001,6103012001010009,H",
        "S0000001,610301200101000,H",
        came(ANA, "X"),
        came(ANA, number="S9"),
        came(ANA, number="S2"),
        came(ANA, number="S3"),
    ]

    report = await hand_in(p2k2, *ATTENDANCE, *rows, came(ANA), partial=True)

    assert report["accepted"] == 1
    assert sorted(refusals(report)) == [
        (2, "no_kk", "FAMILY_OF_ANOTHER_GROUP"),
        (3, "no_kk", "FAMILY_UNKNOWN"),
        (4, "no_kk", "NOT_16_DIGITS"),
        (5, "status", "NOT_A_STATUS"),
        (6, "session_id", "SESSION_UNKNOWN"),
        (7, "session_id", "SESSION_NOT_HELD"),
        (8, "session_id", "SESSION_CANCELLED"),
    ]


async def test_a_row_of_a_group_of_another_region_is_refused(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA))
    await hand_in(p2k2, *SESSIONS, HELD, regions=("61.03",))
    later = HELD.replace("S0000001", "S2").replace("01-05", "02-05")

    for regions in (("61.04",), ("11",), ()):
        foreign = await hand_in(p2k2, *SESSIONS, later, regions=regions, partial=True)
        mark = await hand_in(p2k2, *ATTENDANCE, came(ANA), regions=regions, partial=True)
        assert refusals(foreign) == [(2, "group_id", "GROUP_UNKNOWN")]
        assert refusals(mark) == [(2, "session_id", "SESSION_UNKNOWN")]


async def test_two_sessions_of_one_time_in_a_file_are_one_too_many(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA))

    report = await hand_in(p2k2, *SESSIONS, HELD, HELD.replace("S0000001", "S2"), partial=True)

    assert (report["accepted"], refusals(report)) == (1, [(3, "held_on", "SESSION_CLASHES")])
