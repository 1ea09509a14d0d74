"""Commands about messages that could not be handled: see why, try them again, drop them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.http import Client, connected
from cli.client.jobs import Job
from cli.commands.job import watched
from cli.commands.running import FOUND_SOMETHING, STATE, State, out, run
from cli.errors import Failed
from localstack.environment import SERVICES

LOOKS_AT: Final = "platform:read"
REPLAYS: Final = "platform:operate"

Service = Annotated[str, typer.Argument(metavar="SERVICE", help=f"Of {', '.join(SERVICES)}.")]
Anyone = Annotated[
    str | None, typer.Argument(metavar="[SERVICE]", help="A service; without it, all.")
]
Topic = Annotated[str | None, typer.Option(help="Only this topic.")]
Key = Annotated[str | None, typer.Option(help="Only this key, mostly a family's id.")]
As = Annotated[str, typer.Option("--as", help="Who asks.")]

parked = typer.Typer(no_args_is_help=True, help="Messages that could not be handled, and why.")


@dataclass(frozen=True, slots=True)
class Parked:
    """One parked message."""

    topic: str
    key: str
    position: int
    error: str
    partition: int = 0
    offset: int | None = None
    stops: bool = False

    def at(self, location: tuple[int | None, int]) -> bool:
        """True of the message at (None, position), or of the record at (partition, offset)."""
        partition, number = location
        if partition is None:
            return self.offset is None and self.position == number
        return (self.partition, self.offset) == location

    def __str__(self) -> str:
        if self.offset is not None:
            stops = " stops the service" if self.stops else ""
            location = f"partition {self.partition} offset {self.offset}{stops}"
            return f"{self.topic} {location}: {self.error}"
        return f"{self.topic} {self.key} {self.position}: {self.error}"


@parked.command("list")
def list_(
    service: Anyone = None,
    topic: Topic = None,
    key: Key = None,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """List parked messages with their errors; those that wait behind one say so."""
    services = SERVICES if service is None else (_service(service),)
    found = run(_list(services, _query(topic, key), person, data))
    for name, messages in found.items():
        for message in messages:
            out.print(f"{name} {message}", markup=False, highlight=False, soft_wrap=True)
    of = {(name, message.topic, message.key) for name in found for message in found[name]}
    count = sum(map(len, found.values()))
    out.print(f"{count:,} messages are parked, of {len(of):,} keys.", highlight=False)


async def _list(
    services: tuple[str, ...], query: Mapping[str, str], person: str, data: Path
) -> dict[str, list[Parked]]:
    async with connected(data) as platform:
        asker = platform.client(person, LOOKS_AT)
        return {name: await _parked(asker, name, query) for name in services}


async def _parked(asker: Client, service: str, query: Mapping[str, str]) -> list[Parked]:
    pages = asker.pages(service, "/parked", list[Parked], **query)
    return [message async for page in pages for message in page]


@parked.command()
def replay(
    service: Service,
    topic: Topic = None,
    key: Key = None,
    person: As = "operator",
    data: State = STATE,
) -> None:
    """Replay parked messages in order; exit 1 if some are refused again."""
    ended = run(_replay(_service(service), _query(topic, key), person, data))
    out.print(f"{ended.id} {ended}", highlight=False, soft_wrap=True)
    all_fit = ended.state == "DONE" and not ended.counts.get("refused")
    raise typer.Exit(0 if all_fit else FOUND_SOMETHING)


async def _replay(service: str, query: Mapping[str, str], person: str, data: Path) -> Job:
    async with connected(data) as platform:
        asker = platform.client(person, LOOKS_AT, REPLAYS)
        begun = (await asker.post(service, "/parked/replay", query)).read(Job)
        return await watched(asker, service, begun)


@parked.command()
def drop(
    service: Service,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="The topic of the message.")],
    position: Annotated[int, typer.Argument(metavar="POSITION", help="Its position or offset.")],
    reason: Annotated[str, typer.Option(help="A code, such as SENT_BY_MISTAKE.")],
    partition: Annotated[
        int | None, typer.Option(help="Of a record that is no message: POSITION is its offset.")
    ] = None,
    person: As = "operator",
    data: State = STATE,
) -> None:
    """Drop one parked message for good; it stays on record with who decided, and why."""
    run(_drop(_service(service), topic, (partition, position), reason, person, data))
    out.print("Dropped; what waits behind it can be replayed now.", highlight=False)


async def _drop(
    service: str, topic: str, location: tuple[int | None, int], reason: str, person: str, data: Path
) -> None:
    async with connected(data) as platform:
        asker = platform.client(person, LOOKS_AT, REPLAYS)
        found = [
            message
            for message in await _parked(asker, service, {"topic": topic})
            if message.at(location)
        ]
        if not found:
            raise Failed(f"Nothing is parked in {topic} at {location[1]}.")
        [message] = found
        named = {"partition": message.partition, "position": message.position}
        await asker.post(service, "/parked/drop", {"topic": topic, **named, "reason": reason})


def _query(topic: str | None, key: str | None) -> dict[str, str]:
    return {name: value for name, value in (("topic", topic), ("key", key)) if value is not None}


def _service(service: str) -> str:
    if service not in SERVICES:
        raise typer.BadParameter(f"must be one of {', '.join(SERVICES)}", param_hint="SERVICE")
    return service
