"""A list is made in chunks and as of its cut; asked for again, it is the same to the byte."""

from __future__ import annotations

from libs.events.consumer.parking import Selection, list_parked
from libs.events.consumer.replay import replay
from libs.events.domain.list_proof import Buckets
from services.registry.contract import TAHAP_TOPIC
from tests.doors import CONTEXT, YEAR, deliver, sent
from tests.integration.registry.kit import Register, child, family, life_event, member
from tests.integration.registry.lists import (
    CARDS,
    CHUNK,
    ask_again,
    assert_closed_with_proof,
    child_of,
    lines_by_family,
)
from tests.unit.registry.sample_year import rows


async def test_a_year_of_files_comes_to_the_judgements_that_are_expected(
    register: Register,
) -> None:
    for file in ("families", "members", "life-events"):
        await register.take(file, *rows(YEAR / f"{file.replace('-', '_')}.csv"))
    await register.listed()

    cards = {
        row["no_kk"]: (row["status"], row["reason"])
        for row in rows(YEAR / "expected" / "eligibility.csv")
    }
    designated = {
        message.key: (message.body["status"], message.body["reason"])
        for message in await sent(register.store, "FamilyDesignated")
    }
    families = {card: (await register.state_of(card)).family for card in cards}
    assert {card: designated[families[card]] for card in cards} == cards
    await assert_closed_with_proof(register)


async def test_a_list_is_made_in_chunks_and_closed_with_proof(given: Register) -> None:
    await given.announce()
    await given.list_all(CHUNK)

    lines = await given.lines()
    assert [line.key for line in lines] == sorted(line.key for line in lines)
    assert len(lines) == len(CARDS)
    await assert_closed_with_proof(given)
    chunks = "SELECT count(*) FROM events WHERE type = 'ListingAdvanced'"
    assert await given.store.pool.fetchval(chunks) == -(-len(CARDS) // CHUNK)


async def test_an_announcement_that_comes_twice_starts_one_list(given: Register) -> None:
    await given.announce()
    await given.announce()
    await given.list_all()

    assert len(await given.closed()) == 1
    assert len(await given.lines()) == len(CARDS)


# -- The cut --------------------------------------------------------------------------------------

AT_SCHOOL = {"school_level": "SD", "npsn": "30141147", "nisn": "0000000001"}


def moved(card: str) -> dict[str, str]:
    """True and reported in time for the first closing."""
    return life_event("MOVE", card, "2023-03-01", "2023-03-05", region_code="61.04.11.2017")


async def test_what_is_stored_behind_the_cut_counts_for_the_next_list_only(
    given: Register,
) -> None:
    mover, newcomer = CARDS[7], "6103010101019999"
    await given.announce()
    await given.take("life-events", moved(mover))
    await given.take("families", family(newcomer))
    await given.take("members", child(newcomer, "6103011708209999"))
    await given.list_all(CHUNK)

    assert (await given.line_of(mover)).body["region"] == "61.03.01.2026"
    assert len(await given.lines()) == len(CARDS)
    await assert_closed_with_proof(given)

    await given.listed("2023-2")
    assert (await given.line_of(mover, "2023-2")).body["region"] == "61.04.11.2017"
    assert len(await given.lines("2023-2")) == len(CARDS) + 1


async def test_a_list_that_is_asked_for_again_is_the_same_whatever_was_stored_since(
    given: Register,
) -> None:
    orphan, mover, dead, pupil = CARDS[:4]
    await given.take("life-events", died(orphan, "2023-01-20"))
    await given.listed()
    first = lines_by_family(await given.lines())
    [closed] = await given.closed()
    known = await given.store.head()
    await given.take("life-events", moved(mover), died(dead), schooled(pupil))
    await given.admit(member(mover, "6103014505900099"), child(dead, child_of(mover)))

    await ask_again(given, *(f"{byte:02x}" for byte in range(256)))
    await given.list_all(CHUNK)

    again = lines_by_family((await given.lines())[len(first) :])
    assert again == first
    assert Buckets.of(again.items()) == Buckets.from_json(closed.body["buckets"])
    assert await given.closed() == [closed]
    assert [m.type for m in await sent(given.store) if m.type != "FamilyListed"].count(
        "FamilyDesignated"
    ) == len(CARDS)
    assert (await given.store.head())[0] > known[0]


async def test_lines_are_sent_again_although_a_later_list_is_made_by_now(given: Register) -> None:
    await given.listed("2023-1")
    first = lines_by_family(await given.lines())
    await given.announce("2023-2")
    await given.lister(CHUNK).step()
    await ask_again(given, *(f"{byte:02x}" for byte in range(256)))
    await given.list_all(CHUNK)

    again = lines_by_family((await given.lines())[len(first) :])
    assert again == first
    await assert_closed_with_proof(given, "2023-2")
    now = [(await given.state_of(card)).listed for card in CARDS]
    assert [each.tahap for each in now if each] == ["2023-2"] * len(CARDS)


async def test_lines_of_a_list_made_anew_are_sent_again_as_they_are(given: Register) -> None:
    await given.listed()
    await given.cancel()
    await given.announce(revision=2)
    await given.list_all()
    second = lines_by_family((await given.lines())[len(CARDS) :])
    await ask_again(given, *{family[:2] for family in second})
    await given.list_all()

    assert lines_by_family((await given.lines())[2 * len(CARDS) :]) == second


async def test_one_bucket_that_is_asked_for_again_brings_its_own_lines_only(
    given: Register,
) -> None:
    await given.listed()
    before = await given.lines()
    bucket = before[-1].key[:2]

    await ask_again(given, bucket)
    await given.list_all(2)

    again = (await given.lines())[len(before) :]
    assert again == [line for line in before if line.key.startswith(bucket)]


async def test_what_was_known_after_the_list_shows_in_the_next_tahap(given: Register) -> None:
    mover, dead, pupil = CARDS[:3]
    await given.listed()
    await given.take("life-events", moved(mover), died(dead), schooled(pupil))
    await given.listed("2023-2")

    assert (await given.line_of(mover, "2023-2")).body["region"] == "61.04.11.2017"
    assert (await given.line_of(dead, "2023-2")).body["outcome"] == "GRADUATED_NATURAL"
    [member_line] = (await given.line_of(pupil, "2023-2")).body["members"]
    assert member_line["closing"] == ["SD"]
    [closed] = [m for m in await given.closed() if m.body["tahap"] == "2023-2"]
    assert (closed.body["listed"], closed.body["graduated"]) == (len(CARDS) - 1, 1)


def died(card: str, on: str = "2023-03-02") -> dict[str, str]:
    """The family's child has died, reported in time for the first closing."""
    return life_event("DEATH", card, on, "2023-03-10", nik=child_of(card))


def schooled(card: str) -> dict[str, str]:
    """The family's child, of age, goes to school; reported in time for the first closing."""
    return life_event(
        "SCHOOL_CHANGE", card, "2023-03-03", "2023-03-10", nik=child_of(card), **AT_SCHOOL
    )


# -- Order and announcements ----------------------------------------------------------------------


async def test_twins_stand_in_the_order_of_their_numbers(register: Register) -> None:
    card, elder = CARDS[0], "6103011708180001"
    twins = ["6103015708200007", "6103011708200003", "6103011708200005"]
    await register.take("families", family(card))
    await register.take(
        "members",
        member(card, elder, born="2018-08-17"),
        *(member(card, nik, born="2020-08-17") for nik in twins),
    )
    await register.listed()

    line = await register.line_of(card)
    token_of = {register.pseudonymizer.nik(nik): nik for nik in (elder, *twins)}
    by_seniority = sorted(line.body["members"], key=lambda m: m["seniority"])
    assert [token_of[m["token"]] for m in by_seniority] == [*sorted(twins), elder]


async def test_an_announcement_ahead_of_the_log_is_parked_until_the_log_is_there(
    given: Register,
) -> None:
    ahead = (await given.store.head())[0] + 1
    await given.announce(after=ahead)
    await given.list_all()

    [parked] = await list_parked(given.store)
    assert (parked.topic, parked.key) == (TAHAP_TOPIC, "2023-1")
    assert "has not reached" in parked.error
    assert await given.lines() == []

    await given.take("families", family("6103010101019999"))
    async with given.store.transaction(CONTEXT) as unit:
        subscriptions = given.consumer.subscriptions
        replayed = await replay(unit, subscriptions, Selection(TAHAP_TOPIC, "2023-1"))
    assert replayed
    assert (replayed.handled, replayed.refused) == (1, 0)
    await given.list_all()
    assert len(await given.lines()) == len(CARDS)


async def test_a_closing_that_is_announced_while_another_list_is_made_waits_for_its_end(
    given: Register,
) -> None:
    await given.announce("2023-1")
    await given.announce("2023-2")
    lister = given.lister(CHUNK)
    while await lister.step():
        assert not await given.unlister().step() or await given.closed()
    await given.list_all(CHUNK)

    assert await list_parked(given.store) == []
    assert len(await sent(given.store, "FamilyDesignated")) == len(CARDS)
    for tahap in ("2023-1", "2023-2"):
        await assert_closed_with_proof(given, tahap)


async def test_an_announcement_of_rules_that_nobody_knows_is_parked_and_stops_no_other(
    given: Register,
) -> None:
    await deliver(given.consumer, given.announcement("2022-3", rule_set="2007-2012"))
    await given.listed()

    [parked] = await list_parked(given.store)
    assert (parked.key, parked.error) == ("2022-3", "RuleSetUnknown")
    assert len(await given.closed()) == 1
