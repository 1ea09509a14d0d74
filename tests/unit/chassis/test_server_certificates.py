"""Certificates of Kafka and PostgreSQL say how long they still count, before they have ended."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.chassis.dev_certificates import Authority
from libs.chassis.server_certificates import TLS_PLEASE, Server, ServerCertificates
from libs.events.bus.kafka_settings import Cluster, KafkaSecurity

HERE = "127.0.0.1"
NOW = datetime.now(UTC).replace(microsecond=0)


class Shown:
    """A server of each protocol as far as its certificate, which may be changed while it runs."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.authority = directory, Authority.make("Ours")
        self.ca = directory / "ca.pem"
        self.ca.write_text(self.authority.pem)
        certificate, key = self.authority.issue("ours", until=NOW + timedelta(days=100, hours=1))
        (directory / "ours.pem").write_text(certificate)
        (directory / "ours.key").write_text(key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.asked = 0

    def shows(self, days: int) -> None:
        """Show a certificate that counts for so many days more."""
        until = NOW + timedelta(days=days, hours=1)
        certificate, key = self.authority.issue("server", address=HERE, until=until)
        (self.directory / "server.pem").write_text(certificate)
        (self.directory / "server.key").write_text(key)
        self.context.load_cert_chain(self.directory / "server.pem", self.directory / "server.key")

    @asynccontextmanager
    async def kafka(self) -> AsyncIterator[Server]:
        """Its address as one of Kafka, whose client has a certificate."""

        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.asked += 1
            writer.close()

        ours = str(self.directory / "ours.pem"), str(self.directory / "ours.key")
        cluster = Cluster(KafkaSecurity(ca_file=str(self.ca), certificate=ours))
        async with await asyncio.start_server(answer, HERE, 0, ssl=self.context) as server:
            port = server.sockets[0].getsockname()[1]
            found = Server.kafka(f"kafka://{HERE}:{port}", cluster)
            assert found
            yield found

    @asynccontextmanager
    async def postgresql(self, answered: bytes = b"S") -> AsyncIterator[Server]:
        """Its address as one of PostgreSQL."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(8) == TLS_PLEASE
            writer.write(answered)
            if answered == b"S":
                await writer.start_tls(self.context)
            assert not await reader.read()  # neither a name nor a password follows
            writer.close()

        async with await asyncio.start_server(answer, HERE, 0) as server:
            port = server.sockets[0].getsockname()[1]
            named = f"postgresql://pkh@{HERE}:{port}/pkh?sslmode=verify-full&sslrootcert={self.ca}"
            found = Server.postgresql(named)
            assert found
            yield found


@pytest.fixture
def shown(tmp_path: Path) -> Shown:
    shown = Shown(tmp_path)
    shown.shows(20)
    return shown


async def days(look: ServerCertificates) -> dict[tuple[str, ...], float]:
    return {each.labels: each.value for each in await look.readings()}


async def test_each_server_its_ca_and_our_certificate_say_how_many_days_are_left(
    shown: Shown,
) -> None:
    async with shown.kafka() as kafka, shown.postgresql() as postgresql:
        found = await days(ServerCertificates([kafka, postgresql], lambda: NOW))

    assert found == {
        ("KAFKA", "SERVER"): 20,
        ("KAFKA", "CA"): 825,
        ("KAFKA", "CLIENT"): 100,
        ("POSTGRESQL", "SERVER"): 20,
        ("POSTGRESQL", "CA"): 825,
    }


async def test_a_new_certificate_is_seen_within_the_hour_and_a_server_is_not_asked_before(
    shown: Shown,
) -> None:
    now = [NOW]
    async with shown.kafka() as kafka:
        look = ServerCertificates([kafka], lambda: now[0])
        await days(look)
        shown.shows(400)
        now[0] += timedelta(minutes=59)
        assert (await days(look))["KAFKA", "SERVER"] == 20
        assert shown.asked == 1
        now[0] += timedelta(minutes=1)
        assert (await days(look))["KAFKA", "SERVER"] == 400


async def test_one_that_lets_nobody_in_any_more_is_told_by_what_it_showed_last(
    shown: Shown,
) -> None:
    now = [NOW]
    async with shown.kafka() as kafka:
        look = ServerCertificates([kafka], lambda: now[0])
        await days(look)
        shown.shows(-1)  # ended: whoever looks at it is not let in
        now[0] += timedelta(days=21)

        assert (await days(look))["KAFKA", "SERVER"] == -1


async def test_a_server_that_speaks_no_tls_is_told_nothing_and_keeps_no_other_from_being_seen(
    shown: Shown,
) -> None:
    async with shown.kafka() as kafka, shown.postgresql(b"N") as postgresql:
        found = await days(ServerCertificates([postgresql, kafka], lambda: NOW))

    assert ("POSTGRESQL", "SERVER") not in found
    assert found["KAFKA", "SERVER"] == 20


def test_servers_of_this_machine_that_are_asked_in_clear_have_none() -> None:
    assert Server.kafka("kafka://127.0.0.1:9092", Cluster()) is None
    assert Server.postgresql("postgresql://pkh@127.0.0.1/pkh") is None


def test_each_broker_of_an_address_is_asked_at_its_port(shown: Shown) -> None:
    cluster = Cluster(KafkaSecurity(ca_file=str(shown.ca)))
    server = Server.kafka("kafka://one:9093,two,[::1]:9094", cluster)

    assert server
    assert server.addresses == [("one", 9093), ("two", 9092), ("::1", 9094)]
