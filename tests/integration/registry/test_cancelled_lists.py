"""A cancelled list is taken back family by family; the next one is as if it had never been."""

from __future__ import annotations

from libs.events.workers.backoff import failing_item
from services.registry.workers.job_progress import UNLISTER
from tests.doors import sent
from tests.integration.registry.kit import Register
from tests.integration.registry.lists import CARDS, CHUNK, assert_closed_with_proof


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


async def test_of_two_cancelled_lists_the_later_one_is_taken_back_first(given: Register) -> None:
    before = [await given.state_of(card) for card in CARDS]
    await given.listed("2023-1")
    await given.listed("2023-2")
    await given.cancel("2023-2")
    await given.cancel("2023-1")
    await given.list_all(CHUNK)

    assert [await given.state_of(card) for card in CARDS] == before


async def test_a_family_that_cannot_be_taken_back_is_left_by_name_and_all_others_are(
    given: Register,
) -> None:
    before = {card: await given.state_of(card) for card in CARDS}
    odd, others = CARDS[3], [card for card in CARDS if card != CARDS[3]]
    await given.listed()
    sound = await made_unreadable(given, before[odd].family)
    await given.cancel()
    await given.list_all(CHUNK)

    assert [await given.state_of(card) for card in others] == [before[card] for card in others]
    failing = await failing_item(given.store.pool, UNLISTER, "2023-1 left")
    assert failing is not None
    assert "families=1" in failing.error

    await given.announce(revision=2)
    await given.list_all(CHUNK)
    [*_, second] = await given.closed()
    assert (second.body["revision"], second.body["listed"]) == (2, len(others))
    assert second.body["withheld"] == [{"family": before[odd].family, "reason": "CANNOT_BE_LISTED"}]

    await mended(given, before[odd].family, sound)
    await given.list_all(CHUNK)
    assert await given.state_of(odd) == before[odd]
    assert await failing_item(given.store.pool, UNLISTER, "2023-1 left") is None


async def test_a_family_that_is_left_on_a_list_is_on_no_other_one(given: Register) -> None:
    odd = (await given.state_of(CARDS[3])).family
    await given.listed()
    sound = await made_unreadable(given, odd)
    await given.cancel()
    unlister = given.unlister()
    while await unlister.step():
        pass
    await mended(given, odd, sound)  # its standing is still that of the cancelled list
    await given.announce("2023-2")
    await given.lister().step()

    lines = {line.key for line in await given.lines("2023-2")}
    assert (len(lines), odd in lines) == (len(CARDS) - 1, False)


async def made_unreadable(register: Register, family: str) -> str:
    """Spoil what is stored of a family's state; what it was."""
    sound: str = await register.store.pool.fetchval(
        "SELECT state FROM streams WHERE stream_id = $1", f"family-{family}"
    )
    await mended(register, family, sound.replace('"members":[', '"members":["spoiled",'))
    return sound


async def mended(register: Register, family: str, state: str) -> None:
    """Store the state of a family as it is to be."""
    await register.store.pool.execute(
        "UPDATE streams SET state = $2 WHERE stream_id = $1", f"family-{family}", state
    )


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
