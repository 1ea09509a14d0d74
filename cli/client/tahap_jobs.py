"""The jobs behind one tahap, from list to banks, on one bar."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cli.client.http import Client
from cli.client.jobs import Job, job_of
from cli.client.screen import Bar
from cli.client.tahap_state import REGULAR
from cli.errors import Failed

JOINING: Final = ("payments", "tahap-{tahap}")
JOBS: Final = (
    ("registry", "listing-{tahap}"),
    ("conditionality", "evaluation-{tahap}"),
    JOINING,
    ("payments", f"run-{{tahap}}-{REGULAR}"),
)
"""(service, id) of the jobs of a tahap, in the order in which they begin."""
PARTS: Final = 8  # listing, evaluation and the six steps of a run


@dataclass(frozen=True, slots=True)
class Part:
    """A job or a step of one, as far as a bar shows it."""

    name: str
    state: str
    done: int
    total: int | None
    rate: float | None = None

    @property
    def share(self) -> float:
        """The part that is done, from 0 to 1."""
        if self.state == "DONE":
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        rate = "" if self.rate is None else f" · {self.rate:,.0f}/s"
        return f"{self.name.lower().replace('_', ' ')} {self.done:,}{of}{rate}"


async def show_tahap(observer: Client, tahap: str, bar: Bar) -> None:
    """Show how far a tahap is; needs platform:read."""
    found = parts(await jobs_of(observer, tahap))
    at_work = [part for part in found if part.state == "RUNNING"] or found[-1:]
    bar.show(sum(part.share for part in found), " · ".join(map(str, at_work[:2])), PARTS)


async def jobs_of(observer: Client, tahap: str) -> list[Job]:
    """The jobs of a tahap that are there by now, in the order in which they begin."""
    found = await asyncio.gather(
        *(
            job_of(observer, service, name.format(tahap=tahap))
            for service, name in JOBS
            if (service, name) != JOINING
        )
    )
    return [job for job in found if job is not None]


async def failing_jobs(observer: Client, tahap: str) -> list[Job]:
    """The jobs of a tahap that fail again and again; of a service that is away none is known."""
    failing: list[Job] = []
    for service, name in JOBS:
        with contextlib.suppress(Failed):
            job = await job_of(observer, service, name.format(tahap=tahap))
            failing += [job] if job is not None and job.state == "FAILING" else []
    return failing


def parts(jobs: Sequence[Job]) -> list[Part]:
    """The parts of a bar: a run by its steps, everything else by itself."""
    found: list[Part] = []
    for job in jobs:
        if job.steps:
            found += [Part(step.name, step.state, step.done, step.total) for step in job.steps]
        else:
            found.append(Part(job.kind, job.state, job.done, job.total, job.rate))
    return found
