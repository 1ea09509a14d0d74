"""Columns of rows as one text each: an array costs the driver five times that, item by item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.store.chain import SEPARATOR
from libs.events.store.model import encode

UNFIT: Final = "a stream id or key is empty or holds a control character"


def required_texts(values: Sequence[str]) -> str:
    """Texts that are never null; raises ValueError where one is empty or would read as two."""
    if not all(values):
        raise ValueError(UNFIT)
    return texts(values)


def texts(values: Sequence[str | None]) -> str:
    """Texts, of which an empty one is read as null."""
    joined = SEPARATOR.join([value or "" for value in values])
    if values and joined.count(SEPARATOR) >= len(values):
        raise ValueError(UNFIT)
    return joined


def numbers(values: Sequence[int | None]) -> str:
    """An array as PostgreSQL writes it."""
    return f"{{{encode(values)[1:-1].decode()}}}"


def as_array(parameter: int, kind: str) -> str:
    """The SQL by which a statement reads such a parameter ($1, $2 ...) as an array of a type."""
    if kind in ("bigint", "smallint"):
        return f"${parameter}::text::{kind}[]"
    return f"string_to_array(${parameter}, chr(31), '')::{kind}[]"
