"""Sessions in the read models: groups of a tahap, families of a year, a family's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from libs.events.bus import Record
from services.projection.contract import SESSION_TOPIC, TAHAP_TOPIC
from services.projection.tables import figures, read_models, sessions
from tests.doors import NATION, runtime_role
from tests.integration.projection.kit import FAMILY, Desk

ANA, BUDI = FAMILY, "7b1d2c34-9a10-4a6f-8b22-5c3d4e5f6a70"
GROUP, VILLAGE, TAHAP = "G6103012026-1", "61.03.01.2026", "2023-1"
MONTHS: Final = {"2023-1": ["2023-01", "2023-02", "2023-03"], "2023-2": ["2023-04"]}


def said(desk: Desk, kind: str, **changes: Any) -> Record:
    """A message of p2k2."""
    return desk.said(SESSION_TOPIC, kind, **{"group": GROUP} | changes)


def held(desk: Desk, session: int, on: str, **changes: Any) -> Record:
    """A session was held, of this number of a module of two."""
    facts = {"session": f"S{session}", "number": session, "on": on, "sessions": 2}
    return said(desk, "SessionHeld", **facts | changes)


def came(desk: Desk, number: int, *marks: tuple[str, str]) -> Record:
    """Families at a session."""
    rows = [[family, status, ""] for family, status in marks]
    return said(desk, "AttendanceRecorded", session=f"S{number}", marks=rows)


async def taking_part(desk: Desk, *tahaps: str) -> None:
    """Both families are of the group; Ana takes part in these tahaps, Budi in the first alone."""
    await desk.take(said(desk, "FamiliesJoined", region=VILLAGE, families=[ANA, BUDI]))
    for tahap in tahaps:
        announced = {"tahap": tahap, "months": MONTHS[tahap]}
        await desk.take(
            desk.said(TAHAP_TOPIC, "ClosingAnnounced", **announced),
            desk.paid("PaymentEntitled", tahap, region=VILLAGE),
        )
    await desk.take(
        desk.said(
            "pkh.payments.payment.v1",
            "PaymentEntitled",
            tahap=tahaps[0],
            payment=BUDI,
            family=BUDI,
            region=VILLAGE,
        )
    )


async def groups(desk: Desk, tahap: str, regions: Sequence[str] = NATION) -> list[dict[str, Any]]:
    """The groups of a tahap."""
    return await sessions.groups(desk.reading, tahap, regions, None, 10)


async def learnt(desk: Desk) -> dict[str, tuple[int, list[str]]]:
    """{family: (sessions attended, modules completed)} of the year."""
    rows = await sessions.learning_families(desk.reading, "2023", NATION, None, 10)
    return {row["family"]: (row["sessions_attended"], row["modules_completed"]) for row in rows}


async def test_a_groups_tahap_counts_marks_of_families_that_take_part(desk: Desk) -> None:
    await taking_part(desk, "2023-1", "2023-2")
    await desk.take(
        held(desk, 1, "2023-01-31"),
        held(desk, 2, "2023-04-01"),
        came(desk, 1, (ANA, "I"), (BUDI, "H")),
        came(desk, 2, (ANA, "H"), (BUDI, "H")),
    )

    [first], [second] = await groups(desk, "2023-1"), await groups(desk, "2023-2")

    names = ("families", "sessions", "present", "excused", "absent", "reached")
    assert [first[name] for name in names] == [2, 1, 1, 1, 0, 1]
    assert [second[name] for name in names] == [1, 1, 1, 0, 0, 1]  # Budi counts nowhere
    assert (await figures.indicators(desk.reading, NATION, "2023-1"))["P2K2"] == (2, 1)
    assert await learnt(desk) == {ANA: (1, []), BUDI: (1, [])}


async def test_a_module_is_completed_by_all_of_its_sessions(desk: Desk) -> None:
    await taking_part(desk, "2023-1")
    await desk.take(
        held(desk, 1, "2023-01-05"),
        held(desk, 2, "2023-02-05"),
        held(desk, 3, "2023-03-05", number=2),
        came(desk, 1, (ANA, "H"), (BUDI, "H")),
        came(desk, 2, (ANA, "H"), (BUDI, "A")),
        came(desk, 3, (ANA, "H")),
    )

    assert await learnt(desk) == {ANA: (2, ["KEUANGAN"]), BUDI: (1, [])}


async def test_a_correction_and_a_cancellation_change_what_is_counted(desk: Desk) -> None:
    await taking_part(desk, "2023-1", "2023-2")
    await desk.take(held(desk, 1, "2023-01-05"), came(desk, 1, (ANA, "H")))
    facts = {"session": "S1", "number": 1, "on": "2023-04-05", "sessions": 2}

    await desk.take(said(desk, "SessionCorrected", **facts), came(desk, 1, (ANA, "A")))
    assert [row["sessions"] for row in await groups(desk, "2023-1")] == [0]
    assert [row["absent"] for row in await groups(desk, "2023-2")] == [1]

    await desk.take(said(desk, "SessionCancelled", session="S1"))
    assert [row["sessions"] for row in await groups(desk, "2023-2")] == [0]


async def test_a_group_is_shown_to_who_may_see_its_village(desk: Desk) -> None:
    await taking_part(desk, "2023-1")
    await desk.take(held(desk, 1, "2023-01-05"), came(desk, 1, (ANA, "H")))

    for regions in (NATION, ("61.03",), (VILLAGE,)):
        [row] = await groups(desk, "2023-1", regions)
        assert (row["region"], row["families"], row["present"]) == (VILLAGE, 2, 1)
    assert await groups(desk, "2023-1", ("61.04",)) == []
    assert await sessions.learning_families(desk.reading, "2023", ("61.04",), None, 10) == []


async def test_grafana_is_shown_the_same_by_regency_and_no_family(desk: Desk) -> None:
    await taking_part(desk, "2023-1", "2023-2")
    await desk.take(
        held(desk, 1, "2023-01-31"),
        held(desk, 2, "2023-04-01"),
        came(desk, 1, (ANA, "I"), (BUDI, "H")),
        came(desk, 2, (ANA, "H"), (BUDI, "H")),
    )

    async with desk.store.pool.acquire() as session, session.transaction():
        await session.execute(f"SET LOCAL ROLE {runtime_role('grafana')}")
        rows = [dict(row) for row in await session.fetch("TABLE report_sessions")]

    shown = ("sessions", "present", "excused", "absent", "reached")
    for row in rows:
        [group] = await groups(desk, row["tahap"])
        assert [row[name] for name in shown] == [group[name] for name in shown]
        assert (row["regency"], row["groups"]) == ("61.03", 1)
    assert {row["tahap"] for row in rows} == {"2023-1", "2023-2"}


async def test_an_erased_family_counts_in_no_group_and_no_indicator(desk: Desk) -> None:
    await taking_part(desk, "2023-1")
    await desk.take(held(desk, 1, "2023-01-05"), came(desk, 1, (ANA, "H"), (BUDI, "H")))

    await desk.take(desk.said("pkh.registry.family.v2", "FamilyErased", family=ANA))

    [row] = await groups(desk, "2023-1")
    assert (row["families"], row["present"], row["reached"]) == (1, 1, 1)
    assert (await figures.indicators(desk.reading, NATION, "2023-1"))["P2K2"] == (1, 1)
    assert set(await learnt(desk)) == {BUDI}


async def test_a_familys_timeline_tells_its_own_part_and_nobody_elses(desk: Desk) -> None:
    await taking_part(desk, "2023-1")
    await desk.take(held(desk, 1, "2023-01-05"), came(desk, 1, (ANA, "I"), (BUDI, "H")))

    rows = await read_models.timeline(desk.reading, NATION, UUID(ANA), None, 20)

    bodies = {row["type"]: row["body"] for row in rows}
    assert {"FamiliesJoined", "AttendanceRecorded"} <= bodies.keys()
    assert '"status":"I"' in bodies["AttendanceRecorded"]
    assert not any(BUDI in body for body in bodies.values())


async def test_the_same_messages_again_change_nothing(desk: Desk) -> None:
    await taking_part(desk, "2023-1")
    records = [held(desk, 1, "2023-01-05"), came(desk, 1, (ANA, "H"), (BUDI, "A"))]
    await desk.take(*records)
    before = await groups(desk, "2023-1")

    await desk.take(*records)

    assert await groups(desk, "2023-1") == before
