"""A reader that chokes on some families until it is mended; as a program, one that dies replaying.

    python -m tests.poisoned DATABASE_URL MESSAGES

replays what is parked there and is killed once it has handled so many messages, before a commit.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from libs.events.bus import Bus
from libs.events.bus.incoming import Incoming
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.parking import ALL_PARKED, START, Selection
from libs.events.consumer.replay import REPLAYED_MAX, replay
from libs.events.consumer.subscription import Subscription
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from tests.corridor import TOPICS
from tests.purse import CONTEXT, TOPIC, CoinsPutIn

EFFECTS = """
CREATE TABLE effect (
    n bigserial, key int, position bigint, handled_at timestamptz DEFAULT clock_timestamp()
)
"""


@dataclass
class Reader:
    """A service that notes what it has handled, in the order in which it did."""

    store: Store
    poison: Collection[int] = ()
    unfit: Collection[int] = ()
    dies_after: int | None = None
    loses_connections: int = 0
    given: int = 0
    subscriptions: Sequence[Subscription] = field(init=False)

    def __post_init__(self) -> None:
        self.subscriptions = [Subscription("reader", TOPIC, {"CoinsPutIn": CoinsPutIn}, self.take)]

    async def take(self, transaction: Transaction, messages: Sequence[Incoming]) -> None:
        """Note a batch, unless some of it is poison."""
        self.given += len(messages)
        if any(self.chokes_on(message) for message in messages):
            raise ValueError("a family that this version chokes on")
        if self.loses_connections:
            self.loses_connections -= 1
            await transaction.connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        await transaction.connection.execute(
            "INSERT INTO effect (key, position) SELECT * FROM unnest($1::int[], $2::bigint[])",
            [message.body.coins for message in messages],
            [message.envelope.position for message in messages],
        )
        if self.dies_after is not None and self.given > self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)

    def chokes_on(self, message: Incoming) -> bool:
        """A message is of a poisoned key, or is unfit by its position."""
        return message.body.coins in self.poison or message.envelope.position in self.unfit

    def consumer(self, bus: Bus) -> Consumer:
        """A consumer that brings it live messages."""
        return Consumer(self.store, bus, "reader", self.subscriptions, TOPICS)

    async def replay(
        self, selection: Selection = ALL_PARKED, most: int = REPLAYED_MAX
    ) -> tuple[int, int]:
        """A transaction a step; answers how many messages went through and how many did not."""
        reached, handled, refused = START, 0, 0
        while True:
            async with self.store.transaction(CONTEXT) as transaction:
                step = await replay(transaction, self.subscriptions, selection, reached, most)
            if step is None:
                return handled, refused
            reached, handled, refused = step.reached, handled + step.handled, refused + step.refused


async def _replay(url: str, dies_after: int) -> None:
    await Reader(await Store.connect(url, "reader"), dies_after=dies_after).replay()


if __name__ == "__main__":
    asyncio.run(_replay(sys.argv[1], int(sys.argv[2])))
