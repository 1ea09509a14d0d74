from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from libs.privacy.errors import KeyNeeded
from libs.privacy.keys import Pool
from libs.privacy.pseudonyms import Pseudonymizer, rows_key
from libs.privacy.recognition import TOKEN, Recognition
from libs.privacy.rotation import ensure_retired, retire_older
from libs.privacy.versions import KeyVersions
from tests.integration.privacy.conftest import ROLES, AsRole

FIRST, SECOND, THIRD = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
ROWS = rows_key(FIRST)
OLD = KeyVersions.of(FIRST)
BOTH = KeyVersions(1, {1: FIRST, 2: SECOND})
NEW = KeyVersions(2, {2: SECOND}, ROWS)
NIK, OTHER, CARD, ACCOUNT = "6103014507890001", "6103014507890002", "6103011212120003", "30000001"
ROW = "c0ffee"
first = Pseudonymizer(FIRST)


@pytest.fixture
async def registry(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.registry) as pool:
        yield pool


@pytest.fixture
async def conditionality(as_role: AsRole) -> AsyncIterator[Pool]:
    async with as_role(ROLES.recognising[1]) as pool:
        yield pool


async def tokens(versions: KeyVersions, pool: Pool, *, keep: bool = True) -> list[str]:
    """The tokens of one number of each kind."""
    known = await Recognition(versions, pool).of(
        niks=[NIK], cards=[CARD], accounts=[("BRI", ACCOUNT)], rows=[ROW], keep=keep
    )
    return [known.nik(NIK), known.card(CARD), known.account("BRI", ACCOUNT), known.nameless(ROW)]


async def test_everybody_has_the_same_token_at_each_stage_of_the_change(
    registry: Pool, conditionality: Pool
) -> None:
    before = await tokens(OLD, registry)
    between = await tokens(BOTH, registry)
    behind = await tokens(NEW, conditionality)

    assert before == between == behind
    assert before[0] == first.nik(NIK)


async def test_a_key_that_was_never_changed_is_looked_up_nowhere(registry: Pool) -> None:
    await tokens(OLD, registry)

    assert await registry.fetchval("SELECT count(*) FROM stands_for") == 0


async def test_who_is_new_after_a_change_is_known_by_the_new_key_for_good(
    registry: Pool, conditionality: Pool
) -> None:
    after = await tokens(NEW, registry)
    third = KeyVersions(2, {2: SECOND, 3: THIRD}, ROWS)

    assert after[0] == Pseudonymizer(SECOND).nik(NIK)
    assert await tokens(third, conditionality) == after
    assert await tokens(KeyVersions(3, {3: THIRD}, ROWS), registry) == after


async def test_two_who_meet_somebody_new_at_once_agree_whatever_keys_they_have(
    registry: Pool, conditionality: Pool
) -> None:
    who = [(BOTH, registry), (NEW, conditionality)] * 8
    found = await asyncio.gather(*(tokens(versions, pool) for versions, pool in who))

    assert [each == found[0] for each in found] == [True] * 16


async def test_a_look_up_leaves_nothing_of_a_number_that_nobody_has(registry: Pool) -> None:
    await tokens(NEW, registry, keep=False)

    assert await registry.fetchval("SELECT count(*) FROM stands_for") == 0


async def test_what_is_no_number_is_passed_over_and_nobodys_token_is_guessed(
    registry: Pool,
) -> None:
    known = await Recognition(BOTH, registry).of(niks=["", "no number", NIK])

    assert known.nik(NIK) == first.nik(NIK)
    with pytest.raises(LookupError):
        known.nik(OTHER)
    with pytest.raises(ValueError, match="digits"):
        known.nik("no number")


async def test_a_row_is_unchanged_whatever_key_it_is_read_with(registry: Pool) -> None:
    prints = {Recognition(each, registry).fingerprint("a", "b") for each in (OLD, BOTH, NEW)}

    assert prints == {first.fingerprint("a", "b")}


async def test_a_file_that_lost_the_key_of_fingerprints_is_refused(registry: Pool) -> None:
    with pytest.raises(KeyNeeded, match="kind=token"):
        Recognition(KeyVersions(2, {2: SECOND}), registry)


async def test_nobody_goes_on_without_an_old_key_that_registry_has_not_retired(
    registry: Pool, conditionality: Pool
) -> None:
    with pytest.raises(KeyNeeded, match="version=1"):
        await ensure_retired(conditionality, TOKEN, NEW)
    await ensure_retired(conditionality, TOKEN, BOTH)

    await retire_older(registry, TOKEN, NEW)
    await ensure_retired(conditionality, TOKEN, NEW)


async def test_tokens_of_a_retired_key_are_forgotten_and_everybody_stays_known(
    registry: Pool, conditionality: Pool
) -> None:
    before = await tokens(BOTH, registry)
    changing, last = (
        KeyVersions(3, {3: THIRD, 2: SECOND}, ROWS),
        KeyVersions(3, {3: THIRD}, ROWS),
    )
    await tokens(changing, registry)
    assert not await Recognition(changing, registry).forget()

    await retire_older(registry, TOKEN, last)
    while await Recognition(last, registry).forget():
        pass

    assert await tokens(last, conditionality) == before
    assert await registry.fetchval("SELECT array_agg(DISTINCT version) FROM stands_for") == [3]


async def test_nobody_forgets_a_token_whose_key_may_be_in_use(
    registry: Pool, conditionality: Pool
) -> None:
    await tokens(BOTH, registry)

    with pytest.raises(asyncpg.RaiseError, match="may be in use"):
        await registry.execute("DELETE FROM stands_for")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await conditionality.execute("DELETE FROM stands_for")
