"""Reads a store's own log in position order, window by window, however large a block is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool

BLOCKS_MAX = 256

# The first block may be one that was read in part: the last that begins at or before the position.
_BLOCKS = """
SELECT first_position, block, count, metadata FROM blocks
WHERE first_position >= (
    SELECT coalesce(max(first_position), 1) FROM blocks WHERE first_position <= $1 + 1)
  AND first_position + count - 1 > $1
ORDER BY first_position LIMIT $2
"""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the log: its blocks by number, the ords read of them, its last position.

    Of several blocks all events are read; of a single block those with begin <= ord < stop.
    """

    blocks: Mapping[int, asyncpg.Record]
    begin: int
    stop: int
    end: int

    async def events(self, pool: Pool, select: str) -> list[tuple[int, asyncpg.Record]]:
        """The window's events in order, each behind its position.

        `select` is a query on events that uses `block = ANY($1) AND ord >= $2 AND ord < $3` and
        answers block and ord as its first columns.
        """
        rows = await pool.fetch(select, list(self.blocks), self.begin, self.stop)
        first = {number: block["first_position"] for number, block in self.blocks.items()}
        return sorted(((first[row[0]] + row[1], row) for row in rows), key=_position)


_position = itemgetter(0)


async def window_after(pool: Pool, position: int, events_max: int) -> Window | None:
    """The next at most `events_max` events behind `position`; None where there are none."""
    blocks = await pool.fetch(_BLOCKS, position, BLOCKS_MAX)
    if not blocks:
        return None
    first = blocks[0]
    begin = max(0, position + 1 - first["first_position"])
    if begin > 0 or first["count"] > events_max:
        stop = min(first["count"], begin + events_max)
        return Window({first["block"]: first}, begin, stop, first["first_position"] + stop - 1)
    chosen = _within(blocks, events_max)
    last = chosen[-1]
    end = last["first_position"] + last["count"] - 1
    return Window({block["block"]: block for block in chosen}, 0, events_max, end)


def _within(blocks: Sequence[asyncpg.Record], events_max: int) -> list[asyncpg.Record]:
    chosen: list[asyncpg.Record] = []
    total = 0
    for block in blocks:
        total += block["count"]
        if chosen and total > events_max:
            break
        chosen.append(block)
    return chosen
