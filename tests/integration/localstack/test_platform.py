import json
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from libs.chassis.catalogue import ROOT
from localstack.environment import SERVICES
from localstack.kafka_server import missing_tools
from localstack.platform import BusKind, Options, Platform
from localstack.supervisor import SupervisorFailed

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Stands in for a service: reads its settings as the real one would, reaches its database, its keys
# and the bus, and answers at its port.
SERVICE = """
import asyncio, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
import asyncpg
from libs.chassis.settings import Settings
from libs.events.bus.connect import connect
from libs.events.store.postgres import Store

name = sys.argv[1]
settings = Settings.from_environment(name)

async def reach():
    store = await Store.connect(settings.database_url, name)
    await store.head()
    bus = await connect(settings.bus_url)
    await bus.ping()
    if settings.keys_url:
        schemas = {"search_path": f"{name},public"}
        keys = await asyncpg.connect(settings.keys_url, server_settings=schemas)
        await keys.fetchval("SELECT count(*) FROM retired")

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

asyncio.run(reach())
HTTPServer((settings.host, settings.port), Answer).serve_forever()
"""

ANSWERS = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(os.environ["PKH_PORT"])), Answer).serve_forever()
"""

RELAY = """
import asyncio, os
from pathlib import Path
from libs.chassis.settings import url
from libs.events.bus.connect import connect
from libs.events.relay.outbox import Relay
from libs.events.store.postgres import Store
from libs.events.bus.topics import Topics

async def main():
    topics = Topics.load(Path(os.environ["PKH_CONTRACTS_DIR"]))
    bus = await connect(url(os.environ, "PKH_BUS_URL", ("postgresql", "kafka")))
    async with asyncio.TaskGroup() as relays:
        for name in os.environ["PKH_RELAYED"].split():
            address = url(os.environ, f"PKH_{name.upper()}_DATABASE_URL", ("postgresql",))
            store = await Store.connect(address, name)
            relays.create_task(Relay(store, bus, topics).run())

asyncio.run(main())
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as directory:
        yield Path(directory)


def options(data_dir: Path, bus: BusKind = "embedded") -> Options:
    """A platform whose services only prove that they reach what they need."""
    python = sys.executable
    programs = {name: [python, "-c", SERVICE, name] for name in SERVICES}
    return Options(
        data_dir,
        bus=bus,
        books=ROOT / "examples" / "kalbar-small" / "bank_accounts.csv",
        programs=programs | {"relay": [python, "-c", RELAY]},
    )


def idle(data_dir: Path, bus: BusKind = "embedded") -> Options:
    """One whose services only answer, for tests of what stands under them."""
    python = sys.executable
    programs = {name: [python, "-S", "-c", ANSWERS] for name in SERVICES}
    return Options(data_dir, bus=bus, programs=programs | {"relay": [python, "-c", RELAY]})


def card(data_dir: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((data_dir / "run" / "platform.json").read_text())
    return found


def process(pid: int, what: str) -> bytes:
    """A process as the machine shows it: its `cmdline` or its `environ`."""
    return Path(f"/proc/{pid}/{what}").read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[tuple[Platform, AsyncExitStack]]:
    """A platform, and what stops it when it is closed."""
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as directory:
        async with AsyncExitStack() as until:
            yield await until.enter_async_context(Platform(options(Path(directory)))), until


@pytest.fixture
def platform(running: tuple[Platform, AsyncExitStack]) -> Platform:
    return running[0]


async def test_everything_starts_and_reaches_what_it_needs(platform: Platform) -> None:
    names = {"postgres", "relay", "sign-in", "treasury", "bank", *SERVICES}
    assert set(platform.supervisor.pids()) == names
    async with httpx.AsyncClient() as client:
        for url in platform.base_urls.values():
            assert (await client.get(f"{url}/health")).is_success
    assert platform.supervisor.restarts == {}


async def test_other_programs_find_it(platform: Platform) -> None:
    services = card(platform.data_dir)["services"]
    assert services == {name: platform.base_url(name) for name in SERVICES}
    assert card(platform.data_dir)["metrics"] == platform.metrics_urls
    assert card(platform.data_dir)["console"] == platform.console_url


async def test_no_secret_stands_where_other_users_can_read_it(platform: Platform) -> None:
    data_dir = platform.data_dir
    texts = [
        path.read_bytes()
        for path in (data_dir / "secrets").iterdir()
        if path.suffix in (".password", ".token")
    ]
    assert len(texts) > 2 * len(SERVICES)
    shown = [
        process(pid, what)
        for pid in platform.supervisor.pids().values()
        for what in ("cmdline", "environ")
    ]
    shown += [path.read_bytes() for path in (data_dir / "logs").iterdir()]
    assert not [text for text in texts if any(text in each for each in shown)]


async def test_what_it_keeps_is_for_its_owner_alone(platform: Platform) -> None:
    for private in ("secrets", "logs", "run", "journal"):
        assert stat.S_IMODE((platform.data_dir / private).stat().st_mode) == 0o700
    files = [*(platform.data_dir / "secrets").glob("*.*"), platform.data_dir / "secrets" / "kek"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


async def test_a_service_is_told_no_other_services_secret(platform: Platform) -> None:
    pids = platform.supervisor.pids()
    environments = {name: process(pids[name], "environ").decode() for name in SERVICES}
    with_a_key = {
        name: Path(text.split("PKH_KEK_FILE=")[1].split("\0")[0]).name
        for name, text in environments.items()
        if "PKH_KEK_FILE" in text
    }
    shared = dict.fromkeys(("registry", "payments"), "kek")
    assert with_a_key == shared | {"complaints": "complaints.kek"}
    for name, text in environments.items():
        assert [other for other in SERVICES if f"pkh_{other}.password" in text] == [name]


async def test_one_directory_holds_one_platform(platform: Platform) -> None:
    with pytest.raises(SupervisorFailed, match="another platform runs on"):
        async with Platform(options(platform.data_dir)):
            pytest.fail("two platforms share a directory")


async def test_database_and_relay_come_back_after_a_kill(platform: Platform) -> None:
    before = await epoch(platform)
    for name in ("postgres", "relay"):
        await platform.supervisor.kill(name)
    for name in ("postgres", "relay"):
        await platform.supervisor.ready(name)
    assert set(platform.supervisor.restarts) == {"postgres", "relay"}
    assert await epoch(platform) == before


async def test_a_second_start_finds_the_rows_of_the_first(
    running: tuple[Platform, AsyncExitStack],
) -> None:
    """The last test of the first one: it stops it."""
    first, until = running
    before = await epoch(first)
    await until.aclose()
    assert not (first.data_dir / "run" / "platform.json").exists()
    async with Platform(idle(first.data_dir)) as second:
        assert await epoch(second) == before


async def epoch(platform: Platform) -> str:
    """The epoch that registry's store was born with; another store has another."""
    connection = await asyncpg.connect(platform.database_url("registry"))
    try:
        return str(await connection.fetchval("SELECT epoch FROM head"))
    finally:
        await connection.close()


@pytest.mark.kafka
async def test_a_real_broker_serves_in_place_of_the_embedded_bus(data_dir: Path) -> None:
    if missing := missing_tools():
        pytest.skip(f"not installed: {', '.join(missing)}")
    async with Platform(idle(data_dir, bus="kafka")) as platform:
        assert "kafka" in platform.supervisor.pids()
        bus = card(data_dir)["bus"]
        assert isinstance(bus, dict)
        assert bus["url"].startswith("kafka://127.0.0.1:")
