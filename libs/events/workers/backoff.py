"""Back-off for a leader's work, item by item: what fails rests, is shown, and stops nothing else.

    backoff = Backoff(store, "lister")
    moved = await backoff.turn({tahap: partial(list_chunk, tahap) for tahap in open_tahaps})

A failure is kept in the store, so that every process of the service can tell it: in the job
resource, in /ready, as a metric. It is forgotten when the item succeeds or is no longer asked for.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import asyncpg
import structlog

from libs.events.domain.errors import safe_text
from libs.events.store.faults import is_infrastructure_fault
from libs.events.store.postgres import Store

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool
    from libs.events.store.transaction import Connection

RETRY_S: Final = 0.5
RETRY_S_MAX: Final = 30.0
FAILING_ATTEMPTS: Final = 5
FAILING_S: Final = 30.0
"""Work that has failed so often, or for so long, is told of: it will not mend itself."""

THE_WORK: Final = ""
"""The item of work that failed as a whole."""

Attempt: TypeAlias = Callable[[], Awaitable[bool]]
"""One step of an item; answers whether it went on."""

_FAILED = """
INSERT INTO failing_work (work, item, error, attempts) VALUES ($1, $2, $3, 1)
ON CONFLICT (work, item) DO UPDATE SET error = $3, attempts = failing_work.attempts + 1
RETURNING attempts
"""
_FAILING = """
SELECT work, item, error, attempts, since FROM failing_work
WHERE ($1::text[] IS NULL OR work = ANY($1))
  AND (attempts >= $2 OR since < now() - make_interval(secs => $3))
ORDER BY since, work, item
"""

log = structlog.get_logger("backoff")


@dataclass(frozen=True, slots=True)
class Failing:
    """An item of work that fails again and again, and what it last failed with."""

    work: str
    item: str
    error: str
    attempts: int
    since: datetime


@dataclass(slots=True)
class Backoff:
    """The items that one leader's work fails at; each rests, twice as long every time."""

    store: Store
    work: str
    clock: Callable[[], float] = time.monotonic
    raised: tuple[type[Exception], ...] = ()
    """Errors that are no item's own: whoever asks for the work has to note them."""
    _rests: dict[str, float] = field(default_factory=dict)
    """Until when each failing item rests."""
    _loaded: bool = False

    async def turn(self, items: Mapping[str, Attempt]) -> bool:
        """Take a turn: a step of each item that does not rest; answers whether any went on.

        An error is its item's own, and noted, unless it is one of the infrastructure: those are
        raised, because they are no item's fault.
        """
        await self.forget(lambda item: item not in items and item != THE_WORK)
        moved = False
        for item, attempt in items.items():
            moved |= await self.attempt(item, attempt)
        return moved

    async def attempt(self, item: str, attempt: Attempt) -> bool:
        """A step of one item, unless it rests; answers whether it went on. Raises as `turn`."""
        if self.rests(item):
            return False
        try:
            moved = await attempt()
        except Exception as error:
            if is_infrastructure_fault(error) or isinstance(error, self.raised):
                raise
            await self.failed(item, error)
            return False
        await self.succeeded(item)
        return moved

    def rests(self, item: str) -> bool:
        """True while an item has failed so lately that it is not to be tried yet."""
        return self.clock() < self._rests.get(item, 0.0)

    async def failed(self, item: str, error: Exception) -> None:
        """Note a failure and let the item rest."""
        text = safe_text(error)
        attempts = await self.store.pool.fetchval(_FAILED, self.work, item, text)
        rest_s = min(RETRY_S * 2 ** min(attempts - 1, 16), RETRY_S_MAX)
        self._rests[item] = self.clock() + rest_s
        log.warning("work fails", work=self.work, item=item, attempts=attempts, error=text)

    async def succeeded(self, item: str) -> None:
        """Forget what an item failed with, if it did."""
        await self.forget(lambda failing: failing == item)

    async def forget(self, which: Callable[[str], bool]) -> None:
        """Forget which items failed: they succeeded, or nobody asks for them any more."""
        await self._load()
        items = [item for item in self._rests if which(item)]
        if items:
            await self.store.pool.execute(
                "DELETE FROM failing_work WHERE work = $1 AND item = ANY($2)", self.work, items
            )
        for item in items:
            self._rests.pop(item, None)

    async def _load(self) -> None:
        """Read the failures that an earlier leader noted; none of them rests for this one."""
        if not self._loaded:
            rows = await self.store.pool.fetch(
                "SELECT item FROM failing_work WHERE work = $1", self.work
            )
            self._rests = {row["item"]: 0.0 for row in rows} | self._rests
            self._loaded = True


async def failing(store: Store, works: Sequence[str] | None = None) -> list[Failing]:
    """Items that these works, or all, fail at too often or for too long, the oldest first."""
    rows = await store.pool.fetch(_FAILING, works, FAILING_ATTEMPTS, FAILING_S)
    return [Failing(**dict(row)) for row in rows]


async def failing_item(database: Pool | Connection, work: str, item: str) -> Failing | None:
    """The work's failures at an item, or at a part of it ("2023-1" or "2023-1 a7")."""
    found = await failing_parts(database, work, item)
    return found[0] if found else None


async def failing_parts(database: Pool | Connection, work: str, item: str) -> list[Failing]:
    """All that the work fails at of an item, what failed oftenest first."""
    rows: list[asyncpg.Record] = await database.fetch(
        """SELECT work, item, error, attempts, since FROM failing_work
           WHERE work = $1 AND (item = $2 OR starts_with(item, $2 || ' '))
           ORDER BY attempts DESC, item""",
        work,
        item,
    )
    return [Failing(**dict(row)) for row in rows]
