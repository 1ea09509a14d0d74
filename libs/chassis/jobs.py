"""Long work as a resource: how far it is, what it came to, and who may end it.

    router = jobs_router([IMPORTS, listings], "registry:read", "registry:import")

A source knows the jobs of one kind. Uploads have rows of their own (`import_jobs`); a run of a
service is read from the streams and tables that it works on anyway (`stream_jobs`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Protocol, TypeAlias

import asyncpg
from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from libs.chassis.auth import NATION, Principal, require_one_of
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import Reply
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.problems import Refusal
from libs.chassis.service import StoreOf
from libs.events.domain.errors import DomainError, NotFound
from libs.events.domain.persons import same_person
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

SEES_ALL: Final = "platform:read"
CANCELS_ALL: Final = "platform:operate"
JOB_FORM: Final = re.compile(r"[A-Za-z0-9-]{1,80}")

JobId = Annotated[str, Path(pattern=f"^{JOB_FORM.pattern}$")]
KeyOf = Annotated[str | None, Query(pattern="^[!-~]{1,128}$")]

State: TypeAlias = Literal[
    "WAITING", "RUNNING", "FAILING", "DONE", "FAILED", "CANCELLED", "INTERRUPTED"
]
"""WAITING is for a person; FAILING fails again and again, and goes on by itself once it can;
INTERRUPTED lost its process or its sender and can be begun again."""


class JobUnknown(NotFound):
    """There is no such job, or it is not yours to see."""


class JobNotCancellable(DomainError):
    """This job cannot be cancelled."""


class Step(BaseModel):
    """A part of a job, in the job's unit."""

    name: str
    state: State
    done: int
    total: int | None


class JobProblem(BaseModel):
    """The problem that a job failed or stands still with; `type` is that of its page."""

    type: str
    detail: str | None = None


class Job(BaseModel):
    """Work that takes a while.

    `done` of `total` are in `unit`; `total` is null where nobody knows it yet, and may be an
    estimate until the job is DONE. `rate` is units a second over the time that it has run.
    `attempt` counts how often it was begun, or its step that fails. `by` is the subject who began
    it.
    """

    id: str
    kind: str
    about: str
    state: State
    done: int
    total: int | None
    unit: str
    rate: float | None
    counts: dict[str, int] = {}
    steps: list[Step] = []
    attempt: int = 1
    by: str
    started_at: datetime
    changed_at: datetime
    cancelling: bool = False
    result: dict[str, Any] | None = None
    problem: JobProblem | None = None


def rate(done: int, since: datetime, until: datetime) -> float | None:
    """Units a second, None before any time has passed."""
    seconds = (until - since).total_seconds()
    return round(done / seconds, 1) if seconds > 0 else None


# -- Sources --------------------------------------------------------------------------------------

JobCursor: TypeAlias = tuple[datetime, str]
"""Where a job stands among all: when it began, and its id."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs are asked for: of one subject or of all, under a key or any, behind a cursor."""

    by: str | None
    key: str | None
    behind: JobCursor | None
    limit: int


_NEWEST: Final = """
WHERE ($1::text IS NULL OR client = $1) AND ($2::text IS NULL OR key = $2)
  AND ($3::timestamptz IS NULL OR (started_at, id) < ($3, $4))
ORDER BY started_at DESC, id DESC LIMIT $5
"""


async def newest_rows(store: Store, rows: str, wanted: Wanted) -> list[asyncpg.Record]:
    """The wanted ones of jobs that have a row each; `rows` is a SELECT of all of them."""
    began, job = wanted.behind or (None, None)
    asked = wanted.by, wanted.key, began, job, wanted.limit
    return await store.pool.fetch(rows + _NEWEST, *asked)


class Source(Protocol):
    """The jobs of one kind; whoever holds one of `seen_by` for the whole nation sees all of them,
    others their own."""

    @property
    def seen_by(self) -> frozenset[str]:
        """Scopes."""

    async def find(self, store: Store, job: str) -> Job | None:
        """The job of an id, None where it is none of this source."""

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        """At most `limit` of the wanted jobs, newest first."""

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        """Have the job end without an effect; raises `JobNotCancellable` with the reason."""


def sees_all(source: Source, asker: Principal) -> bool:
    """True if somebody may see what others began, which is of families of any region."""
    scopes = {*source.seen_by, SEES_ALL, CANCELS_ALL}
    return asker.may_see(NATION) and not asker.scopes.isdisjoint(scopes)


async def visible(
    sources: Sequence[Source], store: Store, job: str, asker: Principal
) -> tuple[Source, Job]:
    """A job that the asker may see, and its source; raises `JobUnknown`."""
    for source in sources:
        found = await source.find(store, job)
        if found is not None and (same_person(found.by, asker.subject) or sees_all(source, asker)):
            return source, found
    raise JobUnknown


async def page(
    sources: Sequence[Source], store: Store, asker: Principal, wanted: Wanted
) -> list[Job]:
    """The newest jobs of all sources that the asker may see, one more than a page holds."""
    found: list[Job] = []
    for source in sources:
        own_only = wanted.key is not None or not sees_all(source, asker)
        by = asker.subject if own_only else None
        found += await source.newest(store, Wanted(by, wanted.key, wanted.behind, wanted.limit))
    return sorted(found, key=cursor, reverse=True)[: wanted.limit]


def cursor(job: Job) -> JobCursor:
    """Where a job stands."""
    return job.started_at, job.id


# -- Routes ---------------------------------------------------------------------------------------


def jobs_router(sources: Sequence[Source], *scopes: str) -> APIRouter:
    """The routes of a service's jobs, for everybody who holds one of `scopes`, and operations."""
    router = APIRouter(prefix="/jobs", tags=["jobs"])
    reader = require_one_of(*scopes, SEES_ALL)
    ender = require_one_of(*scopes, CANCELS_ALL)

    @router.get("")
    async def jobs(
        store: StoreOf,
        paging: Paging,
        asker: Principal = reader,
        key: KeyOf = None,
    ) -> Page[Job]:
        """Your jobs, or everybody's where you may see them, newest first; `key` names the one
        that you began under this Idempotency-Key."""
        wanted = Wanted(None, key, paging.after(tuple[datetime, str]), paging.rows)
        found, following = paging.cut(await page(sources, store, asker, wanted), cursor)
        return Page[Job](items=list(found), next=following)

    @router.get("/{job}", responses=refuses(JobUnknown))
    async def job(job: JobId, store: StoreOf, asker: Principal = reader) -> Job:
        """The standing of one job."""
        _, found = await visible(sources, store, job, asker)
        return found

    @router.post(
        "/{job}/cancellation",
        status_code=202,
        response_model=Job,
        responses=refuses(JobUnknown, JobNotCancellable),
        dependencies=[Unconditional],
    )
    async def cancel_job(
        job: JobId, store: StoreOf, deciding: DecidingOf, asker: Principal = ender
    ) -> Response:
        """Have a job end without an effect; it notices at its next step. Your own, or with
        platform:operate anybody's."""
        source, found = await visible(sources, store, job, asker)
        if not same_person(found.by, asker.subject) and CANCELS_ALL not in asker.scopes:
            raise Refusal(403, "scope-missing", f"The token lacks {CANCELS_ALL}.")

        async def cancelled(unit: Transaction) -> Reply:
            await source.cancel(unit, found, asker.subject)
            asked = found.model_copy(update={"cancelling": True})
            return Reply(202, asked.model_dump(mode="json"))

        return await deciding(cancelled)

    return router
