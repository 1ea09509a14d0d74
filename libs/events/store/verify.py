"""Recomputes a store's chain and finds what was edited, deleted, swapped or slipped in.

A snapshot is held against the hash that the event which led to it has; whether that event's
stream comes to it is found by folding again (refolding.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from libs.events.store.block_hashes import roots
from libs.events.store.chain import GENESIS, block_seal, next_head

if TYPE_CHECKING:
    import asyncpg

    from libs.events.store.postgres import Pool
    from libs.events.store.transaction import Connection

BLOCKS_A_STEP: Final = 10_000  # a step's roots are in memory, its events are not
BLOCKS_PREFETCH: Final = 2_000
BIGINT_MIN, BIGINT_MAX = -(2**63), 2**63 - 1
NO_WITNESS: Final[Mapping[int, bytes]] = MappingProxyType({})

# In the order of the index, without a sort of everything on disk; and the other cores are left to
# whoever works beside a verification.
_PLAN = """
SELECT set_config('enable_sort', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true)
"""
_NEXT = """
SELECT least((SELECT min(block) FROM events WHERE block >= $1),
             (SELECT min(block) FROM blocks WHERE block >= $1))
"""
_BLOCKS = "SELECT block, count, root FROM blocks WHERE block BETWEEN $1 AND $2"
_CHAIN = "SELECT * FROM blocks ORDER BY first_position"
# Materialized, for a plan that suits a store without findings, in which LIMIT ends nothing early.
_STREAMS = """
WITH found AS MATERIALIZED (
    SELECT stream_id FROM (
        SELECT stream_id, count(*) AS events, max(version) AS last FROM events GROUP BY stream_id
    ) AS counted FULL JOIN streams USING (stream_id)
    WHERE events IS DISTINCT FROM last OR last IS DISTINCT FROM streams.version
) SELECT stream_id FROM found LIMIT 20
"""
# As `state_hash` of chain.py. An event that was stored before there were such hashes names none.
_STATES = """
SELECT stream_id FROM streams JOIN events USING (stream_id, version)
WHERE state IS NOT NULL AND events.metadata ->> 'state' IS NOT NULL
  AND events.metadata ->> 'state' IS DISTINCT FROM
      state_version || '.' || encode(sha256(convert_to(state::text, 'UTF8')), 'base64')
LIMIT 20
"""


async def verify(
    pool: Pool, witnessed: Mapping[int, bytes] = NO_WITNESS, *, blocks_a_step: int = BLOCKS_A_STEP
) -> AsyncIterator[str]:
    """Every finding as a sentence that names the block or the stream; none when all is well.

    A chain proves that it was not changed in parts. Whoever may write everything can compute a
    whole new one, or cut its end off and the head row with it: that shows only to a witness
    elsewhere, `witnessed` {position: the head that was there}.

    Reads one consistent snapshot, events as a stream and `blocks_a_step` blocks at a time, so
    memory stays flat.
    """
    async with (
        pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute(_PLAN)
        async for finding in _roots(connection, blocks_a_step):
            yield finding
        async for finding in _chain(connection, witnessed):
            yield finding
        for row in await connection.fetch(_STREAMS):
            yield f"stream {row['stream_id']}: its events are not versions 1 to its last one"
        for row in await connection.fetch(_STATES):
            yield f"stream {row['stream_id']}: its state is not the one that its last event led to"


async def _roots(connection: Connection, blocks_a_step: int) -> AsyncIterator[str]:
    """Each block's events against the count and root that its row keeps."""
    begin = BIGINT_MIN
    while begin <= BIGINT_MAX and (first := await connection.fetchval(_NEXT, begin)) is not None:
        last = min(first + blocks_a_step - 1, BIGINT_MAX)
        found = await roots(connection, first, last)
        blocks = {row["block"]: row for row in await connection.fetch(_BLOCKS, first, last)}
        for number in sorted(found.keys() | blocks.keys()):
            if finding := _compared(found.get(number), blocks.get(number)):
                yield f"block {number}: {finding}"
        begin = last + 1


def _compared(found: tuple[int, bytes] | None, block: asyncpg.Record | None) -> str | None:
    if block is None:
        return "holds events but was never written"
    if found is None:
        return f"its {block['count']} events are gone"
    count, root = found
    if count != block["count"]:
        return f"holds {count} events where {block['count']} were written"
    return None if root == block["root"] else "an event is not as it was written"


async def _chain(connection: Connection, witnessed: Mapping[int, bytes]) -> AsyncIterator[str]:
    """The blocks' heads against the chain and the witness, its end against the head row."""
    head, position, number = GENESIS, 0, 0
    unchecked = sorted(witnessed, reverse=True)
    async for block in connection.cursor(_CHAIN, prefetch=BLOCKS_PREFETCH):
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
        while unchecked and unchecked[-1] <= position:
            seen = unchecked.pop()
            if seen != position or witnessed[seen] != head:
                yield f"block {number}: is not what the witness saw at position {seen}"
    for seen in reversed(unchecked):
        yield f"block {number}: is the last, though the witness saw position {seen}"
    row = await connection.fetchrow("SELECT position, hash FROM head")
    if row is None or row["position"] != position or row["hash"] != head:
        yield f"block {number}: is not the end that the head row names"
