"""Builds the read models of a service anew beside the live ones, then puts them in their place.

A service that only reads keeps nothing of its own: all its rows follow from topics, which are
there from the start. They are read again into tables of a schema of their own, by a group of their
own, while the service goes on undisturbed. Once these have come as far as the live ones, nothing
is taken in for a moment, the schemas change names, and the service's next batch finds the new
tables: statements name tables without their schema, so the service needs no restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg

from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import CorridorError
from libs.events.store import migrate
from libs.events.store.postgres import Store
from libs.events.store.watermarks import until

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    from libs.events.bus import Bus

    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Reader: TypeAlias = Connection | PoolConnectionProxy[asyncpg.Record]

LIVE: Final = "public"
SHADOW: Final = "rebuilt"
NO_READ_MODELS: Final = (
    *("blocks", "head", "streams", "wide_message"),
    *("idempotency", "job", "migrations", "replay"),
)
CAUGHT_UP_S_MAX: Final = 24 * 60 * 60.0
STANDSTILL_S_MAX: Final = 8.0  # the live consumer waits for its tables for ten seconds


_KEYS: Final = """
SELECT c.relname AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY k.place) AS key
FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
CROSS JOIN unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, place)
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number
WHERE c.relnamespace = $1::regnamespace AND c.relkind = 'r'
  AND c.relname <> ALL($2) AND NOT c.relispartition
GROUP BY c.relname ORDER BY c.relname
"""
# A schema that another rebuild has left behind was never or is no longer in use.
_MAKE_SHADOW: Final = """
DROP SCHEMA IF EXISTS rebuilt CASCADE;
DROP SCHEMA IF EXISTS replaced CASCADE;
CREATE SCHEMA rebuilt;
GRANT USAGE ON SCHEMA rebuilt TO PUBLIC;
"""
_PARKED_ANEW: Final = """
SELECT count(*) FROM (
    SELECT topic, partition, position FROM rebuilt.parked
    EXCEPT SELECT topic, partition, position FROM public.parked
) AS anew
"""
_KEEP_DROPPED: Final = """
INSERT INTO rebuilt.parked SELECT * FROM public.parked WHERE dropped_at IS NOT NULL
ON CONFLICT (subscription, topic, partition, position) DO UPDATE
SET (dropped_at, dropped_by, dropped_reason)
    = (excluded.dropped_at, excluded.dropped_by, excluded.dropped_reason)
"""
# Rows keep the numbers that they have, and the next ones follow these.
_NOTES: Final = """
LOCK TABLE public.{table} IN EXCLUSIVE MODE;
DELETE FROM rebuilt.{table};
INSERT INTO rebuilt.{table} OVERRIDING SYSTEM VALUE SELECT * FROM public.{table};
SELECT setval(pg_get_serial_sequence('rebuilt.{table}', attname),
              nextval(pg_get_serial_sequence('public.{table}', attname)))
FROM pg_attribute WHERE attrelid = 'rebuilt.{table}'::regclass AND attidentity <> '';
"""
_OWN_EVENTS: Final = """
SELECT EXISTS (SELECT FROM streams WHERE split_part(stream_id, '-', 1) <> ALL($1))
"""
# Answers to requests, notes of uploads and of replays are the live service's own: they move over.
# So is its log with its views: nobody could chain it anew. Locked in the order of an append.
_SWAP: Final = """
LOCK TABLE public.idempotency, public.job, public.replay IN EXCLUSIVE MODE;
LOCK TABLE public.streams, public.events, public.head, public.blocks IN ACCESS EXCLUSIVE MODE;
INSERT INTO rebuilt.idempotency SELECT * FROM public.idempotency;
INSERT INTO rebuilt.job SELECT * FROM public.job;
INSERT INTO rebuilt.replay SELECT * FROM public.replay;
DROP TABLE rebuilt.streams, rebuilt.events, rebuilt.head, rebuilt.blocks, rebuilt.wide_message
CASCADE;
DROP SEQUENCE rebuilt.block_numbers;
DO $$
DECLARE
    part regclass;
BEGIN
    FOR part IN
        SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.events'::regclass
        UNION SELECT ev_class FROM pg_rewrite JOIN pg_depend ON objid = pg_rewrite.oid
        WHERE refobjid = ANY(ARRAY['public.streams', 'public.events', 'public.head',
                                   'public.blocks']::regclass[])
    LOOP
        EXECUTE format('ALTER TABLE %s SET SCHEMA rebuilt', part);
    END LOOP;
END $$;
ALTER TABLE public.streams SET SCHEMA rebuilt;
ALTER TABLE public.events SET SCHEMA rebuilt;
ALTER TABLE public.head SET SCHEMA rebuilt;
ALTER TABLE public.blocks SET SCHEMA rebuilt;
ALTER TABLE public.wide_message SET SCHEMA rebuilt;
ALTER SEQUENCE public.block_numbers SET SCHEMA rebuilt;
ALTER SCHEMA public RENAME TO replaced;
ALTER SCHEMA rebuilt RENAME TO public;
"""


class NotOnlyReading(CorridorError):
    """A service with events of its own cannot be built anew from other services' topics."""


class RebuildStopped(CorridorError):
    """The new tables could not be filled; the live ones are as they were."""


@dataclass(frozen=True, slots=True)
class ReadModels:
    """The topics that a service reads, and how its tables are made.

    `owner_url` is the role that may change tables, `url` the service's own; `roles` are those
    that migrations grant to; `topics` are the platform's; `notes` are tables that no topic could
    fill again: their rows move over as they are. So does the log; `kinds` are those of the streams
    that the service has in it although it only reads, such as who has read what. `settle` makes
    what follows from the new rows, before they are put in place.
    """

    source: str
    owner_url: str
    url: str
    directories: Sequence[Path]
    roles: Mapping[str, str]
    subscriptions: Sequence[Subscription]
    topics: Topics
    notes: Sequence[str] = ()
    kinds: Sequence[str] = ()
    settle: Callable[[Store], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of the topics' messages that the new tables have taken in, passed over or parked.

    `parked` stay parked, as they were beside the live tables; a person replays them.
    """

    done: int
    total: int
    parked: int = 0


Watcher: TypeAlias = Callable[[Progress], None]


async def rebuild(models: ReadModels, bus: Bus, watcher: Watcher) -> Progress:
    """Build all read models of a service anew and swap them in; how far that was at the end.

    May be ended at any moment: until the swap, which is one transaction, the live tables are as
    they were, and the next rebuild begins with empty ones. Raises `NotOnlyReading`,
    `RebuildStopped` with what stopped the consumer, `WaitedTooLong`.
    """
    owner = await asyncpg.connect(models.owner_url)
    try:
        await _empty_shadow(owner, models)
        async with _filling(models, bus) as shadow:
            progress = await _catch_up(owner, models, bus, shadow, watcher)
            if models.settle is not None:
                await models.settle(shadow.consumer.store)
            await _swap(owner, shadow, models.notes)
        await owner.execute("DROP SCHEMA replaced CASCADE")
        return progress
    finally:
        await owner.close()


# -- Beside the live tables -----------------------------------------------------------------------


async def _empty_shadow(owner: Connection, models: ReadModels) -> None:
    if await owner.fetchval(_OWN_EVENTS, list(models.kinds)):
        raise NotOnlyReading(service=models.source)
    await owner.execute(_MAKE_SHADOW)
    await migrate.apply(models.owner_url, models.directories, models.roles, SHADOW)
    await owner.execute(_KEEP_DROPPED)


@dataclass(slots=True)
class _Shadow:
    consumer: Consumer
    task: asyncio.Task[None]

    async def stand_still(self) -> None:
        """Take in nothing more."""
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


@asynccontextmanager
async def _filling(models: ReadModels, bus: Bus) -> AsyncIterator[_Shadow]:
    """A consumer of everything from the start, at work on the new tables."""
    store = await Store.connect(models.url, models.source, SHADOW)
    # A group that was never there before: what an earlier one has committed is no beginning.
    group = f"{models.source}-rebuild-{secrets.token_hex(4)}"
    consumer = Consumer(store, bus, group, models.subscriptions, models.topics)
    shadow = _Shadow(consumer, asyncio.create_task(consumer.run(), name="rebuild"))
    try:
        yield shadow
    finally:
        await shadow.stand_still()
        await store.close()


async def _catch_up(
    owner: Connection, models: ReadModels, bus: Bus, shadow: _Shadow, watcher: Watcher
) -> Progress:
    progress = Progress(0, 0)

    async def caught_up() -> bool:
        nonlocal progress
        _raise_if_stopped(shadow)
        tally = shadow.consumer.tally
        ends = [await bus.ends(subscription.topic) for subscription in models.subscriptions]
        done = tally.handled + tally.passed + tally.parked
        progress = Progress(
            done, sum(sum(topic_ends.values()) for topic_ends in ends), tally.parked
        )
        watcher(progress)
        return not await _behind(owner)

    await until(caught_up, "the rebuilt tables to come as far as the live ones", CAUGHT_UP_S_MAX)
    return progress


def _raise_if_stopped(shadow: _Shadow) -> None:
    if shadow.consumer.tally.stopped is not None:
        raise RebuildStopped(reason=shadow.consumer.tally.stopped)


async def _behind(owner: Connection) -> int:
    """The number of partitions in which the new tables are not where the live ones are."""
    behind: int = await owner.fetchval(
        """SELECT count(*) FROM public.consumed AS live
           LEFT JOIN rebuilt.consumed AS shadow USING (subscription, topic, partition)
           WHERE live.position > coalesce(shadow.position, -1)"""
    )
    return behind


# -- In their place -------------------------------------------------------------------------------


async def _swap(owner: Connection, shadow: _Shadow, notes: Sequence[str]) -> None:
    async with owner.transaction():
        # Every batch of the live consumer begins with a row of this table: from here on it waits.
        await owner.execute("LOCK TABLE public.consumed IN EXCLUSIVE MODE")

        async def caught_up() -> bool:
            _raise_if_stopped(shadow)
            return not await _behind(owner)

        await until(caught_up, "the last messages", STANDSTILL_S_MAX)
        await shadow.stand_still()
        if parked := await owner.fetchval(_PARKED_ANEW):
            raise RebuildStopped(reason=f"{parked} messages cannot be handled")
        for table in notes:
            await owner.execute(_NOTES.format(table=table))
        await owner.execute(_KEEP_DROPPED)
        await owner.execute(_SWAP)


# -- Proof ----------------------------------------------------------------------------------------


async def digests(connection: Reader, schema: str = LIVE) -> dict[str, str]:
    """{table: sha256 of its rows in the order of its key} of a schema's read models.

    Two builds that have read the same messages have the same digests, byte for byte.
    """
    own = await connection.fetch(_KEYS, schema, list(NO_READ_MODELS))
    return {row["name"]: await _digest(connection, schema, row["name"], row["key"]) for row in own}


async def _digest(connection: Reader, schema: str, table: str, key: str) -> str:
    found = hashlib.sha256()

    async def take(chunk: bytes) -> None:
        found.update(chunk)

    query = f"SELECT * FROM {schema}.{table} ORDER BY {key}"  # noqa: S608 - names of the catalogue
    await connection.copy_from_query(query, output=take)
    return found.hexdigest()
