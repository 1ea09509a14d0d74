"""Appends single commands that arrive together in one statement, and answers each on its own.

One group of a store is under way at a time; what arrives meanwhile is the next one, so a process
under load pays for the disk once for many commands, and an idle one waits for nothing. A command
that is refused, known already or resting on another version is answered so and disturbs no other;
where the statement does not go through for whatever one of them brought, each goes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import perf_counter, time_ns
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from libs.events.domain.decider import C, E, S
from libs.events.store.codec import codec_of
from libs.events.store.faults import LOST, is_lost
from libs.events.store.grouped_commands import (
    APPEND,
    Answered,
    Group,
    GroupedCommand,
    R,
    Waiting,
    arguments,
    decided,
)
from libs.events.store.handle import Loaded, handle
from libs.events.store.postgres import Store
from libs.events.store.stream_cache import StreamCache
from libs.events.telemetry import tracing
from libs.events.telemetry.metrics import APPEND_EVENTS, APPEND_SECONDS

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

GROUP_MAX: Final = 64

# Three looks in one round trip: the streams; the keys that are taken, `id` then being the key,
# `version` the head, `state` and `state_version` the kept answer and its status; and the epoch.
_LOOK: Final = """
SELECT NULL AS client, stream_id AS id, version, state, state_version, NULL AS fingerprint
FROM streams WHERE stream_id = ANY($1)
UNION ALL
SELECT client, key, (SELECT position FROM head), answer, status, fingerprint
FROM idempotency WHERE (client, key) IN (SELECT * FROM unnest($2::text[], $3::text[]))
UNION ALL
SELECT NULL, NULL, position, NULL, NULL, epoch FROM head
"""


class GroupCommitter:
    """The appends of one process's single commands to one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._cache = StreamCache()
        self._waiting: list[Waiting] = []
        self._working: asyncio.Task[None] | None = None

    async def append(self, grouped: GroupedCommand[C, S, E, R]) -> Answered[R]:
        """Handle a command together with those that wait beside it.

        Raises what refuses it. Who is cancelled meanwhile does not know whether it happened.
        """
        waiting = Waiting(grouped, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="committer")
        return await waiting.answer

    async def _work(self) -> None:
        try:
            while self._waiting:
                waiting = self._next_group()
                try:
                    await self._append(waiting)
                except Exception as error:  # noqa: BLE001 - each of them is told
                    _refuse(waiting, error)
                except asyncio.CancelledError:
                    # Of the group nobody knows whether it happened, as after a lost connection.
                    _refuse([*waiting, *self._waiting], ConnectionAbortedError("not answered"))
                    self._waiting = []
                    raise
        finally:
            self._working = None

    def _next_group(self) -> list[Waiting]:
        """The next commands of one actor, whom the block names; none overtakes on its stream."""
        actor = self._waiting[0].grouped.context.actor
        group: list[Waiting] = []
        left: list[Waiting] = []
        keys: set[tuple[str, str]] = set()
        behind: set[str] = set()
        for waiting in self._waiting:
            grouped = waiting.grouped
            key = (grouped.once.client, grouped.once.key) if grouped.once else None
            fits = len(group) < GROUP_MAX and grouped.context.actor == actor and key not in keys
            if not fits or grouped.stream_id in behind:
                left.append(waiting)
                behind.add(grouped.stream_id)
                continue
            group.append(waiting)
            if key is not None:
                keys.add(key)
        self._waiting = left
        return group

    async def _append(self, waiting: Sequence[Waiting]) -> None:
        try:
            await self._together(waiting)
        except (asyncpg.PostgresError, ValueError) as error:
            if is_lost(error):
                raise  # it may have happened all the same, so it is not tried again
            for command in waiting:
                if not command.answer.done():
                    await self._alone(command)

    # -- Together

    async def _together(self, waiting: Sequence[Waiting]) -> None:
        began, began_ns = perf_counter(), time_ns()
        async with self.store.pool.acquire() as connection:
            group = await self._from_cache(connection, waiting)
            if group is None:
                group = decided(*await self._look(connection, waiting))
                await self._write(connection, group)
        if group.doubt is not None:
            group.position = await self.store.position_of(group.block, group.doubt)
        self._cache.moved(group.streams)
        for command, refusal in group.refused:
            command.refuse(refusal)
        for command, reply, moved in group.done:
            command.give(reply, group.position if moved else None)
        if group.events:
            self._measured(group, began, began_ns)

    async def _from_cache(self, connection: Connection, waiting: Sequence[Waiting]) -> Group | None:
        """Append to the streams as this process left them; None where they must be read first."""
        cached = self._cache.find(waiting)
        if cached is None:
            return None
        group = decided(waiting, cached)
        if group.refused or not all(moved for _, _, moved in group.done):
            return None
        try:
            await self._write(connection, group)
        except asyncpg.SerializationError:
            return None
        return group

    async def _write(self, connection: Connection, group: Group) -> None:
        if not (group.events or group.keys):
            return
        group.block = await self.store.block_number(connection)
        values = arguments(group, self._cache.epoch, group.block)
        try:
            group.position = await connection.fetchval(APPEND, *values)
        except LOST as doubt:
            if not is_lost(doubt) or not group.events:
                raise
            group.doubt = doubt

    def _measured(self, group: Group, began: float, began_ns: int) -> None:
        count, source = len(group.events), self.store.source
        APPEND_EVENTS.labels(source).observe(count)
        APPEND_SECONDS.labels(source).observe(perf_counter() - began)
        if tracing.collected():
            trace = group.events[-1][0].trace
            tracing.appended(source, began_ns, trace, count, group.position or 0)

    async def _look(
        self, connection: Connection, waiting: Sequence[Waiting]
    ) -> tuple[list[Waiting], dict[str, Loaded[Any]]]:
        """Those whose keys are free, and the streams that exist; the others are answered."""
        kinds = {command.grouped.stream_id: command.grouped.kind for command in waiting}
        keyed = [command.grouped.once for command in waiting if command.grouped.once]
        rows = await connection.fetch(
            _LOOK, list(kinds), [once.client for once in keyed], [once.key for once in keyed]
        )
        taken = {(row[0], row[1]): row for row in rows if row[0] is not None}
        loaded: dict[str, Loaded[Any]] = {}
        epoch = ""
        for client, stream_id, version, text, shape, found_epoch in rows:
            if client is not None:
                continue
            if stream_id is None:
                epoch = found_epoch
                continue
            state = codec_of(kinds[stream_id]).decode_state(text, shape)
            if state is not None:
                loaded[stream_id] = Loaded(version, state, state)
            else:
                loaded |= await self.store.read(kinds[stream_id], [stream_id], connection)
        self._cache.read(epoch, kinds, loaded)
        fresh: list[Waiting] = []
        for command in waiting:
            once = command.grouped.once
            row = taken.get((once.client, once.key)) if once else None
            if once is None or row is None:
                fresh.append(command)
            else:
                _, _, position, answer, status, fingerprint = row
                command.refuse(once.taken(fingerprint, status, answer, position))
        return fresh, loaded

    # -- Alone

    async def _alone(self, waiting: Waiting) -> None:
        grouped = waiting.grouped
        try:
            async with self.store.transaction(grouped.context) as unit:
                if grouped.once is not None:
                    await grouped.once.claim(unit.connection)
                if grouped.seen is not None:
                    await unit.hold([grouped.stream_id])
                    found = await unit.load(grouped.kind, [grouped.stream_id])
                    if grouped.stream_id in found:
                        grouped.seen.ensure(found[grouped.stream_id].version)
                outcome = await handle(unit, grouped.kind, grouped.stream_id, grouped.command)
                reply = grouped.reply(outcome)
                if grouped.once is not None:
                    await grouped.once.keep(unit.connection, reply)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this command's answer
            waiting.refuse(error)
        else:
            waiting.give(reply, unit.position)


def _refuse(waiting: Sequence[Waiting], error: Exception) -> None:
    for command in waiting:
        command.refuse(error)
