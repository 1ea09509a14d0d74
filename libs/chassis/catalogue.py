"""The services of the platform, as deploy/services.toml describes them.

The local platform, the compose file, the migrations and each service itself read them from there,
so a mistake in it is told before anything starts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

import msgspec

from libs.events.bus.topics import Topics
from libs.events.domain.errors import CorridorError

ROOT: Final = Path(__file__).resolve().parents[2]
PORT_MIN, PORT_MAX = 1_024, 65_535

Need: TypeAlias = Literal[
    "sealing-keys",
    "own-keys",
    "eraser",
    "token-key",
    "inbound-keys",
    "service-token",
    "reader",
    "console",
    "field-key",
]
"""A thing that a service is given: the families' keys, keys of its own things, what destroys the
former, the key of pseudonyms, the keys for which numbers are closed outside, its own token, the
role under which requests read, a sign-in, the key of what is entered without a network."""
SEALS: Final[tuple[Need, ...]] = "sealing-keys", "own-keys"
"""The needs that a key-encryption key meets: the families', or one of the service's own."""
KEK: Final = "kek"
"""The file of the key-encryption key that wraps the families' keys."""
KEYED: Final[tuple[Need, ...]] = *SEALS, "token-key"
"""The needs that the database of the keys meets."""


OUTSIDER: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""The name of who writes or reads from outside, which is part of files' and variables' names."""


def role(name: str) -> str:
    """The database role that a service works under, and the name of its database."""
    return f"pkh_{name}"


def reader(name: str) -> str:
    """The database role under which requests read, of a service that needs one."""
    return f"pkh_{name}_reader"


def relay(name: str) -> str:
    """The database role that carries away the messages of a service that publishes."""
    return f"pkh_{name}_relay"


def owner(name: str) -> str:
    """The database role that may change a service's tables."""
    return f"pkh_{name}_owner"


def own_kek(name: str) -> str:
    """The file of the key-encryption key of a service that has keys of its own things."""
    return f"{name}.{KEK}"


def inbound(name: str) -> str:
    """The embedded bus's role, and Kafka's user, of who is registered to write from outside."""
    return f"pkh_inbound_{name}"


def outside(name: str) -> str:
    """Kafka's user for who reads from outside."""
    return f"pkh_outside_{name}"


class CatalogueRefused(CorridorError):
    """deploy/services.toml describes no platform that could start."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__()
        self.sentences = tuple(sentences)

    def __str__(self) -> str:
        return "\n".join(self.sentences)


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One service. `port` is where compose shows it on the host; topics by their full name.

    `calls` are services and `partners` others outside that it asks over HTTP; `shows` are services
    that its pages ask with the token of whoever is signed in; `readers` are roles
    beside its own that read its database; `scopes` are what its token allows beside platform:read.
    """

    title: str
    port: int
    publishes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    partners: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    @property
    def token_scopes(self) -> tuple[str, ...]:
        """Scopes of the service's own token: at least to see where another service is."""
        return ("platform:read", *self.scopes)

    def kek(self, name: str) -> str:
        """The file of the key-encryption key of a service of this name, where it needs one."""
        return own_kek(name) if "own-keys" in self.needs else KEK


class Catalogue(msgspec.Struct, frozen=True):
    """{name: service}, in the order of the file; `outsiders` are Kafka's users that are none, and
    `writers` those of them who are registered to write."""

    services: Mapping[str, Entry]
    outsiders: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All services."""
        return tuple(self.services)

    @property
    def publishers(self) -> tuple[str, ...]:
        """Services whose messages a relay carries to the bus."""
        return tuple(name for name, entry in self.services.items() if entry.publishes)

    @property
    def keks(self) -> Mapping[str, str]:
        """{service: the file of the key-encryption key that it is given}."""
        sealing = self.needing(*SEALS)
        return {name: self.services[name].kek(name) for name in sealing}

    def needing(self, *needs: Need) -> tuple[str, ...]:
        """Services that are given any of some secrets."""
        return tuple(name for name, entry in self.services.items() if {*needs} & {*entry.needs})


def load(root: Path = ROOT, today: date | None = None) -> Catalogue:
    """Read deploy/services.toml of a tree, as it may start on a day.

    Raises `CatalogueRefused` with a sentence a mistake; a topic that has ended by then is one.
    """
    path = root / "deploy" / "services.toml"
    try:
        services = msgspec.toml.decode(path.read_bytes(), type=dict[str, Entry])
    except (OSError, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise CatalogueRefused([f"deploy/services.toml: {error}."]) from None
    topics = Topics.load(root / "contracts")
    sentences = [
        f"deploy/services.toml: {sentence}"
        for sentence in (
            *_of_rooms(services, root / "services"),
            *_of_ports(services),
            *_of_words(services),
            *_of_topics(services, topics, today or datetime.now(UTC).date()),
        )
    ]
    if sentences:
        raise CatalogueRefused(sentences)
    writers = tuple(map(inbound, topics.registered()))
    return Catalogue(services, (*writers, *map(outside, topics.integrators)), writers)


@lru_cache(maxsize=1)
def catalogue(root: Path = ROOT) -> Catalogue:
    """This tree's, read once. A mistake ends the program, before anything starts, and is told."""
    try:
        return load(root)
    except CatalogueRefused as refused:
        raise SystemExit(str(refused)) from None


# -- Mistakes


def _of_rooms(services: Mapping[str, Entry], rooms: Path) -> Iterator[str]:
    there = {path.parent.name for path in rooms.glob("*/main.py")}
    for name in services.keys() - there:
        yield f"[{name}] has no services/{name}/main.py."
    for name in sorted(there - services.keys()):
        yield f"services/{name}/ is not described."


def _of_ports(services: Mapping[str, Entry]) -> Iterator[str]:
    count = Counter(entry.port for entry in services.values())
    for name, entry in services.items():
        if not PORT_MIN <= entry.port <= PORT_MAX:
            yield f"[{name}] port {entry.port} is not from {PORT_MIN} to {PORT_MAX}."
        elif count[entry.port] > 1:
            yield f"[{name}] port {entry.port} is another service's too."


def _of_words(services: Mapping[str, Entry]) -> Iterator[str]:
    for name, entry in services.items():
        for need in entry.needs:
            if need not in get_args(Need):
                yield f"[{name}] need {need!r} is none of {', '.join(get_args(Need))}."
        for word, others in (("calls", entry.calls), ("shows", entry.shows)):
            for other in others:
                if other == name or other not in services:
                    yield f"[{name}] {word} {other!r}, which is no other service."
        if "reader" in entry.needs and reader(name) not in map(role, entry.readers):
            yield f"[{name}] needs a reader and has no {name}_reader among its readers."
        if entry.calls and "service-token" not in entry.needs:
            yield f"[{name}] calls others and needs no service-token."


def _of_topics(services: Mapping[str, Entry], topics: Topics, today: date) -> Iterator[str]:
    for name, entry in services.items():
        for topic in (*entry.publishes, *entry.reads):
            if topic not in topics.partitions:
                yield f"[{name}] topic {topic!r} is not in contracts/topics.yaml."
        for topic in entry.reads:
            if topics.has_ended(topic, today):
                yield f"[{name}] reads {topic}, which ended on {topics.ends[topic]}."
            if name not in topics.readers.get(topic, [name]):
                yield f"[{name}] reads {topic}, whose readers are others."
        for topic in entry.publishes:
            owner = topics.owners.get(topic, name)
            if topic in topics.writers:
                yield f"[{name}] publishes {topic}, which is written from outside."
            elif owner != name:
                yield f"[{name}] publishes {topic}, which contracts/topics.yaml gives to {owner}."
    published = {topic for entry in services.values() for topic in entry.publishes}
    yield from _of_writers(services, topics)
    registered = {topic for own in topics.registered().values() for topic in own}
    for topic in topics.partitions.keys() - published - registered:
        yield f"nobody publishes {topic} of contracts/topics.yaml."


def _of_writers(services: Mapping[str, Entry], topics: Topics) -> Iterator[str]:
    """The mistakes of topics that somebody outside writes or reads."""
    for name in (*topics.registered(), *topics.integrators):
        if not OUTSIDER.fullmatch(str(name)):
            yield f"{name!r} is no name for a user of Kafka: a to z, 0 to 9 and _, at most 32."
    for reader, own in topics.integrators.items():
        if reader in services:
            yield f"{reader} is a service, and no integrator."
        for topic in own:
            if topic not in topics.partitions:
                yield f"{reader} reads {topic}, which is not in contracts/topics.yaml."
            if topic in topics.readers:
                yield f"{reader} reads {topic}, whose readers are others."
    for topic, writers in topics.writers.items():
        if not writers:
            yield f"nobody is registered to write {topic} of contracts/topics.yaml."
    for writer, own in topics.registered().items():
        if writer in services:
            yield f"{', '.join(own)} is written from outside: {writer} is a service."
        for topic in own:
            if not topics.readers.get(topic):
                yield f"{topic} is written from outside and names no readers."
