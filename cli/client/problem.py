"""Turns a service's problem (RFC 9457) into one sentence for the person who asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec

ROWS_SHOWN_MAX: Final = 5


def problem_of(body: bytes) -> Mapping[str, Any]:
    """The members of a problem; none when the body is something else."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def sentence(problem: Mapping[str, Any], service: str, status: int, file: str | None = None) -> str:
    """The problem: who refused what, and where; `file` is the one that was sent."""
    detail = str(problem.get("detail") or problem.get("title") or _phrase(status))
    what = f" {file}" if file and file not in detail else ""
    places = "; ".join((*_rows(problem), *_fields(problem)))
    return f"{service} refused{what} ({status}): {detail}{f' {places}' if places else ''}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"


def _rows(problem: Mapping[str, Any]) -> Iterator[str]:
    """The first rows that an import refused."""
    errors = _listed(problem.get("report"), "errors")
    for error in errors[:ROWS_SHOWN_MAX]:
        column = f", {error.get('column')}" if error.get("column") else ""
        yield f"line {error.get('line')}{column}: {error.get('message')}"
    if len(errors) > ROWS_SHOWN_MAX:
        yield "and more"


def _fields(problem: Mapping[str, Any]) -> Iterator[str]:
    """The places of a request that were wrong."""
    for error in _listed(problem, "errors")[:ROWS_SHOWN_MAX]:
        yield f"{'.'.join(str(part) for part in error.get('loc', ()))}: {error.get('message')}"


def _listed(holder: object, name: str) -> list[dict[str, Any]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
