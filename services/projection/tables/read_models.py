"""Answers of projection: rows by keyset pages, and a family's timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID

from libs.chassis.auth import NATION
from libs.chassis.reading import Reading
from libs.chassis.regions import region_ranges
from libs.events.store.postgres import Store

BEGINNING: Final = (datetime.min.replace(tzinfo=UTC), "", 0)


@dataclass(frozen=True, slots=True)
class DesignationsWanted:
    """Filters of judgements; None is any."""

    regions: tuple[str, ...]
    status: str | None = None
    reason: str | None = None


async def designations(
    reading: Reading, wanted: DesignationsWanted, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """The judgements of families at their first closing, in order of family id."""
    async with reading.within(wanted.regions) as connection:
        rows = await connection.fetch(
            """SELECT family::text, tahap, status, reason, region FROM designation
               WHERE NOT EXISTS (SELECT FROM erased_family AS erased
                                 WHERE erased.family = designation.family)
                 AND ($1::uuid IS NULL OR family > $1) AND EXISTS (
                   SELECT FROM unnest($2::text[], $3::text[]) AS r (low, high)
                   WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
                 AND ($4::text IS NULL OR status = $4) AND ($5::text IS NULL OR reason = $5)
               ORDER BY designation.family LIMIT $6""",
            after,
            *region_ranges(wanted.regions),
            wanted.status,
            wanted.reason,
            limit,
        )
    return [dict(row) for row in rows]


@dataclass(frozen=True, slots=True)
class EntitlementsWanted:
    """Filters of a tahap's rows; None is any. A disposition is meant before its `+`."""

    tahap: str
    regions: tuple[str, ...]
    commitment: str | None = None
    disposition: str | None = None
    account_check: str | None = None
    transfer: str | None = None


async def families_between(
    reading: Reading, regions: tuple[str, ...], first: UUID, last: UUID, limit: int
) -> list[dict[str, Any]]:
    """The families that were judged, and where, whose ids lie from one to another."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(
            """SELECT family::text, region FROM designation
               WHERE family BETWEEN $1 AND $2 AND EXISTS (
                   SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
                   WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
                 AND NOT EXISTS (SELECT FROM erased_family AS erased
                                 WHERE erased.family = designation.family)
               ORDER BY family LIMIT $5""",
            first,
            last,
            *region_ranges(regions),
            limit,
        )
    return [dict(row) for row in rows]


async def entitlements(
    reading: Reading, wanted: EntitlementsWanted, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """A tahap's rows, in order of family id."""
    async with reading.within(wanted.regions) as connection:
        rows = await connection.fetch(
            """SELECT tahap, family::text, region, components, amount, commitment, failing,
                      disposition, account_check, transfer, released, returned, cut
               FROM entitlement
               WHERE tahap = $1
                 AND NOT EXISTS (SELECT FROM erased_family AS erased
                                 WHERE erased.family = entitlement.family)
                 AND ($2::uuid IS NULL OR entitlement.family > $2) AND EXISTS (
                   SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
                   WHERE region COLLATE "C" >= low AND region COLLATE "C" < high)
                 AND ($5::text IS NULL OR commitment = $5)
                 AND ($6::text IS NULL OR split_part(disposition, '+', 1) = $6)
                 AND ($7::text IS NULL OR account_check = $7)
                 AND ($8::text IS NULL OR transfer = $8)
               ORDER BY entitlement.family LIMIT $9""",
            wanted.tahap,
            after,
            *region_ranges(wanted.regions),
            wanted.commitment,
            wanted.disposition,
            wanted.account_check,
            wanted.transfer,
            limit,
        )
    return [dict(row) for row in rows]


async def lives(store: Store, family: UUID, on: date) -> str | None:
    """Where a family lives on a day; None where nothing is known of it, or it is erased."""
    asked = "SELECT lives($1, $2)"
    region: str | None = await store.pool.fetchval(asked, family, on.isoformat())
    return region


async def timeline(
    reading: Reading,
    regions: Sequence[str],
    family: UUID,
    after: tuple[datetime, str, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """The messages about a family that lives in these regions, behind (at, source, position),
    oldest first."""
    async with reading.within(regions, family) as connection:
        rows = await connection.fetch(
            """SELECT at, source, position, type, body FROM timeline
               WHERE family = $1 AND (at, source, position) > ($2, $3, $4::bigint)
               ORDER BY at, source, position LIMIT $5""",
            family,
            *(after or BEGINNING),
            limit,
        )
    return [dict(row) for row in rows]


async def tahap_events(
    reading: Reading, tahap: str, after: int | None, limit: int
) -> list[dict[str, Any]]:
    """The documents and decisions of a tahap behind a position, in order."""
    async with reading.within((NATION,)) as connection:
        rows = await connection.fetch(
            """SELECT at, position, type, body FROM tahap_event
               WHERE tahap = $1 AND position > $2 ORDER BY position LIMIT $3""",
            tahap,
            after or 0,
            limit,
        )
    return [dict(row) for row in rows]


async def unmet_duties(
    reading: Reading, tahap: str, after: tuple[str, str, str] | None, limit: int
) -> list[dict[str, Any]]:
    """In how many families a duty was not passed, by reason; the latest revision counts.

    Those behind (duty, outcome, reason), in order.
    """
    async with reading.within((NATION,)) as connection:
        rows = await connection.fetch(
            """SELECT duty ->> 'duty' AS duty, duty ->> 'outcome' AS outcome,
                      coalesce(duty ->> 'reason', '') AS reason, count(DISTINCT family) AS families
               FROM evaluation, json_array_elements(duties -> 'duties') AS duty
               WHERE tahap = $1 AND result <> 'COMPLIANT' AND duty ->> 'outcome' <> 'PASSED'
                 AND (duty ->> 'duty', duty ->> 'outcome', coalesce(duty ->> 'reason', ''))
                     > ($2, $3, $4)
               GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 LIMIT $5""",
            tahap,
            *(after or ("", "", "")),
            limit,
        )
    return [dict(row) for row in rows]
