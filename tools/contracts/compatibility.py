"""Says what a changed schema would break for those who already read the message it describes.

Within a major version a message only gains fields (docs/decisions/0002): whoever wrote a reader a
year ago still reads it, and whoever reads it today can read what was sent a year ago.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

Schema: TypeAlias = Mapping[str, Any]

_WHOLE: Final = "the message"
_COMPARED: Final = ("type", "enum", "const", "format", "minItems", "maxItems")
_HOLDING: Final = ("items", "prefixItems", "anyOf", "additionalProperties")


def breaks(before: Schema, after: Schema) -> list[str]:
    """A sentence for each way in which `after` would not do for a reader of `before`."""
    return list(_differences(_Located(before, before), _Located(after, after), "", frozenset()))


class _Located:
    """A schema and the document in which its references are found."""

    def __init__(self, document: Schema, schema: Schema) -> None:
        self.document = document
        reference = schema.get("$ref")
        name = reference.rpartition("/")[2] if isinstance(reference, str) else None
        self.name = name
        self.schema: Schema = document["$defs"][name] if name else schema

    def inside(self, schema: Schema) -> _Located:
        return _Located(self.document, schema)


def _differences(
    before: _Located, after: _Located, path: str, above: frozenset[tuple[str, str]]
) -> Iterator[str]:
    if before.name and after.name:
        if (before.name, after.name) in above:
            return  # a form that holds itself was compared one level up
        above |= {(before.name, after.name)}
    yield from _fields(before, after, path, above)
    for word in _COMPARED:
        if _comparable(before.schema.get(word)) != _comparable(after.schema.get(word)):
            yield f"{path or _WHOLE}: {word} is another."
    yield from _parts(before, after, path, above)


def _fields(
    before: _Located, after: _Located, path: str, above: frozenset[tuple[str, str]]
) -> Iterator[str]:
    old, new = before.schema.get("properties", {}), after.schema.get("properties", {})
    for name in old:
        here = f"{path}.{name}".lstrip(".")
        if name not in new:
            yield f"{here} is gone."
        else:
            yield from _differences(before.inside(old[name]), after.inside(new[name]), here, above)
    for name in before.schema.get("required", ()):
        if name in new and name not in after.schema.get("required", ()):
            yield f"{path}.{name}".lstrip(".") + " may be left out now."
    for name in after.schema.get("required", ()):
        if name not in old:
            here = f"{path}.{name}".lstrip(".")
            yield f"{here} is new and stands in no older message: give it a default."


def _parts(
    before: _Located, after: _Located, path: str, above: frozenset[tuple[str, str]]
) -> Iterator[str]:
    for word in _HOLDING:
        old, new = _listed(before.schema.get(word)), _listed(after.schema.get(word))
        if len(old) != len(new):
            yield f"{path or _WHOLE}: {word} are others."
            continue
        for one, other in zip(old, new, strict=True):
            yield from _differences(before.inside(one), after.inside(other), f"{path}[]", above)


def _listed(found: Any) -> list[Schema]:
    if isinstance(found, list):
        return found
    return [found] if isinstance(found, Mapping) else []


def _comparable(found: Any) -> Any:
    # The order of an enum's values means nothing.
    return sorted(map(str, found)) if isinstance(found, list) else found
