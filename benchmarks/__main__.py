"""`python -m benchmarks`: measures, prints the table, keeps it, fails when a limit is missed."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks import corridor, tahap
from benchmarks.append import STREAMS, Append, Bare, Families, Handle, go_around
from benchmarks.measure import seconds_a_round
from benchmarks.peer import BareRecorder, Put, Save, open_peer
from benchmarks.report import Figure, machine, table, write
from benchmarks.server import corridor_database, database, open_store, own_postgres
from cli.postgres_server import PostgresServer

RESULTS = Path(__file__).with_name("results.json")
ROUNDS = 60
BARE_RATIO_MIN = 0.6
PEER_RATIO_MIN = 3.0
LOAD_MAX = 0.5  # runnable processes a core, before anything is measured


async def append_figures(server: PostgresServer, rounds: int) -> list[Figure]:
    """The library's append beside the bare driver's and the peer's, round by round."""
    store = await open_store(server, "library")
    bare = await asyncpg.connect(await corridor_database(server, "bare"))
    peer = open_peer(database(server, "peer"))
    append = Append(store, Families(seed=1))
    known = Handle(store, Families(seed=2), new=False)
    contenders = (
        append,
        Bare(append, bare),
        Put(peer, Families(seed=3)),
        Save(peer, Families(seed=4)),
        BareRecorder(peer, Families(seed=5)),
        known,
        Handle(store, Families(seed=6), new=True),
    )
    await go_around(*contenders)
    seconds = await seconds_a_round(contenders, rounds)
    peer.close()
    await bare.close()
    await store.close()
    return _compared([STREAMS / each for each in seconds])


def _compared(rates: list[float]) -> list[Figure]:
    library, bare, put, save, recorder, known, new = rates

    def beside(what: str, rate: float, limit: float | None = None) -> Figure:
        return Figure(what, "events", rate, library / rate, limit)

    return [
        Figure("append: encode, compare-and-set, snapshot, chain", "events", library),
        beside("  the same rows by COPY and one upsert", bare, BARE_RATIO_MIN),
        beside("  eventsourcing: events.put, one recorder call", put, PEER_RATIO_MIN),
        beside("  eventsourcing: application.save", save, PEER_RATIO_MIN),
        beside("  eventsourcing: recorder alone, encoded for it", recorder),
        Figure("handle_many: load, decide, append; known streams", "events", known),
        Figure("handle_many: decide, append; new streams", "events", new),
    ]


async def measured(rounds: int) -> tuple[list[Figure], str]:
    """Everything that needs a database, and the database's version."""
    with own_postgres() as server:
        version = server.run_sql("SHOW server_version").strip()
        figures = await append_figures(server, rounds)
        return figures + await corridor.figures(server), version


def disturbed(cores: int) -> list[str]:
    """A sentence about other work on this machine, if there is enough of it to matter."""
    load = os.getloadavg()[0]
    if load <= LOAD_MAX * cores:
        return []
    return [f"Disturbed: the machine's load was {load:.1f} before the run, on {cores} cores."]


def main() -> int:
    """The exit code: 1 when a limit is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="measured rounds of each")
    parser.add_argument("--date", default=f"{datetime.now(UTC):%Y-%m-%d}", help="of the run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the run is kept")
    chosen = parser.parse_args()
    notes = disturbed(len(os.sched_getaffinity(0)))
    figures, postgres = asyncio.run(measured(chosen.rounds))
    of_tahap, said = tahap.figures()
    figures += of_tahap
    notes += said
    on = machine(postgres)
    print(f"{on['cores']} cores, Python {on['python']}, PostgreSQL {postgres}, {chosen.date}\n")
    print(table(figures), *notes, sep="\n")
    write(chosen.results, chosen.date, on, figures, notes)
    return int(any(figure.missed for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
