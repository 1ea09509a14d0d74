"""Figures of a tahap by area: sums from the nation down to a village, and the rows of families.

Sums of villages and of districts are kept (`sums.py`). Of a village in which something has changed
since, the rows are counted in place of what is kept, so an answer is what all rows come to at its
moment, whatever has been summed. A family counts where it lived at the tahap's closing, so a past
tahap's figures stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from libs.chassis.auth import NATION
from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges
from services.projection.policy import INDICATORS, Indicator
from services.projection.policy.areas import CODE_LENGTHS, LEVELS, Level
from services.projection.tables.models import (
    DEFINITION,
    MODELS,
    NO_DAY,
    Model,
    ModelName,
    part_names,
)

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

_UNSUMMED: Final = "SELECT DISTINCT region FROM unsummed WHERE tahap {up_to} $3 AND {within}"
_SUMS: Final = """
SELECT left(region, $4) AS area, '' AS family, key, day, {sign}sums[1] AS rows, {columns}
FROM area_sum WHERE model = '{part}' AND {tahap} AND grain = '{grain}' AND {within}
"""
_COUNTED: Final = """
SELECT left(region, $4) COLLATE "C" AS area, {family} AS family, key COLLATE "C" AS key,
       {day} AS day, 1::bigint AS rows, {columns}
FROM ({select}) AS source
"""
_SUMMED: Final = """
WITH counted AS ({counted}), summed AS (
    SELECT area, family, key, {sums} FROM counted
    GROUP BY area, family, key HAVING sum(rows) > 0
)
SELECT area, family, key, {columns}, {rank} AS rank FROM summed
WHERE $5::bigint IS NULL OR ({rank}, area, family, key) > ($5, $6, $7, $8)
ORDER BY rank, area, family, key LIMIT $9
"""
# Nothing is told of a family that was erased; in the sums of its area it stays.
_OF_FAMILIES: Final = """
WHERE family IS NOT NULL AND NOT EXISTS (
    SELECT FROM erased_family AS erased WHERE erased.family = source.family)
"""
_AGE: Final = f"(now() AT TIME ZONE 'UTC')::date - nullif(day, {NO_DAY})"
DISTRICT: Final = 8
"""The length of a district's code; a village's is longer."""

Rank: TypeAlias = tuple[int, str, str, str]
"""The key of a row in the order asked for: the column's value, area, family, key."""


@dataclass(frozen=True, slots=True)
class FiguresWanted:
    """Which figures, of which regions, by the areas of a level; `sort` is a column's name, with a
    minus before it the greatest first, or "area"."""

    model: ModelName
    tahap: str
    regions: tuple[str, ...]
    level: Level
    sort: str = "area"


@dataclass(frozen=True, slots=True)
class Figure:
    """The numbers of one area, or family of it, for one key of the model."""

    area: str
    family: str
    key: str
    figures: Mapping[str, int]
    rank: Rank


async def figures(
    reading: Reading, wanted: FiguresWanted, after: Rank | None, limit: int
) -> list[Figure]:
    """The figures behind a rank, in the order asked for. Raises ValueError for no such column."""
    if not wanted.regions:
        return []
    async with reading.within(wanted.regions) as connection:
        changed = None
        if wanted.level != "FAMILY":
            changed = await _unsummed(connection, wanted)
        if changed is None:
            return await counted(connection, wanted, after, limit)
        statement = _statement(wanted, _of_sums(wanted, changed))
        more = [changed] if changed else []
        return await _fetched(connection, wanted, statement, after, limit, *more)


async def counted(
    connection: Connection, wanted: FiguresWanted, after: Rank | None, limit: int
) -> list[Figure]:
    """The same figures from rows alone: what the sums have to come to."""
    statement = _statement(wanted, _of_rows(wanted, among(len(wanted.regions))))
    return await _fetched(connection, wanted, statement, after, limit)


async def _fetched(
    connection: Connection,
    wanted: FiguresWanted,
    statement: str,
    after: Rank | None,
    limit: int,
    *more: Any,
) -> list[Figure]:
    rows = await connection.fetch(
        statement,
        wanted.tahap,
        *region_ranges(wanted.regions),
        CODE_LENGTHS[wanted.level],
        *(after or (None, "", "", "")),
        limit,
        *more,
    )
    return [_figure(MODELS[wanted.model], dict(row)) for row in rows]


def _figure(model: Model, row: Mapping[str, Any]) -> Figure:
    area, family, key = row["area"], row["family"], row["key"]
    numbers = {name: int(row[name]) for name in model.columns}
    return Figure(area, family, key, numbers, (row["rank"], area, family, key))


async def _unsummed(connection: Connection, wanted: FiguresWanted) -> list[str] | None:
    """The villages of the regions whose kept sums are not what their rows come to; None where
    none are, since other models than these were summed."""
    if await connection.fetchval("SELECT definition FROM summed_by") != DEFINITION:
        return None
    lasting = any(source.lasting for source in MODELS[wanted.model].sources)
    statement = _UNSUMMED.format(
        up_to="<=" if lasting else "=", within=among(len(wanted.regions), first=1)
    )
    rows = await connection.fetch(statement, *region_ranges(wanted.regions), wanted.tahap)
    return [row["region"] for row in rows]


# -- Statements -----------------------------------------------------------------------------------


def among(ranges: int, first: int = 2) -> str:
    """The condition on `region` that it lies in one of so many ranges of codes: those that begin
    in the array of this parameter, and end in that of the next."""
    return "({})".format(
        " OR ".join(
            f'(region COLLATE "C" >= (${first}::text[])[{number}]'
            f' AND region COLLATE "C" < (${first + 1}::text[])[{number}])'
            for number in range(1, ranges + 1)
        )
    )


def villages(parameter: int) -> str:
    """The condition on `region` that it is one of an array of villages."""
    return f'region COLLATE "C" = ANY(${parameter}::text[])'


def _of_rows(wanted: FiguresWanted, within: str) -> list[str]:
    """The rows of the sources that a condition holds, each as an area's and a key's numbers."""
    model, families = MODELS[wanted.model], wanted.level == "FAMILY"
    return [
        _COUNTED.format(
            family="family::text" if families else "''",
            day=f"coalesce(day, {NO_DAY})" if model.of_age else NO_DAY,
            columns=", ".join(model.counted),
            select=source.within(within, up_to_tahap=True),
        )
        + (_OF_FAMILIES if families else "")
        for source in model.sources
    ]


def _of_sums(wanted: FiguresWanted, changed: Sequence[str]) -> list[str]:
    """Sums as they are kept; of changed villages, the rows less what is kept of them."""
    whole = among(len(wanted.regions))
    if not changed:
        return _from_sums(wanted, _grain(wanted), whole)
    there = villages(10)
    return [
        *_from_sums(wanted, _grain(wanted), whole),
        *_from_sums(wanted, "VILLAGE", there, sign="-"),
        *_of_rows(wanted, there),
    ]


def _from_sums(wanted: FiguresWanted, grain: str, within: str, sign: str = "") -> list[str]:
    model = MODELS[wanted.model]
    columns = (f"{sign}sums[{n}] AS {name}" for n, name in enumerate(model.counted, 2))
    listed = ", ".join(columns)
    return [
        _SUMS.format(
            sign=sign,
            columns=listed,
            part=part,
            tahap="tahap <= $1" if source.lasting else "tahap = $1",
            grain=grain,
            within=within,
        )
        for part, source in part_names(wanted.model)
    ]


def _grain(wanted: FiguresWanted) -> str:
    """The widest areas of which the regions and the level are made up."""
    of_districts = LEVELS.index(wanted.level) <= LEVELS.index("DISTRICT") and all(
        region == NATION or len(region) <= DISTRICT for region in wanted.regions
    )
    return "DISTRICT" if of_districts else "VILLAGE"


def _statement(wanted: FiguresWanted, parts: Sequence[str]) -> str:
    model = MODELS[wanted.model]
    numbers = {name: name for name in model.counted} | {
        name: column.format(days=_AGE) for name, column in model.of_age.items()
    }
    return _SUMMED.format(
        counted=" UNION ALL ".join(parts),
        sums=", ".join(f"sum({numbers[name]})::bigint AS {name}" for name in model.columns),
        columns=", ".join(model.columns),
        rank=_rank(model, wanted.sort),
    )


def _rank(model: Model, sort: str) -> str:
    """The number by which rows are ordered before their names."""
    column = sort.removeprefix("-")
    if sort == "area":
        return "0::bigint"
    if column not in model.columns:
        raise ValueError(f"no column {sort}")
    return f"-{column}" if sort.startswith("-") else column


async def indicators(
    reading: Reading, regions: tuple[str, ...], tahap: str
) -> dict[Indicator, tuple[int, int]]:
    """Whole and part of each indicator, over all of these regions."""
    wanted = FiguresWanted("indicators", tahap, regions, "NATION")
    found = {
        row.key: (row.figures["whole"], row.figures["part"])
        for row in await figures(reading, wanted, None, len(INDICATORS))
    }
    return {name: found.get(name, (0, 0)) for name in INDICATORS}


async def is_announced(reading: Reading, regions: Sequence[str], tahap: str) -> bool:
    """True for a tahap whose closing was announced."""
    async with reading.within(regions) as connection:
        found: bool = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM tahap_day WHERE tahap = $1)", tahap
        )
    return found


async def tahaps(
    reading: Reading, regions: Sequence[str], before: str | None, limit: int
) -> list[dict[str, Any]]:
    """The tahaps that were announced, latest first, each with its months and closing date; those
    before one."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(
            """SELECT tahap, closing_date, array_agg(month ORDER BY month) AS months
               FROM tahap_day JOIN tahap_month USING (tahap)
               WHERE $1::text IS NULL OR tahap < $1
               GROUP BY tahap, closing_date ORDER BY tahap DESC LIMIT $2""",
            before,
            limit,
        )
    return [dict(row) for row in rows]
