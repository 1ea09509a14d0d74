import stat
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from cli.postgres_home import PostgresFailed, run_psql, socket_dir
from cli.postgres_server import PostgresServer
from tests.servers import Postgres, embedded_postgres, eventually, fresh_database

pytestmark = pytest.mark.integration


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
