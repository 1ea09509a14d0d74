"""Recomputes a store's chain and finds what was edited, deleted, swapped or slipped in."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from libs.events.chain import GENESIS, EventRow, block_seal, event_hash, next_head

if TYPE_CHECKING:
    from libs.events.store import Pool
    from libs.events.transaction import Connection

EVENTS_PREFETCH = 2_000
NOBODY: Final[Mapping[int, bytes]] = MappingProxyType({})  # no witness has seen anything

_EVENTS = """
SELECT block, ord, stream_id, version, type, schema_version, data, metadata, topic, key, message,
       occurred_at
FROM events ORDER BY block, ord
"""
_BLOCKS = "SELECT * FROM blocks ORDER BY block"
_STREAMS = """
SELECT stream_id FROM (
    SELECT stream_id, count(*) AS events, max(version) AS last FROM events GROUP BY stream_id
) AS found FULL JOIN streams USING (stream_id)
WHERE events IS DISTINCT FROM last OR last IS DISTINCT FROM streams.version LIMIT 20
"""


async def verify(pool: Pool, witnessed: Mapping[int, bytes] = NOBODY) -> AsyncIterator[str]:
    """Every finding as a sentence that names the block or the stream; none when all is well.

    A chain proves that it was not changed in parts. Whoever may write everything can compute a
    whole new one, or cut its end off and the head row with it: that shows only to a witness
    elsewhere, `witnessed` {position: the head that was there}.

    Reads one consistent snapshot and holds one block's hash at a time, so memory stays flat.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        async for finding in _roots(connection):
            yield finding
        async for finding in _chain(connection, witnessed):
            yield finding
        for row in await connection.fetch(_STREAMS):
            yield f"stream {row['stream_id']}: its events are not versions 1 to its last one"


async def _roots(connection: Connection) -> AsyncIterator[str]:
    """Each block's events against the count and root that its row keeps."""
    events = _digests(connection)
    current = await anext(events, None)
    async for block in connection.cursor(_BLOCKS, prefetch=EVENTS_PREFETCH):
        number = block["block"]
        while current is not None and current[0] < number:
            yield f"block {current[0]}: holds events but was never written"
            current = await anext(events, None)
        if current is None or current[0] > number:
            yield f"block {number}: its {block['count']} events are gone"
            continue
        _, count, root = current
        if count != block["count"]:
            yield f"block {number}: holds {count} events where {block['count']} were written"
        elif root != block["root"]:
            yield f"block {number}: an event is not as it was written"
        current = await anext(events, None)
    if current is not None:
        yield f"block {current[0]}: holds events but was never written"


async def _digests(connection: Connection) -> AsyncIterator[tuple[int, int, bytes]]:
    """(block, events in it, root over them) of every block that has events, in order."""
    number, count, root = -1, 0, hashlib.sha256()
    async for record in connection.cursor(_EVENTS, prefetch=EVENTS_PREFETCH):
        row: EventRow = tuple(record)
        if row[0] != number:
            if count:
                yield number, count, root.digest()
            number, count, root = row[0], 0, hashlib.sha256()
        count += 1
        root.update(event_hash(row))
    if count:
        yield number, count, root.digest()


async def _chain(connection: Connection, witnessed: Mapping[int, bytes]) -> AsyncIterator[str]:
    """The blocks' heads against the chain and the witness, its end against the head row."""
    head, position, number = GENESIS, 0, 0
    missed = sorted(witnessed, reverse=True)
    query = "SELECT * FROM blocks ORDER BY first_position"
    async for block in connection.cursor(query, prefetch=EVENTS_PREFETCH):
        number = block["block"]
        if block["first_position"] != position + 1:
            yield f"block {number}: begins at {block['first_position']}, not at {position + 1}"
        seal = block_seal(
            number, block["count"], block["root"], block["metadata"], block["recorded_at"]
        )
        head = next_head(head, block["first_position"], seal)
        if head != block["head"]:
            yield f"block {number}: does not follow from the blocks before it"
            head = block["head"]
        position = block["first_position"] + block["count"] - 1
        while missed and missed[-1] <= position:
            seen = missed.pop()
            if seen != position or witnessed[seen] != head:
                yield f"block {number}: is not what the witness saw at position {seen}"
    for seen in reversed(missed):
        yield f"block {number}: is the last, though the witness saw position {seen}"
    row = await connection.fetchrow("SELECT position, hash FROM head")
    if row is None or row["position"] != position or row["hash"] != head:
        yield f"block {number}: is not the end that the head row names"
