"""Users of a Kafka cluster and their access lists, written anew from the rights of each.

The cluster is the platform's own: a user or an entry that no right stands for is removed, so that
nobody keeps what was once given by hand. Who gives them is a super user of the cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest
from aiokafka.protocol.api import Request

from libs.events.bus.kafka_client import start, stop
from libs.events.bus.kafka_settings import KafkaSettings
from libs.events.bus.kafka_users import AlterUsersRequest, DescribeUsersRequest
from libs.events.bus.rights import Rights

ANYBODY: Final = 1
ALLOW: Final = 3
EVERY_HOST: Final = "*"


class Resource(IntEnum):
    """A kind of what is guarded, by Kafka's number."""

    topic = 2
    group = 3


class Pattern(IntEnum):
    """The reach of a name: itself alone, or whatever begins with it."""

    literal = 3
    prefixed = 4


class Operation(IntEnum):
    """A deed that is allowed; each of these allows to describe as well."""

    read = 3
    write = 4


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One line of the access lists: a user may do something with what has a name.

    Numbers are Kafka's, so that what somebody else entered can be told too.
    """

    principal: str
    resource: int
    name: str
    pattern: int
    operation: int
    host: str = EVERY_HOST
    permission: int = ALLOW

    def __str__(self) -> str:
        kinds = ((Operation, self.operation), (Resource, self.resource), (Pattern, self.pattern))
        words = [of(number).name if number in {*of} else str(number) for of, number in kinds]
        return f"{self.principal} {words[0]} {words[1]} {self.name} ({words[2]})"

    @property
    def as_sent(self) -> tuple[int, str, int, str, str, int, int]:
        """The fields in the order of Kafka's protocol."""
        whose = self.principal, self.host, self.operation, self.permission
        return self.resource, self.name, self.pattern, *whose


def entries(rights: Iterable[Rights]) -> list[Entry]:
    """The access lists that rights come to; nothing is allowed by a wildcard, and no more than
    these. Who sends to a topic also reads there what it sent last."""
    return sorted({entry for one in rights for entry in _entries_of(one)})


def _entries_of(one: Rights) -> Iterator[Entry]:
    user = f"User:{one.role}"
    for topic in one.sends:
        yield Entry(user, Resource.topic, topic, Pattern.literal, Operation.write)
    for topic in (*one.sends, *one.reads):
        yield Entry(user, Resource.topic, topic, Pattern.literal, Operation.read)
    if one.reads:
        yield Entry(user, Resource.group, one.group, Pattern.literal, Operation.read)
        yield Entry(user, Resource.group, f"{one.group}-", Pattern.prefixed, Operation.read)


@dataclass(frozen=True, slots=True)
class Changes:
    """The entries that were given and taken away, and the users that were removed."""

    given: Sequence[Entry]
    taken: Sequence[Entry]
    removed: Sequence[str]


async def give(
    settings: KafkaSettings, rights: Sequence[Rights], passwords: Mapping[str, str]
) -> Changes:
    """Have a cluster know these users by their passwords, {role: password}, with these rights, and
    no others. Safe to do again; raises the error by which the cluster refuses."""
    async with _admin(settings) as admin:
        there, wanted = await _entries(admin), {*entries(rights)}
        # Rights go first: whoever is gone or has less may still be connected.
        taken, given = sorted(there - wanted), sorted(wanted - there)
        for entry in taken:
            answer = await _ask(admin, DeleteAclsRequest(*entry.as_sent))
            _require(answer.filter_responses)
        for entry in given:
            answer = await _ask(admin, CreateAclsRequest(*entry.as_sent))
            _require(answer.creation_responses)
        removed = sorted(await _users(admin) - passwords.keys())
        answer = await _ask(admin, AlterUsersRequest(removed, passwords))
        _require(row[1:] for row in answer.results)
        return Changes(given, taken, removed)


async def _entries(admin: AIOKafkaAdminClient) -> set[Entry]:
    everything = DescribeAclsRequest(*(ANYBODY, None, ANYBODY), *(None, None, ANYBODY, ANYBODY))
    answer = await _ask(admin, everything)
    _require([(answer.error_code, answer.error_message)])
    return {
        Entry(principal, kind, name, pattern, operation, host, permission)
        for kind, name, pattern, found in answer.resources
        for principal, host, operation, permission in found
    }


async def _users(admin: AIOKafkaAdminClient) -> set[str]:
    answer = await _ask(admin, DescribeUsersRequest())
    _require([(answer.error_code, answer.error_message)])
    return {user for user, *_ in answer.results}


async def _ask(admin: AIOKafkaAdminClient, request: Request[Any]) -> Any:
    # The library's own methods take rights without a pattern, and know no users.
    return await admin._send_request(request)  # noqa: SLF001 - no other way to it


def _require(answers: Iterable[Sequence[Any]]) -> None:
    for code, reason, *_ in answers:
        if for_code(code) is not NoError:
            raise for_code(code)(reason)


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.client())
    try:
        await start(admin)
        yield admin
    finally:
        await stop(admin.close())
