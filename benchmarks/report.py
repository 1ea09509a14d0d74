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

from benchmarks.judge import Ratio, Verdict

PACKAGES: Final = ("asyncpg", "aiokafka", "msgspec", "fastapi", "eventsourcing", "psycopg")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, in `unit`, and how that stands to another figure or to a limit.

    `ratio` is what the library does as a multiple of this; it must not be below `ratio_min`.
    The value itself must not be above `most`. Where the machine was `disturbed`, no ratio is held
    to have missed its limit.
    """

    what: str
    unit: str
    value: float
    ratio: Ratio | None = None
    ratio_min: float | None = None
    most: float | None = None
    disturbed: bool = False

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on the limit, if there is one."""
        if self.most is not None:
            return Verdict.OK if self.value <= self.most else Verdict.MISSED
        if self.ratio is None or self.ratio_min is None:
            return None
        judged = self.ratio.judged(self.ratio_min)
        return Verdict.NOISY if self.disturbed and judged is Verdict.MISSED else judged

    @property
    def limit(self) -> str:
        """The limit as it is told; empty where there is none."""
        if self.ratio_min is not None:
            return f"ratio >= {self.ratio_min:.2f}"
        return "" if self.most is None else f"<= {self.most:,.0f}"

    @property
    def cells(self) -> tuple[str, ...]:
        """Its line of a table."""
        return (
            self.what,
            f"{self.value:,.{0 if self.value >= DECIMALS_BELOW else 2}f}",
            self.unit,
            "" if self.ratio is None else str(self.ratio),
            self.limit,
            self.verdict or "",
        )


DECIMALS_BELOW: Final = 100  # a millisecond has parts that matter
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
    """The machine that the figures were taken on."""
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

Written by `make bench ARGS=--keep`; [results.json](../benchmarks/results.json) holds the same for
programs. A ratio is what the library does as a multiple of the line it stands in: the median over
pairs that were measured in turn, and how far it may be off. A limit is judged where all of that
lies on one side of it; else the pairs are measured again, and then it is *too noisy to judge*, as
is a limit that was missed while others used the machine.

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
        "figures": [asdict(figure) | {"verdict": figure.verdict} for figure in figures],
        "notes": list(notes),
    }
    path.write_bytes(json.format(json.encode(run), indent=2) + b"\n")
