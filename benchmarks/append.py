"""Batch append through the library, and the same rows written by the bare driver."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import asyncpg

from benchmarks.domain import ACCOUNT, CONTEXT, Account, Recorded, commands_for
from benchmarks.measure import Contender
from libs.events.store.codec import codec_of
from libs.events.store.handle import Drafts, Move, handle_many
from libs.events.store.postgres import Store

STREAMS: Final = 500
BATCHES: Final = 8  # rounds go around this many batches of streams

_EVENT_COLUMNS: Final = (
    *("block", "ord", "stream_id", "version", "type", "schema_version", "data", "metadata"),
    *("topic", "key", "message", "occurred_at"),
)
_EVENTS = f"SELECT {', '.join(_EVENT_COLUMNS)} FROM events WHERE block = $1 ORDER BY ord"
_STREAMS = """
SELECT stream_id, version, state, state_version FROM streams
WHERE stream_id IN (SELECT stream_id FROM events WHERE block = $1) ORDER BY stream_id
"""
_UPSERT = """
INSERT INTO streams (stream_id, version, state, state_version)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::json[], $4::smallint[])
ON CONFLICT (stream_id) DO UPDATE
SET version = excluded.version, state = excluded.state, state_version = excluded.state_version
"""


class Families:
    """Batches of families in the order of their ids, the same in every run of one seed."""

    def __init__(self, seed: int, batches: int = BATCHES) -> None:
        self._random = Random(seed)
        ids = self._draw(STREAMS * batches)
        self._batches = [ids[at : at + STREAMS] for at in range(0, len(ids), STREAMS)]

    def batch(self, turn: int) -> list[uuid.UUID]:
        """The batch of a round; after all of them the first comes again."""
        return self._batches[turn % len(self._batches)]

    def fresh(self) -> list[uuid.UUID]:
        """A batch that was never there before."""
        return self._draw(STREAMS)

    def _draw(self, count: int) -> list[uuid.UUID]:
        return sorted(uuid.UUID(int=self._random.getrandbits(128), version=4) for _ in range(count))


class Append:
    """From decided events to commit: encode, compare-and-set, snapshot, chain, positions."""

    def __init__(self, store: Store, families: Families, events: int = 1) -> None:
        """`events` is how many each stream gains."""
        self.store, self.families = store, families
        self.block = 0
        self._events = events
        self._decided: Sequence[tuple[str, int, list[tuple[Recorded, Account]]]] = ()

    async def prepare(self, turn: int) -> None:
        """Load the streams and decide."""
        commands = commands_for(self.families.batch(turn))
        loaded = await self.store.read(ACCOUNT, [stream_id for stream_id, _ in commands])
        decider, decided = ACCOUNT.decider, []
        for stream_id, command in commands:
            found = loaded.get(stream_id)
            state = found.state if found else decider.initial
            gained: list[tuple[Recorded, Account]] = []
            for _ in range(self._events):
                [event] = decider.decide(command, state)
                state = decider.evolve(state, event)
                gained.append((event, state))
            decided.append((stream_id, found.version if found else 0, gained))
        self._decided = decided

    async def run(self) -> None:
        """Encode and append in one transaction."""
        codec = codec_of(ACCOUNT)
        moves = [
            Move(
                stream_id,
                version,
                Drafts(codec, gained),
                codec.encode_state(gained[-1][1]),
                codec.shape,
            )
            for stream_id, version, gained in self._decided
        ]
        async with self.store.transaction(CONTEXT) as transaction:
            won = await transaction.append(moves)
        assert len(won) == STREAMS
        self.block = transaction.block


class Bare:
    """The rows that `Append` has just written, ready made: COPY of the events, one upsert."""

    def __init__(self, like: Append, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._like, self._connection = like, connection
        self._events: list[tuple[Any, ...]] = []
        self._streams: list[list[Any]] = []

    async def prepare(self, turn: int) -> None:
        """Read the rows back from where the library wrote them."""
        pool, block = self._like.store.pool, self._like.block
        self._events = [tuple(row) for row in await pool.fetch(_EVENTS, block)]
        rows = await pool.fetch(_STREAMS, block)
        self._streams = [list(column) for column in zip(*rows, strict=True)]

    async def run(self) -> None:
        """Write them in one transaction."""
        async with self._connection.transaction():
            await self._connection.copy_records_to_table(
                "events", records=self._events, columns=_EVENT_COLUMNS
            )
            await self._connection.execute(_UPSERT, *self._streams)


class Handle:
    """From commands to commit: load, decide, append. `new` streams, or ones that exist."""

    def __init__(self, store: Store, families: Families, *, new: bool) -> None:
        self._store, self._families, self._new = store, families, new
        self._commands = commands_for([])

    async def prepare(self, turn: int) -> None:
        """Make the commands."""
        new = self._new
        self._commands = commands_for(self._families.fresh() if new else self._families.batch(turn))

    async def run(self) -> None:
        """Handle them in one transaction."""
        async with self._store.transaction(CONTEXT) as transaction:
            outcomes = await handle_many(transaction, ACCOUNT, self._commands)
        assert all(outcome.error is None for outcome in outcomes)


async def go_around(*contenders: Contender) -> None:
    """Let them meet every batch once, so that what is measured are streams that exist."""
    for turn in range(BATCHES):
        for contender in contenders:
            await contender.prepare(turn)
            await contender.run()
