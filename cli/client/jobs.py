"""Jobs as the services tell of them: found by id or key, shown on a bar while they go."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from cli.client.http import Answer, Client, Refused
from cli.client.screen import Bar
from cli.errors import Failed
from libs.chassis.catalogue import catalogue

SERVICES: Final = catalogue().names
"""Those that work for long, if only at a replay."""
KILOBYTE: Final = 1_000
MEGABYTE: Final = 1_000_000
LOOK_S: Final = 0.5
PAUSES_A_LOOK: Final = 9  # looking takes at most a tenth of the time, however long a look takes
UNKNOWN: Final = ("job-unknown", "not-found")
MOVING: Final = ("WAITING", "RUNNING", "FAILING")


@dataclass(frozen=True, slots=True)
class Step:
    """A part of a job."""

    name: str
    state: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Problem:
    """The problem that a job failed or stands still with."""

    type: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work that takes a while; see a service's GET /jobs for what each means."""

    id: str
    kind: str
    about: str
    state: str
    done: int
    total: int | None
    unit: str
    rate: float | None
    by: str
    started_at: datetime
    changed_at: datetime
    counts: dict[str, int] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    attempt: int = 1
    result: dict[str, Any] | None = None
    problem: Problem | None = None

    def __str__(self) -> str:
        parts = [self.state, self.amount]
        parts += [f"{name} {count:,}" for name, count in self.counts.items() if count]
        if self.rate is not None and self.state != "WAITING":
            parts.append(self.speed)
        if self.state == "FAILING":
            parts.append(f"attempt {self.attempt}")
        if self.problem is not None:
            parts.append(self.problem.detail or self.problem.type)
        return " · ".join(parts)

    @property
    def amount(self) -> str:
        """The part that is done, of the whole."""
        if self.unit == "bytes":
            of = "" if self.total is None else f" of {_bytes(self.total)}"
            return f"{_bytes(self.done)}{of}"
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.done:,}{of} {self.unit}"

    @property
    def speed(self) -> str:
        """The rate, a second."""
        rate = self.rate or 0
        if self.unit == "bytes":
            return f"{_bytes(rate)}/s"
        return f"{rate:,.0f} {self.unit}/s"


def _bytes(count: float) -> str:
    if count < MEGABYTE:
        return f"{count / KILOBYTE:,.0f} kB"
    return f"{count / MEGABYTE:,.1f} MB"


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, newest first."""

    items: tuple[Job, ...]
    next: str | None = None


# -- Asking ---------------------------------------------------------------------------------------


async def job_of(asker: Client, service: str, job: str) -> Job | None:
    """A service's job, None where it knows none of this id, or not yet."""
    try:
        return await asker.get(service, f"/jobs/{job}", Job)
    except Refused as refusal:
        if refusal.kind in UNKNOWN:
            return None
        raise


async def job_under(asker: Client, service: str, key: str) -> Job | None:
    """The job that the asker began under an Idempotency-Key."""
    try:
        found = (await asker.get(service, "/jobs", Page, key=key)).items
    except Refused as refusal:
        if refusal.kind in UNKNOWN:
            return None
        raise
    return found[0] if found else None


async def find(asker: Client, job: str) -> tuple[str, Job]:
    """The service that knows a job, and the job. Raises `Failed` where none does."""
    for service in SERVICES:
        found = await job_of(asker, service, job)
        if found is not None:
            return service, found
    raise Failed(f"No service of this platform knows a job {job}.")


# -- Showing --------------------------------------------------------------------------------------


@asynccontextmanager
async def looking(look: Callable[[], Awaitable[object]]) -> AsyncIterator[None]:
    """Look again and again while something is waited for, and once more at its end."""

    async def looks() -> None:
        pause_s = LOOK_S
        while True:
            await asyncio.sleep(pause_s)
            begun = time.monotonic()
            # What is shown is not worth failing for: whoever is waited for says what is wrong.
            with contextlib.suppress(Failed):
                await look()
            pause_s = max(LOOK_S, PAUSES_A_LOOK * (time.monotonic() - begun))

    watching = asyncio.create_task(looks())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    with contextlib.suppress(Failed):
        await look()


async def upload(clerk: Client, service: str, path: str, file: Path, key: str, bar: Bar) -> Answer:
    """Send a file; the bar shows its job, in which counts what the service has taken in."""

    async def look() -> None:
        if (job := await job_under(clerk, service, key)) is not None:
            bar.show(job.done, _rows(job), job.total)

    async with looking(look):
        return await clerk.upload(service, path, file, key)


def _rows(job: Job) -> str:
    rows = job.counts.get("rows", 0)
    speed = f" · {rows * job.rate / job.done:,.0f} rows/s" if job.rate and job.done else ""
    attempt = f" · attempt {job.attempt}" if job.attempt > 1 else ""
    return f"{rows:,} rows{speed}{attempt}"
