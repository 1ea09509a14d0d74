"""Batch append beside the bare driver and beside `eventsourcing`, one and five events a stream."""

from __future__ import annotations

from typing import Final

import asyncpg

from benchmarks.append import STREAMS, Append, Bare, Families, Handle, go_around
from benchmarks.measure import seconds_a_round
from benchmarks.peer import BareRecorder, Put, Save, open_peer
from benchmarks.report import Figure
from benchmarks.server import corridor_database, database, open_store
from cli.postgres_server import PostgresServer

SEVERAL: Final = 5
BARE_RATIO_MIN: Final = 0.8
PEER_RATIO_MIN: Final = 3.0
PEER_RATIO_SEVERAL_MIN: Final = 5.0


async def figures(server: PostgresServer, rounds: int) -> list[Figure]:
    """The library's append beside the others', round by round."""
    return await _one_each(server, rounds) + await _several_each(server, max(1, rounds // 3))


async def _one_each(server: PostgresServer, rounds: int) -> list[Figure]:
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

    def beside(what: str, rate: float, least: float | None = None) -> Figure:
        return Figure(what, "events/s", rate, library / rate, least)

    return [
        Figure("append: encode, compare-and-set, snapshot, chain", "events/s", library),
        beside("  the same rows by COPY and one upsert", bare, BARE_RATIO_MIN),
        beside("  eventsourcing: events.put, one recorder call", put, PEER_RATIO_MIN),
        beside("  eventsourcing: application.save", save, PEER_RATIO_MIN),
        beside("  eventsourcing: recorder alone, encoded for it", recorder),
        Figure("handle_many: load, decide, append; known streams", "events/s", known),
        Figure("handle_many: decide, append; new streams", "events/s", new),
    ]


async def _several_each(server: PostgresServer, rounds: int) -> list[Figure]:
    store = await open_store(server, "library_several")
    bare = await asyncpg.connect(await corridor_database(server, "bare_several"))
    peer = open_peer(database(server, "peer_several"))
    append = Append(store, Families(seed=8), SEVERAL)
    contenders = append, Bare(append, bare), Put(peer, Families(seed=9), SEVERAL)
    await go_around(*contenders)
    seconds = await seconds_a_round(contenders, rounds)
    peer.close()
    await bare.close()
    await store.close()
    library, rows, put = (SEVERAL * STREAMS / each for each in seconds)
    unit = "events/s"
    return [
        Figure(f"append: {SEVERAL} events a stream", unit, library),
        Figure("  the same rows by COPY and one upsert", unit, rows, library / rows),
        Figure("  eventsourcing: events.put", unit, put, library / put, PEER_RATIO_SEVERAL_MIN),
    ]
