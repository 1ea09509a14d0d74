"""Certificates of our own servers, PostgreSQL and Kafka: how many days each still counts.

Of a server is looked at what it shows, so that a new one is seen without a start; of our own files
what the process has read. Where a server's has ended nobody is let in any more, and the days since
then are shown by what it showed last.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

import structlog
from cryptography import x509

from libs.events import telemetry
from libs.events.bus.kafka_settings import Cluster
from libs.events.telemetry.metrics import Sample

KAFKA: Final = "KAFKA"
POSTGRESQL: Final = "POSTGRESQL"
A_DAY: Final = timedelta(days=1)
LOOK_EVERY: Final = timedelta(hours=1)
LOOK_S_MAX: Final = 4.0  # below what a scrape waits for
TLS_PLEASE: Final = bytes.fromhex("0000000804d2162f")
"""The request of PostgreSQL's protocol with which a client begins, before it says who it is."""

Address = tuple[str, int]

log = structlog.get_logger("certificates")


@dataclass(frozen=True, slots=True)
class Server:
    """One of our servers as this process asks it: `addresses` by host and port, `context` with our
    own certificate where it has one, `ours` when what was read from our files ends, by its kind."""

    name: str
    addresses: Sequence[Address]
    context: ssl.SSLContext
    ours: Sequence[tuple[str, datetime]]

    @classmethod
    def kafka(cls, bus_url: str, cluster: Cluster) -> Self | None:
        """The cluster; None where it is asked in clear, on this machine."""
        security = cluster.security
        if security is None:
            return None
        context = security.options()["ssl_context"]
        ours = _ends(security.ca_file, security.certificate and security.certificate[0])
        return cls(KAFKA, _addresses(bus_url, 9092), context, ours)

    @classmethod
    def postgresql(cls, address: str) -> Self | None:
        """The server of a database's address; None where it is asked in clear, on this machine."""
        named = dict(parse_qsl(urlsplit(address).query))
        if "sslrootcert" not in named:
            return None
        context = ssl.create_default_context(cafile=named["sslrootcert"])
        if "sslcert" in named:
            context.load_cert_chain(named["sslcert"], named["sslkey"])
        ours = _ends(named["sslrootcert"], named.get("sslcert"))
        return cls(POSTGRESQL, _addresses(address, 5432), context, ours)

    async def shown(self, address: Address) -> datetime:
        """The end of the certificate that it shows there. Raises `OSError`."""
        host, port = address
        if self.name == KAFKA:
            _, writer = await asyncio.open_connection(host, port, ssl=self.context)
        else:
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(TLS_PLEASE)
            if await reader.read(1) != b"S":
                writer.transport.abort()
                raise ConnectionRefusedError("it speaks no TLS")
            try:
                await writer.start_tls(self.context, server_hostname=host)
            except OSError:
                writer.transport.abort()
                raise
        try:
            certificate = writer.get_extra_info("peercert")
        finally:
            writer.transport.abort()  # nothing was asked: it need not say good-bye, nor we wait
        return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _addresses(url: str, port: int) -> list[Address]:
    """The hosts of a URL that may name several, each with its port or the usual one."""
    parts = (urlsplit(f"//{host}") for host in urlsplit(url).netloc.rpartition("@")[2].split(","))
    return [(unquote(part.hostname or ""), part.port or port) for part in parts]


def _ends(ca: str | None, own: str | None) -> list[tuple[str, datetime]]:
    """The ends of what our files hold: the last of the CAs that is believed, the first of ours."""
    found = []
    if ca:
        found.append(("CA", max(one.not_valid_after_utc for one in _read(ca))))
    if own:
        found.append(("CLIENT", min(one.not_valid_after_utc for one in _read(own))))
    return found


def _read(path: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(Path(path).read_bytes())


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class ServerCertificates:
    """A look at the certificates of some servers; each server is asked at most once an hour."""

    servers: Sequence[Server]
    clock: Callable[[], datetime] = _now
    _seen: dict[tuple[str, Address], datetime] = field(default_factory=dict)
    _due: datetime | None = None

    async def readings(self) -> list[Sample]:
        """The gauge of whole days that are left, below zero where something has ended."""
        now = self.clock()
        if (self._due is None or now >= self._due) and await self._look():
            self._due = now + LOOK_EVERY
        return [
            Sample(telemetry.SERVER_CERTIFICATE_DAYS, (until - now) // A_DAY, labels)
            for labels, until in self._ends()
        ]

    async def _look(self) -> bool:
        """Ask each; one that does not answer is asked again at the next look, and named."""
        asked = [(one, address) for one in self.servers for address in one.addresses]
        found = await asyncio.gather(*(self._ask(one, address) for one, address in asked))
        return all(found)

    async def _ask(self, server: Server, address: Address) -> bool:
        try:
            async with asyncio.timeout(LOOK_S_MAX):
                self._seen[server.name, address] = await server.shown(address)
        except OSError as error:  # TimeoutError and what is wrong with TLS are among them
            log.warning("certificate not seen", server=server.name, kind=type(error).__name__)
            return False
        return True

    def _ends(self) -> Iterator[tuple[tuple[str, str], datetime]]:
        """(server, kind) and the day on which its first certificate ends."""
        first: dict[tuple[str, str], datetime] = {}
        for (name, _), until in self._seen.items():
            first[name, "SERVER"] = min(until, first.get((name, "SERVER"), until))
        for server in self.servers:
            first |= {(server.name, kind): until for kind, until in server.ours}
        yield from first.items()
