import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from localstack.postgres.home import PostgresFailed, run_psql, socket_dir
from localstack.postgres.roles import password_file, provision
from localstack.postgres.server import PostgresServer
from tests.servers import Postgres, embedded_postgres, eventually, fresh_database


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with embedded_postgres() as server:
        yield server


@pytest.fixture
def running(server: PostgresServer) -> PostgresServer:
    server.start()
    return server


async def count_of_facts(server: PostgresServer) -> int:
    connection = await asyncpg.connect(server.superuser_url())
    try:
        return int(await connection.fetchval("SELECT count(*) FROM fact"))
    finally:
        await connection.close()


async def test_committed_rows_survive_a_kill_and_open_ones_do_not(running: PostgresServer) -> None:
    running.run_sql("DROP TABLE IF EXISTS fact; CREATE TABLE fact (id int PRIMARY KEY)")
    connection = await asyncpg.connect(running.superuser_url())
    await connection.execute("INSERT INTO fact SELECT generate_series(1, 1000)")
    await connection.execute("BEGIN; INSERT INTO fact VALUES (1001)")

    running.kill()
    assert not running.running
    with pytest.raises(asyncpg.PostgresConnectionError):
        await connection.execute("COMMIT")
    running.start()

    assert await count_of_facts(running) == 1000


def test_a_kill_leaves_no_process_and_a_restart_is_another_one(running: PostgresServer) -> None:
    first = running.pid
    running.kill()
    assert not Path(f"/proc/{first}").exists()
    running.start()
    assert running.pid not in (None, first)


def test_stopping_and_starting_twice_is_harmless(running: PostgresServer) -> None:
    running.stop()
    running.stop()
    assert not running.ready()
    running.start()
    first = running.pid
    running.start()
    assert running.pid == first


def test_a_wrong_password_is_refused(running: PostgresServer) -> None:
    with pytest.raises(PostgresFailed, match="password authentication failed"):
        run_psql(running.url("postgres", "postgres", "wrong"), "SELECT 1")


def test_nobody_listens_but_the_private_socket(running: PostgresServer) -> None:
    assert running.run_sql("SHOW listen_addresses") == ""
    assert stat.S_IMODE(running.socket_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.pgdata.stat().st_mode) == 0o700
    assert stat.S_IMODE(running.password_file.stat().st_mode) == 0o600


def test_what_was_committed_is_on_disk(running: PostgresServer) -> None:
    assert running.run_sql("SHOW fsync; SHOW synchronous_commit; SHOW data_checksums") == (
        "on\non\non"
    )


def test_no_row_and_no_statement_reaches_the_log(running: PostgresServer) -> None:
    person = "6171014507990001"
    script = (
        f"CREATE TEMP TABLE person (nik text PRIMARY KEY); INSERT INTO person VALUES('{person}');"
    )
    for failing in (f"INSERT INTO person VALUES ('{person}')", f"SELECT 'x{person}'::int"):
        with pytest.raises(PostgresFailed, match="ERROR"):
            running.run_sql(f"{script} {failing}")
    log = running.log_file.read_text()
    assert "ready to accept connections" in log
    assert person not in log


def test_a_path_too_long_for_a_socket_gets_a_short_one_the_same_each_time(tmp_path: Path) -> None:
    near = tmp_path / "near"
    far = tmp_path / ("x" * 120)
    assert socket_dir(near) == near / "socket"
    assert len(str(socket_dir(far))) < 80
    assert socket_dir(far) == socket_dir(far)
    assert socket_dir(far) != socket_dir(tmp_path / ("y" * 120))


def test_a_server_that_cannot_start_says_where_to_look(running: PostgresServer) -> None:
    running.stop()
    wrong = PostgresServer(running.data_dir, {"shared_buffers": "nonsense"})
    with pytest.raises(PostgresFailed, match=r"ended while starting; see .*postgres\.log"):
        wrong.start()
    assert not wrong.running


async def test_each_test_gets_an_empty_database(database: str) -> None:
    connection = await asyncpg.connect(database)
    tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == 0


async def test_a_database_is_dropped_even_while_somebody_is_connected(postgres: Postgres) -> None:
    with fresh_database(postgres) as url:
        left_open = await asyncpg.connect(url)
    with pytest.raises(PostgresFailed, match="does not exist"):
        run_psql(url, "SELECT 1")
    left_open.terminate()


async def test_eventually_answers_the_first_truth() -> None:
    answers = iter([0, 0, 3])
    assert await eventually(lambda: next(answers)) == 3


async def test_eventually_fails_with_its_last_answer() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"a row did not come true in 0\.01 s: 0"):
        await eventually(lambda: 0, deadline_s=0.01, what="a row")


@dataclass(frozen=True)
class Provisioned:
    """A server with all databases in it, and a way in for every role."""

    server: PostgresServer
    secrets_dir: Path

    def url(self, database: str, role: str) -> str:
        password = password_file(self.secrets_dir, role).read_text()
        return self.server.url(database, role, password)

    def run(self, database: str, role: str, script: str) -> str:
        return run_psql(self.url(database, role), script)


@pytest.fixture(scope="module")
def provisioned(server: PostgresServer) -> Provisioned:
    server.start()
    secrets_dir = server.data_dir / "secrets"
    provision(server, secrets_dir)
    return Provisioned(server, secrets_dir)


def test_owner_and_service_reach_their_database(provisioned: Provisioned) -> None:
    for role in ("pkh_registry_owner", "pkh_registry"):
        assert provisioned.run("pkh_registry", role, "SELECT current_user") == role


@pytest.mark.parametrize(
    ("database", "role"),
    [
        ("pkh_registry", "pkh_payments"),
        ("pkh_registry", "pkh_payments_owner"),
        ("pkh_payments", "pkh_registry"),
        ("pkh_keys", "pkh_projection"),
        ("pkh_bus", "pkh_eraser"),
        ("postgres", "pkh_registry"),
        ("template1", "pkh_registry_owner"),
    ],
)
def test_no_role_reaches_another_database(
    provisioned: Provisioned, database: str, role: str
) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for database"):
        provisioned.run(database, role, "SELECT 1")


def test_one_roles_password_does_not_open_another(provisioned: Provisioned) -> None:
    password = password_file(provisioned.secrets_dir, "pkh_payments").read_text()
    url = provisioned.server.url("pkh_registry", "pkh_registry", password)
    with pytest.raises(PostgresFailed, match="password authentication failed"):
        run_psql(url, "SELECT 1")


def test_a_service_makes_no_tables_of_its_own(provisioned: Provisioned) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for schema public"):
        provisioned.run("pkh_registry", "pkh_registry", "CREATE TABLE extra ()")


def test_members_reach_in_a_common_database_what_its_owner_lets_them(
    provisioned: Provisioned,
) -> None:
    provisioned.run(
        "pkh_bus",
        "pkh_bus_owner",
        "CREATE SCHEMA bus; CREATE TABLE bus.record AS SELECT 7 AS id;"
        "CREATE FUNCTION bus.fetch() RETURNS int LANGUAGE sql SECURITY DEFINER"
        " AS 'SELECT id FROM bus.record'",
    )
    assert provisioned.run("pkh_bus", "pkh_payments", "SELECT bus.fetch()") == "7"
    with pytest.raises(PostgresFailed, match="permission denied for table record"):
        provisioned.run("pkh_bus", "pkh_registry", "INSERT INTO bus.record VALUES (8)")
    with pytest.raises(PostgresFailed, match="not permitted to log in"):
        provisioned.server.run_sql("ALTER ROLE pkh_bus PASSWORD 'x'")
        run_psql(provisioned.server.url("pkh_bus", "pkh_bus", "x"), "SELECT 1")


def test_provisioning_again_changes_no_password_and_no_row(provisioned: Provisioned) -> None:
    def state() -> dict[str, str]:
        return {path.name: path.read_text() for path in provisioned.secrets_dir.iterdir()}

    provisioned.run("pkh_payments", "pkh_payments_owner", "CREATE TABLE paid AS SELECT 1 AS id")
    before = state()
    provision(provisioned.server, provisioned.secrets_dir)
    assert state() == before
    assert provisioned.run("pkh_payments", "pkh_payments_owner", "SELECT id FROM paid") == "1"


def test_a_role_whose_password_was_lost_gets_a_new_one(provisioned: Provisioned) -> None:
    lost = password_file(provisioned.secrets_dir, "pkh_payments")
    before = lost.read_text()
    lost.unlink()

    provision(provisioned.server, provisioned.secrets_dir)

    assert lost.read_text() != before
    assert provisioned.run("pkh_payments", "pkh_payments", "SELECT current_user") == "pkh_payments"


def test_secrets_are_for_their_owner_alone(provisioned: Provisioned) -> None:
    modes = {stat.S_IMODE(path.stat().st_mode) for path in provisioned.secrets_dir.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(provisioned.secrets_dir.stat().st_mode) == 0o700
