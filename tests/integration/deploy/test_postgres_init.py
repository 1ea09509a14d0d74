"""The roles that a fresh database cluster is given keep the services out of each other's data."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import migrate
from libs.chassis.catalogue import KEYED, catalogue
from libs.chassis.migrations import make_topics
from localstack.postgres.home import PostgresFailed, run_psql
from localstack.postgres.roles import run_script
from localstack.postgres.server import PostgresServer
from tests.servers import embedded_postgres

SERVICES = catalogue().names
OWNERS = [f"{name}_owner" for name in (*SERVICES, "keys")]
READERS = [name for entry in catalogue().services.values() for name in entry.readers]
RELAYS = [f"{name}_relay" for name in catalogue().publishers]
ROLES = [f"pkh_{name}" for name in (*SERVICES, "eraser", *READERS, *RELAYS, *OWNERS)]

MAKE = "CREATE TABLE made (); DROP TABLE made"


class Cluster:
    """A cluster that deploy/postgres/init has prepared, and the passwords it was given."""

    def __init__(self, server: PostgresServer, passwords: Path) -> None:
        self.server, self._passwords = server, passwords
        for role in ROLES:
            self.choose_password(role)
        self.initialise()

    def choose_password(self, role: str) -> None:
        """Write the file of a role's password."""
        # A quote and a dollar, so that a password which is not quoted shows at once.
        text = f"{secrets.token_urlsafe(16)}'$x\n"
        (self._passwords / f"{role}.password").write_text(text)

    def initialise(self, *more: str) -> None:
        """Run the script, with more lines behind its own."""
        run_script(self.server, self._passwords, *more)

    def url(self, role: str, database: str) -> str:
        """The address of a database for a role."""
        password = (self._passwords / f"{role}.password").read_text().strip()
        return self.server.url(database, role, password)

    def run(self, role: str, database: str, sql: str) -> str:
        """The answer to a role in a database; both without their prefix."""
        return run_psql(self.url(f"pkh_{role}", f"pkh_{database}"), sql)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with embedded_postgres() as server:
        yield Cluster(server, tmp_path_factory.mktemp("secrets"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_works_in_its_own_database(cluster: Cluster, service: str) -> None:
    assert cluster.run(service, service, "SELECT current_database()") == f"pkh_{service}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_into_no_other_database(cluster: Cluster, service: str) -> None:
    mine = f"pkh_{service}"
    others = {*(f"pkh_{name}" for name in SERVICES), "postgres", "template1"} - {mine}

    for other in others:
        with pytest.raises(PostgresFailed, match="permission denied for database"):
            run_psql(cluster.url(mine, other), "SELECT 1")


@pytest.mark.parametrize("role", sorted({*SERVICES} - {*catalogue().needing(*KEYED)}))
def test_who_needs_no_keys_does_not_get_to_them(cluster: Cluster, role: str) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for database"):
        cluster.run(role, "keys", "SELECT 1")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_makes_no_tables(cluster: Cluster, service: str) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for schema public"):
        cluster.run(service, service, "CREATE TABLE mine ()")


@pytest.mark.parametrize("database", [*SERVICES, "keys"])
def test_the_owner_makes_the_tables(cluster: Cluster, database: str) -> None:
    assert cluster.run(f"{database}_owner", database, MAKE) == ""


def test_a_service_that_is_new_gets_its_roles_and_all_others_stay(cluster: Cluster) -> None:
    for role in ("pkh_purses", "pkh_purses_owner"):
        cluster.choose_password(role)

    cluster.initialise("make_service purses")

    assert cluster.run("purses", "purses", "SELECT current_database()") == "pkh_purses"
    assert cluster.run("purses_owner", "purses", MAKE) == ""
    assert cluster.run("registry", "registry", "SELECT current_database()") == "pkh_registry"


def test_no_role_may_do_everything(cluster: Cluster) -> None:
    powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls"

    powerful = cluster.server.run_sql(
        f"SELECT count(*) FROM pg_roles WHERE ({powers}) AND rolname IN {tuple(ROLES)}"
    )

    assert powerful == "0"


async def test_a_deployment_is_migrated_and_a_second_time_changes_nothing(
    cluster: Cluster,
) -> None:
    environment = {
        f"PKH_{name.upper()}_OWNER_URL": cluster.url(f"pkh_{name}_owner", f"pkh_{name}")
        for name in (*SERVICES, "keys")
    }

    applied = await migrate.databases(environment)
    again = await migrate.databases(environment)

    assert applied.count("events/001_corridor.sql") == len(SERVICES)
    assert "privacy/001_keys.sql" in applied
    assert again == []
    assert cluster.run("registry", "registry", "SELECT position FROM head") == "0"
    assert cluster.run("payments", "keys", "SELECT count(*) FROM keys") == "0"

    assert cluster.run("grafana", "projection", "SELECT count(*) FROM report_payments") == "0"


def test_grafana_gets_into_the_projection_alone_and_changes_nothing(cluster: Cluster) -> None:
    for database in {*SERVICES, "keys"} - {"projection"}:
        with pytest.raises(PostgresFailed, match="permission denied for database"):
            cluster.run("grafana", database, "SELECT 1")
    settings = "SELECT current_setting(name) FROM pg_settings WHERE name = '{}'"
    found = [
        cluster.run("grafana", "projection", settings.format(name))
        for name in ("default_transaction_read_only", "statement_timeout")
    ]

    assert found == ["on", "15s"]


@pytest.mark.kafka
async def test_a_deployment_gets_the_topics_of_the_contracts(kafka_bootstrap: str) -> None:
    made = await make_topics(f"kafka://{kafka_bootstrap}")
    again = await make_topics(f"kafka://{kafka_bootstrap}")

    assert made == again
    assert "pkh.registry.family.v2" in made
