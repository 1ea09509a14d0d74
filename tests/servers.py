"""Real servers for tests, and how to wait for them: a PostgreSQL a session, a database a test."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import isawaitable
from pathlib import Path
from threading import Thread
from typing import Any, Final, Protocol, TypeVar, overload
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from localstack.postgres.home import run_psql
from localstack.postgres.server import SUPERUSER, PostgresServer
from tests.engine import engine_has, postgres_container

T = TypeVar("T")

# A test that asks what outlives a crash has a server of its own. Dropping a database writes all of
# it to the disk first, which takes longer than most tests.
FORGETFUL: Final = {"fsync": "off", "full_page_writes": "off"}

# Of a container it may be too small for all that a run creates.
MEMORY: Final = Path("/dev/shm")
MEMORY_FREE_MIN: Final = 4 * 1024**3

LOOK_FIRST_S: Final = 0.001
LOOK_SELDOM_S: Final = 0.05
DEADLINE_S: Final = 10.0


class Postgres(Protocol):
    """A PostgreSQL that a test may do everything in."""

    def superuser_url(self, database: str = "postgres") -> str:
        """The address of a database for a role that may do everything."""

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """The answer of psql to a script, rows unaligned."""


class GivenPostgres:
    """The server that DATABASE_URL names; its role must be allowed to create databases."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def superuser_url(self, database: str = "postgres") -> str:
        """The given address with another database in it."""
        return urlunsplit(self._url._replace(path=f"/{database}"))

    def run_sql(self, script: str, database: str = "postgres") -> str:
        """The answer of psql to a script, rows unaligned."""
        return run_psql(self.superuser_url(database), script)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL for the session: DATABASE_URL's, one in a container, or an embedded one."""
    if given := os.environ.get("DATABASE_URL"):
        named = GivenPostgres(given)
        yield named
        for name in _templates.pop(named, {}).values():
            named.run_sql(f"DROP DATABASE {name}")
        return
    if engine_has("postgres"):
        with postgres_container(FORGETFUL) as url:
            yield GivenPostgres(url)
        return
    with embedded_postgres(FORGETFUL, in_memory()) as server:
        _hasten_logins(server)
        yield server


def _hasten_logins(server: PostgresServer) -> None:
    """Have a password hashed once where it is thousands of times: half of what connecting takes."""
    password = server.password_file.read_text().strip()
    server.run_sql(f"SET scram_iterations TO 1; ALTER ROLE {SUPERUSER} PASSWORD '{password}'")


def in_memory() -> Path | None:
    """A file system without a disk that is large enough for a session's databases, if any.

    Copying a database to a disk takes several times as long as most tests that ask for one.
    """
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MEMORY_FREE_MIN:
        return None
    return MEMORY


@pytest.fixture
def database(postgres: Postgres) -> Iterator[str]:
    """The address of a fresh, empty database, for its superuser; dropped after the test."""
    with fresh_database(postgres) as url:
        yield url


_templates: dict[Postgres, dict[str, str]] = {}


async def template(postgres: Postgres, of: str, prepare: Callable[[str], Awaitable[None]]) -> str:
    """The name of a database that `prepare` made ready, once a session; to be copied, not used.

    Applying migrations takes ten times as long as copying what they made.
    """
    made = _templates.setdefault(postgres, {})
    if of not in made:
        name = f"template_{of}_{secrets.token_hex(6)}"
        postgres.run_sql(f"CREATE DATABASE {name} TEMPLATE template0")
        await prepare(postgres.superuser_url(name))
        made[of] = name
    return made[of]


@contextmanager
def fresh_database(postgres: Postgres, template: str = "template0") -> Iterator[str]:
    """As the fixture `database`, for a test that needs several, or a copy of a template."""
    name = f"test_{secrets.token_hex(6)}"
    keeper = _keeper(postgres)
    keeper.say(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield postgres.superuser_url(name)
    finally:
        keeper.say(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass(frozen=True, slots=True)
class Keeper:
    """A superuser's connection that stays, on a loop of its own, for tests with a loop and without.

    A psql for each statement takes longer than the copy of a database.
    """

    loop: asyncio.AbstractEventLoop
    connection: asyncpg.Connection

    @classmethod
    def at(cls, url: str) -> Keeper:
        """Connect, and stay as long as the process."""
        loop = asyncio.new_event_loop()
        Thread(target=loop.run_forever, name="keeper", daemon=True).start()
        connecting = asyncio.run_coroutine_threadsafe(asyncpg.connect(url), loop)
        return cls(loop, connecting.result())

    def say(self, statement: str) -> None:
        """Have a statement carried out."""
        saying = self.connection.execute(statement)
        asyncio.run_coroutine_threadsafe(saying, self.loop).result()


_keepers: dict[Postgres, Keeper] = {}


def _keeper(postgres: Postgres) -> Keeper:
    if postgres not in _keepers:
        _keepers[postgres] = Keeper.at(postgres.superuser_url())
    return _keepers[postgres]


@contextmanager
def embedded_postgres(
    settings: Mapping[str, str] | None = None, within: Path | None = None
) -> Iterator[PostgresServer]:
    """A running PostgreSQL in a temporary directory, for tests that kill or fill their own."""
    data_dir = Path(tempfile.mkdtemp(prefix="pkh-test-", dir=within))
    server = PostgresServer(data_dir, settings)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(data_dir)


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S, what: str = ""
) -> T: ...
@overload
async def eventually(
    condition: Callable[[], T], deadline_s: float = DEADLINE_S, what: str = ""
) -> T: ...
async def eventually(
    condition: Callable[[], Any], deadline_s: float = DEADLINE_S, what: str = ""
) -> Any:
    """The first true answer of `condition`, which may be a coroutine function.

    Looks again after pauses that grow from a millisecond to LOOK_SELDOM_S. Fails the test, with
    the last answer, when nothing true came within `deadline_s` seconds.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + deadline_s
    pause_s = LOOK_FIRST_S
    while True:
        answer = condition()
        found = await answer if isawaitable(answer) else answer
        if found:
            return found
        if loop.time() > deadline:
            pytest.fail(f"{what or condition} did not come true in {deadline_s} s: {found!r}")
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 2, LOOK_SELDOM_S)
