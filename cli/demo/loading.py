"""Sends a year's files to the services that take them, through their front doors."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cli.client.http import Client
from cli.client.jobs import job_under, upload
from cli.client.screen import Bar
from cli.client.waiting import until_told
from cli.client.year import COMPLAINTS
from cli.errors import Failed
from libs.chassis.catalogue import catalogue

Showing = Callable[[str, int], Bar]
"""Given a file's name and size when its turn comes; gives the bar that shows its job."""


@dataclass(frozen=True, slots=True)
class Import:
    """A file of the year, and where it goes.

    `of_families` says that its service has to know the families first; a year may lack such a file.
    One that is not `of_year` is another form of a year's file, which a person sends by itself.
    """

    file: str
    service: str
    path: str
    of_families: bool = False
    of_year: bool = True


IMPORTS: Final[Mapping[str, Import]] = {
    "families": Import("families.csv", "registry", "/imports/families"),
    "members": Import("members.csv", "registry", "/imports/members"),
    "life-events": Import("life_events.csv", "registry", "/imports/life-events"),
    "school-attendance": Import(
        "school_attendance.csv", "conditionality", "/imports/school-attendance"
    ),
    "school-form": Import(
        "school_form.csv", "conditionality", "/imports/school-form", of_year=False
    ),
    "health-verification": Import(
        "health_verification.csv", "conditionality", "/imports/health-verification"
    ),
    "p2k2-sessions": Import("p2k2_sessions.csv", "p2k2", "/imports/p2k2-sessions", True),
    "p2k2-attendance": Import("p2k2_attendance.csv", "p2k2", "/imports/p2k2-attendance", True),
    "complaints": Import(COMPLAINTS, "complaints", "/imports/complaints", True),
}
"""By the kind that a person calls it; files of one service in the order in which it needs them."""

Key = Callable[[Import], str]
"""The Idempotency-Key under which a file is sent."""


def fresh_keys() -> Key:
    """A key for each file that was never used."""
    drawn: dict[str, str] = {}
    return lambda source: drawn.setdefault(source.file, str(uuid.uuid4()))


REGISTRY: Final = catalogue().services["registry"]
SCOPES: Final = (
    "registry:import",
    "conditionality:record",
    "p2k2:record",
    "complaints:receive",
)
NO_SERVICE: Final = ("withdrawals.csv", "facilitator_reconciliation.csv")


def without_service(directory: Path) -> list[str]:
    """The files of a year that nobody takes."""
    return [name for name in NO_SERVICE if (directory / name).is_file()]


async def load_year(
    clerk: Client, directory: Path, showing: Showing, key: Key | None = None
) -> dict[str, int]:
    """Send the files that a year rests on; gives the position that each service's log has reached
    by it.

    Services take their files at the same time. `key` names the request that sends a file: one
    that was taken under its key before is not sent again, and adds no position.
    """
    sources = [source for source in IMPORTS.values() if source.of_year and not source.of_families]
    for source in sources:
        if not (directory / source.file).is_file():
            raise Failed(f"{directory / source.file} is missing.")
    return await _send(clerk, directory, sources, showing, key or fresh_keys())


async def load_of_families(
    clerk: Client, observer: Client, directory: Path, showing: Showing, key: Key | None = None
) -> None:
    """Send the files that are of families, once services that ask for those have been told."""
    sources = [
        source
        for source in IMPORTS.values()
        if source.of_families and (directory / source.file).is_file()
    ]
    for service in dict.fromkeys(source.service for source in sources):
        if any(topic in REGISTRY.publishes for topic in catalogue().services[service].reads):
            await until_told(observer, "registry", service)
    await _send(clerk, directory, sources, showing, key or fresh_keys())


async def _send(
    clerk: Client, directory: Path, sources: Sequence[Import], showing: Showing, key: Key
) -> dict[str, int]:
    async def load(imports: Sequence[Import]) -> int:
        position = 0
        for source in imports:
            file = directory / source.file
            bar = showing(source.file, file.stat().st_size)
            before = await job_under(clerk, source.service, key(source))
            if before is not None and before.state == "DONE":
                bar.finish("taken before")
                continue
            answer = await upload(clerk, source.service, source.path, file, key(source), bar)
            bar.finish()
            position = answer.position or position
        return position

    services = dict.fromkeys(source.service for source in sources)
    try:
        async with asyncio.TaskGroup() as group:
            loading = {
                service: group.create_task(
                    load([source for source in sources if source.service == service])
                )
                for service in services
            }
    except* Failed as failures:
        raise _first(failures) from None
    return {service: task.result() for service, task in loading.items()}


def _first(failures: BaseExceptionGroup[Failed]) -> Failed:
    first = failures.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
