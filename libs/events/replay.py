"""Handles parked messages again, in order, once what was wrong has been mended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from libs.events.envelope import parse
from libs.events.errors import NotFound
from libs.events.parking import unpark
from libs.events.subscription import Subscription, attempt
from libs.events.transaction import Transaction


class NothingParked(NotFound):
    """Nothing of this key is parked."""


async def replay(
    transaction: Transaction, subscriptions: Sequence[Subscription], topic: str, key: str
) -> tuple[int, str | None]:
    """Handle a key's parked messages; answers how many went through and what stopped the rest.

    What went through stays so. The subscription's `consumed` rows are locked meanwhile, so that
    no live message of the key can overtake. Raises `NothingParked`.
    """
    subscription = next((s for s in subscriptions if s.topic == topic), None)
    if subscription is None:
        raise NothingParked(topic=topic)
    rows = await _lock_key(transaction, subscription, key)
    for done, row in enumerate(rows):
        error = await _again(transaction, subscription, key, row)
        if error is not None:
            return done, error
    return len(rows), None


async def _lock_key(
    transaction: Transaction, subscription: Subscription, key: str
) -> list[asyncpg.Record]:
    await transaction.connection.execute(
        "SELECT FROM consumed WHERE subscription = $1 AND topic = $2 ORDER BY partition FOR UPDATE",
        subscription.name,
        subscription.topic,
    )
    rows = await transaction.connection.fetch(
        """SELECT partition, position, message FROM parked
           WHERE subscription = $1 AND topic = $2 AND key = $3 ORDER BY position""",
        subscription.name,
        subscription.topic,
        key,
    )
    if not rows:
        raise NothingParked(topic=subscription.topic)
    return rows


async def _again(
    transaction: Transaction, subscription: Subscription, key: str, row: Any
) -> str | None:
    record = unpark(subscription.topic, row["partition"], key, row["message"])
    error = await attempt(transaction, subscription, record, parse(record))
    if error is None:
        await transaction.connection.execute(
            """DELETE FROM parked
               WHERE subscription = $1 AND topic = $2 AND partition = $3 AND position = $4""",
            subscription.name,
            subscription.topic,
            record.partition,
            row["position"],
        )
    return error
