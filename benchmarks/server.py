"""A PostgreSQL of its own for a run, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from libs.events.store import migrate
from libs.events.store.postgres import Store
from localstack.postgres.server import PostgresServer


@contextmanager
def own_postgres() -> Iterator[PostgresServer]:
    """A running server as the platform itself starts it, in a temporary directory."""
    data_dir = Path(tempfile.mkdtemp(prefix="pkh-bench-"))
    server = PostgresServer(data_dir)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(data_dir)


def database(server: PostgresServer, name: str) -> str:
    """The address of a new, empty database."""
    server.run_sql(f"CREATE DATABASE {name}")
    return server.superuser_url(name)


async def corridor_database(server: PostgresServer, name: str) -> str:
    """The address of a new database with the corridor's tables."""
    url = database(server, name)
    await migrate.apply(url, [migrate.CORRIDOR], {"RUNTIME_ROLE": "postgres"})
    return url


async def open_store(server: PostgresServer, name: str) -> Store:
    """The store of a service in a new database."""
    return await Store.connect(await corridor_database(server, name), name)
