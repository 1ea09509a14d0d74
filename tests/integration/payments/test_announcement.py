"""A tahap is announced by two people, on terms that are checked whole at both of their doors."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from services.payments.tables.phases import closing_readings
from tests.doors import sent
from tests.integration.payments.houses import TAHAP_1
from tests.integration.payments.office import Office
from tests.integration.payments.world import NOTHING_UPSTREAM

PATH = f"/tahap/{TAHAP_1}"
APPROVAL = f"{PATH}/announcement-approval"
ANA, BEN = "planner-1", "head-1"
TERMS: dict[str, Any] = {
    "tahap": TAHAP_1,
    "months": ["2023-01", "2023-02", "2023-03"],
    "closing_date": "2023-03-31",
    "account_check_date": "2023-04-05",
    "credit_date": "2023-04-20",
}
SECOND: dict[str, Any] = {
    "tahap": "2023-2",
    "months": ["2023-04", "2023-05", "2023-06"],
    "closing_date": "2023-06-30",
    "account_check_date": "2023-07-05",
    "credit_date": "2023-07-20",
}
HEADS = {"registry": 3, "conditionality": 5}


@pytest.fixture(autouse=True)
def logs(office: Office) -> None:
    """The other services have a little in their logs."""
    office.world.register = replace(NOTHING_UPSTREAM, head=HEADS["registry"])
    office.world.upstream = replace(NOTHING_UPSTREAM, head=HEADS["conditionality"])


async def proposed(office: Office, **changes: object) -> httpx.Response:
    """The answer to a proposal of the terms with these changes."""
    return await office.asked_by(ANA, "announce", "/tahap", TERMS | changes)


async def approved(office: Office, tahap: str = TAHAP_1, **changes: object) -> httpx.Response:
    """The answer to another person who approves what stands, after what they were shown."""
    waits = (await office.seen(f"/tahap/{tahap}"))["proposal"]
    body = {"hash": waits["hash"], "after": waits["heads"]} | changes
    return await office.asked_by(BEN, "announce", f"/tahap/{tahap}/announcement-approval", body)


async def kept(office: Office) -> tuple[int, str]:
    """The position of the log's head."""
    return await office.store.head()


# -- Two people


async def test_what_one_person_proposes_no_other_service_hears_of(office: Office) -> None:
    answer = await proposed(office)

    assert answer.status_code == 201, answer.text
    shown = await office.seen(PATH)
    assert (shown["phase"], shown["rule_set"]) == ("PROPOSED", "2021-2024")
    assert [each.value for each in await closing_readings(office.store)] == [1]
    waits = shown["proposal"]
    assert (waits["what"], waits["hash"]) == ("ANNOUNCEMENT", answer.json()["hash"])
    assert (waits["revision"], waits["maker"], waits["heads"]) == (1, ANA, HEADS)
    assert await office.seen("/tahap") == {
        "items": [{"tahap": TAHAP_1, "phase": "PROPOSED"}],
        "next": None,
    }
    assert await sent(office.store) == []


async def test_another_person_announces_it_after_what_they_saw(office: Office) -> None:
    await proposed(office)

    assert (await approved(office)).status_code == 204

    [message] = await sent(office.store, "ClosingAnnounced")
    body = message.body
    assert (body["after"], body["maker"], body["checker"]) == (HEADS, ANA, BEN)
    assert (body["revision"], body["override"]) == (1, None)
    assert (await office.seen(PATH))["phase"] == "COLLECTING"


async def test_nobody_announces_what_they_proposed(office: Office) -> None:
    digest = (await proposed(office)).json()["hash"]

    answer = await office.asked_by(ANA, "announce", APPROVAL, {"hash": digest, "after": {}})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/same-person")
    assert (await office.seen(PATH))["phase"] == "PROPOSED"


async def test_a_proposal_that_was_replaced_is_not_announced(office: Office) -> None:
    await proposed(office)
    seen, first = await office.tag(PATH), (await office.seen(PATH))["proposal"]["hash"]
    await proposed(office, credit_date="2023-04-21")

    stale = await office.asked_by(
        BEN, "announce", APPROVAL, {"hash": first, "after": {}}, seen=seen
    )
    unread = await approved(office, hash=first)

    assert (stale.status_code, unread.status_code) == (412, 409)
    assert unread.json()["type"] == "/problems/stale-hash"
    assert (await approved(office)).status_code == 204


async def test_a_withdrawn_proposal_leaves_its_name_free(office: Office) -> None:
    await proposed(office)
    gone = await office.asked_by(ANA, "announce", f"{PATH}/announcement-withdrawal", {})
    reader = office.door.who("reader-1", "payments:read")

    assert gone.status_code == 204
    assert (await office.door.client.get(PATH, headers=reader)).status_code == 404
    assert (await office.seen("/tahap"))["items"] == []
    assert (await proposed(office, credit_date="2023-04-21")).status_code == 201
    assert (await approved(office)).status_code == 204


async def test_announced_terms_are_quiet_and_other_ones_are_refused(office: Office) -> None:
    await proposed(office)
    await approved(office)

    again, other = await proposed(office), await proposed(office, credit_date="2023-04-21")

    assert (again.status_code, other.status_code) == (201, 409)
    assert other.json()["type"] == "/problems/announced-already"


# -- Terms


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"tahap": "2023-0"}, ["body", "tahap"]),
        ({"tahap": "\u0662\u0660\u0662\u0663-1"}, ["body", "tahap"]),
        ({"months": ["0000-01"]}, None),
        ({"months": ["\u0662\u0660\u0662\u0663-\u0660\u0665"]}, ["body", "months", 0]),
        ({"closing_date": "0"}, ["body", "closing_date"]),
        ({"closing_date": 0}, ["body", "closing_date"]),
        ({"closing_date": "20230331"}, ["body", "closing_date"]),
        ({"credit_date": "2023-W20-6"}, ["body", "credit_date"]),
        ({"after": {"registri": 5}}, ["body", "after", "*"]),
        ({"after": {"registry": -1}}, ["body", "after", "registry"]),
        ({"after": {"registry": "5"}}, ["body", "after", "registry"]),
        ({"after": {"registry": 2**63}}, ["body", "after", "registry"]),
        ({"override": {"table": "2018"}}, ["body", "override", "reason"]),
        ({"override": {"table": "2018", "reason": "6103014903800001"}}, None),
    ],
)
async def test_a_field_of_another_form_is_refused_by_name(
    office: Office, changes: dict[str, object], place: list[object] | None
) -> None:
    before = await kept(office)

    answer = await proposed(office, **changes)

    assert answer.status_code in (409, 422)
    if place is not None:
        assert answer.json()["errors"][0]["loc"] == place
    assert await kept(office) == before


@pytest.mark.parametrize(
    ("changes", "problem", "named"),
    [
        ({"tahap": "2093-1"}, "announcement-refused", "field=months"),
        ({"months": ["2023-01", "2024-02"]}, "announcement-refused", "field=months"),
        ({"months": ["2023-01", "2023-03"]}, "announcement-refused", "field=months"),
        ({"months": ["2023-02", "2023-01"]}, "announcement-refused", "field=months"),
        ({"closing_date": "2022-12-31"}, "announcement-refused", "field=closing_date"),
        ({"account_check_date": "2023-03-30"}, "announcement-refused", "account_check_date"),
        ({"credit_date": "2093-04-20"}, "announcement-refused", "field=credit_date"),
        ({"after": {"registry": 10**12}}, "position-ahead-of-log", "field=after.registry"),
        ({"after": {"conditionality": 2**62}}, "position-ahead-of-log", "after.conditionality"),
        ({"override": {"table": "2018", "reason": "none"}}, "announcement-refused", "override"),
    ],
)
async def test_terms_that_cannot_be_are_refused_whole(
    office: Office, changes: dict[str, object], problem: str, named: str
) -> None:
    before = await kept(office)

    answer = await proposed(office, **changes)

    assert (answer.status_code, answer.json()["type"]) == (409, f"/problems/{problem}")
    assert named in answer.json()["detail"]
    assert await kept(office) == before
    assert (await proposed(office)).status_code == 201, "the name is not burnt"


async def test_a_position_is_held_against_the_log_at_the_approval_too(office: Office) -> None:
    await proposed(office)

    answer = await approved(office, after={"registry": 4})

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/position-ahead-of-log")
    assert await sent(office.store) == []


async def test_a_tahap_comes_after_every_other_one_that_stands(office: Office) -> None:
    second = await office.asked_by(ANA, "announce", "/tahap", SECOND)
    earlier = await proposed(office)
    twice = await office.asked_by(
        ANA, "announce", "/tahap", SECOND | {"tahap": "2023-3", "months": ["2023-06"]}
    )

    assert second.status_code == 201
    for answer, named in ((earlier, "field=tahap"), (twice, "field=months, month=2023-06")):
        assert answer.json()["type"] == "/problems/not-after-other-tahap"
        assert named in answer.json()["detail"]


async def test_of_two_proposals_of_one_month_at_once_one_is_taken(office: Office) -> None:
    answers = await asyncio.gather(
        *(
            office.asked_by(ANA, "announce", "/tahap", SECOND | {"tahap": f"2023-{number}"})
            for number in range(2, 8)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]


# -- The other services


@pytest.mark.parametrize("service", ["registry", "conditionality"])
async def test_a_rule_set_that_a_service_does_not_run_is_refused_by_service_and_reason(
    office: Office, service: str
) -> None:
    office.world.rule_sets[service]["2021-2024"] = "nobody has read the law"
    before = await kept(office)

    answer = await proposed(office)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/rule-set-not-run")
    for named in (service, "2021-2024", "nobody has read the law"):
        assert named in answer.json()["detail"]
    assert await kept(office) == before


async def test_a_rule_set_is_asked_about_again_at_the_approval(office: Office) -> None:
    await proposed(office)
    office.world.rule_sets["conditionality"].clear()

    answer = await approved(office)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/rule-set-not-run")


@pytest.mark.parametrize("service", ["registry", "conditionality"])
async def test_where_a_service_is_silent_nothing_is_kept_and_the_key_stays_free(
    office: Office, service: str
) -> None:
    who, before = office.door.who(ANA, "payments:announce"), await kept(office)
    office.world.unreachable.add(f"//{service}")
    silent = await office.door.post("/tahap", who, key="key-1", json=TERMS)
    shut = await kept(office)
    office.world.unreachable.clear()
    answered = await office.door.post("/tahap", who, key="key-1", json=TERMS)

    assert (silent.status_code, silent.json()["type"]) == (503, "/problems/service-silent")
    assert (silent.json()["service"], shut) == (service, before)
    assert answered.status_code == 201


async def test_a_proposal_is_shown_also_while_a_service_is_silent(office: Office) -> None:
    await proposed(office)
    office.world.unreachable.add("//registry")

    heads = (await office.seen(PATH))["proposal"]["heads"]

    assert heads == {"registry": None, "conditionality": 5}
    assert (await approved(office, after={})).status_code == 503
