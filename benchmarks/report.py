"""The figures of a run: as a table for a person, as JSON for whoever compares runs."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
from msgspec import json

PACKAGES: Final = ("asyncpg", "aiokafka", "msgspec", "fastapi", "eventsourcing", "psycopg")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, in `unit`, and how that stands to another figure or to a limit.

    `ratio` is what the library does as a multiple of this; it must not be below `ratio_min`.
    The value itself must not be below `least` nor above `most`.
    """

    what: str
    unit: str
    value: float
    ratio: float | None = None
    ratio_min: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def missed(self) -> bool:
        """Whether a limit, if there is one, was missed."""
        return (
            (self.ratio is not None and self.ratio_min is not None and self.ratio < self.ratio_min)
            or (self.least is not None and self.value < self.least)
            or (self.most is not None and self.value > self.most)
        )

    @property
    def limit(self) -> str:
        """The limit as it is told; empty where there is none."""
        if self.ratio_min is not None:
            return f"ratio >= {self.ratio_min:.1f}"
        if self.least is not None:
            return f">= {self.least:,.0f}"
        return "" if self.most is None else f"<= {self.most:,.0f}"

    @property
    def cells(self) -> tuple[str, ...]:
        """What its line of a table says."""
        return (
            self.what,
            f"{self.value:,.0f}",
            self.unit,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.limit,
            "" if not self.limit else "MISSED" if self.missed else "ok",
        )


HEADINGS: Final = ("what", "measured", "", "ratio", "limit", "")
RIGHT: Final = frozenset({1, 3})  # columns of numbers


def table(figures: Sequence[Figure]) -> str:
    """The figures as text, one a line under a heading."""
    rows = [HEADINGS, *(figure.cells for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if at in RIGHT else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


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


PAGE: Final = """# What the corridor costs

Written by `make bench` after a whole run; [results.json](../benchmarks/results.json) holds the same
for programs. A ratio is what the library does as a multiple of the line it stands in, both measured
in the same run, in turn, as medians of their rounds.

{date}: {cores} cores, {memory:.0f} GiB, {system} {processor}, Python {python}, PostgreSQL
{postgres}, {packages}.

| what | measured | unit | ratio | limit | |
|---|--:|---|--:|---|---|
{rows}

{notes}
"""


def page(date: str, on: dict[str, Any], figures: Sequence[Figure], notes: Sequence[str]) -> str:
    """The run as a page of the documentation."""
    rows = "\n".join(_row(*figure.cells) for figure in figures)
    packages = ", ".join(f"{name} {number}" for name, number in on["packages"].items())
    facts = on | {"memory": on["memory_bytes"] / 2**30, "packages": packages}
    return PAGE.format(date=date, rows=rows, notes="\n".join(f"- {n}" for n in notes), **facts)


def _row(what: str, *others: str) -> str:
    named = what.strip() if what == what.strip() else f"&emsp;{what.strip()}"
    return f"| {' | '.join((named, *others))} |"


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
