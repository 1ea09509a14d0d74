"""Batch bisection: finds the few bad items among many by halves, and lets the others through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Handler, Subscription, Undecodable, is_item_fault
from libs.events.domain.decider import C, E, S
from libs.events.domain.errors import safe_text
from libs.events.store.handle import Loaded
from libs.events.store.model import StreamType
from libs.events.store.transaction import Transaction

BEHIND: Final = "an earlier message of this key is parked"

T = TypeVar("T")

log = structlog.get_logger("consumer")


async def by_halves(
    transaction: Transaction,
    items: Sequence[T],
    work: Callable[[Sequence[T]], Awaitable[None]],
    raised: tuple[type[Exception], ...] = (),
    collected: tuple[type[Exception], ...] = (),
) -> list[tuple[T, Exception]]:
    """Do work on many items, each part under a savepoint; answers (item, error) of those that fail.

    Items must not depend on each other. An item's own error is collected, as are the stops in
    `collected`; other stops, faults of the infrastructure and errors in `raised` are raised.
    """
    if not items:
        return []
    try:
        async with transaction.savepoint():
            await work(items)
    except Exception as error:
        if isinstance(error, raised) or not (is_item_fault(error) or isinstance(error, collected)):
            raise
        if len(items) == 1:
            return [(items[0], error)]
        middle = len(items) // 2
        first = await by_halves(transaction, items[:middle], work, raised, collected)
        return first + await by_halves(transaction, items[middle:], work, raised, collected)
    return []


async def load_by_halves(
    unit: Transaction, kind: StreamType[C, S, E], stream_ids: Sequence[str]
) -> dict[str, Loaded[S]]:
    """The streams of these that can be read; each of the others is named in the process's log.

    For lists of many, which leave out what cannot be read and say so.
    """
    try:
        return await unit.load(kind, sorted(set(stream_ids)))
    except Exception as error:
        if not is_item_fault(error):
            raise
        why = safe_text(error)
    if len(stream_ids) == 1:
        log.error("stream not read", stream=stream_ids[0], error=why)
        return {}
    middle = len(stream_ids) // 2
    first = await load_by_halves(unit, kind, stream_ids[:middle])
    return first | await load_by_halves(unit, kind, stream_ids[middle:])


async def sift(
    transaction: Transaction,
    subscription: Subscription,
    messages: Sequence[Incoming],
    held: Collection[str],
) -> dict[int, str]:
    """Handle messages of one topic, in order; answers {position: error} of those not handled.

    Not handled are messages of `held` keys, those that are not fit, and every later one of their
    key. Faults of the infrastructure and stops are raised.
    """
    refused: dict[int, str] = {}
    sieve = _Sieve(transaction, subscription.handler, refused, set())
    if not held and Undecodable not in {type(message.body) for message in messages}:
        await sieve.take(messages)
        return refused
    halted = set(held)
    decoded: list[Incoming] = []
    for message in messages:
        if message.key in halted:
            refused[message.position] = BEHIND
        elif isinstance(message.body, Undecodable):
            refused[message.position] = safe_text(message.body.error)
            halted.add(message.key)
        else:
            decoded.append(message)
    await sieve.take(decoded)
    return refused


async def sift_each(
    transaction: Transaction, subscription: Subscription, messages: Sequence[Incoming]
) -> list[Incoming]:
    """Handle messages of one topic, in order, and answer those that are not fit, each by itself.

    What they hold is told nowhere, nor what an error quotes of it.
    """
    unread = [message for message in messages if isinstance(message.body, Undecodable)]
    decoded = [message for message in messages if not isinstance(message.body, Undecodable)]

    async def handle(some: Sequence[Incoming]) -> None:
        await subscription.handler(transaction, some)

    unfit = await by_halves(transaction, decoded, handle)
    for message, error in unfit:
        log.error("message withheld", offset=message.position - 1, error=type(error).__name__)
    return [*unread, *(message for message, _ in unfit)]


@dataclass(slots=True)
class _Sieve:
    """Gives a handler as many messages at once as it takes; `unfit` are the keys it failed at.

    Where it fails, it is given the halves. So k unfit messages among n cost about k log n
    attempts, and none that are fit is handled by itself for long.
    """

    transaction: Transaction
    handler: Handler
    refused: dict[int, str]
    unfit: set[str]

    async def take(self, messages: Sequence[Incoming], *, suspect: bool = False) -> bool:
        """Handle what is fit, in order; True if all were. Of `suspect` ones one is not."""
        if self.unfit:
            messages = [message for message in messages if not self._is_behind(message)]
        if len(messages) < 2 or not suspect:
            error = await self._attempt(messages) if messages else None
            if error is None:
                return True
            if len(messages) == 1:
                self._refuse(messages[0], error)
                return False
        middle = len(messages) // 2
        first = await self.take(messages[:middle])
        # Were all of the first half fit, then one of the second is not: it need not be tried whole.
        await self.take(messages[middle:], suspect=first)
        return False

    def _is_behind(self, message: Incoming) -> bool:
        behind = message.key in self.unfit
        if behind:
            self._refuse(message, BEHIND)
        return behind

    def _refuse(self, message: Incoming, error: str) -> None:
        self.refused[message.position] = error
        self.unfit.add(message.key)

    async def _attempt(self, messages: Sequence[Incoming]) -> str | None:
        try:
            async with self.transaction.savepoint():
                await self.handler(self.transaction, messages)
        except Exception as error:
            if not is_item_fault(error):
                raise
            return safe_text(error)
        return None
