"""A service as others meet it: databases and keys of its own, files posted, messages delivered."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec
from fastapi import FastAPI

from libs.chassis.app import OPEN_PATHS, Lifespan
from libs.chassis.auth import is_open
from libs.chassis.catalogue import catalogue
from libs.chassis.description import Service
from libs.chassis.dev_issuer import KEY_SET, PRIVATE_KEY, Issuer
from libs.chassis.settings import Settings
from libs.events.bus import Batch, Record, batched
from libs.events.bus import embedded as embedded_bus
from libs.events.bus.envelope import Envelope, headers_of, source_of, type_prefix
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.store import migrate
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy import migrate as key_migrate
from libs.privacy.closed_numbers import NumberKeys
from libs.privacy.migrate import KeyRoles
from libs.privacy.versions import KeyVersions
from tests.servers import Postgres
from tests.stores import fresh_copy

ROOT: Final = Path(__file__).parents[1]
YEAR: Final = ROOT / "examples" / "kalbar-small"
TOPICS: Final = Topics.load(ROOT / "contracts")
MOMENT: Final = datetime(2023, 3, 31, tzinfo=UTC)
CONTEXT: Final = Context(MOMENT, "tester")
EPOCH: Final = "first"
NATION: Final = ("*",)
NOWHERE: Final = "http://127.0.0.1:9"
"""The address of a service that does not answer."""

# -- Settings of a service ------------------------------------------------------------------------


def runtime_role(service: str) -> str:
    """The role of a service in tests; it may do what migrations grant to it, and no more."""
    return f"{service}_runtime"


def as_role(url: str, role: str) -> str:
    """A database's address for a session that has given up being superuser."""
    return f"{url}{'&' if '?' in url else '?'}role={role}"


@asynccontextmanager
async def service_settings(
    postgres: Postgres, directory: Path, service: str
) -> AsyncIterator[Settings]:
    """A service's settings: a fresh database that holds its store, the keys and an embedded bus.

    They stand together because a database takes longer to make than most tests to run.
    """
    give_key(directory)
    async with fresh_copy(postgres, service, partial(_prepare, service)) as url:
        database = as_role(url, runtime_role(service))
        yield Settings(
            service=service,
            database_url=database,
            bus_url=url,
            issuers=Issuer.trusted_in(directory),
            keys_url=database,
            eraser_url=as_role(url, runtime_role("eraser")),
            reader_url=as_role(url, runtime_role("reader")) if service == "projection" else "",
            kek=KeyVersions.of(os.urandom(32)),
            token_key=KeyVersions.of(os.urandom(32)),
            field_key=KeyVersions.of(os.urandom(32)),
            inbound_keys=NumberKeys(KeyVersions.of(os.urandom(32))),
            contracts_dir=ROOT / "contracts",
            addresses={"payments": NOWHERE} if service == "registry" else {},
        )


def give_key(directory: Path) -> None:
    """Put the key of this process's issuer into a directory that has none.

    All tests of a process believe one key, so an application may serve several of them.
    """
    for name, text in _key().items():
        if not (directory / name).exists():
            (directory / name).write_text(text)
            (directory / name).chmod(0o600)


@cache
def _key() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as made:
        Issuer.open(Path(made))
        return {name: (Path(made) / name).read_text() for name in (PRIVATE_KEY, KEY_SET)}


async def _prepare(service: str, url: str) -> None:
    registry, payments, eraser, complaints = map(runtime_role, key_migrate.HOLDERS)
    recognising = [runtime_role(name) for name in catalogue().needing("token-key")]
    key_roles = KeyRoles(registry, payments, eraser, complaints, recognising)
    named = {
        "RUNTIME_ROLE": runtime_role(service),
        "READER_ROLE": runtime_role("reader"),
        "GRAFANA_ROLE": runtime_role("grafana"),
    }
    roles = {payments, eraser, complaints, *recognising, *named.values()}
    await _make_roles(url, roles)
    directories = [migrate.CORRIDOR, ROOT / "services" / service / "migrations"]
    await migrate.apply(url, directories, named)
    await key_migrate.apply(url, key_roles)
    await embedded_bus.migrate(url)


async def _make_roles(database: str, roles: Iterable[str]) -> None:
    connection = await asyncpg.connect(database)
    try:
        for role in sorted(roles):
            # Roles belong to the server, so another test has made them or makes them just now.
            with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
                await connection.execute(f"CREATE ROLE {role}")
    finally:
        await connection.close()


@contextlib.contextmanager
def copied(postgres: Postgres, settings: Settings) -> Iterator[Settings]:
    """The settings of a service whose database is a copy; nobody may be connected to the first."""
    name, copy = urlsplit(settings.database_url).path[1:], f"copy_{uuid.uuid4().hex[:12]}"
    postgres.run_sql(f"CREATE DATABASE {copy} TEMPLATE {name}")
    try:
        url = as_role(postgres.superuser_url(copy), runtime_role(settings.service))
        yield replace(settings, database_url=url)
    finally:
        postgres.run_sql(f"DROP DATABASE {copy} WITH (FORCE)")


# -- Requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Door:
    """The HTTP interface of one running service, and who may sign tokens for it."""

    client: httpx.AsyncClient
    issuer: Issuer

    def who(self, subject: str, *scopes: str, regions: Sequence[str] = NATION) -> dict[str, str]:
        """The headers of a request of somebody."""
        return {"Authorization": f"Bearer {self.issuer.token(subject, scopes, regions)}"}

    async def post(
        self,
        path: str,
        who: Mapping[str, str],
        *,
        key: str | None = None,
        **request: Any,
    ) -> httpx.Response:
        """POST with an Idempotency-Key, a fresh one where none is given."""
        headers = {**who, "Idempotency-Key": key or str(uuid.uuid4())}
        return await self.client.post(path, headers=headers, **request)


@asynccontextmanager
async def door(app: FastAPI, directory: Path) -> AsyncIterator[Door]:
    """The application's door, with everything running behind it that its lifespan starts."""
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield Door(client, Issuer.open(directory))


_idle: Final[dict[str, list[FastAPI]]] = defaultdict(list)


@contextlib.contextmanager
def application(
    service: Service, settings: Settings, lifespan: Lifespan | None = None
) -> Iterator[FastAPI]:
    """A service's application by these settings; `lifespan` as in `application` of it.

    Making one takes longer than most tests, so who ends leaves it to the next.
    """
    idle = _idle[service.name]
    # All tests of a process ask from one address, and many of them without a token.
    patient = replace(settings, limits=replace(settings.limits, refused_tokens_burst_max=100_000))
    app = idle.pop() if idle else service.application(patient, lambda app: app.state.lifespan(app))
    app.state.settings, app.state.lifespan = settings, lifespan or service._lifespan(settings)
    try:
        yield app
    finally:
        idle.append(app)


@asynccontextmanager
async def front_door(
    service: Service, settings: Settings, directory: Path, now: datetime | None = None
) -> AsyncIterator[Door]:
    """The door of a whole service, as `service_settings` told it to be; `now` where it matters."""
    with application(service, settings) as app:
        if now is not None:
            app.state.clock = lambda: now
        async with door(app, directory) as opened:
            yield opened


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of everything that the interface describes, with something in every place."""
    paths = app.openapi()["paths"]
    return [
        (method.upper(), path.format_map(_Somewhere()))
        for path, methods in paths.items()
        for method in methods
        if not is_open(path, OPEN_PATHS)
    ]


class _Somewhere(dict[str, str]):
    """Fills the places of a path: numbers where one is named so, an id elsewhere."""

    def __missing__(self, name: str) -> str:
        return "1" if name in ("correction", "member") else str(uuid.UUID(int=1))


# -- Messages -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Sender:
    """The messages of another service's relay on one topic, each with its place in the log."""

    topic: str
    position: int = 0
    last: dict[int, int] = field(default_factory=dict)

    def record(self, kind: str, key: str, body: object) -> Record:
        """The next message, of type `kind`."""
        self.position += 1
        partition = TOPICS.partition(self.topic, key)
        envelope = Envelope(
            id=f"{EPOCH}-{self.position}",
            source=source_of(TOPICS.owners[self.topic]),
            type=kind,
            major=1,
            subject=key,
            time=MOMENT,
            position=self.position,
            previous=self.last.get(partition, 0),
            epoch=EPOCH,
            trace=None,
        )
        self.last[partition] = self.position
        headers = headers_of(envelope, type_prefix(TOPICS.namespace, self.topic))
        value = msgspec.json.encode(body)
        return Record(self.topic, partition, key.encode(), value, headers)


def batches(*records: Record) -> list[Batch]:
    """The records as a consumer gets them: those of one partition together, in order."""
    places: dict[tuple[str, int], list[Record]] = {}
    for record in records:
        places.setdefault((record.topic, record.partition), []).append(record)
    return [batch for place, own in places.items() for batch in batched(*place, own)]


async def deliver(consumer: Consumer, *records: Record) -> None:
    """Have a consumer process the records as it does when it runs: those of a topic together, and
    partition by partition where one of them is in the others' way."""
    await consumer._open_checkpoints()
    of_topic: dict[str, list[Batch]] = defaultdict(list)
    for batch in batches(*records):
        of_topic[batch.topic].append(batch)
    for together in of_topic.values():
        if len(together) == 1 or not await consumer._try_together(*together):
            for batch in together:
                await consumer.process(batch)


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as the relay will send it."""

    topic: str
    type: str
    key: str
    value: bytes

    @property
    def body(self) -> Any:
        """The message's data."""
        return msgspec.json.decode(self.value)


async def sent(store: Store, *types: str) -> list[Sent]:
    """The messages that a service has published, in order; of these types where any are named."""
    rows = await store.pool.fetch(
        """SELECT topic, type, key,
                  CASE WHEN message::text = 'true' THEN data ELSE message END::text AS value
           FROM events JOIN blocks USING (block) WHERE topic IS NOT NULL
           ORDER BY first_position, ord"""
    )
    found = [Sent(row["topic"], row["type"], row["key"], row["value"].encode()) for row in rows]
    return [message for message in found if not types or message.type in types]


async def reads_of(database: Any) -> list[tuple[str, dict[str, Any]]]:
    """(reader, record) of everything that somebody has read of families, in order.

    `database` is a pool of a service's store, or a connection to it.
    """
    rows = await database.fetch(
        """SELECT blocks.metadata ->> 'actor', data::text FROM events JOIN blocks USING (block)
           WHERE stream_id LIKE 'reads-%' ORDER BY first_position, ord"""
    )
    return [(reader, msgspec.json.decode(data)) for reader, data in rows]


# -- Races ----------------------------------------------------------------------------------------


async def waits_for_a_lock(store: Store, *tasks: asyncio.Task[Any], waiting: int = 1) -> bool:
    """So many sessions of the store's database wait for others; a task's failure shows."""
    for task in tasks:
        if task.done():
            task.result()
    found = await store.pool.fetchval(
        """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
           WHERE datname = current_database() AND NOT granted"""
    )
    return bool(found >= waiting)
