"""The parts of a running service, and the work that runs beside its HTTP interface.

async with opened(settings) as running:
    async with working(running, subscriptions, {"listing": worker.step}):
        yield running.resources()
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import asyncpg
import structlog
from aiokafka.errors import KafkaError
from starlette.datastructures import State

from libs.chassis.health import Check
from libs.chassis.metrics import Look, reaching, shown
from libs.chassis.middleware import resource
from libs.chassis.reading import Reading
from libs.chassis.replay_worker import ReplayWorker
from libs.chassis.server_certificates import Server, ServerCertificates
from libs.chassis.settings import Settings
from libs.events import telemetry
from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.topics import Topics
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import CorridorError
from libs.events.monitoring.gauges import (
    failing_samples,
    leader_samples,
    log_samples,
    parked_samples,
    tally_samples,
)
from libs.events.monitoring.group_lag import LagWatch
from libs.events.store.faults import RETRIED
from libs.events.store.group_commit import GroupCommitter
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample
from libs.events.workers.backoff import failing
from libs.events.workers.leader import has_leader, lead
from libs.privacy.closed_numbers import NumberKeys
from libs.privacy.errors import KeyNeeded
from libs.privacy.keys import KeyRing, Pool
from libs.privacy.recognition import TOKEN, Recognition
from libs.privacy.rotation import (
    KEK,
    ensure_all_open,
    ensure_retired,
    retire_older,
    still_in_use,
)
from libs.privacy.security_module import SecurityModule
from libs.privacy.versions import KeyVersions

Step = Callable[[], Awaitable[bool]]

BUS_RETRY_S = 0.3
KEY_CONNECTIONS_MAX = 4

log = structlog.get_logger("service")


class NoRelay(CorridorError):
    """Nobody relays this service's messages."""


class ConsumerStopped(CorridorError):
    """The consumer stopped at something that a person must mend."""


class ConsumerKeptOut(CorridorError):
    """The consumer does not get at its topics; it tries again and again."""


class WorkFails(CorridorError):
    """A leader's work fails again and again."""


@dataclass(slots=True)
class Running:
    """The settings, the store, the bus and the topics of one service, and its consumer once it
    works.

    `requests` is the store as handlers have it: on connections of its own, so that neither they nor
    workers can take all, and with a limit to each statement, which a worker's that sums what a
    nation has may exceed. `reading` is theirs under the role that sees what it says it is for, in a
    service that needs `reader`. `closing` closes what the service itself opens, after its work has
    ended.
    `looks` are what /metrics shows beside what the process measures; a service adds its own.
    """

    settings: Settings
    store: Store
    bus: Bus
    topics: Topics
    requests: Store | None = None
    reading: Reading | None = None
    closing: AsyncExitStack = field(default_factory=AsyncExitStack)
    subscriptions: Sequence[Subscription] = ()
    consumer: Consumer | None = None
    jobs: Sequence[str] = ()
    looks: list[Look] = field(default_factory=list)

    async def keys(self) -> KeyRing:
        """The families' keys, for a service that needs `sealing-keys`."""
        return await self._key_ring(await self._key_pool(self.settings.keys_url))

    async def own_keys(self) -> KeyRing:
        """The keys of the service's own things, by their ids, for one that needs `own-keys`.

        They stand in a schema of its name, which it alone reads; it destroys them itself, and what
        its file of the key-encryption key lacks is retired.
        """
        schemas = f"{self.settings.service},public"
        pool = await self._key_pool(self.settings.keys_url, 0, schemas)
        ring = await self._key_ring(pool)
        await retire_older(pool, KEK, ring.wrapper.kek)
        return ring

    async def _key_ring(self, pool: Pool) -> KeyRing:
        kek = await still_in_use(pool, KEK, self.settings.kek)
        address = self.settings.security_module
        ring = KeyRing(pool, kek, module=SecurityModule(address) if address else None)
        await ensure_all_open(pool, ring.wrapper)
        return ring

    async def eraser(self) -> KeyRing:
        """Keys under the role that destroys them and opens none, where `eraser` is needed."""
        return KeyRing(await self._key_pool(self.settings.eraser_url), KeyVersions())

    async def recognition(self) -> Recognition:
        """The key by which people are recognised, for a service that needs `token-key`."""
        pool = await self._key_pool(self.settings.keys_url, connections=0)
        versions = await still_in_use(pool, TOKEN, self.settings.token_key)
        await ensure_retired(pool, TOKEN, versions)
        return Recognition(versions, pool)

    def inbound_keys(self) -> NumberKeys:
        """The keys for which writers from outside close numbers, where `inbound-keys` is needed."""
        if self.settings.inbound_keys is None:
            raise KeyNeeded(kind="inbound", version=1)
        return self.settings.inbound_keys

    async def _key_pool(self, url: str, connections: int = 1, schemas: str = "public") -> Pool:
        pool = asyncpg.create_pool(
            url,
            min_size=connections,
            max_size=KEY_CONNECTIONS_MAX,
            server_settings={"search_path": schemas},
        )
        return await self.closing.enter_async_context(pool)

    def resources(self, **more: Any) -> dict[str, Any]:
        """The state that the lifespan yields: itself, its store, and what else handlers ask for."""
        store = self.requests or self.store
        return {
            "running": self,
            "store": store,
            "reading": self.reading,
            "committer": GroupCommitter(store),
            **more,
        }


StoreOf = Annotated[Store, resource("store")]
CommitterOf = Annotated[GroupCommitter, resource("committer")]
RunningOf = Annotated[Running, resource("running")]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Running]:
    """Connect to the database and the bus and show what is measured; close all at the end."""
    topics = Topics.load(settings.contracts_dir)
    async with AsyncExitStack() as opening:

        async def connected(url: str, statement_s: int) -> Store:
            store = await Store.connect(url, settings.service, statement_s=statement_s)
            opening.push_async_callback(store.close)
            return store

        store = await connected(settings.database_url, 0)
        requests = await connected(settings.database_url, settings.limits.statement_s)
        reading = None
        if settings.reader_url:
            reading = Reading(
                (await connected(settings.reader_url, settings.limits.statement_s)).pool
            )
        bus = await connect(
            settings.bus_url, session_s=settings.bus_session_s, cluster=settings.cluster
        )
        opening.push_async_callback(bus.close)
        running = Running(settings, store, bus, topics, requests, reading)
        running.looks = _looks(running)
        async with shown(settings.host, settings.metrics_port, running.looks):
            yield running


@asynccontextmanager
async def working(
    running: Running, subscriptions: Sequence[Subscription], jobs: Mapping[str, Step]
) -> AsyncIterator[None]:
    """Consume the subscriptions and lead the jobs until the service stops."""
    topics = {s.topic: running.topics.partitions[s.topic] for s in subscriptions}
    running.subscriptions, running.jobs = subscriptions, tuple(jobs)
    tasks = [asyncio.create_task(lead(running.store, job, jobs[job]), name=job) for job in jobs]
    if subscriptions:
        running.consumer = Consumer(
            running.store, running.bus, running.store.source, subscriptions, running.topics
        )
        tasks.append(asyncio.create_task(_consume(running, topics), name="consumer"))
        replays = ReplayWorker(running.store, subscriptions)
        tasks.append(asyncio.create_task(replays.run(), name="replays"))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _consume(running: Running, topics: Mapping[str, int]) -> None:
    # A consumer may be there before the service that owns a topic, whichever starts first.
    if running.consumer is None:
        return
    while True:
        try:
            await running.bus.ensure_topics(topics)
            break
        except CorridorError:
            raise
        except (*RETRIED, KafkaError) as error:
            running.consumer.tally.kept_out = type(error).__name__
            log.warning("bus not there yet", kind=type(error).__name__)
            await asyncio.sleep(BUS_RETRY_S)
    while True:
        await running.consumer.run()
        await running.consumer.wait_until_dropped()


# -- What /metrics shows of it --------------------------------------------------------------------


def _looks(running: Running) -> list[Look]:
    store, watch = running.store, LagWatch(running.bus, running.store.source)
    relayed = bool(running.topics.of(store.source))

    async def of_store() -> Sequence[Sample]:
        return [
            *await log_samples(store, relayed=relayed),
            *await parked_samples(store, _read_by(running)),
            *await leader_samples(store, [*running.jobs, *(["relay"] if relayed else [])]),
            *await failing_samples(store, running.jobs),
        ]

    async def of_bus() -> Sequence[Sample]:
        return await watch.look(_read_by(running))

    async def of_consumer() -> Sequence[Sample]:
        return tally_samples(store.source, running.consumer.tally) if running.consumer else ()

    return [
        reaching(telemetry.STORE_REACHED, store.source, of_store),
        reaching(telemetry.BUS_REACHED, store.source, of_bus),
        of_consumer,
        ServerCertificates(_over_tls(running.settings)).readings,
    ]


def _over_tls(settings: Settings) -> list[Server]:
    """The servers that are asked over TLS, which those of this machine are not."""
    kafka = Server.kafka(settings.bus_url, settings.cluster)
    return [one for one in (kafka, Server.postgresql(settings.database_url)) if one]


def _read_by(running: Running) -> list[tuple[str, str]]:
    return [(subscription.name, subscription.topic) for subscription in running.subscriptions]


# -- Readiness: everything that the service needs really works ------------------------------------


async def _database(state: State) -> None:
    await state.store.pool.fetchval("SELECT 1")


async def _bus(state: State) -> None:
    await state.running.bus.ping()


async def _relay(state: State) -> None:
    if not await has_leader(state.store.pool, "relay"):
        raise NoRelay(store=state.store.source)


async def _consumer(state: State) -> None:
    consumer: Consumer | None = state.running.consumer
    if consumer is not None and consumer.tally.stopped is not None:
        raise ConsumerStopped(reason=consumer.tally.stopped)
    if consumer is not None and consumer.tally.kept_out is not None:
        raise ConsumerKeptOut(reason=consumer.tally.kept_out)


async def _work(state: State) -> None:
    found = await failing(state.store, list(state.running.jobs))
    if found:
        oldest = found[0]
        raise WorkFails(
            work=oldest.work,
            item=oldest.item,
            attempts=oldest.attempts,
            others=len(found) - 1,
            error=oldest.error,
        )


READS_ONLY: Final[Mapping[str, Check]] = {
    "database": _database,
    "bus": _bus,
    "consumer": _consumer,
    "work": _work,
}
"""The checks of a service that publishes nothing."""

READINESS: Final[Mapping[str, Check]] = {**READS_ONLY, "relay": _relay}
"""The checks of a service that publishes."""
