"""Families with an open appeal: their held money stays held, and is not returned, until its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from libs.events.store.transaction import Transaction

# Who graduates a family and who takes its appeal wait for each other here.
_LOCK: Final = (
    """INSERT INTO appealed_family (family) SELECT DISTINCT unnest($1::uuid[]) ORDER BY 1
       ON CONFLICT DO NOTHING""",
    "SELECT FROM appealed_family WHERE family = ANY($1::uuid[]) ORDER BY family FOR UPDATE",
)
_OPEN: Final = """
INSERT INTO family_appeal (family, case_id, ended)
SELECT family, case_id, false FROM unnest($1::uuid[], $2::text[]) AS new (family, case_id)
ON CONFLICT DO NOTHING
"""
_END: Final = """
INSERT INTO family_appeal (family, case_id, ended)
SELECT family, case_id, true FROM unnest($1::uuid[], $2::text[]) AS new (family, case_id)
ON CONFLICT (family, case_id) DO UPDATE SET ended = true
"""
_HELD_BACK: Final = """
UPDATE appealed_family SET returns_with = coalesce(returns_with, $2)
WHERE family = ANY($1::uuid[])
  AND EXISTS (SELECT FROM family_appeal AS of
              WHERE of.family = appealed_family.family AND NOT ended)
RETURNING family::text, ARRAY(
    SELECT case_id FROM family_appeal AS of
    WHERE of.family = appealed_family.family AND NOT ended ORDER BY case_id) AS cases
"""
_LET_GO: Final = """
WITH due AS (
    SELECT family, returns_with FROM appealed_family
    WHERE family = ANY($1::uuid[]) AND returns_with IS NOT NULL
      AND NOT EXISTS (SELECT FROM family_appeal AS of
                      WHERE of.family = appealed_family.family AND NOT ended)),
done AS (UPDATE appealed_family SET returns_with = NULL FROM due
         WHERE appealed_family.family = due.family)
SELECT due.family::text, due.returns_with, tahap, kind FROM due JOIN payment_of USING (family)
ORDER BY due.family, tahap
"""


async def keep_appeals(
    unit: Transaction,
    opened: Collection[tuple[str, str]],
    ended: Collection[tuple[str, str]],
) -> list[tuple[str, str, str, str]]:
    """Note the appeals, by family and case, that something waits for, and those that have ended.

    The money that may go back to the treasury now: (family, the tahap with which it graduated, the
    tahap and kind of the payment).
    """
    families = {family for family, _ in (*opened, *ended)}
    await _lock(unit, families)
    for statement, appeals in ((_OPEN, opened), (_END, ended)):
        rows = sorted(set(appeals))
        if rows:
            await unit.connection.execute(statement, *map(list, zip(*rows, strict=True)))
    found = await unit.connection.fetch(_LET_GO, list(families))
    return [(row[0], row[1], row[2], row[3]) for row in found]


async def kept_by_appeals(
    unit: Transaction, families: Collection[str], tahap: str
) -> dict[str, tuple[str, ...]]:
    """Those of these families, which graduate with a tahap, whose appeals keep their held money,
    and the cases of those appeals."""
    await _lock(unit, families)
    rows = await unit.connection.fetch(_HELD_BACK, list(families), tahap)
    return {family: tuple(cases) for family, cases in rows}


async def _lock(unit: Transaction, families: Collection[str]) -> None:
    for statement in _LOCK:
        await unit.connection.execute(statement, list(families))
