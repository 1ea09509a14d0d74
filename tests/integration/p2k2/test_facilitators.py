"""A facilitator at the door: their own groups, by the id that registry has for them."""

from __future__ import annotations

from collections.abc import Sequence

import httpx
import pytest

from tests.doors import Door
from tests.integration.p2k2.kit import (
    ANA,
    CITRA,
    GROUP,
    MEETING,
    NUMBER,
    OTHER_GROUP,
    VILLAGE,
    Bench,
    kind,
    post,
    shown,
)

THEIRS = "PD610301"
FACILITATE = "p2k2:facilitate"
ANOTHERS = "S0000009"


async def asked(
    door: Door, path: str, subject: str = THEIRS, regions: Sequence[str] = ("61.03.01",)
) -> httpx.Response:
    """The answer to a facilitator."""
    who = door.who(subject, FACILITATE, regions=regions)
    return await door.client.get(path, headers=who)


async def step(
    door: Door, name: str, body: object, number: str = NUMBER, subject: str = THEIRS
) -> httpx.Response:
    """A step of a session by a facilitator."""
    who = door.who(subject, FACILITATE, regions=(VILLAGE,))
    return await door.post(f"/sessions/{number}/{name}", who, json=body)


@pytest.fixture
async def door(p2k2: Door, bench: Bench) -> Door:
    """A session of their group, and one of the group of another facilitator."""
    await bench.take(bench.assigned(ANA), bench.designated(ANA))
    await bench.take(
        bench.assigned(CITRA, OTHER_GROUP, facilitator="PD610399"), bench.designated(CITRA)
    )
    anothers = MEETING | {"group": OTHER_GROUP, "facilitator": THEIRS}
    assert (await post(p2k2, "report", MEETING)).status_code == 204
    assert (await post(p2k2, "report", anothers, number=ANOTHERS)).status_code == 204
    return p2k2


@pytest.mark.parametrize("subject", [THEIRS, "pd610301"])
async def test_a_facilitator_sees_their_groups_and_sessions(door: Door, subject: str) -> None:
    groups = (await asked(door, "/groups", subject)).json()["items"]
    sessions = (await asked(door, "/sessions", subject)).json()["items"]

    assert [each["group"] for each in groups] == [GROUP]
    assert [each["number"] for each in sessions] == [NUMBER]
    assert (await asked(door, f"/groups/{GROUP}?year=2023", subject)).json()["families"] == [ANA]
    assert (await asked(door, f"/sessions/{NUMBER}", subject)).status_code == 200


async def test_a_facilitator_records_who_came_to_their_group(door: Door) -> None:
    marks = {"marks": [{"family": ANA, "status": "H"}]}

    assert (await step(door, "report", MEETING)).status_code == 204
    assert (await step(door, "attendance", marks)).status_code == 204

    assert [each["status"] for each in (await shown(door)).json()["marks"]] == ["H"]


async def test_a_session_of_anothers_group_is_as_unknown_as_none(door: Door) -> None:
    """Also one that they led: it is of who has the group today."""
    marks = {"marks": [{"family": CITRA, "status": "H"}]}
    anothers = MEETING | {"group": OTHER_GROUP, "on": "2023-03-05"}

    assert kind(await asked(door, f"/sessions/{ANOTHERS}")) == "404 session-unknown"
    assert kind(await asked(door, f"/groups/{OTHER_GROUP}?year=2023")) == "404 group-unknown"
    assert kind(await step(door, "attendance", marks, ANOTHERS)) == "404 session-unknown"
    for name in ("plan", "report"):
        assert kind(await step(door, name, anothers, "S0000010")) == "404 group-unknown"
    assert (await shown(door, ANOTHERS)).json()["marks"] == []


async def test_a_facilitator_of_another_district_sees_nothing(door: Door) -> None:
    elsewhere = ("61.04.01",)

    assert (await asked(door, "/groups", regions=elsewhere)).json()["items"] == []
    found = await asked(door, f"/groups/{GROUP}?year=2023", regions=elsewhere)
    assert kind(found) == "404 group-unknown"


@pytest.mark.parametrize("path", ["/loads?year=2023", f"/families/{ANA}/coverage"])
async def test_what_is_of_a_region_is_not_a_facilitators(door: Door, path: str) -> None:
    assert (await asked(door, path)).status_code == 403


async def test_a_facilitator_cancels_and_corrects_nothing(door: Door) -> None:
    for name in ("cancellation", "correction", "supervision"):
        assert (await step(door, name, {"reason": "x"})).status_code == 403
