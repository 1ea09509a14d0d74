"""An attacker who reads all that the register's database keeps, and who was erased.

Days of births and pregnancies stood in clear in events, snapshots and messages of the log, where
nothing is deleted: the erased family was found by whoever knew when its members were born.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest_asyncio

from libs.chassis.reads import READS
from libs.events.store.refolding import refold_next
from services.registry.contract import ERASURE, FAMILY, FAMILY_TOPIC, LISTING
from services.registry.workers.wide_messages import WideMessages
from tests.doors import MOMENT, TOPICS
from tests.integration.attacks.erasing import CARDS, Programme, payee_of, programme_at
from tests.integration.registry.kit import life_event
from tests.integration.registry.test_nothing_in_clear import kept
from tests.servers import Postgres

ERASED: Final = CARDS[0]
BORN: Final = "2023-01-13"
BABY: Final = {"nik": "6103011301230007", "name": "BAYI", "sex": "F", "birth_date": BORN}
DUE: Final = "2023-08-01"
DAYS: Final = "1980-01-01", "2016-12-17", BORN, DUE
"""The births of a mother, a child and a baby, and the day of the next one."""
KINDS: Final = ERASURE, FAMILY, LISTING, READS, READS


@pytest_asyncio.fixture
async def programme(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Programme]:
    """A register in which a family has had a child, and expects another."""
    async with programme_at(postgres, tmp_path) as found:
        await found.register.take(
            "life-events",
            life_event("BIRTH", ERASED, BORN, "2023-01-17", **BABY),
            life_event(
                "PREGNANCY", ERASED, "2023-02-01", "2023-02-02", nik=payee_of(ERASED), due_date=DUE
            ),
        )
        yield found


async def stolen(programme: Programme) -> dict[str, str]:
    """Every table of the register's database that holds a day, with its rows."""
    tables = await kept(programme.keys_of)
    return {
        name.removeprefix("public."): rows
        for name, rows in tables.items()
        if any(day in rows for day in DAYS)
    }


async def test_no_day_of_a_birth_or_a_pregnancy_stands_in_the_log(programme: Programme) -> None:
    await programme.listed()

    found = await stolen(programme)

    assert list(found) == ["wide_message"], "what the wide topic tells until it ends, and no more"
    assert all(day in found["wide_message"] for day in DAYS)


async def test_of_an_erased_family_no_day_is_left_anywhere(programme: Programme) -> None:
    await programme.listed()
    erased = programme.families[ERASED]

    await programme.erase(erased)

    found = await stolen(programme)
    assert erased not in found["wide_message"]
    assert BORN not in found["wide_message"]
    assert list(found) == ["wide_message"], "of the others"


async def test_an_erased_familys_stream_is_folded_again_without_its_key(
    programme: Programme,
) -> None:
    await programme.listed()

    await programme.erase(programme.families[ERASED])

    refolded = await refold_next(programme.register.store, KINDS, "", 100)
    assert f"family-{programme.families[ERASED]}" in refolded.stream_ids
    assert refolded.findings == []


async def test_once_the_wide_topic_has_ended_no_day_is_kept_at_all(programme: Programme) -> None:
    yesterday = MOMENT.date() - timedelta(days=1)
    pregnant = life_event(
        "PREGNANCY", CARDS[1], "2023-02-01", "2023-02-02", nik=payee_of(CARDS[1]), due_date=DUE
    )

    store = programme.register.store
    store.wide_until = yesterday
    while await WideMessages(store, yesterday).step():
        pass
    await programme.register.take("life-events", pregnant)

    assert await stolen(programme) == {}


async def test_a_registry_that_runs_on_forgets_what_the_wide_topic_told_when_it_has_ended(
    programme: Programme,
) -> None:
    store = programme.register.store
    last = TOPICS.ends[FAMILY_TOPIC]
    days = [last, last, last + timedelta(days=1), last + timedelta(days=1)]
    work = WideMessages(store, last, iter(days).__next__)

    assert not await work.step()
    assert list(await stolen(programme)) == ["wide_message"], "its last day is told"
    assert not await work.step()
    assert await work.step()
    assert await stolen(programme) == {}
    assert not await work.step()


def test_behind_its_last_day_the_wide_topic_is_neither_sent_nor_filled_nor_read() -> None:
    last, narrow = TOPICS.ends[FAMILY_TOPIC], "pkh.registry.family.v2"
    behind = last + timedelta(days=1)

    assert set(TOPICS.sent_on(narrow, last, wide=True)) == {FAMILY_TOPIC, narrow}
    assert TOPICS.sent_on(narrow, behind, wide=True) == [narrow]
    assert TOPICS.sent_on(FAMILY_TOPIC, behind) == [narrow]
    assert FAMILY_TOPIC in TOPICS.open([FAMILY_TOPIC], last)
    assert TOPICS.open([FAMILY_TOPIC], behind) == {}
