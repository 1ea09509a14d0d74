"""A topic that tells less than another of its owner: messages with fields left out or coarsened.

Messages are stored once, as the wide topic tells them, and narrowed whenever they are sent: what
was stored before the narrow topic was declared goes out on it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

YEARS_TOGETHER: Final = 10


def ten_years(day: str) -> str:
    """The years around a day: "2010-2019" of "2012-08-17"."""
    first = int(day[:4]) // YEARS_TOGETHER * YEARS_TOGETHER
    return f"{first}-{first + YEARS_TOGETHER - 1}"


def whether(value: object) -> bool:
    """True where there is anything."""
    return value is not None


_SHOWN: Final[Mapping[str, Callable[[Any], object]]] = {
    "ten years": ten_years,
    "whether": whether,
}


class NarrowedField(Struct, frozen=True, forbid_unknown_fields=True):
    """A field by its path ("members.birth_date": of each of the members) that is not sent as it is.

    In its place stands `name`, with what is `shown` of the value; without a name nothing does.
    """

    field: str
    name: str | None = None
    shown: Literal["ten years", "whether"] | None = None

    def __post_init__(self) -> None:
        if (self.name is None) != (self.shown is None):
            raise ValueError(f"{self.field} has a name or what is shown, and not both")

    def narrow(self, body: dict[str, Any]) -> None:
        """Take the field out of a message's body, and put there what may be shown."""
        *path, field = self.field.split(".")
        for holder in _holders(body, path):
            if field in holder:  # a message from before there was such a field says nothing of it
                value = holder.pop(field)
                if self.name is not None and self.shown is not None:
                    holder[self.name] = _SHOWN[self.shown](value)


def _holders(body: dict[str, Any], path: list[str]) -> Iterator[dict[str, Any]]:
    if not path:
        yield body
        return
    for item in body.get(path[0], ()):
        yield from _holders(item, path[1:])


class Narrowing(Struct, frozen=True, forbid_unknown_fields=True):
    """The wide topic that a topic narrows, and the fields of each type that are not sent as they
    are; types that are not named go out as they stand."""

    topic: str
    fields: Mapping[str, tuple[NarrowedField, ...]]

    def value(self, kind: str, value: bytes) -> bytes:
        """A message of the wide topic as the narrow one tells it; the same bytes each time."""
        narrowed = self.fields.get(kind)
        if narrowed is None:
            return value
        body = msgspec.json.decode(value)
        for field in narrowed:
            field.narrow(body)
        return msgspec.json.encode(body)
