"""A family that cannot be listed is withheld by name; all other families and tahaps are listed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from typing import Final

import asyncpg
import pytest

from libs.chassis.settings import Settings
from libs.events.store.handle import handle
from libs.events.workers.backoff import FAILING_ATTEMPTS, failing_item
from libs.privacy.keys import KeyRing
from services.registry.contract import LISTING
from services.registry.domain.listing.messages import StartListing
from services.registry.tables.identity_rows import open_listing
from services.registry.workers.job_progress import LISTER, LISTINGS
from services.registry.workers.lister import Lister
from tests.doors import CONTEXT, Door, as_role, runtime_role, sent
from tests.integration.registry.kit import (
    Register,
    child,
    family,
    life_event,
    member,
    register_at,
)
from tests.integration.registry.lists import (
    CARDS,
    CHUNK,
    ask_again,
    assert_closed_with_proof,
    child_of,
)
from tests.integration.registry.terms import with_term
from tests.servers import eventually

TWINS: Final = "6103010101019900"
CROWDED: Final = "0000000000000000"
CROWD: Final = 4_200
SHARERS: Final = ("6103010101019901", "6103010101019902", "6103010101019903")
ONE_ACCOUNT: Final = "66600006660"
WITHOUT_TOKENS: Final = (
    """UPDATE events SET data = jsonb_set(data::jsonb, '{row,account_token}', '""')::json
       WHERE type = 'FamilyRegistered'""",
    "UPDATE streams SET state = NULL WHERE stream_id LIKE 'family-%'",
    "UPDATE payee_of SET account = '', account_known = false",
)
MONTHS: Final = ("2023-01", "2023-02", "2023-03")


async def given_twins(register: Register, card: str = TWINS) -> str:
    """A family whose two children share a birth date, so that their numbers are opened."""
    await register.take("families", family(card))
    await register.take("members", *(child(card, f"610301170820{n:04}") for n in (8801, 8802)))
    return (await register.state_of(card)).family


async def given_crowd(register: Register) -> str:
    """A card with more members than a line can carry, as a placeholder for a number gathers."""
    await register.take("families", family(CROWDED))
    everybody = [
        member(CROWDED, f"6103{n:012}", born=f"2019-{1 + n % 12:02}-01", severe_disability="Y")
        for n in range(CROWD)
    ]
    await register.take("members", *everybody)
    return (await register.state_of(CROWDED)).family


@asynccontextmanager
async def erased(settings: Settings, *families: str) -> AsyncIterator[Register]:
    """The register of a process that has never seen these families' keys, which are destroyed."""
    eraser = as_role(settings.bus_url, runtime_role("eraser"))
    async with asyncpg.create_pool(eraser, min_size=1, max_size=1) as pool:
        for each in families:
            assert await KeyRing(pool, settings.kek).destroy(each)
    async with register_at(settings) as register:
        yield register


async def withheld(register: Register) -> Mapping[str, str]:
    """{family: reason} of those that the closed list names as withheld."""
    [closed] = await register.closed()
    return {each["family"]: each["reason"] for each in closed.body["withheld"]}


async def test_a_family_whose_key_is_destroyed_is_withheld_and_everybody_else_is_listed(
    given: Register, settings: Settings
) -> None:
    twins = await given_twins(given)
    async with erased(settings, twins) as register:
        await register.announce()
        await register.list_all(CHUNK)

    assert await withheld(given) == {twins: "KEY_DESTROYED"}
    assert len(await given.lines()) == len(CARDS)
    await assert_closed_with_proof(given)
    job = await LISTINGS.find(given.store, "listing-2023-1")
    assert job is not None
    assert (job.state, job.counts["withheld"]) == ("DONE", 1)


async def test_a_card_with_thousands_of_members_is_withheld_and_everybody_else_is_listed(
    given: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Registered when a card still took as many as there were.
    monkeypatch.setattr("services.registry.domain.family.rules.ENTRIES_MAX", 100_000)
    crowd = await given_crowd(given)
    await given.listed()

    assert await withheld(given) == {crowd: "LINE_TOO_LARGE"}
    assert len(await given.lines()) == len(CARDS)
    await assert_closed_with_proof(given)


async def test_a_family_whose_stored_state_cannot_be_read_is_withheld(given: Register) -> None:
    odd = (await given.state_of(CARDS[3])).family
    await given.store.pool.execute(
        """UPDATE streams SET state = jsonb_set(state::jsonb, '{members}', '"none"')::json
           WHERE stream_id = $1""",
        f"family-{odd}",
    )
    await given.listed()

    assert await withheld(given) == {odd: "CANNOT_BE_LISTED"}
    assert len(await given.lines()) == len(CARDS) - 1


async def test_a_family_with_an_event_that_nobody_can_read_is_withheld(
    given: Register, settings: Settings
) -> None:
    odd = (await given.state_of(CARDS[3])).family
    async with asyncpg.create_pool(settings.bus_url, min_size=1, max_size=1) as owner:
        newer = "UPDATE events SET schema_version = 9 WHERE stream_id = $1"
        await owner.execute(newer, f"family-{odd}")
    unread = "UPDATE streams SET state = NULL WHERE stream_id = $1"
    await given.store.pool.execute(unread, f"family-{odd}")
    await given.listed()

    assert await withheld(given) == {odd: "CANNOT_BE_LISTED"}
    assert len(await given.lines()) == len(CARDS) - 1


async def test_a_family_whose_late_facts_cannot_be_looked_at_is_withheld_and_not_graduated(
    given: Register, settings: Settings
) -> None:
    orphaned, twins = CARDS[0], ("6103014505230001", "6103014505230002")
    given.rule_sets = with_term(90)
    await given.listed("2023-1")
    death = life_event("DEATH", orphaned, "2023-05-02", "2023-05-10", nik=child_of(orphaned))
    await given.take("life-events", death)
    await given.announce("2023-2")  # as of now nobody in the family holds a category
    await given.admit(*(member(orphaned, nik, born="2021-01-01") for nik in twins))
    lost = (await given.state_of(orphaned)).family
    async with erased(settings, lost) as register:
        register.rule_sets = given.rule_sets
        await register.list_all(CHUNK)

    [closed] = [c for c in await given.closed() if c.body["tahap"] == "2023-2"]
    assert closed.body["withheld"] == [{"family": lost, "reason": "KEY_DESTROYED"}]
    assert len(await given.lines("2023-2")) == len(CARDS) - 1
    assert await sent(given.store, "GraduationPending") == []
    await assert_closed_with_proof(given, "2023-2")


async def test_a_bucket_that_is_sent_again_has_the_line_of_a_family_whose_key_is_gone_since(
    given: Register, settings: Settings
) -> None:
    twins = await given_twins(given)
    await given.listed()
    [line] = [line for line in await given.lines() if line.key == twins]
    await ask_again(given, twins[:2])
    async with erased(settings, twins) as register:
        await register.list_all()

    again = (await given.lines())[len(CARDS) + 1 :]
    assert [each.value for each in again if each.key == twins] == [line.value]


async def test_a_bucket_that_is_sent_again_leaves_the_withheld_out(
    given: Register, settings: Settings
) -> None:
    twins = await given_twins(given)
    async with erased(settings, twins) as register:
        await register.listed()
        before = {line.key: line.value for line in await given.lines()}
        await ask_again(register, *{family_id[:2] for family_id in (*before, twins)})
    await given.list_all()  # by a process that still has the key: it lists nobody more

    again = (await given.lines())[len(before) :]
    assert {line.key: line.value for line in again} == before


# -- Families that share an account, or a payee ---------------------------------------------------


def to_own_account(card: str) -> dict[str, str]:
    cells = {"bank_code": "BRI", "account_no": f"777{card[-8:]}", "account_name": "ROSITA"}
    mother = {"new_payee_nik": f"610301410790{card[-4:]}"}
    return life_event("PAYEE_CHANGE", card, "2023-02-01", "2023-02-01", **cells, **mother)


def pupil_of(card: str) -> str:
    return f"610301171216{card[-4:]}"


async def given_sharers(register: Register, *cards: str, **cells: str) -> dict[str, str]:
    """{card: family} of families whose mothers may receive money, on one account unless told."""
    for card in cards:
        mother = f"610301410790{card[-4:]}"
        await register.take("families", family(card, mother, **{"account_no": ONE_ACCOUNT} | cells))
        await register.take("members", member(card, mother), child(card, pupil_of(card)))
    return {card: (await register.state_of(card)).family for card in cards}


async def test_who_shares_is_found_across_chunks_and_again_by_a_leader_who_takes_over(
    given: Register,
) -> None:
    sharing = await given_sharers(given, *SHARERS)
    await given.announce()
    while await given.lister(CHUNK).step():
        pass

    assert await withheld(given) == dict.fromkeys(sharing.values(), "SHARED_ACCOUNT")
    assert len(await given.lines()) == len(CARDS)
    await assert_closed_with_proof(given)


async def test_who_shares_is_judged_as_of_the_cut_whatever_moved_behind_it(
    given: Register,
) -> None:
    sharing = await given_sharers(given, *SHARERS)
    await given.announce()
    for card in SHARERS:
        await given.take("life-events", to_own_account(card))
    await given.approve()
    await given.list_all(CHUNK)

    assert await withheld(given) == dict.fromkeys(sharing.values(), "SHARED_ACCOUNT")


async def test_the_next_revision_of_a_list_looks_at_payees_anew(given: Register) -> None:
    sharing = await given_sharers(given, *SHARERS)
    await given.listed()
    [mended, *others] = SHARERS
    await given.take("life-events", to_own_account(mended))
    await given.approve()
    await given.cancel()
    await given.list_all()
    await given.announce(revision=2)
    await given.list_all()

    [_, closed] = await given.closed()
    names = {each["family"] for each in closed.body["withheld"]}
    assert names == {sharing[card] for card in others}


async def test_who_is_paid_nobodys_money_shares_with_nobody(given: Register) -> None:
    """No payee of the second family, nor anybody of the third, may receive money."""
    first, second, third = SHARERS
    sharing = await given_sharers(given, first)
    shared = {"account_no": ONE_ACCOUNT}
    await given.take("families", family(second, **shared), family(third, dtks="N", **shared))
    await given.take("members", *(child(card, pupil_of(card)) for card in (second, third)))
    await given.listed()

    assert await withheld(given) == {}
    assert sharing[first] in {line.key for line in await given.lines()}


async def test_accounts_from_before_there_were_tokens_are_compared_too(
    given: Register, settings: Settings
) -> None:
    """Events, snapshots and rows of an old register know no account's token."""
    first, second, newer = SHARERS
    sharing = await given_sharers(given, first, second)
    async with asyncpg.create_pool(settings.bus_url, min_size=1, max_size=1) as owner:
        for statement in WITHOUT_TOKENS:
            await owner.execute(statement)
    sharing |= await given_sharers(given, newer)
    await given.listed()

    assert await withheld(given) == dict.fromkeys(sharing.values(), "SHARED_ACCOUNT")
    assert len(await given.lines()) == len(CARDS)
    unknown = "SELECT count(*) FROM payee_of WHERE account = '' OR NOT account_known"
    assert await given.store.pool.fetchval(unknown) == 0


async def test_a_family_whose_old_account_cannot_be_opened_is_withheld(
    given: Register, settings: Settings
) -> None:
    odd = (await given.state_of(CARDS[3])).family
    async with asyncpg.create_pool(settings.bus_url, min_size=1, max_size=1) as owner:
        for statement in WITHOUT_TOKENS:
            await owner.execute(statement)
        await owner.execute(
            """UPDATE events
               SET data = jsonb_set(data::jsonb, '{row,account_no}', '"s1.1.odd"')::json
               WHERE type = 'FamilyRegistered' AND stream_id = $1""",
            f"family-{odd}",
        )
    await given.listed()

    assert await withheld(given) == {odd: "CANNOT_BE_LISTED"}
    assert len(await given.lines()) == len(CARDS) - 1


# -- One list and others --------------------------------------------------------------------------


async def test_a_list_that_fails_keeps_no_other_list_from_being_made(given: Register) -> None:
    await started(given, "2022-4", "1999")
    await started(given, "2023-1", "2021-2024")
    lister = given.lister(CHUNK)
    while await lister.step():
        pass

    assert [closed.body["tahap"] for closed in await given.closed()] == ["2023-1"]
    assert len(await given.lines()) == len(CARDS)
    failed = await failing_item(given.store.pool, LISTER, "2022-4")
    assert failed is not None
    assert failed.attempts >= 1


async def test_a_list_that_waits_behind_one_that_fails_is_made_once_both_were_cancelled(
    given: Register,
) -> None:
    await started(given, "2022-4", "1999")
    await given.announce("2023-1")
    await given.list_all(CHUNK)
    assert await given.closed() == []

    await given.cancel("2023-1")  # payments cancels the last tahap that stands, and then the next
    await given.cancel("2022-4")
    await given.list_all(CHUNK)
    await given.announce("2023-1", revision=2)
    await given.list_all(CHUNK)

    await assert_closed_with_proof(given)
    assert len(await given.lines()) == len(CARDS)
    assert await failing_item(given.store.pool, LISTER, "2022-4") is None


async def test_a_list_is_ended_by_the_rules_that_it_was_announced_with(given: Register) -> None:
    await given.announce()
    of_another_release = replace(given.rule_sets, by_id={})
    lister = Lister(given.store, given.keys, given.payees(), of_another_release, CHUNK)
    while await lister.step():
        pass

    await assert_closed_with_proof(given)
    assert len(await given.lines()) == len(CARDS)


async def started(register: Register, tahap: str, rule_set: str) -> None:
    """A list is open, by whichever rule set."""
    policies = {"rule_set": rule_set}
    cut = await register.store.pool.fetchval("SELECT position FROM head")
    start = StartListing(tahap, 1, MONTHS, date(2023, 3, 31), policies, cut)
    async with register.store.transaction(CONTEXT) as unit:
        await handle(unit, LISTING, f"listing-{tahap}", start)
        await open_listing(unit, tahap, None)


async def test_a_list_that_fails_for_long_is_told_of_by_job_and_readiness(
    registry: Door, given: Register
) -> None:
    await started(given, "2022-4", "1999")

    async def failing() -> bool:
        found = await failing_item(given.store.pool, LISTER, "2022-4")
        return found is not None and found.attempts >= 2

    async def is_told() -> bool:
        checks = (await registry.client.get("/ready")).json()["checks"]
        return bool(checks["work"] != "ok")

    await eventually(failing)
    ready = await registry.client.get("/ready")
    assert ready.json()["checks"]["work"] == "ok"
    await given.store.pool.execute(
        "UPDATE failing_work SET attempts = $1, since = since - interval '1 hour'",
        FAILING_ATTEMPTS,
    )
    await eventually(is_told)
    ready = await registry.client.get("/ready")
    reader = registry.who("reader-1", "registry:read")
    job = (await registry.client.get("/jobs/listing-2022-4", headers=reader)).json()

    assert ready.status_code == 503
    assert "work=lister, item=2022-4" in ready.json()["checks"]["work"]
    assert (job["state"], job["problem"]["type"]) == ("FAILING", "/problems/work-fails")
    assert job["attempt"] >= FAILING_ATTEMPTS
