"""Sweeps of due days: asked of complaints for a day, and waited for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from cli.client.http import Connected
from cli.client.jobs import Job, job_of
from cli.client.waiting import while_it_moves

SERVICE: Final = "complaints"
ASKS: Final = ("platform:operate", "platform:read")


@dataclass(frozen=True, slots=True)
class Asked:
    """The job of a sweep."""

    job: str


async def sweep(platform: Connected, on: date) -> None:
    """Have every case whose term is over by a day received by the next level, and wait for it."""
    operator = platform.client("operator", *ASKS)
    asked = (await operator.post(SERVICE, "/sweeps", {"on": str(on)})).read(Asked)

    async def look() -> Job | None:
        return await job_of(operator, SERVICE, asked.job)

    await while_it_moves(look, lambda job: job is not None and job.state == "DONE", str)
