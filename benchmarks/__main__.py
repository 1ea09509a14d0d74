"""`python -m benchmarks`: measures, prints the table, fails when a limit is surely missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import (
    appending,
    attendance,
    complaints,
    corridor,
    emmett,
    handling,
    http,
    memory,
    projecting,
    sweeps,
    tahap,
    umadb,
    verifying,
    writers,
)
from benchmarks.judge import CORES_BUSY_MAX, Neighbours, Verdict
from benchmarks.measure import Effort
from benchmarks.report import Figure, machine, page, table, write
from benchmarks.server import own_postgres
from libs.chassis.gc_tuning import settle
from localstack.postgres.server import PostgresServer

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = RESULTS.parents[1] / "docs" / "speed.md"

Found = tuple[list[Figure], list[str]]
Measured = Callable[[PostgresServer, Effort], Awaitable[Found]]


def _plain(measure: Callable[[PostgresServer, Effort], Awaitable[list[Figure]]]) -> Measured:
    async def measured(server: PostgresServer, effort: Effort) -> Found:
        return await measure(server, effort), []

    return measured


async def _tahap(_server: PostgresServer, effort: Effort) -> Found:
    return await tahap.figures(effort)


PARTS: Final[Mapping[str, Measured]] = {
    "append": _plain(appending.figures),
    "writers": _plain(writers.figures),
    "handle": _plain(handling.figures),
    "attendance": _plain(attendance.figures),
    "complaints": _plain(complaints.figures),
    "sweeps": sweeps.figures,
    "memory": _plain(memory.figures),
    "projecting": projecting.measured,
    "verify": _plain(verifying.figures),
    "bus": corridor.figures,
    "http": _plain(http.figures),
    "emmett": emmett.figures,
    "umadb": umadb.figures,
    "tahap": _tahap,
}
"""Each has a PostgreSQL of its own for as long as it takes; `tahap` does not use it."""


async def measured(chosen: list[str], effort: Effort) -> tuple[list[Figure], list[str], str]:
    """Figures and sentences of the chosen parts, and the database's version."""
    figures: list[Figure] = []
    notes: list[str] = []
    version = ""
    for part in (part for part in PARTS if part in chosen):
        with own_postgres() as server:
            version = server.run_sql("SHOW server_version").strip()
            neighbours = Neighbours()
            found, remarks = await PARTS[part](server, effort)
            busy = neighbours.cores()
        if busy > CORES_BUSY_MAX:
            remarks = [
                *remarks,
                f"Disturbed: others used {busy:.1f} cores while {part} was measured.",
            ]
            found = [replace(figure, disturbed=True) for figure in found]
        figures += found
        notes += remarks
        print(table(found), *remarks, sep="\n", end="\n\n", flush=True)
    return figures, notes, version


def main() -> int:
    """The exit code: 1 when a limit is missed, 0 also where one cannot be judged."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; without any, all")
    parser.add_argument("--quick", action="store_true", help="few rounds: to see that it works")
    parser.add_argument("--keep", action="store_true", help="write results.json and docs/speed.md")
    parser.add_argument("--date", default=f"{datetime.now(UTC):%Y-%m-%d}", help="of the run")
    given = parser.parse_args()
    chosen = given.parts or [*PARTS]
    if unknown := sorted(set(chosen) - set(PARTS)):
        parser.error(f"no such part: {', '.join(unknown)}")
    if given.keep and (given.parts or given.quick):
        parser.error("only a whole run is kept")
    settle()  # this and the loop as in every process of the platform, for all contenders alike
    figures, notes, postgres = uvloop.run(measured(chosen, Effort(given.quick)))
    on = machine(postgres)
    print(f"{on['cores']} cores, Python {on['python']}, PostgreSQL {postgres}, {given.date}\n")
    print(table(figures), *notes, sep="\n")
    if given.keep:
        write(RESULTS, given.date, on, figures, notes)
        PAGE.write_text(page(given.date, on, figures, notes), encoding="utf-8")
    return int(any(figure.verdict is Verdict.MISSED for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
