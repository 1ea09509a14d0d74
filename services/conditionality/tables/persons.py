"""The families of persons, by token: what registry has told, and the lines of its roster."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from libs.events.bus.incoming import Incoming
from libs.events.store.transaction import Transaction
from services.conditionality.contract import PersonsRegistered

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

_KEEP: Final = """
INSERT INTO person_family (token, family, place)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[])
ON CONFLICT (token, family) DO UPDATE SET place = excluded.place
WHERE excluded.place < least(person_family.place, 0)
"""
_FORGET: Final = (
    "INSERT INTO erased_family SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING",
    "DELETE FROM person_family WHERE family = ANY($1::uuid[])",
    "DELETE FROM duty_holder WHERE family = ANY($1::uuid[])",
    "DELETE FROM duty_exception WHERE family = ANY($1::uuid[])",
    "DELETE FROM exception_standing WHERE family = ANY($1::uuid[])",
    "DELETE FROM meeting_mark WHERE family = ANY($1::uuid[])",
    "DELETE FROM exception_scan WHERE family = ANY($1::uuid[])",
)
# A register that is older than this service's table of persons is known by its lines. Of several
# families that name a person one has them, as for money: any clerk could name a stranger's child.
_REGIONS: Final = """
SELECT DISTINCT token, coalesce(region, '') FROM (
    SELECT token, family, rank() OVER (PARTITION BY token ORDER BY place) FROM (
        SELECT token, family, place FROM person_family WHERE token = ANY($1)
        UNION ALL
        SELECT token, family, 0 FROM duty_holder AS listed
        WHERE token = ANY($1) AND NOT EXISTS (
            SELECT FROM person_family AS told
            WHERE told.token = listed.token AND told.family = listed.family
        )
    ) AS known
) AS placed LEFT JOIN family_region USING (family) WHERE rank = 1
"""


async def keep_persons(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep each person's family; what was reported of the person before is matched."""
    places: dict[tuple[str, str], int] = {}
    for message in messages:
        body = message.body
        if isinstance(body, PersonsRegistered):
            position = -message.position if body.decided else message.position
            for token in body.persons:
                earlier = places.get((token, body.family), position)
                places[token, body.family] = min(earlier, position)
    if places:
        tokens, families = map(list, zip(*places, strict=True))
        await unit.connection.execute(_KEEP, tokens, families, list(places.values()))
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
    """{token: regions of the family that has the person} of those who are known; several where
    nobody knows which of them named the person first."""
    found: dict[str, tuple[str, ...]] = {}
    for token, region in await connection.fetch(_REGIONS, list(tokens)):
        found[token] = (*found.get(token, ()), region)
    return found
