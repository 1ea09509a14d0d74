"""An attacker at a database's address: gets neither a password nor a question.

127.0.0.2 and 127.0.0.3 are other machines to a service; a real server is at both.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest

from libs.chassis.dev_certificates import DAYS, Authority
from libs.chassis.durable_files import write_private
from libs.chassis.server_certificates import Server, ServerCertificates
from libs.chassis.settings import url
from localstack.ports import free_ports
from localstack.postgres.home import as_user, ensure_os_user
from localstack.processes import dies_with_parent, wait_until

THERE, BESIDE = "127.0.0.2", "127.0.0.3"
DATABASE: Final = "PKH_DATABASE_URL"
CA: Final = "PKH_DATABASE_CA_FILE"
OURS: Final = {
    "PKH_DATABASE_CLIENT_CERTIFICATE_FILE": "client.pem",
    "PKH_DATABASE_CLIENT_KEY_FILE": "client.key",
}
BINARIES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def program(name: str) -> str:
    """A program of the newest PostgreSQL here that has TLS, which the wheel's has not."""
    return str(BINARIES[-1] / name)


START_S_MAX: Final = 30.0
HBA: Final = "hostssl all all all scram-sha-256 clientcert=verify-full\n"
TLS_PLEASE: Final = bytes.fromhex("0000000804d2162f")
"""The request with which a client begins: TLS, and nothing else yet."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A PostgreSQL of another machine, and the directory with what its services are given."""

    port: int
    directory: Path

    def environment(self, host: str = THERE, ca: str = "ca.pem", **more: str) -> dict[str, str]:
        """The variables of a service whose database is there."""
        files = {CA: ca, "PKH_DATABASE_PASSWORD_FILE": "password", **more}
        return {
            DATABASE: f"postgresql://postgres@{host}:{self.port}/postgres",
            **{name: str(self.directory / file) for name, file in files.items()},
        }


@asynccontextmanager
async def asked(environment: dict[str, str]) -> AsyncIterator[Any]:
    """A session of a service with these variables."""
    connection = await asyncpg.connect(url(environment, DATABASE, ("postgresql",)), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


@contextmanager
def served(data: Path, ours: Authority, port: int) -> Iterator[None]:
    """A PostgreSQL in a directory that its user owns: in clear it lets nobody in, and as `registry`
    nobody without a certificate of its authority."""
    owner = ensure_os_user() if os.geteuid() == 0 else None
    user = as_user(owner.pw_name if owner else None)
    certificate, key = ours.issue("postgres", address=THERE)
    cluster, password = data / "cluster", data / "password"
    password.write_text("secret")
    data.chmod(0o711)
    made = [program("initdb"), "-D", str(cluster), "-U", "postgres", "-A", "scram-sha-256"]
    if owner is not None:
        os.chown(data, owner.pw_uid, owner.pw_gid)
        os.chown(password, owner.pw_uid, owner.pw_gid)
    subprocess.run([*made, "--pwfile", str(password)], check=True, capture_output=True, **user)
    files = {"server.pem": certificate, "server.key": key, "ca.pem": ours.pem, "pg_hba.conf": HBA}
    for name, text in files.items():
        write_private(cluster / name, text)
        if owner is not None:
            os.chown(cluster / name, owner.pw_uid, owner.pw_gid)
    settings = {
        "listen_addresses": f"{THERE},{BESIDE}",
        "port": str(port),
        "unix_socket_directories": str(data),
        "ssl": "on",
        "ssl_cert_file": "server.pem",
        "ssl_key_file": "server.key",
        "ssl_ca_file": "ca.pem",
        "hba_file": str(cluster / "pg_hba.conf"),
        "fsync": "off",
    }
    server = subprocess.Popen(
        [program("postgres"), "-D", str(cluster)]
        + [f"--{name}={value}" for name, value in settings.items()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - one prctl
        **user,
    )
    try:
        assert wait_until(lambda: _listens(port), START_S_MAX)
        yield
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


def _listens(port: int) -> bool:
    ready = [program("pg_isready"), "-q", "-h", THERE, "-p", str(port)]
    return subprocess.run(ready, check=False).returncode == 0


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    """A database with TLS on another machine, and what its services are given."""
    if not BINARIES:
        pytest.skip("needs a PostgreSQL with TLS in /usr/lib/postgresql; the wheel's has none")
    given = Path(tmp_path_factory.mktemp("secrets"))
    ours, another = Authority.make("Databases"), Authority.make("Somebody else")
    client, key = ours.issue("postgres")
    files = {
        "client.pem": client,
        "client.key": key,
        "ca.pem": ours.pem,
        "another.pem": another.pem,
    }
    for name, text in (files | {"password": "secret"}).items():
        write_private(given / name, text)
    [port] = free_ports(1)
    data = Path(tempfile.mkdtemp(prefix="pkh-tls-"))
    try:
        with served(data, ours, port):
            yield Remote(port, given)
    finally:
        shutil.rmtree(data)


async def test_a_database_elsewhere_is_asked_over_tls_with_our_certificate(remote: Remote) -> None:
    async with asked(remote.environment(**OURS)) as session:
        row = await session.fetchrow(
            "SELECT ssl, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        )
        assert tuple(row) == (True, "/CN=postgres")


@pytest.mark.parametrize(
    ("host", "ca"), [(THERE, "another.pem"), (BESIDE, "ca.pem")], ids=["other CA", "other host"]
)
async def test_whoever_is_not_the_database_of_the_address_is_told_nothing(
    remote: Remote, host: str, ca: str
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        async with asked(remote.environment(host, ca, **OURS)):
            pass


async def test_a_server_in_clear_gets_neither_a_name_nor_a_password(remote: Remote) -> None:
    heard, gone = bytearray(), asyncio.Event()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.readexactly(8))
        writer.write(b"N")  # no TLS here, go on in clear
        heard.extend(await reader.read())
        writer.close()
        gone.set()

    taken = await asyncio.start_server(refuse, THERE, 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        with pytest.raises(ConnectionError):
            async with asked(Remote(port, remote.directory).environment(**OURS)):
                pass
        await asyncio.wait_for(gone.wait(), 10)
    assert bytes(heard) == TLS_PLEASE


async def test_the_database_and_whoever_asks_it_say_when_their_certificates_end(
    remote: Remote,
) -> None:
    server = Server.postgresql(url(remote.environment(**OURS), DATABASE, ("postgresql",)))
    assert server

    found = {each.labels: each.value for each in await ServerCertificates([server]).readings()}

    assert found == {
        ("POSTGRESQL", kind): DAYS - 1 for kind in ("SERVER", "CA", "CLIENT")
    }  # fmt: skip


async def test_the_database_lets_in_nobody_in_clear_or_without_a_certificate(
    remote: Remote,
) -> None:
    environment = remote.environment()
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        async with asked(environment):
            pass
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(environment[DATABASE], password="secret", ssl="disable")
