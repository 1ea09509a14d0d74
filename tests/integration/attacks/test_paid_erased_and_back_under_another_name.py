"""A family that is paid, has itself erased and applies again behind a change of the token key.

Nobody recognises it any more. It is paid once in a tahap all the same: who is registered behind a
list's cut is in none of the tahap's, and a tahap that has paid is announced no second time.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest_asyncio

from libs.privacy.keys import KeyRing
from libs.privacy.pseudonyms import rows_key
from libs.privacy.versions import KeyVersions
from tests.integration.attacks.erasing import (
    CARDS,
    MONEY_IDR,
    TAHAP_PATH,
    Programme,
    child_of,
    payee_of,
    programme_at,
)
from tests.integration.payments.office import MAKER
from tests.integration.registry.kit import child, family, member
from tests.integration.registry.test_token_change import change, under
from tests.servers import Postgres

CARD: Final = CARDS[0]


@pytest_asyncio.fixture
async def programme(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Programme]:
    async with programme_at(postgres, tmp_path) as found:
        yield found


async def come_back_unknown(programme: Programme) -> str:
    """The family's new id, once it was erased and the token key was changed from end to end."""
    register, old = programme.register, programme.register.recognition.versions
    second = os.urandom(32)
    fresh = KeyRing(register.keys.pool, register.keys.wrapper.kek)  # as after a start
    await change(replace(register, keys=fresh), KeyVersions(2, {**old.secrets, 2: second}))
    programme.register = under(register, KeyVersions(2, {2: second}, rows_key(old.secrets[1])))

    await programme.register.take(
        "families", family(CARD, payee_of(CARD), account_no="300000000099")
    )
    await programme.register.take(
        "members", member(CARD, payee_of(CARD), "1980-01-01"), child(CARD, child_of(CARD))
    )
    known = await programme.register.recognition.of(cards=[CARD])
    assert known.card(CARD) != register.pseudonymizer.card(CARD)
    stream: str = await register.store.pool.fetchval(
        "SELECT stream_id FROM claims WHERE kind = 'card' AND token = $1", known.card(CARD)
    )
    return stream.removeprefix("family-")


async def test_once_it_was_paid_no_list_of_the_tahap_has_it_again(programme: Programme) -> None:
    before = programme.families[CARD]
    await programme.joined()
    await programme.goes_on()
    await programme.erase(before)

    again = await come_back_unknown(programme)
    await programme.register.list_all()
    cancelled = await programme.office.asked_by(
        MAKER, "announce", f"{TAHAP_PATH}/cancellation-proposal", {"reason": "PAID_AGAIN"}
    )

    assert again not in {line.key for line in await programme.register.lines()}
    assert cancelled.json()["type"] == "/problems/too-late-to-cancel"
    assert programme.office.world.credited()[programme.payment(CARD)] == MONEY_IDR
    assert len(programme.office.world.credited()) == len(CARDS)


async def test_a_list_that_is_still_made_does_not_get_it(programme: Programme) -> None:
    await programme.announced()
    await programme.register.lister(1).step()
    await programme.erase(programme.families[CARD])

    again = await come_back_unknown(programme)
    await programme.register.list_all()

    assert len(await programme.register.closed()) == 1
    assert again not in {line.key for line in await programme.register.lines()}


async def test_where_the_tahap_is_announced_anew_one_list_has_it_under_one_name(
    programme: Programme,
) -> None:
    before = programme.families[CARD]
    await programme.listed()
    await programme.erase(before)
    again = await come_back_unknown(programme)

    await programme.register.cancel()
    await programme.register.announce(revision=2)
    await programme.register.list_all()

    lines = [line for line in await programme.register.lines() if line.body["revision"] == 2]
    assert sorted(line.key for line in lines) == sorted(
        {*programme.families.values(), again} - {before}
    )
