"""An attacker with a query of their own, or a password of a role that reads: sees no other region.

A handler that forgot its regions, a value that became part of a statement, the password of Grafana:
each table and view of the projection is asked as each reading role, as the catalogue has them.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest

from libs.chassis.catalogue import catalogue, owner, reader, role
from libs.chassis.migrations import migrate_service
from libs.chassis.reading import Reading
from libs.events.store.postgres import Store
from localstack.postgres.roles import password_file, provision
from localstack.postgres.server import PostgresServer
from tests.servers import embedded_postgres

OURS, THEIRS = (str(UUID(int=number << 100)) for number in (1, 2))
HERE, ELSEWHERE = "61.03.01.2001", "11.01.01.2001"
REGENCY: Final = "61.03"
TAHAP: Final = "2023-1"
READERS: Final = [role(name) for name in catalogue().services["projection"].readers]
READER, GRAFANA = reader("projection"), role("grafana")

OF_NO_FAMILY: Final = {"tahap_terms"}
"""Tables that a reading role sees without a policy: by which terms a tahap is listed and judged."""
OF_A_FAMILY_ASKED_FOR: Final = {"timeline", "tahap_event", "tahap_month", "tahap_day", "summed_by"}
"""Of one family alone, by who may see it; or of no family at all, for who says a region."""
OF_REGIONS: Final = {"area_sum", "unsummed"}
"""Of villages and no family: sums, and which of them are not up to date."""
OF_THE_ERASED: Final = {"erased_family"}
"""Seen whole, so that whoever reads can leave them out: ids and nothing else."""
WORK_AS_THE_OWNER: Final = {"asked_family", "granted_regions", "home_within"}

FILL: Final = """
INSERT INTO designation VALUES ('{family}', '{tahap}', 'ELIGIBLE', '', '{region}');
INSERT INTO graduation VALUES ('{family}', '{tahap}', 'NATURAL', '{region}');
INSERT INTO without_category VALUES ('{tahap}', '{family}', '{region}', 'GRADUATION_PENDING');
INSERT INTO evaluation VALUES ('{tahap}', '{family}', 1, 'FAILED', 1, '{{}}', '{{}}');
INSERT INTO payment (payment, tahap, family, region, components, amount, payee_valid,
                     check_failure)
    VALUES ('{family}', '{tahap}', '{family}', '{region}', '', 225000, true, 'NAME_MISMATCH');
INSERT INTO movement VALUES ('{family}', 'RETURNED', '{tahap}', '{family}', 225000, '');
INSERT INTO investigation VALUES ('{tahap}', '{family}', 'INVESTIGATION');
INSERT INTO timeline VALUES ('{family}', '/services/registry', 1, now(), 'FamilyRegistered',
    json_build_object('region', '{region}'));
INSERT INTO tahap_event VALUES
    ('{tahap}', 1 + (SELECT count(*) FROM timeline), now(), 'FamilyAwaited', '"{family}"');
INSERT INTO family_group VALUES ('{family}', 'G-{region}', '{region}', 1);
INSERT INTO group_session VALUES
    ('{family}', 'G-{region}', '{region}', '2023-01-05', 'KEUANGAN', 1, 3, 2, 'HELD');
INSERT INTO session_attendance VALUES ('{family}', '{family}', 'H');
INSERT INTO tahap_month VALUES ('{tahap}', '2023-01') ON CONFLICT DO NOTHING;
INSERT INTO tahap_day VALUES ('{tahap}', '2023-03-31') ON CONFLICT DO NOTHING;
INSERT INTO complaint_case VALUES
    ('{family}', '{family}', '{region}', 'AMOUNT_WRONG', 'VISIT', '2023-03-30');
INSERT INTO case_step VALUES ('{family}', 1, '2023-03-30', 'OPEN', 'DISTRICT', '2023-04-06');
INSERT INTO appeal VALUES ('{family}', '{family}', '{tahap}', 'HOLD', '2023-04-01');
INSERT INTO administrative_hold VALUES ('{family}', 1, 'HOLD', 'DATA_UNDER_REVIEW');
INSERT INTO proposal VALUES ('CORRECTION', '{family}', '{tahap}', 1, 'FAILED', now(), 'WAITING');
INSERT INTO family_read VALUES (now(), 'officer-1', '{family}', '{tahap}');
INSERT INTO summed_by VALUES ('these') ON CONFLICT DO NOTHING;
INSERT INTO area_sum VALUES
    ('coverage:0', '{tahap}', 'VILLAGE', '{region}', '', '0001-01-01', '{{1}}')
"""
READABLE: Final = """
SELECT relname, relkind = 'v' AS is_view, relrowsecurity AND relforcerowsecurity AS walled,
       coalesce(reloptions @> '{security_invoker=true}', false) AS as_invoker,
       EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = c.oid AND attname = 'family') AS of_families
FROM pg_class AS c
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
  AND has_any_column_privilege($1, c.oid, 'SELECT')
"""
WALLED_BY_COLUMN: Final = """
SELECT DISTINCT relname, relrowsecurity AND relforcerowsecurity AS walled
FROM pg_class AS c JOIN pg_attribute ON attrelid = c.oid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm')
  AND attname IN ('family', 'region', 'body') AND relname <> 'reader_region'
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A cluster whose projection knows two families, and the password of every role there."""

    server: PostgresServer
    secrets: Path

    def url(self, login: str) -> str:
        password = password_file(self.secrets, login).read_text()
        return self.server.url(role("projection"), login, password)

    @asynccontextmanager
    async def session(self, login: str) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.url(login))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        store = await Store.connect(self.url(READER), "projection")
        try:
            yield Reading(store.pool)
        finally:
            await store.close()


async def _fill(machine: Machine) -> None:
    await migrate_service("projection", machine.url(owner("projection")))
    async with machine.session(role("projection")) as writer:
        for family, region in ((OURS, HERE), (THEIRS, ELSEWHERE)):
            await writer.execute(FILL.format(family=family, region=region, tahap=TAHAP))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with embedded_postgres() as server:
        found = Machine(server, tmp_path_factory.mktemp("secrets"))
        provision(server, found.secrets)
        asyncio.run(_fill(found))
        yield found


async def seen(session: Any, relation: str) -> str:
    """All that a session gets of a relation, as text."""
    found = io.BytesIO()
    await session.copy_from_query(f"SELECT * FROM {relation}", output=found)
    return found.getvalue().decode()


async def readable(session: Any, login: str) -> list[Any]:
    """The relations of which a role may read anything, as the catalogue has them."""
    return list(await session.fetch(READABLE, login))


# -- What the catalogue says ----------------------------------------------------------------------


async def test_a_table_of_families_without_a_policy_is_found(machine: Machine) -> None:
    async with machine.session(owner("projection")) as session:
        rows = await session.fetch(WALLED_BY_COLUMN)
        assert [row["relname"] for row in rows if not row["walled"]] == [*OF_NO_FAMILY]
        for login in READERS:
            for row in await readable(session, login):
                name = row["relname"]
                if row["is_view"]:
                    sums = login == GRAFANA and not row["of_families"]
                    assert row["as_invoker"] or sums, (login, name)
                else:
                    assert row["walled"] or name in OF_NO_FAMILY, (login, name)


async def test_nothing_works_as_the_owner_but_what_is_known_to(machine: Machine) -> None:
    async with machine.session(owner("projection")) as session:
        rows = await session.fetch(
            """SELECT proname, proconfig FROM pg_proc
               WHERE prosecdef AND pronamespace = 'public'::regnamespace"""
        )
        assert {row["proname"] for row in rows} == WORK_AS_THE_OWNER
        assert all(row["proconfig"] == ["search_path=public, pg_temp"] for row in rows)


@pytest.mark.parametrize("login", READERS)
async def test_a_reading_role_is_nobody_else_and_changes_nothing(
    machine: Machine, login: str
) -> None:
    async with machine.session(login) as session:
        await session.execute("SET default_transaction_read_only = off")
        for other in (owner("projection"), role("projection"), "postgres"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.execute(f"SET ROLE {other}")
        for statement in (
            "CREATE TABLE mine ()",
            "CREATE TEMP TABLE mine ()",
            "DELETE FROM payment",
            "INSERT INTO reader_region VALUES (session_user, '*')",
            "ALTER TABLE payment DISABLE ROW LEVEL SECURITY",
            "SET row_security = off; SELECT count(*) FROM payment",
            "SELECT lo_create(0)",
            "SELECT lo_from_bytea(0, 'as much as the disk takes')",
            "SELECT pg_logical_emit_message(false, 'log', 'as much as the disk takes')",
            "SELECT pg_advisory_lock(1)",
            "SELECT pg_try_advisory_xact_lock(1)",
            "SET temp_file_limit = -1",
            "SELECT set_config('pkh.regions', '*', false)",
            "UPDATE pg_settings SET setting = '*' WHERE name = 'application_name'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.execute(statement)


# -- As the role under which requests read --------------------------------------------------------


async def test_a_query_that_forgets_its_regions_finds_nobody_of_another(machine: Machine) -> None:
    async with machine.reading() as reading, reading.within((REGENCY,)) as session:
        relations = {row["relname"] for row in await readable(session, READER)}
        assert relations > {"payment", "timeline", "entitlement"}
        for relation in relations - OF_NO_FAMILY - OF_THE_ERASED:
            text = await seen(session, relation)
            assert THEIRS not in text, relation
            assert ELSEWHERE not in text, relation
            if relation in OF_REGIONS:
                assert HERE in text, relation
                continue
            assert (OURS in text) == (relation not in OF_A_FAMILY_ASKED_FOR), relation


async def test_a_family_of_another_region_has_no_timeline(machine: Machine) -> None:
    async with machine.reading() as reading:
        async with reading.within((REGENCY,), UUID(THEIRS)) as session:
            for relation in ("timeline", "payment", "entitlement", "tahap_event"):
                assert THEIRS not in await seen(session, relation)
        async with reading.within((REGENCY,), UUID(OURS)) as session:
            assert OURS in await seen(session, "timeline")
            assert OURS not in await seen(session, "tahap_event")


async def test_who_does_not_say_for_whom_sees_nothing(machine: Machine) -> None:
    async with machine.session(READER) as session:
        for row in await readable(session, READER):
            assert await seen(session, row["relname"]) == "", row["relname"]


async def test_a_region_is_none_that_only_begins_alike(machine: Machine) -> None:
    async with machine.reading() as reading:
        for region in ("61.03.02", "11", "61.04"):
            async with reading.within((region,)) as session:
                assert OURS not in await seen(session, "entitlement")
        for mistake in ("6", "61.0", "%", "", "61.03'; SET LOCAL pkh.regions = '*"):
            with pytest.raises(ValueError, match="no region"):
                async with reading.within((mistake,)):
                    pass


async def test_a_connection_that_was_given_back_has_forgotten_for_whom_it_read(
    machine: Machine,
) -> None:
    async with machine.reading() as reading:

        async def broken() -> None:
            async with reading.within(("*",)) as session:
                await session.execute("SELECT 1 / 0")

        async def endless() -> None:
            async with reading.within(("*",)) as session:
                begun.set()
                await session.execute("SELECT pg_sleep(60)")

        async def nothing_is_seen() -> bool:
            return not await reading.pool.fetchval("SELECT count(*) FROM payment")

        async with reading.within(("*",)) as session:
            assert await session.fetchval("SELECT count(*) FROM payment") == 2
        assert await nothing_is_seen()
        with pytest.raises(asyncpg.DivisionByZeroError):
            await broken()
        assert await nothing_is_seen()
        begun = asyncio.Event()
        task = asyncio.create_task(endless())
        await begun.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await nothing_is_seen()


async def test_a_view_that_forgets_whom_it_is_for_shows_nothing(machine: Machine) -> None:
    async with machine.session(owner("projection")) as session:
        await session.execute("CREATE VIEW forgotten AS SELECT * FROM payment")
        await session.execute(f"GRANT SELECT ON forgotten TO {READER}, {GRAFANA}")
    try:
        async with machine.reading() as reading, reading.within((REGENCY,)) as session:
            assert await seen(session, "forgotten") == ""
    finally:
        async with machine.session(owner("projection")) as session:
            await session.execute("DROP VIEW forgotten")


# -- As Grafana -----------------------------------------------------------------------------------


async def families(machine: Machine) -> int:
    """The number of families that Grafana's sums are of, whatever it says of itself."""
    async with machine.session(GRAFANA) as session:
        await session.execute("SET pkh.regions = '*'")
        found = await session.fetchval("SELECT sum(families) FROM report_payments")
        reports = "report_payments", "report_failures", "report_commitment", "report_sessions"
        for report in reports:
            assert (await seen(session, report) != "") == bool(found), report
        return int(found or 0)


async def test_sums_are_of_the_regions_that_a_role_was_given(machine: Machine) -> None:
    async with machine.session(owner("projection")) as session:
        await session.execute("INSERT INTO reader_region VALUES ('somebody else', '*')")
        assert await families(machine) == 2
        await session.execute(
            "UPDATE reader_region SET region = $1 WHERE role = $2", REGENCY, GRAFANA
        )
        assert await families(machine) == 1
        await session.execute("DELETE FROM reader_region WHERE role = $1", GRAFANA)
        assert await families(machine) == 0
        await session.execute("INSERT INTO reader_region VALUES ($1, '*')", GRAFANA)


async def test_grafana_finds_no_family_and_nobody_s_place(machine: Machine) -> None:
    async with machine.session(GRAFANA) as session:
        for row in await readable(session, GRAFANA):
            text = await seen(session, row["relname"])
            assert not {OURS, THEIRS, HERE, ELSEWHERE} & {*text.split()}, row["relname"]
        for statement in (
            *(f"SELECT * FROM {table}" for table in ("payment", "timeline", "reported_row")),
            "SELECT asked_family()",
            f"SELECT lives('{OURS}', '2023-01-01')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await session.fetch(statement)
