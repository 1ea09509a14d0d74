"""The corpus of stored events: a file for every type and version that was ever written.

    python -m tests.contract.stored_events    write the files that are missing, and no other

A file says what stands in somebody's database. It is never changed and never deleted: code that
cannot read it any more has lost somebody's past.
"""

from __future__ import annotations

import importlib
import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from libs.chassis.reads import READS
from libs.events.domain.personal import PersonalDay
from libs.events.store.codec import codec_of
from libs.events.store.model import StreamType
from tests.architecture.tree import service_names

CORPUS = Path(__file__).parent / "stored"


@dataclass(frozen=True, slots=True)
class Stored:
    """One version of one type of event that a service has in its streams."""

    service: str
    kind: StreamType[Any, Any, Any]
    name: str
    version: int

    @property
    def path(self) -> Path:
        return CORPUS / self.service / self.kind.name / f"{self.name}.v{self.version}.json"

    def __str__(self) -> str:
        return f"{self.service}/{self.kind.name}/{self.name}.v{self.version}"


def kinds() -> Iterator[tuple[str, StreamType[Any, Any, Any]]]:
    """Every kind of stream, by service."""
    for service in service_names():
        contract = importlib.import_module(f"services.{service}.contract")
        for value in vars(contract).values():
            if isinstance(value, StreamType):
                yield service, value
    yield "every-service", READS


def stored() -> list[Stored]:
    """Every version of every type, those that only upcasters know included."""
    return [
        Stored(service, kind, name, version)
        for service, kind in kinds()
        for name in kind.events
        for version in range(1, kind.versions.get(name, 1) + 1)
    ]


def shape(kind: StreamType[Any, Any, Any]) -> str:
    """The form of a kind's snapshots, as text that changes with it."""
    assert kind.snapshot is not None
    form = kind.snapshot[0]
    union = {each.__name__: each for each in get_args(form)}
    schema = without_descriptions(
        msgspec.json.schema_components(union.values())[1]
        if union
        else msgspec.json.schema(form, schema_hook=_day)
    )
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"


def _day(form: type[Any]) -> dict[str, str]:
    """A day of somebody's life; before days were sealed it was a date in clear, and is read yet."""
    if form is PersonalDay:
        return {"type": "string", "format": "date"}
    raise NotImplementedError


def without_descriptions(schema: Any) -> Any:
    """A schema without its docstrings, which store nothing and which Python 3.13 indents less."""
    if isinstance(schema, list):
        return [without_descriptions(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: without_descriptions(each)
        for name, each in schema.items()
        if not (name == "description" and isinstance(each, str))
    }


def shape_path(service: str, kind: StreamType[Any, Any, Any]) -> Path:
    """Where the form of a kind's snapshots is kept."""
    assert kind.snapshot is not None
    return CORPUS / service / kind.name / f"snapshot.{kind.snapshot[1]}.schema.json"


# -- Samples --------------------------------------------------------------------------------------

_PLAIN: Mapping[object, object] = {
    str: "text",
    int: 7,
    bool: True,
    date: date(2023, 3, 31),
    PersonalDay: PersonalDay.in_clear(date(2023, 3, 31)),
    type(None): None,
}


def sample(form: Any) -> Any:
    """A value of a type in which nothing is left out: every option taken, every list with one."""
    if form in _PLAIN:
        return _PLAIN[form]
    if is_dataclass(form) and isinstance(form, type):
        hints = get_type_hints(form)
        return form(**{field.name: sample(hints[field.name]) for field in fields(form)})
    if isinstance(form, type) and issubclass(form, Enum):
        return next(iter(form))
    origin, inner = get_origin(form), get_args(form)
    if origin is Literal:
        return inner[0]
    if origin in (Union, types.UnionType):
        return sample(inner[0])
    if origin is tuple:
        return tuple(sample(each) for each in inner if each is not ...)
    if origin is not None and issubclass(origin, Mapping):
        return {sample(inner[0]): sample(inner[1])}
    if hasattr(form, "_fields"):
        return form(*(sample(hint) for hint in get_type_hints(form).values()))
    raise TypeError(f"no sample of {form!r}")


def main() -> None:
    """Write what is missing."""
    for each in stored():
        current = each.kind.versions.get(each.name, 1)
        if not each.path.exists() and each.version == current:
            name, version, text = codec_of(each.kind).encode_event(
                sample(each.kind.events[each.name])
            )
            assert (name, version) == (each.name, each.version)
            _write(each.path, json.dumps(json.loads(text), indent=1) + "\n")
    for service, kind in kinds():
        if kind.snapshot is not None and not shape_path(service, kind).exists():
            _write(shape_path(service, kind), shape(kind))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def as_stored(kind: StreamType[Any, Any, Any], event: object) -> Any:
    """An event as it is stored today."""
    return json.loads(codec_of(kind).encode_event(event)[2])


if __name__ == "__main__":
    main()
