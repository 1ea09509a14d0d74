"""Who belongs to a group follows registry and conditionality, in whatever order they tell it."""

from __future__ import annotations

from uuid import UUID

import pytest

from libs.events.bus import Record
from services.p2k2.contract import GROUP as GROUP_STREAM
from services.p2k2.tables.groups import lives
from tests.doors import CONTEXT, NATION, Door, sent
from tests.integration.p2k2.kit import (
    ANA,
    ATTENDANCE_HEADER,
    BUDI,
    CARDS,
    GROUP,
    MEETING,
    OTHER_GROUP,
    READ,
    VILLAGE,
    Bench,
    hand_in,
    kind,
    post,
    refusals,
    shown,
)


async def members(bench: Bench, group: str = GROUP) -> set[str]:
    """The families of a group."""
    stream = GROUP_STREAM.stream(group)
    found = (await bench.store.read(GROUP_STREAM, [stream])).get(stream)
    return set(found.state.families) if found else set()


async def test_a_family_belongs_once_it_is_assigned_and_found_eligible(bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.assigned(BUDI))
    assert await members(bench) == set()

    await bench.take(bench.designated(ANA), bench.designated(BUDI, "INELIGIBLE"))

    assert await members(bench) == {ANA}
    [joined] = await sent(bench.store, "FamiliesJoined")
    assert (joined.key, joined.body["families"]) == (GROUP, [ANA])


async def test_the_order_in_which_it_is_told_does_not_matter(bench: Bench) -> None:
    await bench.take(bench.designated(ANA), bench.designated(BUDI), bench.assigned(BUDI))
    await bench.take(bench.assigned(ANA))

    assert await members(bench) == {ANA, BUDI}


async def test_who_graduates_or_is_terminated_leaves_and_stays_away(bench: Bench) -> None:
    for family in (ANA, BUDI):
        await bench.take(bench.assigned(family), bench.designated(family))

    await bench.take(bench.graduated(ANA), bench.terminated(BUDI))
    await bench.take(bench.designated(ANA))

    assert await members(bench) == set()
    left = {
        m.body["families"][0]: m.body["reason"] for m in await sent(bench.store, "FamiliesLeft")
    }
    assert left == {ANA: "GRADUATED", BUDI: "TERMINATED"}


async def test_what_a_cancelled_tahap_said_of_a_family_is_void(bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.designated(ANA))

    await bench.take(bench.unlisted(ANA, "2023-1"))
    assert await members(bench) == set()
    [left] = await sent(bench.store, "FamiliesLeft")
    assert left.body["reason"] == "UNLISTED"

    await bench.take(bench.designated(ANA), bench.graduated(ANA), bench.unlisted(ANA, "2023-2"))
    assert await members(bench) == {ANA}  # it was found eligible by the tahap before


async def test_the_next_list_of_a_cancelled_tahap_counts_whatever_comes_with_it(
    bench: Bench,
) -> None:
    await bench.take(bench.assigned(ANA))

    await bench.take(
        bench.designated(ANA),
        bench.unlisted(ANA, "2023-1"),
        bench.designated(ANA),
        bench.unlisted(ANA, "2023-2"),
    )

    assert await members(bench) == {ANA}


async def test_a_cancelled_tahap_takes_no_termination_back(bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.designated(ANA))
    await bench.take(bench.graduated(ANA))
    await bench.take(bench.terminated(ANA))

    await bench.take(bench.unlisted(ANA, "2023-2"))

    assert await members(bench) == set()


@pytest.mark.parametrize("order", ["as it was", "the other way round"])
async def test_a_family_whose_termination_was_taken_back_is_in_its_group_again(
    bench: Bench, order: str
) -> None:
    await bench.take(bench.assigned(ANA), bench.designated(ANA))
    said = [bench.terminated(ANA), bench.taken_back(ANA)]

    await bench.take(*(said if order == "as it was" else reversed(said)))
    await bench.take(*said)  # and once more

    assert await members(bench) == {ANA}
    await bench.take(bench.terminated(ANA, "2024-2"))
    assert await members(bench) == set()
    await bench.take(bench.taken_back(ANA))  # of the earlier one
    assert await members(bench) == set()


async def test_messages_that_come_again_and_again_change_nothing(bench: Bench) -> None:
    def messages() -> list[Record]:
        return [
            bench.assigned(ANA),
            bench.designated(ANA),
            bench.assigned(BUDI, OTHER_GROUP),
            bench.designated(BUDI),
            bench.terminated(BUDI),
        ]

    records = messages()
    await bench.take(*records)
    before = [(m.type, m.body) for m in await sent(bench.store)]

    await bench.take(*records)  # at the places that were taken in
    await bench.take(*messages())  # said anew

    assert [(m.type, m.body) for m in await sent(bench.store)] == before
    assert (await members(bench), await members(bench, OTHER_GROUP)) == ({ANA}, set())


async def test_a_move_changes_where_a_family_lives_and_not_its_group(bench: Bench) -> None:
    await bench.take(bench.assigned(ANA), bench.designated(ANA), bench.moved(ANA, "61.04.01.2001"))

    assert await members(bench) == {ANA}
    day = CONTEXT.at.date()
    assert await lives(bench.store, UUID(ANA), day) == "61.04.01.2001"
    assert await lives(bench.store, UUID(ANA), day.replace(month=1)) == VILLAGE


async def test_a_reassigned_family_is_of_its_new_group_from_that_day_on(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA), bench.designated(ANA), bench.assigned(BUDI, OTHER_GROUP))
    for number, group, day in (("S1", GROUP, "2023-02-28"), ("S2", GROUP, "2023-03-02")):
        await post(p2k2, "report", MEETING | {"group": group, "on": day}, number=number)

    await bench.take(bench.assigned(ANA, OTHER_GROUP, since="2023-03-01"))

    assert (await members(bench), await members(bench, OTHER_GROUP)) == (set(), {ANA})
    rows = [f"{number},{CARDS[ANA]},H" for number in ("S1", "S2")]
    report = await hand_in(p2k2, "p2k2-attendance", ATTENDANCE_HEADER, *rows, partial=True)
    assert (report["accepted"], refusals(report)) == (1, [(3, "no_kk", "FAMILY_OF_ANOTHER_GROUP")])


async def test_whoever_names_a_group_of_another_village_does_not_move_it(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(bench.assigned(ANA))
    await bench.take(bench.assigned(BUDI, region="11.01.01.2001"))

    answer = await post(p2k2, "report", MEETING, regions=("11",))

    assert kind(answer) == "404 group-unknown"


async def test_an_erased_family_has_no_card_and_no_marks_here(p2k2: Door, bench: Bench) -> None:
    await bench.take(bench.assigned(ANA))
    await post(p2k2, "report", MEETING)
    row = f"S0000001,{CARDS[ANA]},H"
    await hand_in(p2k2, "p2k2-attendance", ATTENDANCE_HEADER, row)

    await bench.take(bench.erased(ANA))
    await bench.take(bench.assigned(ANA))

    report = await hand_in(p2k2, "p2k2-attendance", ATTENDANCE_HEADER, row, partial=True)
    assert refusals(report) == [(2, "no_kk", "FAMILY_UNKNOWN")]
    assert await bench.store.pool.fetchval("SELECT count(*) FROM attendance") == 0
    assert await lives(bench.store, UUID(ANA), CONTEXT.at.date()) is None


async def test_an_erased_family_is_shown_in_no_group_and_no_session(
    p2k2: Door, bench: Bench
) -> None:
    await bench.take(
        bench.assigned(ANA), bench.assigned(BUDI), bench.designated(ANA), bench.designated(BUDI)
    )
    await post(p2k2, "report", MEETING)
    both = {"marks": [{"family": who, "status": "H"} for who in (ANA, BUDI)]}
    assert (await post(p2k2, "attendance", both)).status_code == 204

    await bench.take(bench.erased(ANA))

    assert await members(bench) == {BUDI}
    left = [m.body for m in await sent(bench.store, "FamiliesLeft")]
    assert left == [{"group": GROUP, "families": [ANA], "reason": "ERASED"}]
    reader = p2k2.who("reader-1", READ, regions=NATION)
    group = await p2k2.client.get(f"/groups/{GROUP}?year=2023", headers=reader)
    groups = await p2k2.client.get("/groups", headers=reader)
    session = await shown(p2k2)
    assert group.json()["families"] == [BUDI]
    assert [one["families"] for one in groups.json()["items"]] == [1]
    assert [mark["family"] for mark in session.json()["marks"]] == [BUDI]
    assert kind(await post(p2k2, "attendance", both)) == "409 family-of-another-group"
    await bench.take(bench.graduated(ANA))
