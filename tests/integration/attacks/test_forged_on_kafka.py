"""An attacker with a service's password at Kafka, with another's certificate, or with nothing.

Any client that reached the broker could write on every topic, read the roster, and move groups.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest

from libs.chassis.catalogue import ROOT, Catalogue, catalogue, inbound, role
from libs.chassis.dev_certificates import DAYS
from libs.chassis.migrations import kafka_rights, make_topics, migrate_access
from libs.chassis.server_certificates import Server, ServerCertificates
from libs.events.bus import Bus, Record
from libs.events.bus.connect import connect
from libs.events.bus.kafka_access import Entry, Operation, Pattern, Resource, give
from libs.events.bus.kafka_settings import Cluster
from libs.events.bus.topics import Topics
from services.projection.main import SERVICE as PROJECTION
from tests.doors import front_door, service_settings
from tests.guarded_kafka import GuardedKafka, guarded_kafka
from tests.integration.attacks.every_topic import (
    READER,
    EveryTopic,
    a_place_that_no_log_has_is_named,
    every_topic,
    forged_is_named,
    without_effect,
)
from tests.servers import Postgres, eventually

pytestmark = pytest.mark.kafka

SERVICES: Final = catalogue().services
TOPICS: Final = Topics.load(ROOT / "contracts")
TAHAP: Final = "pkh.payments.tahap.v1"
UNWRITABLE: Final = [
    (name, topic)
    for name, entry in SERVICES.items()
    for topic in TOPICS.partitions
    if topic not in entry.publishes
]
UNREADABLE: Final = [
    (name, topic) for name, topic in UNWRITABLE if topic not in SERVICES[name].reads
]
PATIENCE_S: Final = 30.0
BYTES_MAX: Final = 1_000_000


def password_of(name: str) -> str:
    return f"of {name} alone"


async def prepare(kafka: GuardedKafka) -> None:
    await make_topics(kafka.owners_url, kafka.as_owner())
    await migrate_access(kafka.owners_url, kafka.as_owner(), password_of)
    for user in (*map(role, SERVICES), *map(inbound, TOPICS.registered())):
        # The controller has the password; the broker asks for it a moment later.
        await eventually(partial(is_let_in, kafka, user), PATIENCE_S, f"{user} is let in")


async def is_let_in(kafka: GuardedKafka, user: str) -> bool:
    asking = AIOKafkaClient(**options(kafka, kafka.as_user(user, password_of(user))))
    try:
        await asking.bootstrap()
    except KafkaConnectionError:
        return False
    finally:
        await asking.close()
    return True


@pytest.fixture(scope="module")
def kafka(kafka_jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    with guarded_kafka(tmp_path_factory.mktemp("kafka")) as found:
        asyncio.run(prepare(found))
        yield found


@asynccontextmanager
async def at(url: str, cluster: Cluster) -> AsyncIterator[Bus]:
    bus = await connect(url, cluster=cluster)
    try:
        yield bus
    finally:
        await bus.close()


def as_service(kafka: GuardedKafka, name: str) -> Cluster:
    return kafka.as_user(role(name), password_of(role(name)))


def as_writer(kafka: GuardedKafka, name: str) -> Cluster:
    return kafka.as_user(inbound(name), password_of(inbound(name)))


def client(kafka: GuardedKafka, name: str) -> dict[str, Any]:
    """The options of any client that has a service's password."""
    return options(kafka, as_service(kafka, name))


def options(kafka: GuardedKafka, cluster: Cluster) -> dict[str, Any]:
    """The options of any client that has what a user of the cluster has."""
    assert cluster.security is not None
    return {"bootstrap_servers": kafka.broker.bootstrap, **cluster.security.options()}


async def test_the_broker_says_when_its_certificate_ends_to_who_has_a_password_or_one_of_his_own(
    kafka: GuardedKafka,
) -> None:
    user = Server.kafka(kafka.url, as_service(kafka, "registry"))
    owner = Server.kafka(kafka.owners_url, kafka.as_owner())
    assert user
    assert owner

    for server, kinds in ((user, {"SERVER", "CA"}), (owner, {"SERVER", "CA", "CLIENT"})):
        found = {each.labels: each.value for each in await ServerCertificates([server]).readings()}
        assert found == {("KAFKA", kind): DAYS - 1 for kind in kinds}


@pytest.mark.parametrize(("service", "topic"), UNWRITABLE)
async def test_no_service_s_password_sends_a_message_on_another_s_topic(
    kafka: GuardedKafka, service: str, topic: str
) -> None:
    async with at(kafka.owners_url, kafka.as_owner()) as owner:
        before = await owner.ends(topic)
        thief = AIOKafkaProducer(**client(kafka, service))
        await thief.start()
        try:
            with pytest.raises(TopicAuthorizationFailedError):
                await thief.send_and_wait(topic, b"{}", b"2023-1", partition=0)
        finally:
            await thief.stop()
        assert await owner.ends(topic) == before


@pytest.mark.parametrize("writer", TOPICS.registered())
async def test_a_writer_s_password_sends_on_no_topic_but_its_own_and_is_in_no_group(
    kafka: GuardedKafka, writer: str
) -> None:
    security = as_writer(kafka, writer).security
    assert security is not None
    options = {"bootstrap_servers": kafka.broker.bootstrap, **security.options()}
    thief = AIOKafkaProducer(**options)
    await thief.start()
    try:
        for topic in TOPICS.partitions.keys() - {*TOPICS.registered()[writer]}:
            with pytest.raises(TopicAuthorizationFailedError):
                await thief.send_and_wait(topic, b"{}", b"30141147", partition=0)
    finally:
        await thief.stop()
    async with at(kafka.url, as_writer(kafka, writer)) as bus:
        with pytest.raises((GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
            await bus.committed("conditionality")


@pytest.mark.parametrize(("service", "topic"), UNREADABLE)
async def test_a_topic_is_read_by_no_service_that_is_not_described_with_it(
    kafka: GuardedKafka, service: str, topic: str
) -> None:
    thief = AIOKafkaClient(**client(kafka, service))
    await thief.bootstrap()
    try:  # as one who knows what to ask for, and need not be told of topics first
        fetch = FetchRequest(0, 0, BYTES_MAX, 0, [(topic, [(0, 0, BYTES_MAX)])])
        answer = await thief.send(thief.get_random_node(), fetch)
    finally:
        await thief.close()

    [(_, [(_, code, *_, records)])] = answer.topics
    assert for_code(code) is TopicAuthorizationFailedError
    assert not records


async def test_nobody_joins_another_s_group(kafka: GuardedKafka) -> None:
    async with at(kafka.url, as_service(kafka, "projection")) as thief:
        for group in ("payments", "projections", "payments-projection-1"):
            with pytest.raises(GroupAuthorizationFailedError):
                await thief.join(group, [TAHAP])
            with pytest.raises(GroupAuthorizationFailedError):
                await thief.committed(group)


async def test_a_service_makes_and_removes_no_topic_and_no_right(kafka: GuardedKafka) -> None:
    thief = AIOKafkaAdminClient(**client(kafka, "payments"))
    await thief.start()
    try:
        made = await thief.create_topics([NewTopic("pkh.forged.v1", 1, 1)])
        gone = await thief.delete_topics([TAHAP])
        codes = [made.topic_errors[0][1], gone.topic_error_codes[0][1]]
        assert {for_code(code) for code in codes} == {TopicAuthorizationFailedError}
    finally:
        await thief.close()
    settings = replace(kafka.settings(), bootstrap=kafka.broker.bootstrap)
    with pytest.raises(ClusterAuthorizationFailedError):
        own = replace(settings, cluster=as_service(kafka, "payments"))
        await give(own, kafka_rights(catalogue()), {})


async def test_each_service_sends_what_it_publishes_and_gets_what_it_reads(
    kafka: GuardedKafka,
) -> None:
    for name, entry in SERVICES.items():
        async with at(kafka.url, as_service(kafka, name)) as bus:
            topics = TOPICS.open(entry.publishes, datetime.now(UTC).date())
            await bus.ensure_topics(topics)
            if topics:
                producer = await bus.producer()
                await producer.send([Record(topic, 0, b"k", b"{}") for topic in topics])
            assert {len(await bus.last_records(topic)) for topic in topics} <= {1}
    for writer, own in TOPICS.registered().items():
        async with at(kafka.url, as_writer(kafka, writer)) as bus:
            await (await bus.producer()).send([Record(topic, 0, b"k", b"{}") for topic in own])
    for name, entry in SERVICES.items():
        async with at(kafka.url, as_service(kafka, name)) as bus:
            member, came = await bus.join(f"{name}-rebuild-1", entry.reads), set[str]()

            async def all_came() -> bool:
                came.update(batch.topic for batch in await member.fetch(9, 1.0))  # noqa: B023
                return came == {*SERVICES[name].reads}  # noqa: B023 - asked in this round alone

            await eventually(all_came, PATIENCE_S)


@pytest.mark.parametrize(
    "attacks",
    [(without_effect, forged_is_named), (a_place_that_no_log_has_is_named,)],
    ids=["in-order", "far-ahead"],
)
async def test_with_an_owner_s_password_a_message_of_every_topic_is_without_effect_or_named(
    kafka: GuardedKafka,
    postgres: Postgres,
    attacks: Sequence[Callable[[EveryTopic], Awaitable[None]]],
) -> None:
    async with at(kafka.owners_url, kafka.as_owner()) as owner:
        for topic in TOPICS.partitions:
            await owner.delete_topic(topic)
    await prepare(kafka)

    async def bus_of(name: str) -> Bus:
        if name == READER:
            return await connect(kafka.owners_url, cluster=kafka.as_owner())
        return await connect(kafka.url, cluster=as_service(kafka, name))

    async with every_topic(postgres, bus_of) as there:
        for attack in attacks:
            await attack(there)


# -- Told in /ready -------------------------------------------------------------------------------


def without(name: str, **changes: Any) -> Catalogue:
    """The services, one of which is described otherwise."""
    entry = SERVICES[name]
    fields = {field: getattr(entry, field) for field in entry.__struct_fields__}
    return Catalogue({**SERVICES, name: type(entry)(**fields | changes)})


def refused(kafka: GuardedKafka, how: str, tmp_path: Path) -> Cluster:
    """Who somebody is that the broker does not take for the projection."""
    user, password = role("projection"), password_of(role("projection"))
    if how == "no TLS":
        return Cluster()
    if how == "another's certificate":
        other = tmp_path / "other.pem"
        other.write_text(kafka.authority.make("Another").pem)
        return kafka.as_user(user, password, str(other))
    return kafka.as_user(user if how != "unknown user" else "pkh_nobody", "not " + password)


@pytest.mark.parametrize(
    ("how", "word"),
    [
        ("no TLS", "KafkaConnectionError"),
        ("another's certificate", "SSLCertVerificationError"),
        ("wrong password", "SaslAuthenticationFailed"),
        ("unknown user", "SaslAuthenticationFailed"),
    ],
)
async def test_who_is_not_let_in_says_so_when_it_is_asked_whether_it_is_ready(
    kafka: GuardedKafka,
    postgres: Postgres,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    how: str,
    word: str,
) -> None:
    cluster = refused(kafka, how, tmp_path)
    async with service_settings(postgres, tmp_path, "projection") as settings:
        there = replace(settings, bus_url=kafka.url, cluster=cluster)
        async with front_door(PROJECTION, there, tmp_path) as door:
            answer = await door.client.get("/ready")

    assert answer.status_code == 503
    assert answer.json()["checks"]["bus"] == word
    assert password_of(role("projection")) not in "".join(capfd.readouterr())


@pytest.mark.parametrize("taken", ["a topic", "its group", "its user"])
async def test_who_has_lost_a_right_says_so_and_goes_on_when_it_has_it_again(
    kafka: GuardedKafka, postgres: Postgres, tmp_path: Path, taken: str
) -> None:
    passwords = {one.role: password_of(one.role) for one in kafka_rights(catalogue())}
    less = kafka_rights(
        without("projection", reads=(TAHAP,)) if taken == "a topic" else catalogue()
    )
    if taken == "its group":
        less = [replace(one, group=f"not-{one.group}") for one in less]
    if taken == "its user":
        passwords.pop(role("projection"))

    async with service_settings(postgres, tmp_path, "projection") as settings:
        there = replace(settings, bus_url=kafka.url, cluster=as_service(kafka, "projection"))
        await give(kafka.settings(), less, passwords)
        async with front_door(PROJECTION, there, tmp_path) as door:

            async def is_told() -> bool:
                checks = (await door.client.get("/ready")).json()["checks"]
                return {name for name, word in checks.items() if word != "ok"} >= {
                    "bus" if taken == "its user" else "consumer"
                }

            async def is_ready() -> bool:
                return (await door.client.get("/ready")).json()["ready"] is True

            await eventually(is_told, PATIENCE_S)
            await prepare(kafka)
            await eventually(is_ready, PATIENCE_S)


async def test_what_was_given_by_hand_is_taken_away_by_the_next_start(kafka: GuardedKafka) -> None:
    by_hand = Entry("User:pkh_friend", Resource.topic, "*", Pattern.literal, Operation.read)
    rights = kafka_rights(catalogue())
    passwords = {one.role: password_of(one.role) for one in rights}
    friend = replace(rights[0], role="pkh_friend", sends=(), reads=("*",), group="friends")
    given = await give(
        kafka.settings(), [*rights, friend], {**passwords, "pkh_friend": "a friend's"}
    )
    assert by_hand in given.given

    changes = await migrate_access(kafka.owners_url, kafka.as_owner(), password_of)

    assert by_hand in changes.taken
    assert changes.removed == ["pkh_friend"]
    assert changes.given == []
