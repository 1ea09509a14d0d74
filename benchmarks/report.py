"""The figures of a run: as a table for a person, as JSON for whoever compares runs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from msgspec import json

PACKAGES = ("asyncpg", "msgspec", "eventsourcing", "psycopg")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured: how many `unit` a second, and how that stands to another figure.

    `ratio` is what the library does as a multiple of this; it must not be below `limit`.
    """

    what: str
    unit: str
    per_second: float
    ratio: float | None = None
    limit: float | None = None

    @property
    def missed(self) -> bool:
        """Whether the limit, if there is one, was missed."""
        return self.ratio is not None and self.limit is not None and self.ratio < self.limit


def table(figures: Sequence[Figure]) -> str:
    """The figures as text, one a line under a heading."""
    rows = [("what", "per second", "", "ratio", "limit", "")]
    rows += [
        (
            figure.what,
            f"{figure.per_second:,.0f}",
            figure.unit,
            "" if figure.ratio is None else f"{figure.ratio:.2f}",
            "" if figure.limit is None else f">= {figure.limit:.1f}",
            "" if figure.limit is None else "MISSED" if figure.missed else "ok",
        )
        for figure in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    what, per_second, unit, ratio, limit, verdict = map(str.ljust, row, widths)
    numbers = f"{per_second.strip():>{widths[1]}} {unit}  {ratio.strip():>{widths[3]}}"
    return f"{what}  {numbers}  {limit}  {verdict}".rstrip()


def machine(postgres: str) -> dict[str, Any]:
    """What the figures were taken on."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": psutil.virtual_memory().total,
        "system": platform.system(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "postgres": postgres,
        "packages": {name: version(name) for name in PACKAGES},
    }


def write(
    path: Path, date: str, on: dict[str, Any], figures: Sequence[Figure], notes: Sequence[str]
) -> None:
    """Keep a run as JSON."""
    run = {
        "date": date,
        "machine": on,
        "figures": [asdict(figure) | {"missed": figure.missed} for figure in figures],
        "notes": list(notes),
    }
    path.write_bytes(json.format(json.encode(run), indent=2) + b"\n")
