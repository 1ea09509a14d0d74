"""The families of persons, by token: what registry has told, and the lines of its roster."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from libs.events.store.transaction import Transaction
from services.conditionality.contract import PersonsRegistered

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

_KEEP: Final = """
INSERT INTO person_family (token, family) SELECT * FROM unnest($1::text[], $2::uuid[])
ON CONFLICT DO NOTHING
"""
_FORGET: Final = (
    "INSERT INTO erased_family SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
    "DELETE FROM person_family WHERE family = ANY($1::uuid[])",
    "DELETE FROM duty_holder WHERE family = ANY($1::uuid[])",
)
# A register that is older than this service's table of persons is known by its lines.
_REGIONS: Final = """
SELECT DISTINCT token, coalesce(region, '') FROM (
    SELECT token, family FROM person_family WHERE token = ANY($1)
    UNION ALL
    SELECT token, family FROM duty_holder WHERE token = ANY($1)
) AS known LEFT JOIN family_region USING (family)
"""


async def keep_persons(unit: Transaction, registered: Sequence[PersonsRegistered]) -> None:
    """Keep each person's family; what was reported of the person before is matched."""
    rows = [(token, body.family) for body in registered for token in body.persons]
    if rows:
        tokens, families = map(list, zip(*rows, strict=True))
        await unit.connection.execute(_KEEP, tokens, families)
        await drop_matched(unit, tokens)


async def forget_families(unit: Transaction, families: Sequence[str]) -> None:
    """Families are erased: nobody is their person any more, and nothing of them is shown.

    What was judged of them stays for the sums.
    """
    for statement in _FORGET:
        await unit.connection.execute(statement, families)


async def drop_matched(unit: Transaction, tokens: Collection[str]) -> None:
    """Drop what was noted as unmatched of these persons, whom a family has now."""
    statement = "DELETE FROM unmatched_fact WHERE token = ANY($1)"
    await unit.connection.execute(statement, list(tokens))


async def regions_of(connection: Connection, tokens: Collection[str]) -> dict[str, tuple[str, ...]]:
    """{token: regions of the families that the person belongs to} of those who are known."""
    found: dict[str, tuple[str, ...]] = {}
    for token, region in await connection.fetch(_REGIONS, list(tokens)):
        found[token] = (*found.get(token, ()), region)
    return found
