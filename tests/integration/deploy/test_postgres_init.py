"""The roles that a fresh database cluster is given keep the services out of each other's data."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.postgres_home import PORT, PostgresFailed, binary, run_psql
from cli.postgres_server import SUPERUSER, PostgresServer
from tests.architecture.tree import ROOT
from tests.servers import embedded_postgres

SERVICES = ("registry", "conditionality", "payments", "projection")
ROLES = ("owner", "eraser", *SERVICES)

pytestmark = pytest.mark.integration


class Cluster:
    """A cluster that deploy/postgres/init has prepared, and the passwords it was given."""

    def __init__(self, server: PostgresServer, passwords: Path) -> None:
        self.server, self._passwords = server, passwords
        for role in ROLES:
            # A quote and a dollar, so that a password which is not quoted shows at once.
            (passwords / f"{role}_password").write_text(f"{secrets.token_urlsafe(16)}'$x\n")
        self._initialise()

    def _initialise(self) -> None:
        environment = {
            "PATH": f"{binary('psql').parent}:{os.environ['PATH']}",
            "PGHOST": str(self.server.socket_dir),
            "PGPORT": str(PORT),
            "PGPASSWORD": self.server.password_file.read_text().strip(),
            "POSTGRES_USER": SUPERUSER,
            "SECRETS": str(self._passwords),
        }
        script = ROOT / "deploy" / "postgres" / "init" / "10-roles.sh"
        subprocess.run(["bash", script], env=environment, check=True)

    def run(self, role: str, database: str, sql: str) -> str:
        """What a role is answered in a database."""
        password = (self._passwords / f"{role}_password").read_text().strip()
        return run_psql(self.server.url(database, role, password), sql)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with embedded_postgres() as server:
        yield Cluster(server, tmp_path_factory.mktemp("secrets"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_works_in_its_own_database(cluster: Cluster, service: str) -> None:
    assert cluster.run(service, service, "SELECT current_database()") == service


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_gets_into_no_other_database(cluster: Cluster, service: str) -> None:
    for other in {*SERVICES, "postgres", "template1"} - {service}:
        with pytest.raises(PostgresFailed, match="permission denied for database"):
            cluster.run(service, other, "SELECT 1")


@pytest.mark.parametrize("role", ["conditionality", "projection"])
def test_who_needs_no_keys_does_not_get_to_them(cluster: Cluster, role: str) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for database"):
        cluster.run(role, "keys", "SELECT 1")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_makes_no_tables(cluster: Cluster, service: str) -> None:
    with pytest.raises(PostgresFailed, match="permission denied for schema public"):
        cluster.run(service, service, "CREATE TABLE mine ()")


@pytest.mark.parametrize("database", [*SERVICES, "keys"])
def test_the_owner_makes_the_tables(cluster: Cluster, database: str) -> None:
    assert cluster.run("owner", database, "CREATE TABLE made (); DROP TABLE made") == ""


def test_no_role_may_do_everything(cluster: Cluster) -> None:
    powers = "rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls"

    powerful = cluster.server.run_sql(
        f"SELECT count(*) FROM pg_roles WHERE ({powers}) AND rolname IN {ROLES}"
    )

    assert powerful == "0"
