"""Handles parked messages again, in order, once what was wrong has been mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from libs.events.bus import batched
from libs.events.bus.envelope import parse_all
from libs.events.bus.incoming import Incoming
from libs.events.consumer.batch_bisection import sift
from libs.events.consumer.parking import (
    START,
    ParkedPosition,
    Selection,
    SubscribedPartition,
    held_keys,
    kept_record,
)
from libs.events.consumer.subscription import Subscription, messages_in
from libs.events.store.transaction import Transaction
from libs.events.telemetry import tracing

REPLAYED_MAX: Final = 500
"""Messages of one transaction, for whose length nothing else of their partition is handled."""

_FIRST: Final = """
SELECT subscription, topic, partition, position FROM parked
WHERE (subscription, topic, partition, position) > ($1, $2, $3::int, $4::bigint)
  AND dropped_at IS NULL AND position > 0
  AND (subscription, topic) IN (SELECT * FROM unnest($5::text[], $6::text[]))
  AND ($7::text IS NULL OR topic = $7) AND ($8::text IS NULL OR key = $8)
ORDER BY subscription, topic, partition, position LIMIT 1
"""
_LOCK: Final = """
SELECT FROM consumed WHERE subscription = $1 AND topic = $2 AND partition = $3 FOR UPDATE
"""
_ROWS: Final = """
SELECT key, message FROM parked
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position >= $4
  AND dropped_at IS NULL AND position > 0
  AND ($5::text IS NULL OR key = $5)
ORDER BY position LIMIT $6
"""
_DONE: Final = """
DELETE FROM parked
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = ANY($4)
"""
_STILL: Final = """
UPDATE parked SET error = new.error FROM unnest($4::bigint[], $5::text[]) AS new (position, error)
WHERE subscription = $1 AND topic = $2 AND partition = $3 AND parked.position = new.position
  AND parked.error <> new.error
"""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The outcome of the parked messages up to `reached`: those handled, those refused."""

    reached: ParkedPosition
    handled: int
    refused: int


async def replay(
    transaction: Transaction,
    subscriptions: Sequence[Subscription],
    selection: Selection,
    after: ParkedPosition = START,
    messages_max: int = REPLAYED_MAX,
) -> Replayed | None:
    """Handle the next of the selected messages behind a position again; None where there are none.

    Takes at most `messages_max`, all of one partition, whose `consumed` row it locks, so that no
    live message overtakes: one whose key is still parked by then is parked behind. What goes
    through is no longer parked once the transaction is committed; what does not stays, and what
    follows in its key stays behind it. Ask again behind `reached` until there are none.
    """
    first = await _first(transaction, subscriptions, selection, after)
    if first is None:
        return None
    subscription = next(s for s in subscriptions if (s.name, s.topic) == first[:2])
    arrived = await _locked(transaction, subscription, first, selection.key, messages_max)
    if not arrived:
        return Replayed(first, 0, 0)
    refused = await _handle(transaction, subscription, first[:3], arrived)
    last = (*first[:3], arrived[-1].position)
    return Replayed(last, len(arrived) - len(refused), len(refused))


async def _first(
    transaction: Transaction,
    subscriptions: Sequence[Subscription],
    selection: Selection,
    after: ParkedPosition,
) -> ParkedPosition | None:
    """Where the first of them stands; of subscriptions that are no more, none is found."""
    found = await transaction.connection.fetchrow(
        _FIRST,
        *after,
        [subscription.name for subscription in subscriptions],
        [subscription.topic for subscription in subscriptions],
        selection.topic,
        selection.key,
    )
    return None if found is None else tuple(found)


async def _locked(
    transaction: Transaction,
    subscription: Subscription,
    first: ParkedPosition,
    key: str | None,
    messages_max: int,
) -> list[Incoming]:
    """The messages from a position on, of its partition alone, which stands still from here on.

    None are left where somebody else has replayed them before the partition stood still.
    """
    *partition, position = first
    await transaction.connection.execute(_LOCK, *partition)
    rows = await transaction.connection.fetch(_ROWS, *partition, position, key, messages_max)
    records = [kept_record(first[1], first[2], row["key"], row["message"]) for row in rows]
    found: list[Incoming] = []
    for batch in batched(first[1], first[2], records):
        found += messages_in(subscription, batch, parse_all(batch), range(len(batch)))
    return found


async def _handle(
    transaction: Transaction,
    subscription: Subscription,
    partition: SubscribedPartition,
    arrived: Sequence[Incoming],
) -> Mapping[int, str]:
    """Messages that go through are no longer parked; answers the others, each with its error."""
    transaction.traces = tracing.traces_by_key(arrived, transaction.context.trace)
    held = await held_keys(transaction, subscription, arrived, before=arrived[0].position)
    refused = await sift(transaction, subscription, arrived, held)
    done = [message.position for message in arrived if message.position not in refused]
    await transaction.connection.execute(_DONE, *partition, done)
    await transaction.connection.execute(_STILL, *partition, list(refused), list(refused.values()))
    return refused
