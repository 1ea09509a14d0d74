"""Registry, conditionality and their relay as processes of their own, and all that they say."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from libs.chassis.dev_issuer import AUDIENCE, ISSUER, KEY_SET, Issuer
from libs.chassis.settings import Settings
from libs.privacy.versions import KeyVersions
from localstack.ports import free_ports
from tests.doors import ROOT, Door, service_settings
from tests.servers import Postgres, eventually


@dataclass
class Platform:
    """Registry and conditionality, the relay between them, and everything that they have said."""

    registry: Settings
    conditionality: Settings
    doors: Mapping[str, Door]
    said: dict[str, str] = field(default_factory=dict)

    @property
    def databases(self) -> dict[str, str]:
        """Where each store stands, for the superuser; keys and bus beside the registry's."""
        return {"registry": self.registry.bus_url, "conditionality": self.conditionality.bus_url}


@asynccontextmanager
async def platform(postgres: Postgres, directory: Path) -> AsyncIterator[Platform]:
    async with (
        service_settings(postgres, directory, "registry") as registry,
        service_settings(postgres, directory, "conditionality") as conditionality,
        contextlib.AsyncExitStack() as stack,
    ):
        of_service = {"registry": registry, "conditionality": conditionality}
        ports = dict(zip(of_service, free_ports(2), strict=True))
        doors = {
            name: Door(
                await stack.enter_async_context(
                    httpx.AsyncClient(base_url=f"http://127.0.0.1:{ports[name]}", timeout=20)
                ),
                Issuer.open(directory),
            )
            for name in of_service
        }
        running = Platform(registry, conditionality, doors)
        common = _common(registry, directory)
        for name, settings in of_service.items():
            own = {"PKH_DATABASE_URL": settings.database_url, "PKH_PORT": str(ports[name])}
            stack.enter_context(_process(f"services.{name}.main", common | own, name, running))
        stores = {
            f"PKH_{name.upper()}_DATABASE_URL": of_service[name].database_url for name in of_service
        }
        relay = common | stores | {"PKH_RELAYED": " ".join(of_service)}
        stack.enter_context(_process("libs.chassis.relay", relay, "relay", running))
        for name, opened in doors.items():
            await eventually(_up(opened), 30, f"{name} is ready")
        yield running


def _common(registry: Settings, directory: Path) -> dict[str, str]:
    (directory / "kek").write_text(registry.kek.written())
    (directory / "token-key").write_text(registry.token_key.written())
    (directory / "inbound-keys").write_text(KeyVersions.of(os.urandom(32)).written())
    (directory / "token").write_text("a token")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PKH_BUS_URL": registry.bus_url,
        "PKH_KEYS_URL": registry.keys_url,
        "PKH_ERASER_URL": registry.eraser_url,
        "PKH_PAYMENTS_URL": registry.addresses["payments"],
        "PKH_SERVICE_TOKEN_FILE": str(directory / "token"),
        "PKH_JWKS_FILE": str(directory / KEY_SET),
        "PKH_ISSUER": ISSUER,
        "PKH_AUDIENCE": AUDIENCE,
        "PKH_KEK_FILE": str(directory / "kek"),
        "PKH_TOKEN_KEY_FILE": str(directory / "token-key"),
        "PKH_INBOUND_KEYS_FILE": str(directory / "inbound-keys"),
        "PKH_CONTRACTS_DIR": str(registry.contracts_dir),
        "PKH_LOG_LEVEL": "debug",
    }


@contextlib.contextmanager
def _process(
    module: str, environment: Mapping[str, str], name: str, running: Platform
) -> Iterator[None]:
    log = Path(environment["PKH_KEK_FILE"]).with_name(f"{name}.log")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", module], env=environment, stdout=said, stderr=said
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
        running.said[name] = log.read_text()


def _up(door: Door) -> Callable[[], Coroutine[None, None, bool]]:
    async def up() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return (await door.client.get("/ready")).is_success
        return False

    return up
