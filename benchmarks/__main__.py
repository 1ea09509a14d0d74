"""`python -m benchmarks`: measures, prints the table, keeps it, fails when a limit is missed."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import uvloop

from benchmarks import (
    appending,
    corridor,
    emmett,
    handling,
    http,
    memory,
    tahap,
    verifying,
    writers,
)
from benchmarks.report import Figure, machine, page, table, write
from benchmarks.server import own_postgres
from cli.postgres_server import PostgresServer
from libs.chassis.memory import settle

RESULTS: Final = Path(__file__).with_name("results.json")
PAGE: Final = RESULTS.parents[1] / "docs" / "speed.md"
ROUNDS: Final = 60
LOAD_MAX: Final = 0.5  # runnable processes a core, before anything is measured

Found = tuple[list[Figure], list[str]]
Measured = Callable[[PostgresServer, int], Awaitable[Found]]


def disturbed(cores: int) -> list[str]:
    """A sentence about other work on this machine, if there is enough of it to matter."""
    load = os.getloadavg()[0]
    if load <= LOAD_MAX * cores:
        return []
    return [f"Disturbed: the machine's load was {load:.1f} before the run, on {cores} cores."]


def _plain(measure: Callable[[PostgresServer], Awaitable[list[Figure]]]) -> Measured:
    async def measured(server: PostgresServer, _rounds: int) -> Found:
        return await measure(server), []

    return measured


async def _append(server: PostgresServer, rounds: int) -> Found:
    return await appending.figures(server, rounds), []


async def _corridor(server: PostgresServer, _rounds: int) -> Found:
    return await corridor.figures(server)


async def _emmett(server: PostgresServer, _rounds: int) -> Found:
    return await emmett.figures(server)


PARTS: Final[Mapping[str, Measured]] = {
    "append": _append,
    "writers": _plain(writers.figures),
    "handle": _plain(handling.figures),
    "memory": _plain(memory.figures),
    "verify": _plain(verifying.figures),
    "bus": _corridor,
    "http": _plain(http.figures),
    "emmett": _emmett,
}
"""What needs a database, each in one of its own; `tahap` is measured after these."""


async def measured(chosen: list[str], rounds: int) -> tuple[list[Figure], list[str], str]:
    """Figures and sentences of the chosen parts, and the database's version."""
    figures: list[Figure] = []
    said: list[str] = []
    version = ""
    for part in (part for part in PARTS if part in chosen):
        with own_postgres() as server:
            version = server.run_sql("SHOW server_version").strip()
            found, told = await PARTS[part](server, rounds)
        figures += found
        said += told
        print(table(found), *told, sep="\n", end="\n\n", flush=True)
    return figures, said, version


def main() -> int:
    """The exit code: 1 when a limit is missed. Only a whole run is kept."""
    every = [*PARTS, "tahap"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(every)}; without any, all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measured rounds of an append")
    parser.add_argument("--date", default=f"{datetime.now(UTC):%Y-%m-%d}", help="of the run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the run is kept")
    parser.add_argument("--page", type=Path, default=PAGE, help="where its table is kept")
    given = parser.parse_args()
    chosen = given.parts or every
    if unknown := sorted(set(chosen) - set(every)):
        parser.error(f"no such part: {', '.join(unknown)}")
    settle()  # this and the loop as in every process of the platform, for all contenders alike
    notes = disturbed(len(os.sched_getaffinity(0)))
    figures, said, postgres = uvloop.run(measured(chosen, given.rounds))
    notes += said
    if "tahap" in chosen:
        of_tahap, told = tahap.figures()
        figures += of_tahap
        notes += told
    on = machine(postgres)
    print(f"{on['cores']} cores, Python {on['python']}, PostgreSQL {postgres}, {given.date}\n")
    print(table(figures), *notes, sep="\n")
    if not given.parts:
        write(given.results, given.date, on, figures, notes)
        given.page.write_text(page(given.date, on, figures, notes), encoding="utf-8")
    return int(any(figure.missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
