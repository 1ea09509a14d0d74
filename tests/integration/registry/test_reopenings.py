"""A late fact proposes to re-open a closing; another person decides on it over HTTP."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import pytest_asyncio

from libs.events.store.handle import handle
from services.registry.contract import FAMILY
from services.registry.domain.family.commands import DecideReopening
from services.registry.domain.family.errors import SamePerson
from services.registry.workers.reviewer import keep_open
from tests.doors import CONTEXT, Door, deliver, sent
from tests.integration.registry.kit import (
    CHECKER,
    IMPORTER,
    Register,
    child,
    family,
    life_event,
    member,
)
from tests.integration.registry.lists import CARDS, child_of
from tests.integration.registry.terms import with_term

CARD = CARDS[0]
BABY = "6103014505230001"
MOTHERS = {"6103010101019901": "6103014107909901", "6103010101019902": "6103014107909902"}
LISTED, LATE = MOTHERS
REPORTER = "tester"  # whoever takes files in here


def pupil_of(card: str) -> str:
    return f"610301171216{card[-4:]}"


def died(card: str = CARD, nik: str = "") -> dict[str, str]:
    return life_event("DEATH", card, "2023-05-02", "2023-05-10", nik=nik or child_of(card))


def born(
    card: str = CARD, nik: str = BABY, reported_on: str = "2023-07-12", on: str = "2023-05-05"
) -> dict[str, str]:
    return life_event("BIRTH", card, on, reported_on, nik=nik, name="BAYI", sex="F", birth_date=on)


@pytest_asyncio.fixture
async def waiting(given: Register) -> Register:
    """A register in which one family lost its only category before the second closing."""
    given.rule_sets = with_term(90)
    await given.listed("2023-1")
    await given.take("life-events", died())
    await given.listed("2023-2")
    return given


async def freeze(register: Register, tahap: str = "2023-2") -> None:
    """Payments says that the list is frozen."""
    body = {"tahap": tahap, "hash": "0" * 64, "count": 1, "rupiah": 1, "deferred": []}
    people = {"maker": "operator-1", "checker": "supervisor-1"}
    await deliver(register.consumer, register.tahaps.record("ListFrozen", tahap, body | people))


async def place(register: Register, card: str = CARD) -> str:
    return f"/reopenings/{(await register.state_of(card)).family}/2023-2"


async def look(door: Door, path: str, regions: tuple[str, ...] = ("*",)) -> httpx.Response:
    who = door.who("reader-1", "registry:read", regions=regions)
    return await door.client.get(path, headers=who)


async def decide(
    door: Door,
    path: str,
    decision: str = "APPROVED",
    *,
    subject: str = "supervisor-1",
    seen: str | None = None,
    key: str | None = None,
    regions: tuple[str, ...] = ("*",),
) -> httpx.Response:
    tag = seen or (await look(door, path)).headers.get("ETag", '"0"')
    who = door.who(subject, "registry:approve", regions=regions) | {"If-Match": tag}
    return await door.post(f"{path}/decision", who, json={"decision": decision}, key=key)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("/problems/")


# -- Proposed -------------------------------------------------------------------------------------


async def test_a_late_birth_is_proposed_with_what_the_family_would_have_been_listed_with(
    waiting: Register, registry: Door
) -> None:
    await waiting.take("life-events", born())

    path = await place(waiting)
    shown = (await look(registry, path)).json()
    assert shown["late"] == [
        {
            "fact": "MemberBorn",
            "effective_on": "2023-05-05",
            "reported_on": "2023-07-12",
            "recorded_by": REPORTER,
        }
    ]
    assert shown["members"] == [
        {"member": 1, "categories": []},  # held one until the end of April
        {"member": 2, "categories": ["EARLY_CHILD"]},
    ]
    assert shown["standing"] == "WAITING"
    assert (await look(registry, "/reopenings")).json()["items"] == [shown]
    assert shown["family"] not in [line.key for line in await waiting.lines("2023-2")]


async def test_what_nobody_could_have_known_by_the_end_of_the_term_is_not_proposed(
    waiting: Register, registry: Door
) -> None:
    await waiting.take("life-events", born(reported_on="2023-09-29"))

    assert (await look(registry, "/reopenings")).json()["items"] == []


async def test_a_fact_that_was_stored_between_the_cut_and_the_line_is_found(
    given: Register,
) -> None:
    given.rule_sets = with_term(90)
    await given.listed("2023-1")
    await given.take("life-events", died())
    await given.announce("2023-2")
    await given.take("life-events", born(reported_on="2023-06-20"))
    await given.list_all()

    [proposed] = await sent(given.store, "ReopeningProposed")
    assert proposed.body["late"] == [
        {"fact": "MemberBorn", "reported_on": "2023-06-20", "recorded_by": REPORTER}
    ]


async def test_a_member_who_was_left_out_of_the_card_is_proposed_too(waiting: Register) -> None:
    await waiting.admit(member(CARD, BABY, born="2021-01-01"))

    [proposed] = await sent(waiting.store, "ReopeningProposed")
    # Neither who proposed nor who approved the admission decides on what follows from it.
    people = [(late["fact"], late["recorded_by"]) for late in proposed.body["late"]]
    assert people == [("MembersRegistered", IMPORTER.subject), ("MembersRegistered", CHECKER)]


async def test_twins_are_listed_in_the_order_of_their_numbers(waiting: Register) -> None:
    other = "6103014505230000"
    await waiting.take("life-events", born(), born(nik=other))

    state = (await waiting.state_of(CARD)).reopening("2023-2")
    assert state is not None
    ranks = {member.token: member.seniority for member in state.line.members}
    assert ranks == {
        waiting.pseudonymizer.nik(other): 0,
        waiting.pseudonymizer.nik(BABY): 1,
        waiting.pseudonymizer.nik(child_of(CARD)): 2,
    }


async def test_reopenings_of_other_regions_are_not_shown(waiting: Register, registry: Door) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)
    path = await place(waiting)

    aceh = ("11",)
    listed = await registry.client.get(
        "/reopenings", headers=registry.who("reader-1", "registry:read", regions=aceh)
    )
    assert listed.json()["items"] == []
    assert problem(await look(registry, path, aceh)) == (404, "family-unknown")
    refused = await decide(registry, path, regions=aceh)
    assert problem(refused) == (404, "family-unknown")
    assert await sent(waiting.store, "FamilyReopened") == []


async def test_a_waiting_family_is_told_with_the_day_from_which_it_graduates(
    waiting: Register, registry: Door
) -> None:
    shown = await look(registry, f"/families/{(await waiting.state_of(CARD)).family}")

    assert (shown.json()["departure"], shown.json()["graduates_from"]) == (None, "2023-09-28")


# -- Decided --------------------------------------------------------------------------------------


async def test_an_approved_family_gets_its_line_once_behind_the_frozen_list(
    waiting: Register, registry: Door
) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)
    path = await place(waiting)

    assert (await decide(registry, path)).status_code == 204
    assert (await decide(registry, path)).status_code == 204

    family = (await waiting.state_of(CARD)).family
    [line] = [line.body for line in await waiting.lines("2023-2") if line.key == family]
    assert (line["outcome"], line["reopening"], line["bank"]) == ("LISTED", 1, "BNI")
    assert [member["closing"] for member in line["members"]] == [[], ["EARLY_CHILD"]]
    [reopened] = await sent(waiting.store, "FamilyReopened")
    assert reopened.body["checker"] == "supervisor-1"
    assert (await look(registry, "/reopenings")).json()["items"] == []


async def test_who_reported_the_fact_does_not_approve_it(waiting: Register, registry: Door) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)

    refused = await decide(registry, await place(waiting), subject=REPORTER)

    assert problem(refused) == (409, "same-person")
    assert await sent(waiting.store, "FamilyReopened") == []


async def test_a_reopening_waits_until_payments_list_is_frozen(
    waiting: Register, registry: Door
) -> None:
    await waiting.take("life-events", born())
    path = await place(waiting)

    assert problem(await decide(registry, path)) == (409, "list-not-frozen")
    await freeze(waiting)
    assert (await decide(registry, path)).status_code == 204


async def test_a_rejected_family_has_no_line(waiting: Register, registry: Door) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)
    path = await place(waiting)

    assert (await decide(registry, path, "REJECTED")).status_code == 204

    assert problem(await decide(registry, path)) == (409, "reopening-decided")
    assert (await look(registry, path)).json()["standing"] == "REJECTED"
    assert (await look(registry, "/reopenings")).json()["items"] == []
    assert await sent(waiting.store, "FamilyReopened") == []


async def test_a_decision_on_what_has_changed_since_is_refused(
    waiting: Register, registry: Door
) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)
    path = await place(waiting)
    seen = (await look(registry, path)).headers["ETag"]
    await waiting.take("life-events", born(nik="6103014505230002"))

    assert problem(await decide(registry, path, seen=seen)) == (412, "version-stale")


async def test_two_who_decide_at_once_bring_one_line(waiting: Register, registry: Door) -> None:
    await waiting.take("life-events", born())
    await freeze(waiting)
    path = await place(waiting)
    seen = (await look(registry, path)).headers["ETag"]

    answers = await asyncio.gather(
        decide(registry, path, seen=seen, subject="supervisor-1"),
        decide(registry, path, seen=seen, subject="supervisor-2"),
    )

    assert {answer.status_code for answer in answers} <= {204, 412}
    assert len(await sent(waiting.store, "FamilyReopened")) == 1


async def test_what_was_never_proposed_is_not_decided(waiting: Register, registry: Door) -> None:
    path = await place(waiting)

    assert problem(await look(registry, path)) == (404, "no-such-reopening")
    family = await look(registry, path.replace("reopenings", "families").removesuffix("/2023-2"))
    refused = await decide(registry, path, seen=family.headers["ETag"])
    assert problem(refused) == (404, "no-such-reopening")
    unknown = "/reopenings/00000000-0000-4000-8000-000000000000/2023-2"
    assert problem(await look(registry, unknown)) == (404, "family-unknown")
    assert problem(await look(registry, "/reopenings?tahap=x"))[0] == 422


@pytest_asyncio.fixture
async def on_one_account(given: Register) -> Register:
    """A family that may be re-opened is paid on the account of one that is listed, since."""
    given.rule_sets = with_term(90)
    for card, mother in MOTHERS.items():
        await given.take("families", family(card, mother))
        await given.take("members", member(card, mother), child(card, pupil_of(card)))
    await given.listed("2023-1")
    await given.take("life-events", died(LATE, pupil_of(LATE)))
    account = {"bank_code": "BNI", "account_no": f"3{LISTED[-11:]}", "account_name": "ROSITA"}
    dates = "2023-05-02", "2023-05-02"
    paid = life_event("PAYEE_CHANGE", LATE, *dates, new_payee_nik=MOTHERS[LATE], **account)
    await given.take("life-events", paid)
    await given.approve()
    await given.listed("2023-2")
    await given.take("life-events", born(LATE))
    await freeze(given)
    return given


async def test_no_family_is_reopened_on_an_account_that_the_tahap_pays_another_family_on(
    on_one_account: Register, registry: Door
) -> None:
    refused = await decide(registry, await place(on_one_account, LATE))

    assert problem(refused) == (409, "payee-shared")
    assert await sent(on_one_account.store, "FamilyReopened") == []


@pytest_asyncio.fixture
async def three_waiting(given: Register) -> Register:
    """A register in which three families may be re-opened at the second closing."""
    given.rule_sets = with_term(90)
    await given.listed("2023-1")
    await given.take("life-events", *(died(card) for card in CARDS[:3]))
    await given.listed("2023-2")
    births = [born(card, f"610301450523000{number}") for number, card in enumerate(CARDS[:3])]
    await given.take("life-events", *births)
    return given


async def test_the_list_is_pages_in_order_of_family(
    three_waiting: Register, registry: Door
) -> None:
    first = (await look(registry, "/reopenings?limit=2")).json()
    rest = (await look(registry, f"/reopenings?limit=2&cursor={first['next']}")).json()

    found = [each["family"] for each in (*first["items"], *rest["items"])]
    assert found == sorted([(await three_waiting.state_of(card)).family for card in CARDS[:3]])
    assert rest["next"] is None
    assert (await look(registry, "/reopenings?tahap=2023-1")).json()["items"] == []

    await three_waiting.store.pool.execute(
        "UPDATE streams SET state = '[]' WHERE stream_id = $1", f"family-{found[0]}"
    )
    page = (await look(registry, "/reopenings")).json()
    assert page["unreadable"] == found[:1]
    assert [each["family"] for each in page["items"]] == found[1:]


# -- Cancelled with its tahap ---------------------------------------------------------------------


async def decided(register: Register, subject: str = "supervisor-1") -> None:
    """Somebody approves what is proposed to re-open; raises what they are refused for."""
    family = (await register.state_of(CARD)).family
    command = DecideReopening("2023-2", "APPROVED", subject, frozen=True)
    async with register.store.transaction(CONTEXT) as unit:
        await keep_open(unit, [await handle(unit, FAMILY, f"family-{family}", command)])


async def test_a_reopened_family_is_handed_back_with_its_cancelled_tahap_and_proposed_anew(
    waiting: Register,
) -> None:
    await waiting.take("life-events", born())
    await decided(waiting)

    await waiting.cancel("2023-2")
    await waiting.list_all()

    state = await waiting.state_of(CARD)
    assert (state.reopenings, state.without_category, state.waiting) == ((), (), None)
    assert state.listed is not None
    assert (state.listed.tahap, state.listed.outcome) == ("2023-1", "LISTED")
    await waiting.announce("2023-2", revision=2)
    await waiting.list_all()
    [again] = (await waiting.state_of(CARD)).reopenings
    assert (again.standing, again.number) == ("WAITING", 2)
    # Who reported the fact is known also to a list that was made behind it.
    assert [late.recorded_by for late in again.late] == [REPORTER]
    with pytest.raises(SamePerson):
        await decided(waiting, REPORTER)
    await decided(waiting)
    lines = [line for line in await waiting.lines("2023-2") if line.key == state.family]
    assert [(line.body["revision"], line.body["reopening"]) for line in lines] == [(1, 1), (2, 2)]


async def test_what_waits_for_a_decision_goes_with_its_cancelled_tahap(waiting: Register) -> None:
    await waiting.take("life-events", born())

    await waiting.cancel("2023-2")
    await waiting.list_all()

    left = await waiting.store.pool.fetchval("SELECT count(*) FROM reopening_open")
    assert (left, (await waiting.state_of(CARD)).reopenings) == (0, ())


async def test_a_tahap_that_was_reopened_stays_so_when_a_later_one_is_cancelled(
    waiting: Register,
) -> None:
    await waiting.listed("2023-3")
    await waiting.take("life-events", born())
    await decided(waiting)

    await waiting.cancel("2023-3")
    await waiting.list_all()

    state = await waiting.state_of(CARD)
    assert (state.departure, state.waiting, state.without_category) == (None, None, ())
    assert [(each.tahap, each.standing) for each in state.reopenings] == [("2023-2", "APPROVED")]
