"""An attacker with the password of a relay's role: gets what is published anyway, and nothing else.

The relay worked as the service, whose every fact and snapshot it could read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from libs.chassis.catalogue import catalogue, owner, relay, role
from libs.chassis.migrations import migrate_service
from libs.events.relay.outbox import _ACKNOWLEDGE, _EVENTS
from libs.events.store.handle import handle
from libs.events.store.log import window_after
from libs.events.store.postgres import Store
from localstack.postgres.roles import logins, password_file, provision
from localstack.postgres.server import PostgresServer
from tests.purse import CONTEXT, KEPT, PutIn, TakeOut
from tests.servers import embedded_postgres

SERVICE: Final = "conditionality"
READABLE: Final = {"outgoing", "blocks", "head", "relay"}
STAYS: Final = "CoinsTakenOut"
REFUSALS: Final = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a view of two tables, which takes no update
)
"""The event that its service publishes to nobody."""

WRITE_WITHOUT_A_TABLE: Final = """
SELECT login, oid::regprocedure::text FROM pg_proc, unnest($1::text[]) AS of (login)
WHERE (proname ~ '^lo(_|read|write)' OR proname = 'pg_logical_emit_message')
  AND has_function_privilege(login, oid, 'EXECUTE')
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A cluster with one service's store, and the password of every role there."""

    server: PostgresServer
    secrets: Path

    def url(self, login: str, database: str = SERVICE) -> str:
        password = password_file(self.secrets, login).read_text()
        return self.server.url(role(database), login, password)

    @asynccontextmanager
    async def session(self, login: str, database: str = SERVICE) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.url(login, database))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def store(self, login: str) -> AsyncIterator[Store]:
        opened = await Store.connect(self.url(login), SERVICE)
        try:
            yield opened
        finally:
            await opened.close()


async def _fill(machine: Machine) -> None:
    await migrate_service(SERVICE, machine.url(owner(SERVICE)))
    async with machine.store(role(SERVICE)) as store:
        for command in (PutIn(5), TakeOut(2)):
            async with store.transaction(CONTEXT) as unit:
                await handle(unit, KEPT, "purse-ana", command)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with embedded_postgres() as server:
        found = Machine(server, tmp_path_factory.mktemp("secrets"))
        provision(server, found.secrets)
        asyncio.run(_fill(found))
        yield found


async def test_it_reads_what_leaves_the_service_and_moves_how_far_that_is(
    machine: Machine,
) -> None:
    async with machine.store(relay(SERVICE)) as store:
        window = await window_after(store.pool, 0, 100)
        assert window is not None
        assert [row["type"] for _, row in await window.events(store.pool, _EVENTS)] == [
            "CoinsPutIn"
        ]
        assert (await store.head())[0] == window.last_position == 2
        await store.pool.execute(_ACKNOWLEDGE, ["a"], [0], [1])


async def test_it_reads_and_writes_nothing_else(machine: Machine) -> None:
    async with machine.session(relay(SERVICE)) as session:
        tables = await session.fetch(
            """SELECT oid::regclass::text AS name, has_any_column_privilege(oid, 'SELECT') AS read,
                      has_any_column_privilege(oid, 'INSERT, UPDATE')
                      OR has_table_privilege(oid, 'DELETE, TRUNCATE') AS written
               FROM pg_class WHERE relkind IN ('r', 'p', 'v')
                 AND relnamespace = 'public'::regnamespace"""
        )
        assert {row["name"] for row in tables if row["read"]} == READABLE
        assert {row["name"] for row in tables if row["written"]} == {"relay"}
        for statement in (
            "SELECT data FROM events",
            "SELECT state FROM streams",
            "CREATE TABLE a ()",
            "CREATE FUNCTION pg_temp.a() RETURNS void LANGUAGE sql AS ''",
            "SELECT query_to_xml('SELECT data FROM events', true, false, '')",
            "SELECT block FROM outgoing FOR UPDATE",
            "UPDATE outgoing SET topic = 'a'",
            "DO $$ BEGIN LOCK TABLE outgoing IN ACCESS EXCLUSIVE MODE; END $$",
            "ALTER VIEW outgoing RESET (security_barrier)",
        ):
            with pytest.raises(REFUSALS):
                await session.execute(statement)


# An error would tell that there is such a row, or name what stands in it.
@pytest.mark.parametrize(
    "condition",
    [f"1 / (type <> '{STAYS}')::integer > 0", "type::integer > 0"],
    ids=["guessed", "named"],
)
async def test_no_condition_finds_out_what_stays(machine: Machine, condition: str) -> None:
    asked = f"SELECT type FROM outgoing WHERE {condition}"
    async with machine.session(relay(SERVICE)) as session:
        # PostgreSQL may ask merged conditions in any order: a fence keeps those of the view below.
        plan = msgspec.json.decode(await session.fetchval(f"EXPLAIN (FORMAT JSON) {asked}"))
        assert plan[0]["Plan"]["Node Type"] == "Subquery Scan"
        result = str(await outcome(session, asked))
        assert STAYS not in result
        assert "division" not in result


async def outcome(session: Any, asked: str) -> object:
    """The rows that whoever asks is given, or the error."""
    try:
        return await session.fetch(asked)
    except asyncpg.PostgresError as error:
        return error.as_dict()


async def test_it_fills_no_disk_beside_its_tables(machine: Machine) -> None:
    """The relay, and the eraser, who is let in as it is."""
    for login, database in ((relay(SERVICE), SERVICE), (role("eraser"), "keys")):
        async with machine.session(login, database) as session:
            for statement in (
                "SELECT lo_create(0)",
                "SELECT lo_from_bytea(0, 'as much as the disk takes')",
                "SELECT pg_logical_emit_message(false, 'log', 'as much as the disk takes')",
                "SET temp_file_limit = -1",
                "CREATE TEMP TABLE mine ()",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await session.execute(statement)
            assert await session.fetchval("SHOW temp_file_limit") == "1GB"


async def test_nobody_of_the_platform_writes_without_a_table(machine: Machine) -> None:
    for database in ("keys", "bus", *catalogue().names):
        async with machine.session(owner(database), database) as session:
            assert await session.fetch(WRITE_WITHOUT_A_TABLE, [*logins()]) == []


async def test_it_gets_into_the_database_of_its_service_alone(machine: Machine) -> None:
    others = {"keys", "bus", *catalogue().names} - {SERVICE}
    for database in others:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with machine.session(relay(SERVICE), database):
                pass


async def test_nobody_but_the_relay_says_how_far_it_is(machine: Machine) -> None:
    async with machine.session(role(SERVICE)) as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.execute(_ACKNOWLEDGE, ["a"], [0], [1_000])


async def test_no_role_takes_all_connections(machine: Machine) -> None:
    async with machine.session(role(SERVICE)) as session:
        most = int(await session.fetchval("SELECT current_setting('max_connections')"))
        found = dict(await session.fetch("SELECT rolname, rolconnlimit FROM pg_roles"))
        assert all(0 < found[login] < most for login in logins())
    async with AsyncExitStack() as taken:
        for _ in range(found[owner(SERVICE)]):
            await taken.enter_async_context(machine.session(owner(SERVICE)))
        with pytest.raises(asyncpg.TooManyConnectionsError):
            await taken.enter_async_context(machine.session(owner(SERVICE)))
