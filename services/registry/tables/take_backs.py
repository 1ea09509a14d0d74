"""Orders to take a termination back that wait for a person: rows beside their families' streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from uuid import UUID

from libs.chassis.regions import region_ranges
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.registry.domain.family.events import (
    Event,
    TakeBackProposed,
    TakeBackRejected,
    TerminationTakenBack,
)
from services.registry.domain.family.state import Family
from services.registry.tables.identity_rows import lives_on

_WAITS: Final = """
INSERT INTO take_back_waiting (family, order_id, case_id, asked_by, tahap)
VALUES ($1, $2, $3, $4, $5)
"""
_DECIDED: Final = "DELETE FROM take_back_waiting WHERE family = $1"
# Who is erased has no row of an identity: nobody decides on them any more.
_PAGE: Final = f"""
SELECT family, case_id, order_id, tahap, lives_in AS region, asked_by
FROM take_back_waiting JOIN identity_family USING (family)
CROSS JOIN LATERAL (SELECT {lives_on("$1")} AS lives_in) AS today
WHERE ($2::text IS NULL OR tahap = $2)
  AND EXISTS (SELECT FROM unnest($3::text[], $4::text[]) AS r (low, high)
              WHERE lives_in COLLATE "C" >= low AND lives_in COLLATE "C" < high)
  AND ($5::uuid IS NULL OR family > $5)
ORDER BY family LIMIT $6
"""  # noqa: S608 - of texts that stand here


class WaitingTakeBack(NamedTuple):
    """An order that waits: of which case, about the termination with which tahap, where the family
    lives, and who has said yes to it already."""

    family: UUID
    case: UUID
    order: UUID
    tahap: str
    region: str
    asked_by: Sequence[str]


async def keep_take_backs(unit: Transaction, outcome: Outcome[Family, Event]) -> None:
    """Keep whether an order waits for a person, in the transaction of its events."""
    for event in outcome.events:
        match event:
            case TakeBackProposed() if outcome.state.departure is not None:
                order = event.family, event.order, event.case, list(event.asked_by)
                await unit.connection.execute(_WAITS, *order, outcome.state.departure.tahap)
            case TakeBackRejected() | TerminationTakenBack():
                await unit.connection.execute(_DECIDED, event.family)
            case _:
                pass  # no step of a take-back


async def waits(unit: Transaction, family: str) -> bool:
    """True where an order about a family waits for a person."""
    query = "SELECT EXISTS (SELECT FROM take_back_waiting WHERE family = $1)"
    return bool(await unit.connection.fetchval(query, family))


async def waiting_take_backs(
    unit: Transaction, tahap: str | None, regions: Sequence[str], after: UUID | None, limit: int
) -> list[WaitingTakeBack]:
    """At most `limit` orders behind a family that wait, of families that live in these regions.

    `tahap` is the one with which they were terminated, None for all.
    """
    today, ranges = unit.context.at.date(), region_ranges(regions)
    rows = await unit.connection.fetch(_PAGE, today, tahap, *ranges, after, limit)
    return [WaitingTakeBack(*row) for row in rows]
