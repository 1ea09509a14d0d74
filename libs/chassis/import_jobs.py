"""The job behind an upload: noted beside its transaction, cancelled at a batch, begun again.

    async with store.transaction(context) as unit, job.running(unit.connection):
        async for rows in read_rows(job.counting(upload.chunks()), ...):
            await job.advance(report, len(rows))    # raises JobCancelled where that was asked for
        await job.done(unit.connection, report)     # stands when the transaction does

The transaction's session holds an advisory lock as long as the upload lives, and the server frees
it however the upload ends. So who is alive is never a question of clocks: a row that is RUNNING
under a free lock was INTERRUPTED, and the same request sent again goes on under the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
from starlette.requests import ClientDisconnect

from libs.chassis.csv_upload import ImportReport
from libs.chassis.idempotency import AlreadyAnswered, OnceOnly, in_flight
from libs.chassis.jobs import Job, JobNotCancellable, JobProblem, State, Wanted, newest_rows, rate
from libs.chassis.problems import BUSY_DATABASE, Refusal, kind_and_detail
from libs.events.store.faults import LOST
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

if TYPE_CHECKING:
    from libs.chassis.idempotency import Connection

NOTE_EVERY_S: Final = 0.5
KIND: Final = "import"
ROWS: Final = ("errors", "warnings")  # of a report; a job tells its counts alone
GONE: Final = (ClientDisconnect, asyncio.CancelledError, *LOST, *BUSY_DATABASE)
"""Ends of an upload that are nobody's refusal: the same request may simply be sent again."""

_ALIVE = "SELECT pg_try_advisory_xact_lock($1)"
_BEGIN = """
INSERT INTO job (id, client, key, lock, kind, about, state, attempt, done, total, counts,
                 started_at, changed_at)
VALUES ($3, $1, $2, $7, $4, $5, 'RUNNING', 1, 0, $6, '{}', now(), now())
ON CONFLICT (client, key) DO UPDATE SET kind = $4, about = $5, state = 'RUNNING',
    attempt = job.attempt + 1, done = 0, total = $6, counts = '{}', result = NULL,
    problem = NULL, cancelled_by = NULL, started_at = now(), changed_at = now()
WHERE job.state <> 'DONE'
RETURNING id, attempt
"""
_NOTE = """
UPDATE job SET done = $3, counts = $4, changed_at = now() WHERE id = $1 AND attempt = $2
RETURNING cancelled_by IS NOT NULL
"""
_DONE = """
UPDATE job SET state = 'DONE', done = $3, total = $3, counts = $4, result = $5, changed_at = now()
WHERE id = $1 AND attempt = $2 AND cancelled_by IS NULL RETURNING true
"""
_END = """
UPDATE job SET state = $3, done = $4, problem = $5, changed_at = now()
WHERE id = $1 AND attempt = $2 AND state = 'RUNNING'
"""
# A lock of one bigint stands in pg_locks as its two halves.
_JOBS = """
SELECT *, now() AS seen_at, EXISTS (
    SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND (classid::bigint << 32) | objid::bigint = job.lock
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS alive FROM job
"""


class JobCancelled(Refusal):
    """Somebody asked for the upload's end."""

    def __init__(self, job: str) -> None:
        super().__init__(409, "job-cancelled", f"{job} was cancelled; nothing of it was kept.")


# -- An upload as it goes -------------------------------------------------------------------------


@dataclass(slots=True)
class ImportJob:
    """The job of one upload; `id` is known once it is `running`."""

    store: Store
    once: OnceOnly
    about: str
    total: int
    clock: Callable[[], float] = time.monotonic
    id: str = ""
    _attempt: int | None = None
    _bytes: int = 0
    _rows: int = 0
    _noted_at: float = field(default=float("-inf"))

    @property
    def headers(self) -> dict[str, str]:
        """Where the job of an answer is found."""
        return {"Location": f"/jobs/{self.id}"}

    async def counting(self, body: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The chunks of the body, counted as they pass."""
        async for chunk in body:
            self._bytes += len(chunk)
            yield chunk

    @asynccontextmanager
    async def running(self, connection: Connection) -> AsyncIterator[None]:
        """Begin the job, and note how it ends where that is not `done`.

        Raises the 409 of a request that is being answered while another upload of it lives.
        """
        await self._begin(connection)
        try:
            yield
        except AlreadyAnswered:
            await self._end("DONE")
            raise
        except GONE:
            raise
        except Exception as error:
            await self._end("CANCELLED" if isinstance(error, JobCancelled) else "FAILED", error)
            if isinstance(error, Refusal):
                error.headers = {**(error.headers or {}), **self.headers}
            raise

    async def advance(self, report: ImportReport, rows: int) -> None:
        """Count rows that were handled; note it from time to time.

        Raises `JobCancelled` where somebody has asked for that by then.
        """
        self._rows += rows
        if self._attempt is None or self.clock() - self._noted_at < NOTE_EVERY_S:
            return
        self._noted_at = self.clock()
        noted = self._bytes, _json(self._counts(report))
        with contextlib.suppress(*LOST):
            if await self.store.notes.fetchval(_NOTE, self.id, self._attempt, *noted):
                raise JobCancelled(self.id)

    async def done(self, connection: Connection, report: ImportReport) -> None:
        """The upload is kept, if its transaction is; from here on nobody can cancel it."""
        if self._attempt is None:
            return
        result = {name: value for name, value in asdict(report).items() if name not in ROWS}
        noted = self._bytes, _json(self._counts(report)), _json(result)
        if not await connection.fetchval(_DONE, self.id, self._attempt, *noted):
            raise JobCancelled(self.id)

    async def _begin(self, connection: Connection) -> None:
        named = self.once.client, self.once.key
        lock = _lock(*named)
        if not await connection.fetchval(_ALIVE, lock):
            raise in_flight()
        fresh = f"{KIND}-{secrets.token_hex(8)}"
        described = KIND, self.about, self.total, lock
        begun = await self.store.notes.fetchrow(_BEGIN, *named, fresh, *described)
        if begun is None:
            # It is done. The request is read to its end all the same: its key may be another's.
            find = "SELECT id FROM job WHERE client = $1 AND key = $2"
            self.id = str(await self.store.notes.fetchval(find, *named))
        else:
            self.id, self._attempt = begun

    async def _end(self, state: State, error: Exception | None = None) -> None:
        problem = None
        if error is not None:
            kind, detail = kind_and_detail(error)
            problem = JobProblem(type=f"/problems/{kind}", detail=detail).model_dump_json()
        with contextlib.suppress(*LOST):
            await self.store.notes.execute(
                _END, self.id, self._attempt, state, self._bytes, problem
            )

    def _counts(self, report: ImportReport) -> dict[str, int]:
        counted = {name: n for name, n in asdict(report).items() if isinstance(n, int)}
        return {"rows": self._rows, **counted}


def _lock(client: str, key: str) -> int:
    """The number of the advisory lock of an upload: 64 bits, signed."""
    digest = hashlib.sha256(f"job\n{client}\n{key}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# -- Uploads as others see them -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Imports:
    """The uploads of a service."""

    seen_by: frozenset[str] = frozenset()

    async def find(self, store: Store, job: str) -> Job | None:
        """The upload of an id."""
        row = await store.pool.fetchrow(f"{_JOBS} WHERE id = $1", job)
        return None if row is None else _job(row)

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        """The wanted uploads."""
        return [_job(row) for row in await newest_rows(store, _JOBS, wanted)]

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        """Have a running upload refuse its next batch."""
        asked = await unit.connection.fetchval(
            """UPDATE job SET cancelled_by = coalesce(cancelled_by, $2)
               WHERE id = $1 AND state = 'RUNNING' RETURNING true""",
            job.id,
            by,
        )
        if not asked or job.state != "RUNNING":
            raise JobNotCancellable(job=job.id, reason=f"it is {job.state} and no longer runs")


def _job(row: Any) -> Job:
    state: State = row["state"]
    if state == "RUNNING" and not row["alive"]:
        state = "INTERRUPTED"
    until = row["seen_at"] if state == "RUNNING" else row["changed_at"]
    return Job(
        id=row["id"],
        kind=row["kind"],
        about=row["about"],
        state=state,
        done=row["done"],
        total=row["total"],
        unit="bytes",
        rate=rate(row["done"], row["started_at"], until),
        counts=msgspec.json.decode(row["counts"]),
        attempt=row["attempt"],
        by=row["client"],
        started_at=row["started_at"],
        changed_at=row["changed_at"],
        cancelling=state == "RUNNING" and row["cancelled_by"] is not None,
        result=msgspec.json.decode(row["result"] or "null"),
        problem=msgspec.json.decode(row["problem"] or "null"),
    )
