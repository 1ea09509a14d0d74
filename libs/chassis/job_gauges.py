"""Gauges of long work that goes on by itself: a job that runs and moves nothing stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.chassis.jobs import Job, Wanted
from libs.chassis.stream_jobs import StreamJobs
from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample

JOBS_LOOKED_AT: Final = 12
"""The newest jobs of each kind. There are a handful a year, and older ones have ended."""

_GOING_ON: Final = ("RUNNING", "FAILING")


async def job_samples(store: Store, sources: Sequence[StreamJobs]) -> list[Sample]:
    """The jobs of each kind that run, and what these have done; one that waits for a person does
    not run."""
    newest = Wanted(by=None, key=None, behind=None, limit=JOBS_LOOKED_AT)
    return [
        sample
        for source in sources
        for sample in _of_kind(store.source, source.kind, await source.newest(store, newest))
    ]


def _of_kind(store: str, kind: str, jobs: Sequence[Job]) -> list[Sample]:
    running = [job for job in jobs if job.state in _GOING_ON]
    return [
        Sample(telemetry.RUNNING_JOBS, len(running), (store, kind)),
        Sample(telemetry.RUNNING_JOBS_DONE, sum(job.done for job in running), (store, kind)),
    ]
