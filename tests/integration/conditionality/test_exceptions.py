"""Exceptions at the door: two people make one, and cycles are judged by it, and again."""

from __future__ import annotations

from itertools import islice
from typing import Any

import httpx
import pytest

from libs.chassis.auth import NATION
from tests.doors import Door
from tests.integration.conditionality.kit import (
    BAD,
    GOOD,
    NEXT_TAHAP,
    TAHAP,
    Bench,
    families,
    months_of,
)

FAMILY, NEIGHBOUR, ELSEWHERE = islice(families(), 3)
DISTRICT, VILLAGE, FAR = "61.03.01", "61.03.01.2026", "61.04.01.2001"
FLOOD = {"reason": "DISASTER", "first_day": "2023-01-01", "last_day": "2023-03-31"}


async def step(
    door: Door,
    path: str,
    body: object = None,
    *,
    who: str = "officer-1",
    regions: tuple[str, ...] = (NATION,),
) -> httpx.Response:
    """One step by somebody who sees what they decide on."""
    scopes = "conditionality:read", "conditionality:investigate", "conditionality:approve"
    headers = door.who(who, *scopes, regions=regions)
    if path:
        shown = await door.client.get(f"/exceptions/{path.partition('/')[0]}", headers=headers)
        headers |= {"If-Match": shown.headers.get("ETag", '"1"')}
    return await door.post(f"/exceptions/{path}".rstrip("/"), headers, json=body)


async def proposed(door: Door, **changes: Any) -> str:
    answer = await step(door, "", FLOOD | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["exception"])


async def approved(door: Door, exception: str) -> None:
    body = {"decision": "APPROVED"}
    answer = await step(door, f"{exception}/decision", body, who="supervisor-1")
    assert answer.status_code == 204, answer.text


async def rejected(door: Door, exception: str) -> int:
    body = {"decision": "REJECTED"}
    return (await step(door, f"{exception}/decision", body, who="supervisor-1")).status_code


async def shown(door: Door, exception: str) -> Any:
    who = door.who("reader-1", "conditionality:read")
    return (await door.client.get(f"/exceptions/{exception}", headers=who)).json()


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


async def given_known(bench: Bench) -> None:
    """Families of a district, and one of another, as registry told of them."""
    await bench.take(
        bench.registered(FAMILY, region=VILLAGE),
        bench.registered(NEIGHBOUR, region=VILLAGE),
        bench.registered(ELSEWHERE, region=FAR),
    )


async def given_judged(bench: Bench) -> None:
    """A cycle of all of them, in which nobody was at school."""
    for family, region in ((FAMILY, VILLAGE), (NEIGHBOUR, VILLAGE), (ELSEWHERE, FAR)):
        await bench.school(family, BAD)
        await bench.take(bench.line(family, region=region))
    await bench.take(bench.announced(), bench.list_closed(3))


async def test_an_area_is_excused_once_another_person_approved_it(
    conditionality: Door, bench: Bench
) -> None:
    await given_known(bench)
    exception = await proposed(conditionality, region=DISTRICT)
    before = await shown(conditionality, exception)
    await approved(conditionality, exception)

    await given_judged(bench)

    assert (before["state"], before["terms"]) == ("PROPOSED", None)
    assert (await shown(conditionality, exception))["state"] == "HOLDS"
    for family in (FAMILY, NEIGHBOUR):
        assert await bench.evaluated(family) == [(1, "UNVERIFIED")]
        assert await bench.followed(family) == []
    assert await bench.evaluated(ELSEWHERE) == [(1, "FAILED")]
    # It is on nobody's list of what is left to look after.
    who = conditionality.who("reader-1", "conditionality:read")
    unmet = await conditionality.client.get(f"/unmet-cycles?tahap={TAHAP}", headers=who)
    assert [each["family"] for each in unmet.json()["items"]] == [ELSEWHERE]


async def test_one_familys_exception_is_no_neighbours(conditionality: Door, bench: Bench) -> None:
    await given_known(bench)
    await approved(conditionality, await proposed(conditionality, family=FAMILY))

    await given_judged(bench)

    assert await bench.evaluated(FAMILY) == [(1, "UNVERIFIED")]
    assert await bench.evaluated(NEIGHBOUR) == [(1, "FAILED")]


async def test_a_late_exception_before_the_freeze_makes_a_new_revision_and_releases(
    conditionality: Door, bench: Bench
) -> None:
    await given_judged(bench)

    await approved(conditionality, await proposed(conditionality, region=DISTRICT))
    await bench.re_decide()

    for family in (FAMILY, NEIGHBOUR):
        assert await bench.evaluated(family) == [(1, "FAILED"), (2, "UNVERIFIED")]
        assert await bench.followed(family) == ["Suspended", "Released"]
    assert await bench.evaluated(ELSEWHERE) == [(1, "FAILED")]


async def test_a_late_exception_behind_the_freeze_is_proposed_and_who_made_it_decides_nothing(
    conditionality: Door, bench: Bench
) -> None:
    await given_judged(bench)
    await bench.take(bench.frozen())

    await approved(conditionality, await proposed(conditionality, family=FAMILY))
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "FAILED")]
    [said] = await bench.corrections()
    assert (said.key, said.body["result"]) == (FAMILY, "UNVERIFIED")
    assert said.body["recorded_by"] == ["officer-1", "supervisor-1"]


async def test_a_late_fact_under_an_exception_names_who_made_it_too(
    conditionality: Door, bench: Bench
) -> None:
    await given_known(bench)
    january = {"first_day": "2023-01-01", "last_day": "2023-01-31"}
    await approved(conditionality, await proposed(conditionality, family=FAMILY, **january))
    await bench.re_decide()
    await given_judged(bench)
    await bench.take(bench.frozen())

    await bench.school(FAMILY, GOOD, months=months_of(TAHAP)[1:], actor="school-7")
    await bench.re_decide()

    [said] = await bench.corrections()
    assert said.body["result"] == "COMPLIANT"
    assert said.body["recorded_by"] == ["officer-1", "school-7", "supervisor-1"]


async def test_an_exception_that_is_withdrawn_before_it_counted_leaves_no_trace_in_a_cycle(
    conditionality: Door, bench: Bench
) -> None:
    await given_judged(bench)
    await bench.take(bench.frozen())
    exception = await proposed(conditionality, region=DISTRICT)
    await approved(conditionality, exception)
    await bench.re_decide()

    assert (await step(conditionality, f"{exception}/withdrawal")).status_code == 204
    await approved(conditionality, exception)
    await bench.re_decide()

    said = [m.type for m in await bench.corrections() if m.key == FAMILY]
    assert said == ["CorrectionProposed", "CorrectionWithdrawn"]
    assert (await shown(conditionality, exception))["state"] == "WITHDRAWN"


async def test_what_counted_can_be_ended_behind_it_and_not_before(
    conditionality: Door, bench: Bench
) -> None:
    await given_known(bench)
    exception = await proposed(conditionality, region=DISTRICT, last_day="2023-06-30")
    await approved(conditionality, exception)
    await given_judged(bench)

    for path, body in (
        (f"{exception}/withdrawal", None),
        (f"{exception}/correction", FLOOD | {"region": VILLAGE}),
        (f"{exception}/end", {"last_day": "2023-02-28"}),
    ):
        assert problem(await step(conditionality, path, body)) == (409, "exception-counted")
    ended = await step(conditionality, f"{exception}/end", {"last_day": "2023-03-31"})
    assert ended.status_code == 204
    await approved(conditionality, exception)
    await bench.school(FAMILY, BAD, months=months_of(NEXT_TAHAP))
    await bench.take(bench.line(FAMILY, NEXT_TAHAP, region=VILLAGE))
    await bench.re_decide()

    assert await bench.evaluated(FAMILY) == [(1, "UNVERIFIED")]
    assert await bench.evaluated(FAMILY, NEXT_TAHAP) == [(1, "FAILED")]


async def test_a_corrected_area_is_judged_again_and_so_is_the_one_that_it_left(
    conditionality: Door, bench: Bench
) -> None:
    await given_judged(bench)
    await bench.take(bench.frozen())
    exception = await proposed(conditionality, region=VILLAGE)
    await approved(conditionality, exception)
    await bench.re_decide()

    body = FLOOD | {"region": FAR}
    assert (await step(conditionality, f"{exception}/correction", body)).status_code == 204
    await approved(conditionality, exception)
    await bench.re_decide()

    said = [(m.key, m.type) for m in await bench.corrections()]
    assert said.count((FAMILY, "CorrectionWithdrawn")) == 1
    assert said.count((ELSEWHERE, "CorrectionProposed")) == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"last_day": "2022-12-31"}, "ends-before-it-begins"),
        ({"last_day": "2024-03-31"}, "term-too-long"),
        ({"region": "61.99"}, "area-unknown"),
        ({"reason": "HOLIDAY"}, "reason-unknown"),
        ({"first_day": "2016-01-01", "last_day": "2016-01-02"}, "reason-unknown"),
        ({"region": None}, "area-or-family"),
        ({"family": FAMILY}, "area-or-family"),
        ({"region": None, "family": "00000000-0000-4000-8000-000000000000"}, "family-unknown"),
    ],
)
async def test_each_wrong_proposal_is_its_own_problem(
    conditionality: Door, bench: Bench, changes: dict[str, Any], refusal: str
) -> None:
    await given_known(bench)

    answer = await step(conditionality, "", FLOOD | {"region": DISTRICT} | changes)

    assert problem(answer)[1] == refusal
    who = conditionality.who("reader-1", "conditionality:read")
    assert (await conditionality.client.get("/exceptions", headers=who)).json()["items"] == []


async def test_nobody_approves_their_own_and_nothing_is_decided_twice(
    conditionality: Door, bench: Bench
) -> None:
    await given_known(bench)
    exception = await proposed(conditionality, region=DISTRICT)
    yes, no = {"decision": "APPROVED"}, {"decision": "REJECTED"}

    own = await step(conditionality, f"{exception}/decision", yes, who="OFFICER-1")
    assert problem(own) == (409, "same-person")
    refused = await step(conditionality, f"{exception}/decision", no, who="supervisor-1")
    assert refused.status_code == 204
    again = await step(conditionality, f"{exception}/decision", yes, who="supervisor-1")
    assert problem(again) == (409, "nothing-proposed")
    ended = await step(conditionality, f"{exception}/end", {"last_day": "2023-02-28"})
    assert problem(ended) == (409, "nothing-in-force")
    taken_up = await step(conditionality, f"{exception}/correction", FLOOD | {"region": VILLAGE})
    assert problem(taken_up) == (409, "exception-over")


async def test_an_exception_of_another_region_is_as_unknown_as_none(
    conditionality: Door, bench: Bench
) -> None:
    await given_known(bench)
    of_area = await proposed(conditionality, region=DISTRICT)
    of_family = await proposed(conditionality, family=FAMILY)
    steps = {
        "correction": FLOOD | {"region": VILLAGE},
        "end": {"last_day": "2023-02-28"},
        "withdrawal": None,
        "decision": {"decision": "REJECTED"},
    }

    for regions in (("61.04",), ()):
        who = conditionality.who("reader-1", "conditionality:read", regions=regions)
        listed = await conditionality.client.get("/exceptions", headers=who)
        assert (listed.json() if regions else {"items": []})["items"] == []
        for exception in (of_area, of_family):
            seen = await conditionality.client.get(f"/exceptions/{exception}", headers=who)
            assert problem(seen) == (404, "exception-unknown")
            for name, body in steps.items():
                there = FLOOD | {"region": FAR} if name == "correction" and regions else body
                answer = await step(conditionality, f"{exception}/{name}", there, regions=regions)
                assert answer.status_code in (403, 404), answer.text
        for whose in ({"region": DISTRICT}, {"family": FAMILY}):
            answer = await step(conditionality, "", FLOOD | whose, regions=regions)
            assert problem(answer) in [(403, "region-not-yours"), (404, "family-unknown")]
    for regions in (("61.03",), (NATION,)):
        who = conditionality.who("reader-1", "conditionality:read", regions=regions)
        listed = await conditionality.client.get("/exceptions?state=PROPOSED", headers=who)
        assert {each["exception"] for each in listed.json()["items"]} == {of_area, of_family}
        own = await step(conditionality, "", FLOOD | {"region": VILLAGE}, regions=regions)
        assert await rejected(conditionality, own.json()["exception"]) == 204


async def test_an_erased_familys_exception_is_gone(conditionality: Door, bench: Bench) -> None:
    await given_judged(bench)
    exception = await proposed(conditionality, family=FAMILY)
    await bench.take(bench.roster.record("ErasureApproved", FAMILY, {"family": FAMILY}))

    who = conditionality.who("reader-1", "conditionality:read")
    seen = await conditionality.client.get(f"/exceptions/{exception}", headers=who)
    assert problem(seen) == (404, "exception-unknown")
