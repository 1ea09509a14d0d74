"""Replays of parked messages as jobs: asked for, seen and cancelled; `replay_worker` does them.

async with store.transaction(context) as unit:
    job = await begin(unit, once, Selection(topic, key))
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from libs.chassis.idempotency import OnceOnly
from libs.chassis.jobs import Job, JobNotCancellable, State, Wanted, newest_rows, rate
from libs.events.consumer.parking import START, NothingParked, ParkedPosition, Selection
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

KIND: Final = "replay"
EVERYTHING: Final = "everything"

_BEGIN: Final = """
INSERT INTO replay (id, client, key, topic, parked_key, state, place, total)
SELECT $1, $2, $3, $4, $5, 'RUNNING', $6, count(*) FROM parked
WHERE ($4::text IS NULL OR topic = $4) AND ($5::text IS NULL OR key = $5)
  AND dropped_at IS NULL AND position > 0 HAVING count(*) > 0
RETURNING *, now() AS seen_at
"""
_REPLAYS: Final = "SELECT *, now() AS seen_at FROM replay"
_CANCEL: Final = """
UPDATE replay SET cancelled_by = coalesce(cancelled_by, $2)
WHERE id = $1 AND state = 'RUNNING' RETURNING true
"""


async def begin(unit: Transaction, once: OnceOnly, selection: Selection) -> Job:
    """Have parked messages replayed. Raises `NothingParked` where none are of the selection."""
    row = await unit.connection.fetchrow(
        _BEGIN,
        f"{KIND}-{secrets.token_hex(8)}",
        once.client,
        once.key,
        selection.topic,
        selection.key,
        _text(START),
    )
    if row is None:
        raise NothingParked(topic=selection.topic)
    return _job(row)


@dataclass(frozen=True, slots=True)
class ReplayJobs:
    """The replays of a service."""

    seen_by: frozenset[str] = frozenset()

    async def find(self, store: Store, job: str) -> Job | None:
        """The replay of an id."""
        row = await store.pool.fetchrow(f"{_REPLAYS} WHERE id = $1", job)
        return None if row is None else _job(row)

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        """The wanted replays."""
        return [_job(row) for row in await newest_rows(store, _REPLAYS, wanted)]

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        """Have a replay end at its next step; what went through stays so."""
        if not await unit.connection.fetchval(_CANCEL, job.id, by):
            raise JobNotCancellable(job=job.id, reason=f"it is {job.state} and no longer runs")


def _job(row: Any) -> Job:
    state: State = row["state"]
    done = row["handled"] + row["refused"]
    until = row["seen_at"] if state == "RUNNING" else row["changed_at"]
    return Job(
        id=row["id"],
        kind=KIND,
        about=" ".join(filter(None, (row["topic"], row["parked_key"]))) or EVERYTHING,
        state=state,
        done=done,
        # What comes behind a parked message meanwhile is replayed too.
        total=done if state == "DONE" else max(done, row["total"]),
        unit="messages",
        rate=rate(done, row["started_at"], until),
        counts={"handled": row["handled"], "refused": row["refused"]},
        by=row["client"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
        cancelling=state == "RUNNING" and row["cancelled_by"] is not None,
        problem=msgspec.json.decode(row["problem"] or "null"),
    )


def _text(position: ParkedPosition) -> str:
    return msgspec.json.encode(position).decode()
