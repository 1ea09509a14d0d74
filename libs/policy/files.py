"""Policy files as YAML of known shapes; a mistake in one names its file and its key.

A policy file holds dated numbers of the programme, with their legal source. Whatever it does not
say exactly is refused when the service starts, because a wrong number would be paid in silence.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
import yaml

# Both read the same; the one in C takes a tenth of the time, which every start of a service pays.
if TYPE_CHECKING or not yaml.__with_libyaml__:
    from yaml import SafeLoader
else:
    from yaml import CSafeLoader as SafeLoader

WHOLE_FILE: Final = "the file"

Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Percent: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=100)]
Rupiah: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]

T = TypeVar("T")

_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]{0,14}|[1-9][0-9]{0,2}(_[0-9]{3}){1,4})")
_FIELD: Final = re.compile(r"^Object (missing required|contains unknown) field `(.*)`$")
_PROBLEM: Final = {"missing required": "is missing", "contains unknown": "is unknown"}


class PolicyError(Exception):
    """A policy file cannot be used as it stands: which file, which key, and why."""

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key}: {why}")
        self.file = file
        self.key = key
        self.why = why


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping whose keys are all known: a misspelt one is refused, not ignored."""


class Reference(Shape):
    """The source of figures; `note` says what it does or does not say."""

    title: Text
    note: str = ""


class _Plain(SafeLoader):
    """YAML as people read it: each key once, a number in tens, a day of the calendar.

    YAML itself lets the last of two equal keys win in silence, 0225000 be 76,288 and 1:30 be 90.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        first: set[object] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _mistake(key_node, "a key must be one word")
            # 2017-01-01 and "2017-01-01" are two values of YAML, and one day of a policy.
            if first & (same := {key_node.value, self.construct_object(key_node, deep=True)}):
                raise _mistake(key_node, f"{key_node.value} stands here twice")
            first |= same
        return super().construct_mapping(node, deep)

    def whole(self, node: yaml.ScalarNode) -> int:
        """A whole number; its thousands may be set apart."""
        if not _WHOLE.fullmatch(node.value):
            raise _mistake(node, "is no whole number as 225000 or 225_000")
        return int(node.value)

    def day(self, node: yaml.ScalarNode) -> date:
        """A day, or a moment, which no shape takes."""
        try:
            found: date = self.construct_yaml_timestamp(node)
        except ValueError:
            raise _mistake(node, "is no day of the calendar") from None
        return found


_Plain.add_constructor("tag:yaml.org,2002:int", _Plain.whole)
_Plain.add_constructor("tag:yaml.org,2002:timestamp", _Plain.day)


def _mistake(node: yaml.Node, why: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=why, problem_mark=node.start_mark)


def read(file: Path, shape: type[T]) -> T:
    """A file in its shape; raises `PolicyError`."""
    try:
        # The loader is a SafeLoader that is stricter still.
        content = yaml.load(file.read_text(encoding="utf-8"), _Plain)  # noqa: S506
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise PolicyError(file.name, f"line {line}", wrong.problem or "is not YAML") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise PolicyError(file.name, WHOLE_FILE, "is not YAML in UTF-8") from None
    except OSError as wrong:
        raise PolicyError(file.name, WHOLE_FILE, wrong.strerror or "is unreadable") from None
    shaped: T = convert(file.name, "", content, shape)
    return shaped


# A shape may be a union, which no type variable stands for.
def convert(file: str, key: str, value: object, shape: Any) -> Any:
    """A part of a file in its shape; `key` is where it stands in the file."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as wrong:
        raise PolicyError(file, *_location(key, str(wrong))) from None


def _location(key: str, wrong: str) -> tuple[str, str]:
    """The key of the file that msgspec's message is about, and what is wrong there."""
    why, _, path = wrong.partition(" - at `$")
    location = f"{key}{path.rstrip('`')}"
    if field := _FIELD.match(why):
        location, why = f"{location}.{field[2]}", _PROBLEM[field[1]]
    return location.lstrip(".") or WHOLE_FILE, why
