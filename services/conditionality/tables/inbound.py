"""Messages from outside: which were taken in, which were withheld and why, and how many."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from libs.chassis.regions import region_ranges
from libs.events.consumer.unlogged import Progress, progress
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.conditionality.domain.writers import Withheld

_TAKEN: Final = "SELECT id, content FROM inbound_message WHERE id = ANY($1)"
# In one order for everybody: the members of a group may be told the same id on two partitions.
_TAKE: Final = """
INSERT INTO inbound_message (id, content)
SELECT * FROM unnest($1::bytea[], $2::bytea[]) AS new (id, content) ORDER BY id
"""
_WITHHOLD: Final = """
INSERT INTO inbound_withheld
    (topic, partition, life, place, writer, reporter, message, reason, field, regions, sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING
"""
_COUNT: Final = """
INSERT INTO inbound_count (topic, partition, life, taken, repeated, withheld)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (topic, partition, life) DO UPDATE
SET taken = inbound_count.taken + excluded.taken,
    repeated = inbound_count.repeated + excluded.repeated,
    withheld = inbound_count.withheld + excluded.withheld
"""
_LISTED: Final = """
SELECT topic, partition, life, place AS "offset", writer, reporter, message, reason, field,
       encode(sha256, 'hex') AS sha256
FROM inbound_withheld
WHERE ($1::text IS NULL OR writer = $1) AND ($2::text IS NULL OR reporter = $2)
  AND ($3::text IS NULL OR reason = $3)
  AND EXISTS (SELECT FROM unnest(regions) AS own, unnest($4::text[], $5::text[]) AS r (low, high)
              WHERE own COLLATE "C" >= low AND own COLLATE "C" < high)
  AND (topic, partition, life, place) > ($6, $7::int, $8, $9::bigint)
ORDER BY topic, partition, life, place LIMIT $10
"""


_COUNTS: Final = """
SELECT coalesce(max(taken), 0) AS taken, coalesce(max(repeated), 0) AS repeated,
       coalesce(max(withheld), 0) AS withheld,
       (SELECT count(*) FROM inbound_withheld AS w
        WHERE w.topic = $1 AND w.partition = $2 AND w.life = $3) AS listed
FROM inbound_count WHERE topic = $1 AND partition = $2 AND life = $3
"""
_IDS: Final = """
SELECT (SELECT count(*) FROM inbound_message) AS ids,
       (SELECT coalesce(sum(taken), 0) FROM inbound_count)::bigint AS taken
"""


@dataclass(frozen=True, slots=True)
class WithheldMessage:
    """One message that was not taken in: where it stands, whose it is, and why."""

    topic: str
    partition: int
    offset: int
    writer: str
    reporter: str
    message: str
    reason: Withheld
    field: str
    regions: tuple[str, ...]
    sha256: bytes


class Count(NamedTuple):
    """The messages of a partition that were taken in, were known before, and were withheld."""

    taken: int = 0
    repeated: int = 0
    withheld: int = 0


@dataclass(frozen=True, slots=True)
class WithheldFilter:
    """Filters of withheld messages, and the regions of whoever asks."""

    writer: str | None
    reporter: str | None
    reason: str | None
    regions: tuple[str, ...]


async def taken_before(unit: Transaction, ids: Collection[bytes]) -> dict[bytes, bytes]:
    """{id: content} of those that were taken in."""
    rows = await unit.connection.fetch(_TAKEN, list(ids))
    return {row["id"]: row["content"] for row in rows}


async def keep_taken(unit: Transaction, contents: Mapping[bytes, bytes]) -> None:
    """Keep what was taken in; an id that is there already fails, and its batch is tried apart."""
    if contents:
        await unit.connection.execute(_TAKE, *map(list, zip(*contents.items(), strict=True)))


async def keep_withheld(
    unit: Transaction, lives: Mapping[int, str], messages: Sequence[WithheldMessage]
) -> None:
    """Keep messages that were not taken in, once however often one comes."""
    rows = [
        (
            *(m.topic, m.partition, lives[m.partition], m.offset, m.writer, m.reporter, m.message),
            *(m.reason.name, m.field, list(m.regions), m.sha256),
        )
        for m in messages
    ]
    await unit.connection.executemany(_WITHHOLD, rows)


async def count(
    unit: Transaction, topic: str, lives: Mapping[int, str], counts: Mapping[int, Count]
) -> None:
    """Add to the counts of a topic's partitions."""
    rows = [(topic, number, lives[number], *found) for number, found in sorted(counts.items())]
    await unit.connection.executemany(_COUNT, rows)


async def list_withheld(
    store: Store,
    wanted: WithheldFilter,
    after: tuple[str, int, str, int] | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Withheld messages in order of topic, partition and offset."""
    filters = wanted.writer, wanted.reporter, wanted.reason, *region_ranges(wanted.regions)
    rows = await store.pool.fetch(_LISTED, *filters, *(after or ("", -1, "", -1)), limit)
    return [dict(row) for row in rows]


async def unaccounted(store: Store, topics: Sequence[str]) -> list[str]:
    """A sentence for each partition of which more or less was consumed than was noted of it.

    What was consumed was taken in, known before, withheld or no message; every message that was
    withheld is listed, and every one that was taken in is known by its id.
    """
    found: list[str] = []
    async with (
        store.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        for partition in await progress(connection, topics):
            named = partition.topic, partition.partition, partition.life
            row = await connection.fetchrow(_COUNTS, *named)
            if row is not None:
                found += _missing(partition, Count(*row[:3]), row["listed"])
        ids = await connection.fetchrow(_IDS)
    if ids is not None and ids["ids"] != ids["taken"]:
        found.append(f"has taken in {ids['taken']} messages and knows {ids['ids']} by their ids")
    return found


def _missing(partition: Progress, counted: Count, listed: int) -> Iterator[str]:
    at, noted = f"{partition.topic}/{partition.partition}", sum(counted)
    if not noted <= partition.position <= noted + partition.malformed:
        yield (
            f"has consumed {partition.position} messages of {at} and noted {noted}, "
            f"with {partition.malformed} that are none"
        )
    if listed != counted.withheld:
        yield f"has withheld {counted.withheld} messages of {at} and lists {listed}"
