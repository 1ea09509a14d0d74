"""Batch append beside the bare driver and beside `eventsourcing`, one and five events a stream."""

from __future__ import annotations

from typing import Final

import asyncpg

from benchmarks.append import STREAMS, Append, Bare, Families, Handle, go_around
from benchmarks.measure import WARMUP_ROUNDS, Contender, Effort, Line, in_turn, timed
from benchmarks.peer import BareRecorder, Put, Save, open_peer
from benchmarks.report import Figure
from benchmarks.server import corridor_database, database, open_store
from localstack.postgres.server import PostgresServer

SEVERAL: Final = 5
ROUNDS: Final = 60
BARE_RATIO_MIN: Final = 0.85
PEER_RATIO_MIN: Final = 3.0
PEER_RATIO_SEVERAL_MIN: Final = 5.0
UNIT: Final = "events/s"
ONE_EACH: Final = (
    Line("append: encode, compare-and-set, snapshot, chain", UNIT, "append"),
    Line("  the same rows by COPY and one upsert", UNIT, "bare", "append", BARE_RATIO_MIN),
    Line("  eventsourcing: events.put, one recorder call", UNIT, "put", "append", PEER_RATIO_MIN),
    Line("  eventsourcing: application.save", UNIT, "save", "append", PEER_RATIO_MIN),
    Line("  eventsourcing: recorder alone, encoded for it", UNIT, "recorder", "append"),
    Line("handle_many: load, decide, append; known streams", UNIT, "known"),
    Line("handle_many: decide, append; new streams", UNIT, "new"),
)
SEVERAL_EACH: Final = (
    Line(f"append: {SEVERAL} events a stream", UNIT, "append"),
    Line("  the same rows by COPY and one upsert", UNIT, "bare", "append", BARE_RATIO_MIN),
    Line("  eventsourcing: events.put", UNIT, "put", "append", PEER_RATIO_SEVERAL_MIN),
)


async def figures(server: PostgresServer, effort: Effort) -> list[Figure]:
    """The library's append beside the others', round by round."""
    return await _one_each(server, effort) + await _several_each(server, effort)


async def _one_each(server: PostgresServer, effort: Effort) -> list[Figure]:
    store = await open_store(server, "library")
    bare = await asyncpg.connect(await corridor_database(server, "bare"))
    peer = open_peer(database(server, "peer"))
    append = Append(store, Families(seed=1))
    contenders: dict[str, Contender] = {
        "append": append,
        "bare": Bare(append, bare),
        "put": Put(peer, Families(seed=3)),
        "save": Save(peer, Families(seed=4)),
        "recorder": BareRecorder(peer, Families(seed=5)),
        "known": Handle(store, Families(seed=2), new=False),
        "new": Handle(store, Families(seed=6), new=True),
    }
    await go_around(*contenders.values())
    ways = {name: timed(contender, STREAMS) for name, contender in contenders.items()}
    found = await in_turn(ways, ONE_EACH, ROUNDS, effort, WARMUP_ROUNDS)
    peer.close()
    await bare.close()
    await store.close()
    return found


async def _several_each(server: PostgresServer, effort: Effort) -> list[Figure]:
    store = await open_store(server, "library_several")
    bare = await asyncpg.connect(await corridor_database(server, "bare_several"))
    peer = open_peer(database(server, "peer_several"))
    append = Append(store, Families(seed=8), SEVERAL)
    contenders: dict[str, Contender] = {
        "append": append,
        "bare": Bare(append, bare),
        "put": Put(peer, Families(seed=9), SEVERAL),
    }
    await go_around(*contenders.values())
    ways = {name: timed(contender, SEVERAL * STREAMS) for name, contender in contenders.items()}
    found = await in_turn(ways, SEVERAL_EACH, ROUNDS // 3, effort, WARMUP_ROUNDS)
    peer.close()
    await bare.close()
    await store.close()
    return found
