"""A cancelled list is taken back family by family; the next one is as if it had never been."""

from __future__ import annotations

import pytest

from tests.doors import sent
from tests.integration.registry.kit import Register
from tests.integration.registry.lists import CARDS, CHUNK, assert_closed_with_proof

pytestmark = pytest.mark.integration


async def test_families_stand_again_as_before_the_cancelled_list(given: Register) -> None:
    before = [await given.state_of(card) for card in CARDS]
    await given.listed()
    await given.cancel()
    await given.list_all(CHUNK)

    assert [await given.state_of(card) for card in CARDS] == before
    unlisted = await sent(given.store, "FamilyUnlisted")
    assert {message.body["tahap"] for message in unlisted} == {"2023-1"}
    assert len(unlisted) == len(CARDS)


async def test_a_list_that_is_cancelled_while_it_is_made_takes_nothing_more(
    given: Register,
) -> None:
    await given.announce()
    await given.lister(CHUNK).step()
    await given.cancel()
    await given.list_all(CHUNK)

    assert len(await given.lines()) == CHUNK
    assert await given.closed() == []
    assert len(await sent(given.store, "FamilyUnlisted")) == CHUNK


async def test_a_tahap_that_is_announced_anew_is_listed_when_the_old_list_is_taken_back(
    given: Register,
) -> None:
    await given.listed()
    await given.cancel()
    await given.announce(revision=2)
    assert not await given.lister().step()
    await given.list_all(CHUNK)

    lines = await given.lines()
    assert [line.body["revision"] for line in lines] == [1] * len(CARDS) + [2] * len(CARDS)
    assert len(await sent(given.store, "FamilyDesignated")) == 2 * len(CARDS)
    [_, second] = await given.closed()
    assert (second.body["revision"], second.body["listed"]) == (2, len(CARDS))


async def test_a_cancellation_is_taken_back_once_whoever_leads_and_however_often_it_comes(
    given: Register,
) -> None:
    await given.listed()
    await given.cancel()
    await given.unlister(CHUNK).step()
    await given.cancel()
    await given.list_all(CHUNK)

    assert len(await sent(given.store, "FamilyUnlisted")) == len(CARDS)


async def test_a_tahap_that_waits_for_its_turn_is_cancelled_before_it_begins(
    given: Register,
) -> None:
    await given.announce("2023-1")
    await given.announce("2023-2")
    await given.cancel("2023-2")
    await given.list_all(CHUNK)

    assert [closed.body["tahap"] for closed in await given.closed()] == ["2023-1"]
    await given.announce("2023-2", revision=2)
    await given.list_all(CHUNK)
    await assert_closed_with_proof(given, "2023-2")


async def test_another_list_waits_until_a_cancelled_one_is_taken_back(given: Register) -> None:
    await given.listed("2023-1")
    await given.listed("2023-2")
    await given.cancel("2023-2")
    await given.announce("2023-3")
    await given.list_all(CHUNK)

    last = {message.type: index for index, message in enumerate(await sent(given.store))}
    assert last["FamilyUnlisted"] < last["ListClosed"]
    tahaps = [closed.body["tahap"] for closed in await given.closed()]
    assert tahaps == ["2023-1", "2023-2", "2023-3"]


async def test_behind_two_cancelled_tahaps_the_earlier_one_is_listed_anew(
    given: Register,
) -> None:
    await given.listed("2023-1")
    await given.listed("2023-2")
    await given.cancel("2023-2")
    await given.cancel("2023-1")
    await given.announce("2023-1", revision=2)
    await given.list_all(CHUNK)

    [*_, last] = await given.closed()
    assert (last.body["tahap"], last.body["revision"]) == ("2023-1", 2)
