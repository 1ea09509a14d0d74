"""Reads of a store's own log: by position, window by window, and what streams have recorded."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

from libs.events.domain.decider import C, E, S
from libs.events.domain.personal import Opens, closed
from libs.events.store.codec import codec_of
from libs.events.store.model import StreamType

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool
    from libs.events.store.transaction import Transaction

BLOCKS_MAX = 256

NOT_PLACED: Final = 2**63 - 1
"""The position of events whose transaction is still open: behind every cut."""

# The first block may be one that was read in part: the last that begins at or before the position.
_BLOCKS = """
SELECT first_position, block, count, metadata FROM blocks
WHERE first_position >= (
    SELECT coalesce(max(first_position), 1) FROM blocks WHERE first_position <= $1 + 1)
  AND first_position + count - 1 > $1
ORDER BY first_position LIMIT $2
"""

_IN_WINDOW = """
SELECT block, ord, stream_id, type, schema_version, data, occurred_at FROM events
WHERE block = ANY($1) AND ord >= $2 AND ord < $3 AND type = ANY($4)
"""
_OF_STREAMS = """
SELECT coalesce(first_position + ord, $5) AS position, stream_id, type, schema_version, data,
       occurred_at, coalesce(blocks.metadata ->> 'actor', $6) AS actor
FROM events LEFT JOIN blocks USING (block)
WHERE stream_id = ANY($1) AND type = ANY($2)
  AND coalesce(first_position + ord, $5) > $3 AND coalesce(first_position + ord, $5) <= $4
ORDER BY stream_id, version
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored event with its place in the log, when it happened, and who caused it."""

    position: int
    stream_id: str
    type: str
    schema_version: int
    data: bytes
    occurred_at: datetime
    actor: str

    def event(self, kind: StreamType[C, S, E], opens: Opens = closed) -> E:
        """The event itself, as of today's form; `opens` the days in it, where it holds any."""
        stored = self.type, self.schema_version, self.data
        event: E = codec_of(kind).decode_event(*stored, opens)
        return event


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the log: its blocks by number, the ords read of them, its last position.

    Of several blocks all events are read; of one alone those with first_ord <= ord < stop_ord.
    """

    blocks: Mapping[int, asyncpg.Record]
    first_ord: int
    stop_ord: int
    last_position: int

    async def events(
        self, pool: Pool, select: str, *more: object
    ) -> list[tuple[int, asyncpg.Record]]:
        """The window's events in order, each behind its position.

        `select` is a query on events that uses `block = ANY($1) AND ord >= $2 AND ord < $3` and
        answers block and ord as its first columns; `more` are its arguments from $4 on.
        """
        rows = await pool.fetch(select, list(self.blocks), self.first_ord, self.stop_ord, *more)
        first = {number: block["first_position"] for number, block in self.blocks.items()}
        return sorted(((first[row[0]] + row[1], row) for row in rows), key=_position)


_position = itemgetter(0)


async def window_after(pool: Pool, position: int, events_max: int) -> Window | None:
    """The next at most `events_max` events behind `position`; None where there are none."""
    blocks = await pool.fetch(_BLOCKS, position, BLOCKS_MAX)
    if not blocks:
        return None
    first = blocks[0]
    first_ord = max(0, position + 1 - first["first_position"])
    # A block that was begun, or is larger than a window, is read by itself, in parts.
    if first_ord > 0 or first["count"] > events_max:
        stop_ord = min(first["count"], first_ord + events_max)
        last_position = first["first_position"] + stop_ord - 1
        return Window({first["block"]: first}, first_ord, stop_ord, last_position)
    chosen = _within(blocks, events_max)
    last = chosen[-1]
    last_position = last["first_position"] + last["count"] - 1
    # No ord of these blocks reaches `events_max`, so all of each is read.
    return Window({block["block"]: block for block in chosen}, 0, events_max, last_position)


def _within(blocks: Sequence[asyncpg.Record], events_max: int) -> list[asyncpg.Record]:
    chosen: list[asyncpg.Record] = []
    total = 0
    for block in blocks:
        total += block["count"]
        if chosen and total > events_max:
            break
        chosen.append(block)
    return chosen


async def recorded_in(pool: Pool, window: Window, types: Collection[str]) -> list[Recorded]:
    """The events of some types in a window, in order."""
    actors = {
        number: str(msgspec.json.decode(block["metadata"])["actor"])
        for number, block in window.blocks.items()
    }
    rows = await window.events(pool, _IN_WINDOW, list(types))
    return [Recorded(*(position, *row[2:], actors[row["block"]])) for position, row in rows]


async def recorded(
    unit: Transaction,
    stream_ids: Sequence[str],
    types: Collection[str],
    *,
    after: int = 0,
    until: int = NOT_PLACED,
) -> list[Recorded]:
    """The events of some types that streams have in after < position <= until, in their order."""
    own = NOT_PLACED, unit.context.actor
    rows = await unit.connection.fetch(_OF_STREAMS, stream_ids, list(types), after, until, *own)
    return [Recorded(*row) for row in rows]
