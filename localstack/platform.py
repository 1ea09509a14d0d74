"""The whole platform on one machine: its servers, services and simulators as supervised processes.

async with Platform(Options(Path("var"))) as platform:
    platform.base_url("registry")          # answers now
    platform.issuer.token("me", scopes)    # and believes this
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import IO, Final, Literal, Self, get_args

import asyncpg

from libs.chassis.catalogue import ROOT, owner, role
from libs.chassis.dev_issuer import LIFETIME_S_MAX, Issuer
from libs.chassis.durable_files import write_private
from libs.chassis.migrations import make_topics, migrate_bus, migrate_keys, migrate_service
from libs.events.workers.leader import has_leader
from localstack.environment import (
    MEASURED,
    RELAYED,
    SEALING,
    SERVICES,
    SIGN_IN,
    SIMULATORS,
    Environment,
)
from localstack.fork_client import FORK_SERVER, ForkServer, fork_server_in, program
from localstack.kafka_server import Broker, KafkaUnavailable
from localstack.ports import HOST, free_ports
from localstack.postgres.roles import provision
from localstack.postgres.server import PostgresServer
from localstack.process_specs import Child, ProcessSpec, Step, answers
from localstack.stale_processes import end_stale_processes, held
from localstack.supervisor import Supervisor

BusKind = Literal["embedded", "kafka"]
BUSES: Final[tuple[BusKind, ...]] = get_args(BusKind)

TOKEN_RENEWAL_S: Final = LIFETIME_S_MAX / 3
BROKER_ANSWER_S: Final = 2.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """The choices for a platform.

    `data_dir` keeps all of its state. `books` is the bank_accounts.csv from which simulated
    treasury and banks answer; without it nobody simulates them. `programs` replaces what a
    process runs, by its name. `adopts_orphans`: see Supervisor.
    """

    data_dir: Path
    bus: BusKind = "embedded"
    books: Path | None = None
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    adopts_orphans: bool = False


class Platform:
    """Everything from the database server to the simulators, as an asynchronous context.

    Entering it returns when all of it is ready, and raises SupervisorFailed otherwise. Once it is
    entered, `supervisor` knows the processes, and DATA/run/platform.json tells other programs
    where they are.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.data_dir = options.data_dir.absolute()
        self.supervisor: Supervisor
        self.issuer: Issuer
        self._environment: Environment
        self._running = contextlib.AsyncExitStack()

    def base_url(self, name: str) -> str:
        """Where a service, or `treasury` or `bank`, answers."""
        return self._environment.base_url(name)

    @property
    def base_urls(self) -> dict[str, str]:
        """By name, where everything answers."""
        return {name: self.base_url(name) for name in self._environment.ports}

    @property
    def metrics_urls(self) -> dict[str, str]:
        """By name, where a service or the relay shows what it measures."""
        return self._environment.metrics_urls

    @property
    def addresses(self) -> dict[str, str]:
        """As `base_urls`, with `kafka`, where its clients connect, if that is the bus."""
        broker = self._environment.broker
        return {**self.base_urls, **({"kafka": broker.bootstrap} if broker else {})}

    @property
    def console_url(self) -> str:
        """The first page of the console."""
        return self._environment.console_url

    def database_url(self, name: str) -> str:
        """A service's database, for the role of the service; it holds a password."""
        return self._environment.address(name, role(name))

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as starting:
            starting.enter_context(held(self.data_dir))
            await asyncio.to_thread(end_stale_processes, self.data_dir)
            self._environment = _environment_of(self.options, self.data_dir)
            if self._environment.broker is not None:
                # It starts in a thread, so it may be there before the supervisor knows of it.
                starting.callback(self._environment.broker.stop)
            self._environment.make_secrets()
            self._environment.write_sign_in()
            self.issuer = self._environment.issuer()
            await starting.enter_async_context(_renewed_tokens(self._environment))
            fork_server = starting.enter_context(
                fork_server_in(self._environment.of_simulator(), ROOT, self.data_dir / "logs")
            )
            self.supervisor = Supervisor(
                _specs(self._environment, self.options, fork_server),
                self.data_dir,
                adopts_orphans=self.options.adopts_orphans,
            )
            await starting.enter_async_context(self.supervisor)
            self._write_card()
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        (self.data_dir / "run" / "platform.json").unlink(missing_ok=True)
        await self._running.aclose()

    def _write_card(self) -> None:
        run = self.data_dir / "run"
        card = {
            "data_dir": str(self.data_dir),
            "bus": {"kind": self.options.bus, "url": self._environment.bus_url(role("relay"))},
            "services": {name: self.base_url(name) for name in SERVICES},
            "simulators": {
                name: self.base_url(name) for name in SIMULATORS if name in self._environment.ports
            },
            "console": self.console_url,
            "metrics": self.metrics_urls,
            "secrets_dir": str(self._environment.secrets_dir),
            "supervisor": os.getpid(),
            "pids_file": str(run / "pids.json"),
        }
        write_private(run / "platform.json", json.dumps(card, indent=2))


# -- Before anything runs


def _environment_of(options: Options, data_dir: Path) -> Environment:
    listening = [*SERVICES, SIGN_IN, *(SIMULATORS if options.books else ())]
    ports = free_ports(len(listening) + len(MEASURED) + 2)
    postgres, broker = PostgresServer(data_dir / "postgres"), None
    if options.bus == "kafka":
        (data_dir / "kafka").mkdir(mode=0o700, exist_ok=True)
        broker = Broker(data_dir / "kafka", port=ports[-2], controller_port=ports[-1])
    named = dict(zip([*listening, *(f"{name} metrics" for name in MEASURED)], ports, strict=False))
    shown = {name: named.pop(f"{name} metrics") for name in MEASURED}
    return Environment(data_dir, postgres, broker, named, shown)


@contextlib.asynccontextmanager
async def _renewed_tokens(environment: Environment) -> AsyncIterator[None]:
    """Have the services' own tokens always be good for a while longer."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(TOKEN_RENEWAL_S)
            try:
                environment.write_service_tokens()
            except OSError as error:  # a full disk may be mended before the old ones end
                log.warning("the services' tokens were not renewed: %s", error)

    environment.write_service_tokens()
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()


# -- The parts


def _specs(
    environment: Environment, options: Options, fork_server: ForkServer | None
) -> list[ProcessSpec]:
    make_roles = partial(provision, environment.postgres, environment.secrets_dir)
    return [
        _postgres(environment.postgres),
        Step("roles", partial(asyncio.to_thread, make_roles), needs=["postgres"]),
        *_migrations(environment),
        *(
            [Step(FORK_SERVER, partial(asyncio.to_thread, fork_server.warmed))]
            if fork_server
            else []
        ),
        *([_kafka(environment.broker)] if environment.broker else []),
        Step("bus", partial(_make_bus, environment), ["kafka" if environment.broker else "roles"]),
        _relay(environment, options, fork_server),
        *(_service(environment, options, fork_server, name) for name in SERVICES),
        _sign_in(environment, fork_server),
        *(
            _simulator(environment, options, fork_server, name)
            for name in SIMULATORS
            if name in environment.ports
        ),
    ]


def _migrations(environment: Environment) -> Iterator[Step]:
    """A step for each database; its owner has a password once there are roles."""

    async def of_service(name: str) -> None:
        await migrate_service(name, environment.address(name, owner(name)))

    async def of_keys() -> None:
        await migrate_keys(environment.address("keys", owner("keys")))

    yield Step("keys-tables", of_keys, needs=["roles"])
    for name in SERVICES:
        yield Step(f"{name}-tables", partial(of_service, name), needs=["roles"])


async def _make_bus(environment: Environment) -> None:
    """The embedded bus's tables, and on either bus all topics, so that nobody waits for one."""
    url = environment.bus_url(owner("bus"))
    if environment.broker is None:
        url = environment.address("bus", owner("bus"))
        await migrate_bus(url)
    await make_topics(url)


def _postgres(server: PostgresServer) -> Child:
    return Child(
        "postgres",
        server.launch,
        partial(asyncio.to_thread, server.ready),
        prepare=server.prepare,
        stop_signal=signal.SIGINT,
    )


def _kafka(broker: Broker) -> Child:
    def launch(_log: IO[bytes]) -> Popen[bytes]:
        broker.start()
        if broker.process is None:
            raise KafkaUnavailable("the broker has no process")
        return broker.process

    async def ready() -> bool:
        with contextlib.suppress(KafkaUnavailable):
            await broker.ready(BROKER_ANSWER_S)
            return True
        return False

    # Prepared means already started once: fetching jars and formatting the storage take long.
    return Child("kafka", launch, ready, prepare=broker.start)


def _service(
    environment: Environment, options: Options, fork_server: ForkServer | None, name: str
) -> Child:
    return program(
        name,
        options.programs.get(name, [sys.executable, "-m", f"services.{name}.main"]),
        fork_server,
        ready=answers(f"{environment.base_url(name)}/ready"),
        environment=environment.of_service(name),
        needs=[f"{name}-tables", "bus", *(["keys-tables"] if name in SEALING else [])],
    )


def _sign_in(environment: Environment, fork_server: ForkServer | None) -> Child:
    return program(
        SIGN_IN,
        [sys.executable, "-m", "libs.chassis.dev_sign_in", *environment.of_sign_in()],
        fork_server,
        ready=answers(f"{environment.base_url(SIGN_IN)}/health"),
        environment=environment.of_simulator(),
    )


def _relay(environment: Environment, options: Options, fork_server: ForkServer | None) -> Child:
    async def leads_everywhere() -> bool:
        return all([await _has_relay(environment.address(name, role(name))) for name in RELAYED])

    return program(
        "relay",
        options.programs.get("relay", [sys.executable, "-m", "libs.chassis.relay"]),
        fork_server,
        ready=leads_everywhere,
        environment=environment.of_relay(),
        needs=["bus", *(f"{name}-tables" for name in RELAYED)],
    )


async def _has_relay(address: str) -> bool:
    async with asyncpg.create_pool(address, min_size=1, max_size=1) as pool:
        return await has_leader(pool, "relay")


def _simulator(
    environment: Environment, options: Options, fork_server: ForkServer | None, name: str
) -> Child:
    argv = options.programs.get(name, [sys.executable, "-m", f"simulators.{name}"])
    journal = environment.data_dir / "journal"
    journal.mkdir(mode=0o700, exist_ok=True)
    where = ["--journal", str(journal), "--host", HOST, "--port", str(environment.ports[name])]
    return program(
        name,
        [*argv, "--books", str(options.books), *environment.of_partner(name), *where],
        fork_server,
        ready=answers(f"{environment.base_url(name)}/health", environment.partner_tls()),
        environment=environment.of_simulator(),
    )
