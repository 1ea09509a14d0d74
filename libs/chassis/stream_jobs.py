"""Streams as jobs: a run's progress, read from the stream and tables that it works on anyway.

    listings = StreamJobs("listing", ends_with={"ListClosed"}, why_not="...", progress=progress)

The id of a job is that of its stream, such as listing-2023-1. Nothing is written for it: a run
that was killed goes on from its cursor, and its job with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from libs.chassis.jobs import Job, JobNotCancellable, JobProblem, State, Step, Wanted, rate
from libs.events.domain.persons import same_person
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Failing, failing_item

CURSOR_DIGITS: Final = 8
WORK_FAILS: Final = "/problems/work-fails"

_STREAMS = """
SELECT stream_id, recorded_at, coalesce(blocks.metadata ->> 'actor', '') AS by
FROM streams JOIN events USING (stream_id) JOIN blocks USING (block)
WHERE events.version = 1 AND stream_id > $1 || '-' AND stream_id < $1 || '.'
"""
_CHANGED = """
SELECT recorded_at FROM events JOIN blocks USING (block)
WHERE stream_id = $1 AND ($2 OR type = ANY($3)) ORDER BY version DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """A run's progress; see `Job` for what each means."""

    state: State
    done: int
    total: int | None
    unit: str
    counts: dict[str, int] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    result: dict[str, Any] | None = None
    problem: JobProblem | None = None


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run's stream, the moment of its first event and who began it."""

    stream: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class StreamJobs:
    """The streams whose ids begin with `kind` and a dash, each as a job.

    `progress` is asked with what follows the dash. `ends_with` are the types of the events that
    end a run, `why_not` is why none can be cancelled. `work` is the leader's work that takes the
    runs further, each as an item that begins with what follows the dash.
    """

    kind: str
    ends_with: Collection[str]
    why_not: str
    progress: Callable[[Store, str], Awaitable[Progress]]
    work: str
    seen_by: frozenset[str] = frozenset()

    async def find(self, store: Store, job: str) -> Job | None:
        """The run of an id."""
        rows = await store.pool.fetch(f"{_STREAMS} AND stream_id = $2", self.kind, job)
        begun = [_Begun(*row) for row in rows]
        return await self._job(store, begun[0]) if begun else None

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        """The wanted runs; none has a key."""
        if wanted.key is not None:
            return []
        rows = await store.pool.fetch(_STREAMS, self.kind)
        found = [
            begun
            for begun in sorted((_Begun(*row) for row in rows), key=_cursor, reverse=True)
            if (wanted.by is None or same_person(wanted.by, begun.by))
            and (wanted.behind is None or _cursor(begun) < wanted.behind)
        ]
        return [await self._job(store, begun) for begun in found[: wanted.limit]]

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        """Nobody can."""
        raise JobNotCancellable(job=job.id, reason=self.why_not)

    async def _job(self, store: Store, begun: _Begun) -> Job:
        about = begun.stream.removeprefix(f"{self.kind}-")
        progress = await self.progress(store, about)
        ended = progress.state == "DONE"
        fails = None if ended else await failing_item(store.pool, self.work, about)
        changed = await store.pool.fetchval(_CHANGED, begun.stream, not ended, list(self.ends_with))
        until = changed if ended else await store.pool.fetchval("SELECT now()")
        return Job(
            id=begun.stream,
            kind=self.kind,
            about=about,
            state="FAILING" if fails else progress.state,
            done=progress.done,
            total=progress.total,
            unit=progress.unit,
            rate=rate(progress.done, begun.at, until),
            counts=progress.counts,
            steps=progress.steps,
            attempt=fails.attempts if fails else 1,
            by=begun.by,
            started_at=begun.at,
            changed_at=changed,
            result=progress.result,
            problem=progress.problem or (_problem(fails) if fails else None),
        )


def _problem(fails: Failing) -> JobProblem:
    return JobProblem(type=WORK_FAILS, detail=fails.error)


def _cursor(begun: _Begun) -> tuple[datetime, str]:
    return begun.at, begun.stream


def share_before(cursor: str) -> float:
    """Which part of all random ids (UUIDs as text) stands at or before a cursor, from 0 to 1.

    So work in the order of ids knows how far it is without counting what is left.
    """
    digits = cursor.replace("-", "")[:CURSOR_DIGITS]
    return (int(digits, 16) + 1) / 16 ** len(digits) if digits else 0.0
