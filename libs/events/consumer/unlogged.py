"""Progress in topics that somebody outside writes: where each partition began, how far it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

if TYPE_CHECKING:
    from libs.events.store.transaction import Connection

# What is no message was parked by its offset; of a topic that was made anew some may be of before.
_PROGRESS: Final = """
SELECT topic, partition, coalesce(epoch, '') AS life, position,
       (SELECT count(*) FROM parked AS p
        WHERE p.subscription = c.subscription AND p.topic = c.topic
          AND p.partition = c.partition AND p.position < 0 AND -1 - p.position < c.position)
       AS malformed
FROM consumed AS c WHERE topic = ANY($1) ORDER BY topic, partition
"""
_LIVES: Final = """
SELECT partition, coalesce(epoch, '') AS life FROM consumed WHERE topic = $1
AND partition = ANY($2)
"""


class Progress(Struct, frozen=True):
    """The messages of a partition that were consumed, and how many records of it are none.

    `life` names the partition by its first record, as long as its topic is not made anew.
    """

    topic: str
    partition: int
    life: str
    position: int
    malformed: int


async def progress(connection: Connection, topics: Sequence[str]) -> list[Progress]:
    """The progress of a service in each partition of these topics."""
    return [Progress(*row) for row in await connection.fetch(_PROGRESS, list(topics))]


async def lives_of(
    connection: Connection, topic: str, partitions: Collection[int]
) -> dict[int, str]:
    """The life of each of these partitions; written before any message of it is looked at."""
    rows = await connection.fetch(_LIVES, topic, list(partitions))
    return {row["partition"]: row["life"] for row in rows}
