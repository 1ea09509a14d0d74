"""A worker that follows its store's own log in order of position, and how far it has come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from libs.events.store.log import Recorded, recorded_in, window_after
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

_MARKS: Final = "SELECT topic, position FROM consumed WHERE subscription = $1"
_MOVE: Final = """
INSERT INTO consumed (subscription, topic, partition, position)
SELECT $1, topic, 0, position FROM unnest($2::text[], $3::bigint[]) AS u (topic, position)
ON CONFLICT (subscription, topic, partition) DO UPDATE SET position = excluded.position
"""


@dataclass(frozen=True, slots=True)
class OwnLog:
    """The log of a store, as one `follower` of it reads it: events of `types` alone.

    How far it has come stands beside the consumers' checkpoints, as named marks; it moves them in
    the transaction of what it does, so that nothing is passed over and nothing done twice.
    """

    store: Store
    follower: str
    types: Collection[str]

    async def marks(self) -> Mapping[str, int]:
        """The positions that the follower has noted, by name."""
        return {row[0]: row[1] for row in await self.store.pool.fetch(_MARKS, self.follower)}

    async def next_window(
        self, position: int, events_max: int
    ) -> tuple[int, list[Recorded]] | None:
        """(last position, events) of the log's next window; None at its end."""
        window = await window_after(self.store.pool, position, events_max)
        if window is None:
            return None
        return window.last_position, await recorded_in(self.store.pool, window, self.types)

    async def move(self, unit: Transaction, marks: Mapping[str, int]) -> None:
        """Note positions; they stand when the transaction does."""
        await unit.connection.execute(_MOVE, self.follower, list(marks), list(marks.values()))
