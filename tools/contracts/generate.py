"""Writes what is generated in contracts/: a schema for each message, and asyncapi.yaml of them all.

    python -m tools.contracts.generate            write them again, and what `interfaces` generates
    python -m tools.contracts.generate --check    exit 1 when one is missing, stale or left over
    python -m tools.contracts.generate --release  promise the schemas as they are, in released.json

A schema is that of the publisher's dataclass. It is open: a reader passes over fields that it
does not know, so that a publisher may add some.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import msgspec

from libs.events.bus.topics import Topics
from libs.events.store.model import StreamType
from tools.contracts import asyncapi, interfaces
from tools.contracts.asyncapi import DOCUMENT, EXAMPLE
from tools.contracts.compatibility import breaks

CONTRACTS: Final = Path(__file__).resolve().parents[2] / "contracts"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
SCHEMA: Final = ".schema.json"
RELEASED: Final = "released.json"


def messages(contracts: Path = CONTRACTS) -> dict[Path, type[Any]]:
    """{contracts/<topic>/<Type>.v1: the dataclass of who describes it} of every golden example."""
    topics = Topics.load(contracts)
    return {
        stem: published(topics.describes(stem.parent.name), *stem.name.split("."))
        for stem in stems(contracts, EXAMPLE)
    }


def stems(contracts: Path, suffix: str) -> list[Path]:
    """The files of one kind, without that suffix."""
    found = sorted(contracts.glob(f"*/*{suffix}"))
    return [path.with_name(path.name.removesuffix(suffix)) for path in found]


def published(service: str, name: str, version: str = "v1") -> type[Any]:
    """The dataclass that a service publishes under a name; LookupError where there is none.

    Where a later major version has another form, its class is named for it: MemberBornV2.
    """
    # Found by name: this program looks at what services declare, and depends on none of them.
    contract = importlib.import_module(f"services.{service}.contract")
    own = getattr(contract, name + version.upper(), getattr(contract, name, None))
    if isinstance(own, type) and is_dataclass(own):
        return own
    for kind in _streams(contract):
        if name in kind.events:
            return kind.events[name]
    raise LookupError(f"{service} publishes no {name}.")


def _streams(contract: ModuleType) -> list[StreamType[Any, Any, Any]]:
    return [value for value in vars(contract).values() if isinstance(value, StreamType)]


def schema(stem: Path, message: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a message."""
    [reference], definitions = msgspec.json.schema_components(
        [message], ref_template="#/$defs/{name}"
    )
    top = definitions.pop(reference["$ref"].rpartition("/")[2])
    found: dict[str, Any] = {
        "$schema": DIALECT,
        "$id": f"{stem.parent.name}/{stem.name}{SCHEMA}",
        **top,
        **({"$defs": definitions} if definitions else {}),
    }
    for described in (found, *definitions.values()):
        if "description" in described:
            described["description"] = inspect.cleandoc(described["description"])
    return found


def generate(contracts: Path = CONTRACTS) -> Mapping[Path, str]:
    """{path: text} of every generated file as it should be."""
    published = messages(contracts)
    return {
        **{
            stem.with_name(stem.name + SCHEMA): json.dumps(schema(stem, message), indent=2) + "\n"
            for stem, message in published.items()
        },
        contracts / DOCUMENT: asyncapi.text(contracts, published),
    }


def _found(contracts: Path) -> set[Path]:
    schemas = {stem.with_name(stem.name + SCHEMA) for stem in stems(contracts, SCHEMA)}
    return schemas | set(contracts.glob(DOCUMENT))


def drift(contracts: Path = CONTRACTS) -> list[str]:
    """A sentence for each file that is missing, stale or left over."""
    wanted, found = generate(contracts), _found(contracts)
    return [
        *(f"{_named(path)} is missing." for path in sorted(wanted.keys() - found)),
        *(f"{_named(path)} describes no message." for path in sorted(found - wanted.keys())),
        *(
            f"{_named(path)} is not what the code says."
            for path in sorted(found & wanted.keys())
            if path.read_text("utf-8") != wanted[path]
        ),
    ]


def write(contracts: Path = CONTRACTS) -> None:
    """Bring the generated files of a contracts directory up to date."""
    wanted = generate(contracts)
    for path in _found(contracts) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


# -- What was promised


def released(contracts: Path = CONTRACTS) -> dict[str, Any]:
    """{"<topic>/<Type>.v1": the schema that readers were promised}."""
    path = contracts / RELEASED
    promised: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return promised


def broken(contracts: Path = CONTRACTS) -> list[str]:
    """A sentence for each promise that the schemas of today do not keep."""
    today = _schemas(contracts)
    return [
        sentence
        for name, promised in sorted(released(contracts).items())
        for sentence in (
            [f"{name}: {broke}" for broke in breaks(promised, today[name])]
            if name in today
            else [f"{name} is published no more."]
        )
    ]


def release(contracts: Path = CONTRACTS) -> list[str]:
    """Promise the schemas of today, unless they break what was promised before."""
    if found := broken(contracts):
        return found
    text = json.dumps(_schemas(contracts), indent=1, sort_keys=True) + "\n"
    (contracts / RELEASED).write_text(text, encoding="utf-8")
    return []


def _schemas(contracts: Path) -> dict[str, Any]:
    return {_named(stem): schema(stem, message) for stem, message in messages(contracts).items()}


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def main(arguments: list[str]) -> int:
    """Write, only look, or promise; the exit code."""
    if not arguments:
        write()
        interfaces.write()
        return 0
    jobs: dict[tuple[str, ...], Callable[[], list[str]]] = {
        ("--check",): lambda: drift() + broken() + interfaces.drift(),
        ("--release",): release,
    }
    job = jobs.get(tuple(arguments))
    if job is None:
        print("usage: python -m tools.contracts.generate [--check | --release]", file=sys.stderr)
        return 2
    found = job()
    for sentence in found:
        print(sentence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
