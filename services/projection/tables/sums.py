"""Sums of villages and districts: kept beside the rows that they sum, replaced as these change.

A village's sums are what the statements of `models.py` count there; they are never moved by a
difference, so nothing that was sent twice, late or in another order can leave its mark. Triggers
name a village as `unsummed` in the transaction that changes a row of it, whoever changes it. A step
takes some of these, counts each village anew, and sums its district from its villages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

from libs.events.store.postgres import Store
from services.projection.tables.figures import DISTRICT, villages
from services.projection.tables.models import DEFINITION, MODELS, NO_DAY, Model, part_names

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

VILLAGES_MAX: Final = 1_000
RESTS: Final = 9
"""Villages of a step: what it costs follows from their families, and a little from their number."""

Village: TypeAlias = tuple[str, str]
"""(tahap, region)."""

# One at a time: of two who count a village, the one that began first might end last. A table of one
# row is locked for it, so that nobody is in the way of who vacuums the others.
_ALONE: Final = "LOCK TABLE summed_by IN SHARE ROW EXCLUSIVE MODE"
_EVERYWHERE: Final = """
INSERT INTO unsummed
SELECT tahap, region FROM counted_at WHERE tahap IS NOT NULL AND region IS NOT NULL
UNION SELECT tahap, region FROM designation
UNION SELECT tahap, region FROM tahap_day, (
    SELECT region FROM family_group
    UNION SELECT region FROM group_session WHERE region IS NOT NULL
    UNION SELECT region FROM complaint_case) AS at
"""
# What is committed behind this statement stays named: its rows may be counted already, or not yet.
_TAKEN: Final = """
WITH chosen AS (
    SELECT DISTINCT tahap, region FROM unsummed WHERE (tahap, region) > ($1, $2)
    ORDER BY tahap, region LIMIT $3
), gone AS (
    DELETE FROM unsummed USING chosen
    WHERE unsummed.tahap = chosen.tahap AND unsummed.region = chosen.region
)
SELECT tahap, region FROM chosen ORDER BY tahap, region
"""
_FORGET: Final = """
DELETE FROM area_sum
WHERE tahap = $1 AND grain = $2 AND region = ANY($3::text[])
"""
_COUNT: Final = """
INSERT INTO area_sum (model, tahap, grain, region, key, day, sums)
SELECT '{part}', $1, 'VILLAGE', region, key, {day}, ARRAY[count(*), {sums}]
FROM ({select}) AS source GROUP BY region, key, {day}
"""
# Codes of a district's villages begin with its own and a dot, which is before a slash.
_OF_DISTRICTS: Final = """
INSERT INTO area_sum (model, tahap, grain, region, key, day, sums)
SELECT model, tahap, 'DISTRICT', district, key, day, ARRAY[{sums}]
FROM unnest($2::text[]) AS asked (district) JOIN area_sum
    ON region >= district COLLATE "C" AND region < (district || '/') COLLATE "C"
   AND left(region, 8) = district
WHERE model = '{part}' AND tahap = $1 AND grain = 'VILLAGE'
GROUP BY model, tahap, district, key, day
"""


@dataclass(slots=True)
class Summing:
    """The work of keeping the sums of one store."""

    store: Store
    villages_max: int = VILLAGES_MAX
    _last: Village = field(default=("", ""), init=False)
    _rests_until: float = field(default=0.0, init=False)

    async def turn(self) -> bool:
        """As `step`, but at rest nine times as long as the last one took: answers are exact without
        it, and while a tahap is paid the same villages change with every batch of messages."""
        clock = asyncio.get_running_loop().time
        if (began := clock()) < self._rests_until:
            return False
        found = await self.step()
        self._rests_until = clock() + RESTS * (clock() - began)
        return found and self._last != ("", "")

    async def step(self) -> bool:
        """Sum some villages that changed; False where there are none. Goes around, so that those
        which change all the time keep no other from its turn."""
        async with self.store.pool.acquire() as connection, connection.transaction():
            await connection.execute(_ALONE)
            if await _defined(connection):
                return True
            taken = await self._taken(connection)
            for tahap, of_tahap in groupby(taken, itemgetter(0)):
                await _sum(connection, tahap, [region for _, region in of_tahap])
        self._last = taken[-1] if len(taken) == self.villages_max else ("", "")
        return bool(taken)

    async def _taken(self, connection: Connection) -> list[Village]:
        rows = await connection.fetch(_TAKEN, *self._last, self.villages_max)
        if not rows and self._last != ("", ""):
            rows = await connection.fetch(_TAKEN, "", "", self.villages_max)
        return [(row["tahap"], row["region"]) for row in rows]


async def settle(store: Store) -> None:
    """Sum all villages that changed, until there are none."""
    summing = Summing(store)
    while await summing.step():
        pass


async def _defined(connection: Connection) -> bool:
    """True where these models were not the last that were summed: all is to be summed anew."""
    if await connection.fetchval("SELECT definition FROM summed_by") == DEFINITION:
        return False
    await connection.execute("DELETE FROM summed_by")
    await connection.execute("DELETE FROM area_sum")
    await connection.execute("DELETE FROM unsummed")
    await connection.execute(_EVERYWHERE)
    await connection.execute("INSERT INTO summed_by VALUES ($1)", DEFINITION)
    return True


async def _sum(connection: Connection, tahap: str, regions: Sequence[str]) -> None:
    """Put the sums of villages and of their districts in place of those that are kept."""
    districts = sorted({region[:DISTRICT] for region in regions})
    await connection.execute(_FORGET, tahap, "VILLAGE", regions)
    await connection.execute(_FORGET, tahap, "DISTRICT", districts)
    for name, model in MODELS.items():
        for part, source in part_names(name):
            count = _COUNT.format(
                part=part,
                day=f"coalesce(day, {NO_DAY})" if model.of_age else NO_DAY,
                sums=", ".join(f"sum({column})::bigint" for column in model.counted),
                select=source.within(villages(2), up_to_tahap=False),
            )
            await connection.execute(count, tahap, regions)
            of_districts = _OF_DISTRICTS.format(part=part, sums=_by_place(model))
            await connection.execute(of_districts, tahap, districts)


def _by_place(model: Model) -> str:
    """The sums of each place of an array: the number of rows, then the columns."""
    return ", ".join(f"sum(sums[{n}])::bigint" for n in range(1, len(model.counted) + 2))
