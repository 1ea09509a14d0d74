"""Gauges of one store: its head, its relay's lag, what is parked, who leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from libs.events import telemetry
from libs.events.store.watermarks import WHOLE_LOG
from libs.events.telemetry.metrics import Sample
from libs.events.workers.backoff import failing
from libs.events.workers.leader import has_leader

if TYPE_CHECKING:
    from libs.events.consumer.inbox import Tally
    from libs.events.store.postgres import Store

# The oldest event that the bus does not hold yet stands in the block that begins last at or before
# it; `recorded_at` is the moment just before that block's commit.
_RELAYED = """
SELECT head.position AS head, coalesce(relay.position, 0) AS relayed,
       (SELECT extract(epoch FROM now() - recorded_at) FROM blocks
        WHERE first_position <= coalesce(relay.position, 0) + 1
        ORDER BY first_position DESC LIMIT 1)::float8 AS age
FROM head LEFT JOIN relay ON (topic, partition) = ($1, $2)
"""
_PARKED = """
SELECT subscription, topic, sum(messages)::bigint AS messages, count(*) AS keys
FROM (SELECT subscription, topic, count(*) AS messages FROM parked WHERE dropped_at IS NULL
      GROUP BY subscription, topic, partition, key) AS each_key
GROUP BY 1, 2
"""
_OF_PARKED = (telemetry.PARKED_MESSAGES, telemetry.PARKED_KEYS)


async def log_samples(store: Store, *, relayed: bool) -> list[Sample]:
    """The log's length and, of a store that is `relayed`, how much of it the bus lacks."""
    row = await store.pool.fetchrow(_RELAYED, *WHOLE_LOG)
    if row is None:
        return []
    named = (store.source,)
    found = [Sample(telemetry.HEAD_EVENTS, row["head"], named)]
    if relayed:
        lag = row["head"] - row["relayed"]
        found += [
            Sample(telemetry.RELAY_LAG_EVENTS, lag, named),
            Sample(telemetry.RELAY_LAG_SECONDS, max(0.0, row["age"]) if lag else 0.0, named),
        ]
    return found


async def parked_samples(store: Store, subscriptions: Sequence[tuple[str, str]]) -> list[Sample]:
    """The parked messages of each (subscription, topic), and their keys; of most none."""
    rows = await store.pool.fetch(_PARKED)
    parked = dict.fromkeys(subscriptions, (0, 0))
    parked |= {(row["subscription"], row["topic"]): (row[2], row[3]) for row in rows}
    return [
        Sample(metric, count, labels)
        for labels, counts in parked.items()
        for metric, count in zip(_OF_PARKED, counts, strict=True)
    ]


async def leader_samples(store: Store, works: Sequence[str]) -> list[Sample]:
    """The leaders of these works: 1 where one leads, in whichever process."""
    return [
        Sample(telemetry.LEADERS, await has_leader(store.pool, work), (store.source, work))
        for work in works
    ]


async def failing_samples(store: Store, works: Sequence[str]) -> list[Sample]:
    """Counts of the items that each work fails at again and again; of these works also a zero."""
    found = Counter(dict.fromkeys(works, 0))
    found.update(item.work for item in await failing(store))
    return [
        Sample(telemetry.FAILING_ITEMS, count, (store.source, work))
        for work, count in found.items()
    ]


def tally_samples(store: str, tally: Tally) -> list[Sample]:
    """The counts of a consumer since it started, and if it still runs."""
    outcomes = ("handled", "parked", "passed", "skipped")
    return [
        *(
            Sample(telemetry.CONSUMER_MESSAGES, getattr(tally, outcome), (store, outcome))
            for outcome in outcomes
        ),
        Sample(telemetry.CONSUMER_STOPPED, tally.stopped is not None, (store,)),
    ]
