"""The leader's work on erasure: what was kept for as long as it may be is erased, and keys of
erased cases are destroyed.

A case is erased in complaints' log first; its key stands in another database and follows within a
moment, whoever is killed between. After a restore of the keys they are destroyed once more: who
leads looks at each erased case when it begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, safe_text
from libs.events.store.handle import handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Attempt, Backoff
from libs.privacy.keys import KeyRing
from services.complaints.contract import CASE, SERVICE
from services.complaints.domain.erasing import EraseCase
from services.complaints.policy import Policies
from services.complaints.tables import erasures
from services.complaints.tables.cases import keep_cases
from services.complaints.tables.erasures import Ended
from services.complaints.tables.sweeps import FIRST

ERASER: Final = "eraser"
"""The name under which it is led."""
ERASURE: Final = "case-erasure"
"""The work as it is shown where it fails."""
CHUNK_CASES: Final = 500
_BEGINNING: Final = Ended(date.min, FIRST)

log = structlog.get_logger("eraser")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Eraser:
    """Erases cases whose retention is over, and destroys the keys of erased ones; `keys` remembers
    nothing."""

    store: Store
    policies: Policies
    keys: KeyRing
    clock: Callable[[], datetime] = _now
    chunk: int = CHUNK_CASES
    backoff: Backoff = field(init=False)
    _looked_at: str | None = FIRST
    """The erased case up to which keys were looked at since the start; None at the end."""
    _dated: str | None = FIRST
    """The case up to which ends of before were dated; None at the end."""
    _today: date | None = None
    _expired: Ended | None = None
    """The case up to which today's look has come; None at its end."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, ERASURE)

    async def step(self) -> bool:
        """A chunk of each part of the work; answers if any went on."""
        today = self.policies.day_in_the_capital(self.clock())
        if today != self._today:
            self._today, self._expired = today, _BEGINNING
        items: dict[str, Attempt] = {"keys": self._destroy}
        if self._looked_at is not None:
            items["restored keys"] = self._destroy_again
        if self._dated is not None:
            items["ends"] = self._date
        elif self._expired is not None:
            items["retention"] = self._expire
        return await self.backoff.turn(items)

    async def _destroy(self) -> bool:
        left = await erasures.keys_left(self.store, self.chunk)
        for case in left:
            await self.keys.destroy(case)
            await erasures.note_destroyed(self.store, case)
        return bool(left)

    async def _destroy_again(self) -> bool:
        """Destroy the keys of a chunk of erased cases that are there all the same."""
        cases = await erasures.erased_behind(self.store, self._looked_at or FIRST, self.chunk)
        found = await self.keys.fetch_each(cases)
        for case in [case for case, key in found.items() if key.secrets]:
            await self.keys.destroy(case)
            log.warning("key destroyed again", case=case)
        self._looked_at = cases[-1] if cases else None
        return True

    async def _date(self) -> bool:
        """Note of a chunk of cases of before on which day they ended."""
        async with self._transaction() as unit:
            cases = await erasures.undated_ends(unit, self._dated or FIRST, self.chunk)
            found = await unit.load(CASE, [CASE.stream(case) for case in cases])
            ends = {case: found[CASE.stream(case)].state.ended_on for case in cases}
            await erasures.date_ends(unit, ends)
        self._dated = cases[-1] if cases else None
        return True

    async def _expire(self) -> bool:
        """Erase a chunk of the cases whose retention is over; one that cannot be is named, and
        tried again tomorrow."""
        today, after = self._today or date.min, self._expired or _BEGINNING
        days = self.policies.retention
        async with self._transaction() as unit:
            ended = await erasures.expired_cases(unit, days, today, after, self.chunk)

            async def work(some: Sequence[str]) -> None:
                await _erase(unit, some)

            cases = [case for _, case in ended]
            for case, error in await by_halves(unit, cases, work, (ConcurrencyConflict,)):
                log.error("case not erased", case=case, error=safe_text(error))
        self._expired = ended[-1] if ended else None
        return True

    def _transaction(self) -> AbstractAsyncContextManager[Transaction]:
        return self.store.transaction(Context.on_day(SERVICE, self._today or date.min))


async def _erase(unit: Transaction, cases: Sequence[str]) -> None:
    commands = [(CASE.stream(case), EraseCase("RETENTION")) for case in cases]
    outcomes = await handle_many(unit, CASE, commands)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    await keep_cases(unit, outcomes)
