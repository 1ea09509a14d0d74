"""Registry's tables of persons follow from its log, also from that of an earlier release."""

from __future__ import annotations

from typing import Any, Final

import asyncpg

from libs.chassis.settings import Settings
from libs.events.store import migrate
from services.registry.domain.erasure import ApproveErasure, ProposeErasure
from services.registry.tables.erasures import step
from tests.doors import CONTEXT, ROOT, runtime_role
from tests.integration.registry.kit import (
    REGION,
    Register,
    child,
    family,
    life_event,
    member,
)

MIGRATIONS: Final = ROOT / "services" / "registry" / "migrations"
CARDS: Final = tuple(f"610301010101000{number}" for number in range(1, 5))
TWICE, THRICE, OFTEN = "6103011708200001", "6103011005230002", "6103011708200003"
ROWS: Final = (
    "SELECT token, stream_id FROM claims WHERE kind = 'person' ORDER BY token",
    "SELECT family, member, token FROM duplicate ORDER BY token, number",
)


async def test_persons_of_several_families_are_found_in_the_log_and_none_of_an_erased_one(
    register: Register, settings: Settings
) -> None:
    await register.take("families", *(family(card) for card in CARDS))
    people = [(0, OFTEN), (1, TWICE), (2, THRICE), (2, TWICE), (1, OFTEN), (2, OFTEN)]
    for home, nik in people:
        await register.take("members", child(CARDS[home], nik))
    await register.take("members", member(CARDS[3], "6103014101700004"))
    born = {"nik": THRICE, "name": "BAYI", "sex": "F", "birth_date": "2023-02-01"}
    for card in (CARDS[3], CARDS[0]):
        row = life_event("BIRTH", card, "2023-02-01", "2023-02-09", **born)
        await register.take("life-events", row)
    erased = (await register.state_of(CARDS[0])).family
    async with register.store.transaction(CONTEXT) as unit:
        proposed = ProposeErasure(erased, "SUBJECT_REQUEST", "BA-1/2023", "ana")
        await step(unit, erased, REGION, proposed)
        await step(unit, erased, REGION, ApproveErasure("budi", ()))
    connection = await asyncpg.connect(settings.bus_url)
    try:
        before = await rows(connection)
        await _as_before(connection, erased, register.pseudonymizer.nik(OFTEN))
        await migrate.apply(
            settings.bus_url, [MIGRATIONS], {"RUNTIME_ROLE": runtime_role("registry")}
        )

        assert await rows(connection) == before
        assert len(before[1]) == 6
    finally:
        await connection.close()


async def rows(connection: asyncpg.Connection[Any]) -> list[list[tuple[Any, ...]]]:
    return [[tuple(row) for row in await connection.fetch(query)] for query in ROWS]


async def _as_before(connection: asyncpg.Connection[Any], erased: str, token: str) -> None:
    """The tables as the release before left them: an erased family still had its persons."""
    down = (MIGRATIONS / "010_duplicates.sql").read_text().split("-- migrate:down")[1]
    await connection.execute(down)
    await connection.execute("DELETE FROM migrations WHERE name = 'registry/010_duplicates.sql'")
    await connection.execute(
        "UPDATE claims SET stream_id = 'family-' || $1 WHERE kind = 'person' AND token = $2",
        erased,
        token,
    )
