"""Whoever decides on a freeze is shown how the list differs from the last frozen one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import asyncpg
import pytest_asyncio

from libs.chassis.settings import Settings
from services.payments.domain.shared.ids import REGULAR, supplementary
from tests.doors import CONTEXT
from tests.integration.payments.houses import REGION, TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office

VILLAGE: Final = houses(6)
MOVED, LEFT, *SAME = VILLAGE
NEW: Final = houses(1, first=7)[0]
TAHAP_2: Final = "2023-2"
PATH: Final = f"/tahap/{TAHAP_2}"
HIS: Final = replace(MOVED, written=(("account_no", "66600006660"),))
FIRST: Final = supplementary(1)


@pytest_asyncio.fixture
async def before(office: Office) -> Office:
    """A tahap of six families that is frozen; the banks know all their accounts."""
    office.world.accounts.update(books_of([*VILLAGE, NEW, HIS]))
    await office.arrived(VILLAGE)
    await office.frozen()
    return office


async def decided(office: Office, step: str, **seen: str) -> tuple[int, str]:
    """The answer to a person's step of the second tahap's freeze, and its problem."""
    digest = (await office.seen(PATH))["list"]["hash"]
    who = (MAKER, "make") if step == "proposal" else (CHECKER, "check")
    answer = await office.asked_by(*who, f"{PATH}/freeze-{step}", {"hash": digest, **seen})
    return answer.status_code, "" if answer.status_code == 204 else answer.json()["type"]


def shown(house: Any, *changes: str, before: int = 750_000, after: int = 750_000) -> dict[str, Any]:
    named = {"family": house.family, "region": REGION, "changes": list(changes)}
    return named | {"before": before, "after": after, "members": 0}


async def test_differences_are_shown_by_family_with_counts(before: Office) -> None:
    await before.arrived([HIS, *SAME, NEW], TAHAP_2)

    diff = await before.seen(f"{PATH}/diff")

    figures = diff["figures"]
    assert figures["against"] == TAHAP_1
    assert figures["families"] == {"ACCOUNT": 1, "NEW_FAMILY": 1, "GONE": 1}
    assert figures["hash"] == figures["to_acknowledge"]
    assert (await before.seen(PATH))["list"]["differences"] == figures
    expected = [
        shown(MOVED, "ACCOUNT"),
        shown(LEFT, "GONE", after=0),
        shown(NEW, "NEW_FAMILY", before=0),
    ]
    assert diff["families"] == sorted(expected, key=lambda each: str(each["family"]))
    assert diff["largest"] == []


async def test_what_was_sealed_anew_and_says_the_same_is_no_difference(before: Office) -> None:
    await before.arrived(VILLAGE, TAHAP_2)

    diff = await before.seen(f"{PATH}/diff")

    assert (diff["figures"]["families"], diff["figures"]["to_acknowledge"]) == ({}, None)
    assert await decided(before, "proposal") == (204, "")
    assert await decided(before, "approval") == (204, "")


async def test_neither_maker_nor_checker_decides_without_having_seen_them(before: Office) -> None:
    await before.arrived([HIS, *SAME, NEW], TAHAP_2)
    seen = (await before.seen(f"{PATH}/diff"))["figures"]["to_acknowledge"]
    refused = (409, "/problems/diff-not-acknowledged")

    assert await decided(before, "proposal") == refused
    assert await decided(before, "proposal", diff="0" * 64) == refused
    assert await decided(before, "proposal", diff=seen) == (204, "")
    assert await decided(before, "approval") == refused
    assert await decided(before, "approval", diff="0" * 64) == refused
    assert await decided(before, "approval", diff=seen) == (204, "")
    frozen = (await before.tahap(TAHAP_2)).lists[0].frozen
    assert frozen is not None
    assert frozen.diff == seen


async def test_the_first_list_has_nothing_to_be_compared_with(before: Office) -> None:
    diff = await before.seen(f"/tahap/{TAHAP_1}/diff")

    assert (diff["figures"], diff["families"], diff["largest"]) == (None, [], [])


async def test_of_a_list_that_is_not_ready_nothing_is_shown(before: Office) -> None:
    await before.announce(TAHAP_2)
    who = before.door.who("reader-1", "payments:read")

    answer = await before.door.client.get(f"{PATH}/diff", headers=who)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/step-not-reached")


async def test_a_line_that_was_altered_since_stops_no_list_and_differs(
    before: Office, settings: Settings
) -> None:
    altered = "UPDATE list_line SET roster_hash = 1 WHERE (tahap, family) = ($1, $2)"
    owner = await asyncpg.connect(settings.bus_url)  # the service itself may change no line
    await owner.execute(altered, TAHAP_1, SAME[0].family)
    await owner.close()
    await before.arrived(VILLAGE, TAHAP_2)

    diff = await before.seen(f"{PATH}/diff")

    assert diff["families"] == [shown(SAME[0], "ACCOUNT", "PAYEE")]


async def test_who_was_deferred_is_compared_with_no_line_that_nobody_approved(
    office: Office,
) -> None:
    """He has his account on a line, and that line deferred, so that it stands there already."""
    there = office.elsewhere
    await office.announce()
    lines = [await there.line(house) for house in VILLAGE]
    judged = [there.evaluation(house) for house in VILLAGE[1:]]
    await office.take(*lines, there.list_closed(lines))
    await office.take(*judged, there.evaluation_closed(judged, parked=[MOVED]))
    await office.join()
    shown_first = (await office.seen(f"/tahap/{TAHAP_1}"))["list"]
    candidates = shown_first["deferred_candidates"]
    await office.approved("freeze", f"/tahap/{TAHAP_1}", shown_first["hash"], deferred=candidates)

    await office.take(there.evaluation(MOVED))  # complete by now, and still on no frozen list
    await office.arrived(VILLAGE, TAHAP_2)

    diff = await office.seen(f"{PATH}/diff")
    assert diff["families"] == [shown(MOVED, "NEW_FAMILY", before=0)]


async def test_a_supplementary_list_is_proposed_once_its_differences_were_seen(
    before: Office,
) -> None:
    there = before.elsewhere
    await before.announce(TAHAP_2)
    lines = [await there.line(house, TAHAP_2) for house in [HIS, *VILLAGE[1:]]]
    judged = [there.evaluation(house, TAHAP_2) for house in VILLAGE[1:]]
    await before.take(*lines, there.list_closed(lines, TAHAP_2))
    await before.take(*judged, there.evaluation_closed(judged, parked=[HIS], tahap=TAHAP_2))
    await before.join()
    listed = (await before.seen(PATH))["list"]
    seen = {"diff": listed["differences"]["to_acknowledge"]}
    candidates = listed["deferred_candidates"]
    await before.approved("freeze", PATH, listed["hash"], seen, deferred=candidates)
    await before.take(there.evaluation(HIS, TAHAP_2))

    answer = await before.asked_by(MAKER, "make", f"{PATH}/supplementary-runs", {})
    opened = answer.json()

    run, digest = f"{PATH}/runs/{FIRST}", {"hash": opened["hash"]}
    found = await before.seen(f"{PATH}/diff?kind={FIRST}")
    assert found["families"] == [shown(MOVED, "ACCOUNT")]
    assert found["figures"]["hash"] == opened["diff"]
    early = await before.asked_by(CHECKER, "check", f"{run}/freeze-approval", digest)
    assert (early.status_code, early.json()["type"]) == (409, "/problems/nothing-proposed")
    await before.approved("freeze", run, opened["hash"], {"diff": opened["diff"]})


async def test_a_list_of_many_chunks_has_the_same_differences(before: Office) -> None:
    await before.arrived([HIS, *SAME, NEW], TAHAP_2)
    state = await before.tahap(TAHAP_2)

    found = []
    for chunk in (1, 2, 4, 1_000):
        maker = replace(before.lists(), chunk=chunk)
        async with before.store.transaction(CONTEXT) as unit:
            found.append((await maker.ready(unit, state, REGULAR, None, [])).diff)

    assert found == [state.lists[0].ready.diff] * 4 if state.lists[0].ready else False
