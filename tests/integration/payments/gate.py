"""A transaction that is stopped just before it commits, so that another one meets it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from tests.doors import waits_for_a_lock


class Gate(Store):
    """A store that waits before it commits the transaction that has `written` something."""

    def __init__(self, store: Store, written: str) -> None:
        super().__init__(store.pool, store.source)
        self.written = written
        self.before_commit, self.go_on = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def transaction(self, context: Context) -> AsyncIterator[Transaction]:
        """As of any store, but for that one."""
        async with super().transaction(context) as unit:
            yield unit
            if not self.go_on.is_set() and await unit.connection.fetchval(self.written):
                self.before_commit.set()
                await self.go_on.wait()


async def held_or_through(store: Store, other: asyncio.Task[Any]) -> bool:
    """The other one is stopped by a lock, or was let through by a mistake."""
    return other.done() or await waits_for_a_lock(store)
