"""Folds streams again from their events and holds their snapshots against what comes out.

The chain proves the events; decisions rest on snapshots, which are written beside them. A snapshot
that was changed shows to `verify` by its hash, until a service has decided on it and written the
next one, with a hash of its own. What no event led to shows here, then too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from libs.events.domain.personal import unopened
from libs.events.store.chain import state_hash
from libs.events.store.codec import Codec, codec_of
from libs.events.store.model import StreamType

if TYPE_CHECKING:
    import asyncpg

    from libs.events.store.postgres import Store

_NEXT = "SELECT stream_id FROM streams WHERE stream_id > $1 ORDER BY stream_id LIMIT $2"
_AT_POSITIONS = """
SELECT DISTINCT stream_id
FROM unnest($1::bigint[]) AS drawn (position)
CROSS JOIN LATERAL (
    SELECT block, first_position FROM blocks
    WHERE first_position <= drawn.position ORDER BY first_position DESC LIMIT 1
) AS holding
JOIN events ON events.block = holding.block AND ord = drawn.position - first_position
ORDER BY stream_id
"""
_SNAPSHOTS = "SELECT stream_id, state, state_version FROM streams WHERE stream_id = ANY($1)"
_EVENTS = """
SELECT stream_id, version, type, schema_version, data, metadata ->> 'state' AS led_to
FROM events WHERE stream_id = ANY($1) ORDER BY stream_id, version
"""
_NO_SNAPSHOT: Final = None, None

Kind = StreamType[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Refolded:
    """The streams that were folded again, in order, and what was found, a sentence each."""

    stream_ids: Sequence[str]
    findings: Sequence[str]


async def refold_drawn(store: Store, kinds: Sequence[Kind], seed: int, draws: int) -> Refolded:
    """Fold those streams again to which events at positions belong that a seed draws.

    A log only grows, so a seed draws the same positions again wherever its head stands as it did.
    """
    head, _ = await store.head()
    positions = random.Random(seed).sample(range(1, head + 1), min(draws, head))  # noqa: S311 - repeatable
    rows = await store.pool.fetch(_AT_POSITIONS, positions)
    return await _refold(store, kinds, [row[0] for row in rows])


async def refold_next(store: Store, kinds: Sequence[Kind], after: str, limit: int) -> Refolded:
    """Fold the streams behind `after` again, in the order of their ids."""
    rows = await store.pool.fetch(_NEXT, after, limit)
    return await _refold(store, kinds, [row[0] for row in rows])


async def _refold(store: Store, kinds: Sequence[Kind], stream_ids: Sequence[str]) -> Refolded:
    async with store.looking() as reader:
        snapshots = await reader.connection.fetch(_SNAPSHOTS, stream_ids)
        events = await reader.connection.fetch(_EVENTS, stream_ids)
    snapshot_of = {row[0]: (row[1], row[2]) for row in snapshots}
    events_of = {key: list(rows) for key, rows in groupby(events, itemgetter(0))}
    found = (
        (stream_id, _finding(kinds, stream_id, snapshot, events_of.get(stream_id, [])))
        for stream_id in stream_ids
        for snapshot in [snapshot_of.get(stream_id, _NO_SNAPSHOT)]
    )
    return Refolded(stream_ids, [f"stream {name}: {what}" for name, what in found if what])


def _finding(
    kinds: Sequence[Kind],
    stream_id: str,
    snapshot: tuple[str | None, int | None],
    events: Sequence[asyncpg.Record],
) -> str | None:
    kind = next((kind for kind in kinds if stream_id.startswith(kind.stream(""))), None)
    if kind is None:
        return "is of no kind that this service knows"
    try:
        return difference(codec_of(kind), snapshot, events)
    except Exception as error:  # noqa: BLE001 - whatever is stored, the other streams are looked at
        return f"cannot be folded again ({type(error).__name__})"


def difference(
    codec: Codec[Any, Any, Any],
    snapshot: tuple[str | None, int | None],
    events: Sequence[asyncpg.Record],
) -> str | None:
    """The first place where a stream's states are not what its events come to; None where all are.

    A snapshot of another shape is no part of it: nobody reads one, but folds again as we do.
    """
    decider = codec.kind.decider
    state = decider.initial
    for _, version, name, schema_version, data, led_to in events:
        state = decider.evolve(state, codec.decode_event(name, schema_version, data, unopened))
        of_this_shape = led_to is not None and led_to.startswith(f"{codec.shape}.")
        if of_this_shape and led_to != state_hash(
            codec.shape or 0, codec.encode_state(state) or ""
        ):
            return f"version {version} left a state that its events do not lead to"
    text, shape = snapshot
    if text is None or shape is None or shape != codec.shape:
        return None
    return None if text == codec.encode_state(state) else "its state is not what its events come to"
