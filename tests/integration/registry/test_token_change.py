"""The token key is changed: whoever stands in the register is known under the new one as well."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

import pytest

from libs.chassis.settings import Settings
from libs.privacy.errors import KeyNeeded
from libs.privacy.pseudonyms import rows_key
from libs.privacy.recognition import Recognition
from libs.privacy.versions import KeyVersions
from services.registry.workers.token_change import TokenChange, read_up_to, retire_tokens
from tests.integration.registry.kit import Register, family, life_event, member
from tests.integration.registry.test_erased_rows import erase

CARD, OTHER, NEWCOMER = (f"61030112121200{n:02}" for n in (3, 4, 5))
NIK, PAYEE, NEXT_PAYEE = "6103014507150001", "6103014101700001", "6103014101700002"
NAMELESS = member(CARD, "", "2015-07-05", name="ADIK")
FILES: Mapping[str, list[dict[str, str]]] = {
    "families": [family(CARD, PAYEE), family(OTHER, NEXT_PAYEE, account_no="300000000009")],
    "members": [member(CARD, PAYEE), member(CARD, NIK, "2015-07-05"), NAMELESS],
    "life-events": [
        life_event(
            "BIRTH",
            CARD,
            "2023-01-01",
            "2023-01-02",
            nik="",
            name="BAYI",
            sex="F",
            birth_date="2023-01-01",
        )
    ],
}
SECOND = os.urandom(32)


@pytest.fixture
def both(settings: Settings) -> KeyVersions:
    """The file of the key while it is changed."""
    return KeyVersions(1, {**settings.token_key.secrets, 2: SECOND})


@pytest.fixture
def alone(settings: Settings) -> KeyVersions:
    """The file without the old key."""
    return KeyVersions(2, {2: SECOND}, rows_key(settings.token_key.secrets[1]))


def under(register: Register, versions: KeyVersions) -> Register:
    """The register with another file of the key."""
    return replace(register, recognition=Recognition(versions, register.keys.pool))


async def change(register: Register, both: KeyVersions) -> None:
    """Make everybody who stands in the log known."""
    recognition = Recognition(both, register.keys.pool)
    while await TokenChange(register.store, register.keys, recognition).step():
        pass


async def send_again(register: Register) -> list[tuple[int, int]]:
    """(accepted, unchanged) of each file, sent another time."""
    reports = [await register.take(file, *rows) for file, rows in FILES.items()]
    return [(report.accepted, report.unchanged) for report in reports]


UNCHANGED = [(0, len(rows)) for rows in FILES.values()]


async def test_rows_of_before_are_known_at_each_stage_of_the_change(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)

    assert await send_again(under(register, both)) == UNCHANGED
    await change(register, both)
    assert await send_again(under(register, both)) == UNCHANGED
    assert await send_again(under(register, alone)) == UNCHANGED


async def test_the_job_makes_known_whom_nobody_sent_again(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)
    await change(register, both)

    assert await send_again(under(register, alone)) == UNCHANGED


async def test_who_comes_during_the_change_is_known_without_the_job(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(under(register, both))

    assert await send_again(under(register, alone)) == UNCHANGED


async def test_a_person_and_an_account_of_two_families_are_found_after_the_change(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)
    await change(register, both)

    after = under(register, alone)
    account = FILES["families"][0]["account_no"]
    await after.take("families", family(NEWCOMER, NEXT_PAYEE, account_no=account))
    await after.take("members", member(NEWCOMER, NIK, "2015-07-05"))

    for shared in ("account", "payee"):
        twice = f"SELECT {shared} FROM payee_of GROUP BY 1 HAVING count(*) = 2"
        assert len(await register.store.pool.fetch(twice)) == 1
    assert await register.store.pool.fetchval("SELECT count(*) FROM duplicate") == 2


async def test_an_erased_family_is_not_made_known(
    register: Register, settings: Settings, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)
    await erase(register, settings, CARD)
    fresh = replace(register, keys=type(register.keys)(register.keys.pool, settings.kek))
    await change(fresh, both)

    known = await Recognition(alone, register.keys.pool).of(
        niks=[NIK, NEXT_PAYEE], cards=[CARD, OTHER]
    )
    assert known.nik(NIK) != register.pseudonymizer.nik(NIK)
    assert known.card(CARD) != register.pseudonymizer.card(CARD)
    assert known.nik(NEXT_PAYEE) == register.pseudonymizer.nik(NEXT_PAYEE)
    assert known.card(OTHER) == register.pseudonymizer.card(OTHER)


async def test_the_old_key_is_not_retired_before_everybody_is_known_without_it(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)
    with pytest.raises(KeyNeeded, match="kind=token, version=1"):
        await retire_tokens(register.store, register.keys.pool, alone)

    await change(register, both)
    await register.announce("2023-1")  # what names nobody may follow
    await retire_tokens(register.store, register.keys.pool, alone)

    assert await register.keys.pool.fetchval("SELECT up_to FROM retired") == 1


async def test_a_change_goes_on_where_it_was(register: Register, both: KeyVersions) -> None:
    await send_again(register)
    await change(register, both)
    head = await read_up_to(register.store, [2])
    await register.take("members", member(OTHER, NEXT_PAYEE))

    recognition = Recognition(both, register.keys.pool)
    assert await TokenChange(register.store, register.keys, recognition).step()
    assert await read_up_to(register.store, [2]) > head
    assert not await TokenChange(register.store, register.keys, recognition).step()


async def test_behind_the_change_tokens_of_the_old_key_are_forgotten(
    register: Register, both: KeyVersions, alone: KeyVersions
) -> None:
    await send_again(register)
    await change(register, both)
    third = KeyVersions(3, {3: os.urandom(32), **alone.secrets}, alone.rows)
    await change(register, third)
    last = KeyVersions(3, {3: third.secrets[3]}, alone.rows)
    await retire_tokens(register.store, register.keys.pool, last)

    await change(register, last)

    assert await send_again(under(register, last)) == UNCHANGED
    count = "SELECT count(*) FROM stands_for WHERE version < 3"
    assert await register.keys.pool.fetchval(count) == 0
