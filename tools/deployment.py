"""Writes what deploy/ and docker-compose.yml say of the services again from deploy/services.toml.

    python -m tools.deployment            write it
    python -m tools.deployment --check    exit 1 where something is not what services.toml says

JSON is written whole. In every other file only what stands between two marks is written, indented
as they are; the rest is by hand:

    # begin services
    # end services
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, starmap
from pathlib import Path
from typing import Final, TypeAlias

from libs.chassis.catalogue import (
    KEYED,
    ROOT,
    SEALS,
    Catalogue,
    Entry,
    load,
    own_kek,
    owner,
    reader,
    relay,
    role,
)
from libs.chassis.dev_certificates import CA, client_files
from libs.chassis.settings import address_of

Lines: TypeAlias = Iterable[str]
PORT: Final = 8000
METRICS_PORT: Final = 9464
TEST_PORTS_FROM: Final = 10_000
"""Added to a port by `make compose-test`, which may stand beside a platform that runs."""
SIMULATORS: Final = ("treasury", "bank")
KAFKA_CA: Final = "kafka-ca.pem"
DATABASE_CA: Final = "database-ca.pem"


class MarkMissing(Exception):
    """A file lacks the marks between which something of it is to be written."""


# -- docker-compose.yml ---------------------------------------------------------------------------


def _password(role: str) -> str:
    return f"{role}.password"


def _at_kafka(name: str) -> str:
    """The file of a service's password at Kafka; its database's is another."""
    return _of_user(role(name))


def _of_user(user: str) -> str:
    """The file of the password of one of Kafka's users."""
    return f"{user}.kafka"


def _users(catalogue: Catalogue) -> tuple[str, ...]:
    """Kafka's users: the services, and who writes or reads from outside."""
    return (*map(role, catalogue.names), *catalogue.outsiders)


def _kafka_user(name: str) -> Iterator[str]:
    yield f"PKH_KAFKA_USER: {role(name)}"
    yield f"PKH_KAFKA_PASSWORD_FILE: /run/secrets/{_at_kafka(name)}"


def _passwords_of(name: str, entry: Entry) -> list[str]:
    """The password files of a service's roles and of those that read its database."""
    relays = [f"{name}_relay"] if entry.publishes else []
    return [_password(role(user)) for user in (name, f"{name}_owner", *relays, *entry.readers)]


def _client_files(catalogue: Catalogue) -> Iterator[str]:
    """The certificate and key that each service shows its partners."""
    for name, entry in catalogue.services.items():
        yield from client_files(name) if entry.partners else ()


def _passwords(catalogue: Catalogue) -> Iterator[str]:
    return chain.from_iterable(starmap(_passwords_of, catalogue.services.items()))


def _connection(variable: str, user: str, database: str) -> Iterator[str]:
    yield f"{variable}_URL: postgresql://{role(user)}@postgres/{role(database)}"
    yield f"{variable}_PASSWORD_FILE: /run/secrets/{_password(role(user))}"


def _listed(items: Lines) -> str:
    return f"[{', '.join(items)}]"


def _environment(name: str, entry: Entry) -> Iterator[str]:
    yield from _connection("PKH_DATABASE", name, name)
    yield from _kafka_user(name)
    yield "PKH_CURSOR_KEY_FILE: /run/secrets/cursor-key"
    if {*entry.needs} & {*KEYED}:
        yield from _connection("PKH_KEYS", name, "keys")
    if {*entry.needs} & {*SEALS}:
        yield f"PKH_KEK_FILE: /run/secrets/{entry.kek(name)}"
    if "eraser" in entry.needs:
        yield from _connection("PKH_ERASER", "eraser", "keys")
    if "reader" in entry.needs:
        yield from _connection("PKH_READER", f"{name}_reader", name)
    if "token-key" in entry.needs:
        yield "PKH_TOKEN_KEY_FILE: /run/secrets/token-key"
    if "field-key" in entry.needs:
        yield "PKH_FIELD_KEY_FILE: /run/secrets/field-key"
    if "inbound-keys" in entry.needs:
        yield "PKH_INBOUND_KEYS_FILE: /run/secrets/inbound-keys"
    if "service-token" in entry.needs:
        yield "PKH_SERVICE_TOKEN_FILE: /token/token"
    if entry.partners:
        yield "PKH_PARTNER_KEYS_FILE: /run/secrets/partner-keys.json"
        yield "PKH_SIGNING_KEYS_FILE: /run/secrets/signing-keys.json"
        certificate, key = client_files(name)
        yield f"PKH_PARTNER_CA_FILE: /run/secrets/{CA}"
        yield f"PKH_CLIENT_CERTIFICATE_FILE: /run/secrets/{certificate}"
        yield f"PKH_CLIENT_KEY_FILE: /run/secrets/{key}"
    for other in (*entry.calls, *entry.shows):
        yield f"{address_of(other)}: http://{other}:{PORT}"
    for other in entry.partners:
        yield f"{address_of(other)}: https://{other}:{PORT}"


def _service(name: str, entry: Entry) -> Iterator[str]:
    files = {
        **dict.fromkeys(SEALS, entry.kek(name)),
        "eraser": _password(role("eraser")),
        "reader": _password(reader(name)),
        "token-key": "token-key",
        "field-key": "field-key",
        "inbound-keys": "inbound-keys",
    }
    shared = ("partner-keys.json", "signing-keys.json", CA, *client_files(name))
    outside = shared if entry.partners else ()
    held = [files[need] for need in entry.needs if need in files]
    at_kafka = (DATABASE_CA, _at_kafka(name), KAFKA_CA)
    secrets = [_password(role(name)), *at_kafka, "cursor-key", *held, *outside]
    yield f"{name}:"
    yield "  <<: *service"
    yield f"  command: [python, -m, services.{name}.main]"
    if entry.partners:
        yield f"  # It asks somebody outside: {', '.join(entry.partners)}."
        yield "  networks: [database, bus, services, watched, partners, doors]"
    yield f'  ports: ["127.0.0.1:{entry.port}:{PORT}"]'
    yield "  environment:"
    yield "    <<: *service-environment"
    yield from (f"    {line}" for line in _environment(name, entry))
    if "service-token" in entry.needs:
        yield f'  volumes: ["identity:/identity:ro", "spool:/spool", "{name}-token:/token:ro"]'
    yield f"  secrets: {_listed(secrets)}"


def _relay(name: str) -> Iterator[str]:
    yield f"{name}-relay:"
    yield "  <<: *relay"
    yield "  environment:"
    yield "    <<: *relay-environment"
    yield f"    PKH_RELAYED: {name}"
    database = _connection(f"PKH_{name.upper()}_DATABASE", f"{name}_relay", name)
    yield from (f"    {line}" for line in (*database, *_kafka_user(name)))
    yield f"  secrets: {_listed((_password(relay(name)), DATABASE_CA, _at_kafka(name), KAFKA_CA))}"


def _with_real_partners(catalogue: Catalogue) -> Iterator[str]:
    """The services that real.yml changes all alike, and where people sign in to their pages."""
    for name, entry in catalogue.services.items():
        if "service-token" in entry.needs or entry.partners:
            continue  # by hand
        if "console" not in entry.needs:
            yield f"{name}: *real"
            continue
        yield f"{name}:"
        yield "  <<: *real"
        yield "  environment:"
        yield "    <<: *environment"
        yield "    PKH_CONSOLE_FILE: ${PKH_CONSOLE_FILE-/identity/console.yaml}"


def _apart(blocks: Iterable[Lines]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        yield from ("",) if number else ()
        yield from block


COMPOSE: Final[Mapping[str, Callable[[Catalogue], Lines]]] = {
    "passwords": lambda catalogue: (f"- {password}" for password in _passwords(catalogue)),
    "passwords of users": lambda catalogue: (
        f"{user.upper()}_KAFKA_PASSWORD_FILE: /run/secrets/{_of_user(user)}"
        for user in _users(catalogue)
    ),
    "owners": lambda catalogue: (
        line
        for name in catalogue.names
        for line in _connection(f"PKH_{name.upper()}_OWNER", f"{name}_owner", name)
    ),
    "passwords of owners and users": lambda catalogue: (
        f"- {password}"
        for password in (
            *(_password(owner(name)) for name in catalogue.names),
            *map(_of_user, _users(catalogue)),
        )
    ),
    "tokens": lambda catalogue: (
        f"- --token={name}=/tokens/{name}" for name in catalogue.needing("service-token")
    ),
    "places of tokens": lambda catalogue: (
        f"- {name}-token:/tokens/{name}" for name in catalogue.needing("service-token")
    ),
    "services": lambda catalogue: _apart(
        _service(*service) for service in catalogue.services.items()
    ),
    "passwords of pkh": lambda catalogue: (
        f"- {{source: {_password(role(name))}, target: /app/var/secrets/{_password(role(name))}}}"
        for name in catalogue.names
    ),
    "relays": lambda catalogue: _apart(map(_relay, catalogue.publishers)),
    "volumes of tokens": lambda catalogue: (
        f"{name}-token: {{}}" for name in catalogue.needing("service-token")
    ),
    "secrets": lambda catalogue: (
        f"{secret}: {{file: ./secrets/{secret}}}"
        for secret in (
            *_passwords(catalogue),
            *map(_of_user, _users(catalogue)),
            *_client_files(catalogue),
            *map(own_kek, catalogue.needing("own-keys")),
        )
    ),
}


# -- The other files ------------------------------------------------------------------------------


def _roles(catalogue: Catalogue) -> Iterator[str]:
    for name, entry in catalogue.services.items():
        yield f"make_service {name}"
        yield from (f"make_relay {name}",) if entry.publishes else ()
        for user in map(role, entry.readers):
            yield f"make_reader {name} {user} {24 if user == reader(name) else 8}"
    # The eraser comes last: whether it has its grant is asked when the server's health is.
    users = " ".join(map(role, catalogue.needing(*KEYED)))
    yield f"make_database pkh_keys pkh_keys_owner {users} pkh_eraser"


def newest_first(names: Sequence[str]) -> Sequence[str]:
    """The names in an order in which a new one changes no line of another in JSON."""
    return names[::-1]


def _card(catalogue: Catalogue) -> dict[str, object]:
    """The addresses of the containers, as `pkh up` writes those of its processes."""

    def addresses(names: Lines, scheme: str = "http") -> dict[str, str]:
        return {name: f"{scheme}://{name}:{PORT}" for name in names}

    return {
        "services": addresses(newest_first(catalogue.names)),
        "simulators": addresses(SIMULATORS, "https"),
        "metrics": {},
        "bus": {"kind": "kafka", "url": "kafka://kafka:9092"},
        "database": "postgresql://pkh_{service}@postgres/pkh_{service}",
    }


def _targets(catalogue: Catalogue) -> str:
    relays = (f"{name}-relay" for name in catalogue.publishers)
    names = newest_first((*catalogue.names, *relays))
    lines = (
        json.dumps({"targets": [f"{name}:{METRICS_PORT}"], "labels": {"service": name}})
        for name in names
    )
    return "[\n  " + ",\n  ".join(lines) + "\n]\n"


REGIONS: Final[Mapping[str, Mapping[str, Callable[[Catalogue], Lines]]]] = {
    "docker-compose.yml": COMPOSE,
    "deploy/Dockerfile": {
        "directories of tokens": lambda catalogue: (
            f"RUN install -d -o 10001 -g 10001 /tokens/{name}"
            for name in catalogue.needing("service-token")
        )
    },
    "deploy/make-secrets": {
        "passwords": lambda catalogue: (
            *(
                f"make_secret {' '.join(_passwords_of(name, entry))} {_at_kafka(name)}"
                for name, entry in catalogue.services.items()
            ),
            *(f"make_secret {_of_user(user)}" for user in catalogue.outsiders),
        ),
        "own keys": lambda catalogue: (
            f"make_own_key {own_kek(name)}" for name in catalogue.needing("own-keys")
        ),
        "clients": lambda catalogue: (
            f"certify {name}.client clientAuth"
            for name, entry in catalogue.services.items()
            if entry.partners
        ),
    },
    "deploy/postgres/init/10-roles.sh": {"roles": _roles},
    "deploy/compose/real.yml": {
        "services": _with_real_partners,
    },
    "deploy/standins/compose.yml": {
        "ports": lambda catalogue: (
            f'{name}: {{ports: !override ["127.0.0.1:{TEST_PORTS_FROM + entry.port}:{PORT}"]}}'
            for name, entry in catalogue.services.items()
        )
    },
}
WHOLE: Final[Mapping[str, Callable[[Catalogue], str]]] = {
    "deploy/platform.json": lambda catalogue: json.dumps(_card(catalogue), indent=2) + "\n",
    "deploy/prometheus/targets/services.json": _targets,
}


# -- Writing and comparing ------------------------------------------------------------------------


def filled(text: str, region: str, lines: Lines) -> str:
    """The text with these lines between the marks of a region. Raises `MarkMissing`."""
    marks = re.compile(
        rf"^(?P<indent> *)# begin {region}\n.*?^ *# end {region}\n", re.DOTALL | re.MULTILINE
    )
    if (found := marks.search(text)) is None:
        raise MarkMissing(f"# begin {region} ... # end {region}")
    inside = [f"# begin {region}", *lines, f"# end {region}"]
    written = "".join(f"{found['indent']}{line}".rstrip() + "\n" for line in inside)
    return text[: found.start()] + written + text[found.end() :]


def generate(root: Path = ROOT) -> Mapping[Path, str]:
    """{path: text} of every file of a tree as its services.toml has it."""
    catalogue = load(root)
    found = {root / path: make(catalogue) for path, make in WHOLE.items()}
    for path, regions in REGIONS.items():
        text = (root / path).read_text("utf-8")
        for region, lines in regions.items():
            text = filled(text, region, lines(catalogue))
        found[root / path] = text
    return found


def drift(root: Path = ROOT) -> list[str]:
    """A sentence for each file that is not what services.toml says."""
    return [
        f"{path.relative_to(root)} is not what deploy/services.toml says; run: make deployment"
        for path, text in generate(root).items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def write(root: Path = ROOT) -> None:
    """Bring every file up to date."""
    for path, text in generate(root).items():
        path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write, or only compare; the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.deployment [--check]", file=sys.stderr)
        return 2
    if not arguments:
        write()
        return 0
    found = drift()
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
