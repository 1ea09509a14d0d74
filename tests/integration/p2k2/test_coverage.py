"""Coverage at the door: what families attended, what groups held and missed, who has how much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors import Door
from tests.integration.p2k2.kit import (
    ANA,
    BUDI,
    CITRA,
    GROUP,
    MEETING,
    OTHER_GROUP,
    READ,
    RECORD,
    VILLAGE,
    Bench,
    kind,
    post,
)


async def asked(door: Door, path: str, *, region: str = "*", **query: str) -> Any:
    """The answer to a reader of a region."""
    who = door.who("reader-1", READ, regions=(region,))
    answer = await door.client.get(path, headers=who, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def past(door: Door, bench: Bench) -> None:
    """Ana and Budi are of a group that held KEUANGAN 1 to 3, Citra of another one."""
    for family, group in ((ANA, GROUP), (BUDI, GROUP), (CITRA, OTHER_GROUP)):
        await bench.take(bench.assigned(family, group), bench.designated(family))
    for number in (1, 2, 3):
        held = MEETING | {"on": f"2023-0{number}-05", "session": number}
        assert (await post(door, "report", held, number=f"S{number}")).status_code == 204
        statuses = {ANA: "H", BUDI: "H" if number == 1 else "A"}
        marks = [{"family": family, "status": status} for family, status in statuses.items()]
        await post(door, "attendance", {"marks": marks}, number=f"S{number}")
    await post(door, "plan", MEETING | {"on": "2023-12-05"}, number="S4")


async def test_a_familys_coverage_is_told_by_module(p2k2: Door, bench: Bench) -> None:
    await past(p2k2, bench)

    ana, budi = [
        (await asked(p2k2, f"/families/{family}/coverage"))["modules"] for family in (ANA, BUDI)
    ]

    assert ana == [{"module": "KEUANGAN", "attended": [1, 2, 3], "of": 3, "completed": True}]
    assert budi == [{"module": "KEUANGAN", "attended": [1], "of": 3, "completed": False}]


async def test_a_cancelled_session_covers_nothing(p2k2: Door, bench: Bench) -> None:
    await past(p2k2, bench)
    await post(p2k2, "cancellation", {"reason": "It rained."}, number="S3")

    [module] = (await asked(p2k2, f"/families/{ANA}/coverage"))["modules"]

    assert (module["attended"], module["completed"]) == ([1, 2], False)


async def test_a_group_shows_what_it_covered_and_which_months_it_missed(
    p2k2: Door, bench: Bench
) -> None:
    await past(p2k2, bench)
    who = p2k2.who("clerk-1", RECORD)
    arranged = {"venue": "Balai desa", "schedule": "First Friday"}
    assert (await p2k2.post(f"/groups/{GROUP}/arrangement", who, json=arranged)).status_code == 204

    view = await asked(p2k2, f"/groups/{GROUP}", year="2023")

    module = {"module": "KEUANGAN", "sessions": 3, "of": 3, "present": 4, "marks": 6}
    assert view["modules"] == [module]
    assert view["missed_months"] == [f"2023-{month:02}" for month in range(4, 13)]
    assert (set(view["families"]), view["warning"]) == ({ANA, BUDI}, "TOO_SMALL")
    assert (view["venue"], view["schedule"]) == ("Balai desa", "First Friday")
    assert (view["reached"], view["target_percent"]) == (2, 35)


async def test_groups_are_listed_with_their_sizes_and_loads_with_what_was_missed(
    p2k2: Door, bench: Bench
) -> None:
    await past(p2k2, bench)

    groups = (await asked(p2k2, "/groups"))["items"]
    loads = (await asked(p2k2, "/loads", year="2023"))["items"]

    assert [(item["group"], item["families"]) for item in groups] == [(GROUP, 2), (OTHER_GROUP, 1)]
    counts = {"groups": 2, "families": 3, "planned": 0, "held": 3, "cancelled": 0, "missed": 1}
    # Of 24 months of two groups three had a session.
    assert loads == [{"facilitator": "PD610301", **counts, "missed_months": 21}]


@pytest.mark.parametrize("region", ["61.04", "11"])
async def test_a_group_of_another_region_is_as_unknown_as_none(
    p2k2: Door, bench: Bench, region: str
) -> None:
    await past(p2k2, bench)
    who = p2k2.who("clerk-1", READ, RECORD, regions=(region,))
    for group in (GROUP, "G9"):
        shown = await p2k2.client.get(f"/groups/{group}", headers=who, params={"year": "2023"})
        arranged = await p2k2.post(f"/groups/{group}/arrangement", who, json={})
        assert (kind(shown), kind(arranged)) == ("404 group-unknown", "404 group-unknown")
    assert (await asked(p2k2, "/groups", region=region))["items"] == []
    assert (await asked(p2k2, "/loads", region=region, year="2023"))["items"] == []
    assert (await asked(p2k2, "/groups", region=VILLAGE))["items"] != []
