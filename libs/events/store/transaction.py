"""One append: streams by compare-and-set, events under a fresh block, the head locked last."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from libs.events.domain.decider import C, E, S
from libs.events.domain.errors import EventTooLarge
from libs.events.domain.personal import Opens, closed
from libs.events.store.array_params import UNFIT, as_array, numbers, required_texts, texts
from libs.events.store.chain import SEPARATOR, block_seal
from libs.events.store.codec import codec_of
from libs.events.store.copy_binary import COLUMNS, Packer, copied
from libs.events.store.handle import Draft, Loaded, Move
from libs.events.store.model import Context, StreamType, encode

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

EVENT_BYTES_MAX = 900_000  # below the bus's 1,000,000 a record, so that headers always fit

_ADVANCE = f"""
SELECT advance_streams({as_array(1, "text")}, {as_array(2, "bigint")}, {as_array(3, "bigint")},
                       {as_array(4, "json")}, {as_array(5, "smallint")})
"""
_LOAD = "SELECT stream_id, version, state, state_version FROM streams WHERE stream_id = ANY($1)"
_REPLAY = """
SELECT stream_id, type, schema_version, data FROM events
WHERE stream_id = ANY($1) ORDER BY stream_id, version
"""
_REPLAY_TO_CUT = """
SELECT stream_id, type, schema_version, data FROM events JOIN blocks USING (block)
WHERE stream_id = ANY($1) AND first_position <= $2 ORDER BY stream_id, version
"""
_MOVED_SINCE = """
SELECT DISTINCT stream_id FROM events JOIN blocks USING (block)
WHERE stream_id = ANY($1) AND first_position > $2
  AND events.block >= (SELECT min(block) FROM blocks WHERE first_position > $2)
"""
_NAMES = """
SELECT stream_id FROM streams WHERE stream_id > $1 AND stream_id < $2 ORDER BY stream_id LIMIT $3
"""
_HOLD = """
SELECT FROM streams WHERE stream_id = ANY($1) ORDER BY stream_id COLLATE "C" FOR NO KEY UPDATE
"""
_CLAIM = """
INSERT INTO claims (kind, token, stream_id)
SELECT $1, * FROM unnest($2::text[], $3::text[]) AS new (token, id) ORDER BY token COLLATE "C"
ON CONFLICT (kind, token) DO NOTHING
"""
# The head is locked here, last, until commit: positions are gapless and in commit order.
_CLOSE_BLOCK = """
WITH moved AS (
    UPDATE head SET position = position + $2,
                    hash = sha256(hash || int8send(position + 1) || $6::bytea)
    RETURNING position, hash, pg_notify('appended', '')
)
INSERT INTO blocks (first_position, block, count, root, head, metadata, recorded_at)
SELECT position - $2 + 1, $1, $2, $3, hash, $4, $5 FROM moved
RETURNING first_position + count - 1
"""


_TELL_WIDE = """
INSERT INTO wide_message (stream_id, version, value)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::json[])
"""

Opener: TypeAlias = Callable[[Collection[str]], Awaitable[Callable[[str], Opens]]]
"""Fetches the keys of families, and answers what opens the days of each."""


async def nobody(families: Collection[str]) -> Callable[[str], Opens]:
    """The `Opener` of a service that has no keys."""
    return lambda _: closed


@dataclass(frozen=True, slots=True)
class Reached:
    """A block's progress: its events so far, and the SHA-256 over their hashes.

    `root` is a hash object that nobody updates: who goes on from it takes a copy.
    """

    count: int
    root: Any


class Transaction:
    """One append: everything in it happens, or nothing. Made by `Store.transaction`."""

    def __init__(
        self,
        connection: Connection,
        context: Context,
        block: int,
        opener: Opener = nobody,
        wide_until: date = date.max,
    ) -> None:
        self.connection = connection
        self.context = context
        self._opener = opener
        self._wide_until = wide_until
        self.block = block
        self.position: int | None = None
        self.traces: Mapping[str, str] = {}
        """Traceparents by key: of events that publish under it. Others have their block's."""
        self._reached = Reached(0, hashlib.sha256())

    @property
    def count(self) -> int:
        """The number of events that it has appended so far."""
        return self._reached.count

    async def load(
        self, kind: StreamType[C, S, E], stream_ids: Sequence[str], cut: int | None = None
    ) -> dict[str, Loaded[S]]:
        """The streams that exist among `stream_ids`, and what they were at a cut."""
        codec = codec_of(kind)
        rows = await self.connection.fetch(_LOAD, stream_ids)
        opens = await self.opening(kind, [row["stream_id"] for row in rows])
        states: dict[str, S] = {}
        stale: list[str] = []
        for stream_id, _, text, shape in rows:
            state = codec.decode_state(text, shape, opens(stream_id))
            if state is None:
                stale.append(stream_id)
            else:
                states[stream_id] = state
        if stale:
            replayed = await self.connection.fetch(_REPLAY, stale)
            states |= self._fold(kind, replayed, opens)
        earlier = await self._at_cut(kind, list(states), cut, opens)
        return {
            row["stream_id"]: Loaded(
                row["version"],
                states[row["stream_id"]],
                earlier.get(row["stream_id"], states[row["stream_id"]]),
            )
            for row in rows
        }

    async def opening(
        self, kind: StreamType[C, S, E], stream_ids: Collection[str]
    ) -> Callable[[str], Opens]:
        """The `Opens` of each of these streams."""
        family_of = kind.family_of
        if family_of is None or not stream_ids:
            return lambda _: closed
        of_family = await self._opener([family_of(stream_id) for stream_id in stream_ids])
        return lambda stream_id: of_family(family_of(stream_id))

    async def names_of(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """The names of the streams "prefix-name", in order, those behind `after`."""
        # "." follows "-", so the range holds exactly the streams that begin so.
        rows = await self.connection.fetch(_NAMES, f"{prefix}-{after}", f"{prefix}.", limit)
        return [row[0].removeprefix(f"{prefix}-") for row in rows]

    async def head(self) -> int:
        """The position of the last event that is committed."""
        return int(await self.connection.fetchval("SELECT position FROM head"))

    async def hold(self, stream_ids: Sequence[str]) -> None:
        """Lock the rows of the streams that exist until we commit; others who append to them wait.

        Locked in id order as by an append: name all at once, before anything is appended.
        """
        await self.connection.execute(_HOLD, stream_ids)

    async def _at_cut(
        self,
        kind: StreamType[C, S, E],
        stream_ids: Sequence[str],
        cut: int | None,
        opens: Callable[[str], Opens],
    ) -> dict[str, S]:
        if cut is None or not stream_ids:
            return {}
        moved = [row[0] for row in await self.connection.fetch(_MOVED_SINCE, stream_ids, cut)]
        if not moved:
            return {}
        rows = await self.connection.fetch(_REPLAY_TO_CUT, moved, cut)
        return dict.fromkeys(moved, kind.decider.initial) | self._fold(kind, rows, opens)

    def _fold(
        self,
        kind: StreamType[C, S, E],
        rows: Sequence[asyncpg.Record],
        opens: Callable[[str], Opens],
    ) -> dict[str, S]:
        codec, decider = codec_of(kind), kind.decider
        states: dict[str, S] = {}
        for stream_id, name, schema_version, data in rows:
            event = codec.decode_event(name, schema_version, data, opens(stream_id))
            states[stream_id] = decider.evolve(states.get(stream_id, decider.initial), event)
        return states

    async def append(self, moves: Sequence[Move]) -> set[str]:
        """Advance the streams by compare-and-set, write the winners' events; answers who won.

        Rows are packed while the database advances the streams, as if all of them won; where one
        lost, they are packed again, of the winners alone.
        """
        if not moves:
            return set()
        advancing = asyncio.create_task(self._advance(moves))
        packer, chunks = self._packing(moves)
        buffered: list[bytes] = []
        try:
            await asyncio.sleep(0)  # the statement leaves; the server is busy while we are
            for move in moves:
                for draft in move.drafts:
                    refuse_unfit(move.stream_id, draft)
            while not advancing.done() and (chunk := next(chunks, None)) is not None:
                buffered.append(chunk)
                await asyncio.sleep(0)
        finally:
            won = await advancing  # also after an error: the connection must be free again
        if len(won) < len(moves):
            buffered = []  # a loser's rows are among these
            packer, chunks = self._packing([move for move in moves if move.stream_id in won])
        if won:
            await self.connection.copy_to_table(
                "events", source=copied(chain(buffered, chunks)), columns=COLUMNS, format="binary"
            )
            self._reached = Reached(packer.count, packer.root)
            await self._tell_wide([move for move in moves if move.stream_id in won])
        return won

    async def _tell_wide(self, moves: Sequence[Move]) -> None:
        rows = [
            (move.stream_id, version, draft.wide.decode())
            for move in moves
            for version, draft in enumerate(move.drafts, move.expected + 1)
            if draft.wide is not None
        ]
        if rows and datetime.now(UTC).date() <= self._wide_until:
            await self.connection.execute(_TELL_WIDE, *map(list, zip(*rows, strict=True)))

    def _packing(self, moves: Sequence[Move]) -> tuple[Packer, Iterator[bytes]]:
        """The rows of these moves' events, behind those of the block so far, and their packer."""
        count, root = self._reached.count, self._reached.root.copy()
        packer = Packer(self.block, self.context.at, count, root, self.traces)
        return packer, packer.chunks(moves)

    async def _advance(self, moves: Sequence[Move]) -> set[str]:
        winners = await self.connection.fetchval(_ADVANCE, *_columns(moves))
        return {move.stream_id for move in moves} if winners is None else set(winners)

    async def claim(self, kind: str, wanted: Mapping[str, str]) -> dict[str, str]:
        """Claim tokens for streams, first come first served; answers each token's owner."""
        tokens = list(wanted)
        await self.connection.execute(_CLAIM, kind, tokens, [wanted[token] for token in tokens])
        rows = await self.connection.fetch(
            "SELECT token, stream_id FROM claims WHERE kind = $1 AND token = ANY($2)", kind, tokens
        )
        return {row["token"]: row["stream_id"] for row in rows}

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what is done inside, if it raises, and nothing else of the transaction."""
        reached = self._reached
        try:
            async with self.connection.transaction():
                yield
        except BaseException:
            self._reached = reached
            raise

    async def close_block(self) -> None:
        """Give the events their positions; the last statement, because it locks the head."""
        count, root = self._reached.count, self._reached.root.digest()
        if not count:
            return
        recorded_at = datetime.now(UTC)
        metadata = encode(metadata_of(self.context)).decode()
        seal = block_seal(self.block, count, root, metadata, recorded_at)
        self.position = await self.connection.fetchval(
            _CLOSE_BLOCK, self.block, count, root, metadata, recorded_at, seal
        )


def refuse_unfit(stream_id: str, draft: Draft) -> None:
    """Raise `EventTooLarge` where the bus would refuse it, ValueError where a name holds the
    separator of the hashed text, so that the hash would not tell it from another."""
    if len(draft.data) + len(draft.message or b"") > EVENT_BYTES_MAX:
        raise EventTooLarge(type=draft.type, bytes_max=EVENT_BYTES_MAX)
    if SEPARATOR in stream_id or (draft.key is not None and SEPARATOR in draft.key):
        raise ValueError(UNFIT)


def _columns(moves: Sequence[Move]) -> tuple[str, ...]:
    """The moves as `_ADVANCE` takes them, column by column."""
    return (
        required_texts([move.stream_id for move in moves]),
        numbers([move.expected for move in moves]),
        numbers([move.expected + len(move.drafts) for move in moves]),
        texts([move.state for move in moves]),
        numbers([move.shape for move in moves]),
    )


def metadata_of(context: Context) -> dict[str, str]:
    """A context as a block's metadata holds it."""
    named = {"actor": context.actor, "trace": context.trace, "cause": context.cause}
    return {name: value for name, value in named.items() if value is not None}
