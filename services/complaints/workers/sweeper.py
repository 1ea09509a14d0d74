"""The leader's work on due days: whoever's term is over has a case no more.

A sweep is for a business date. The clock asks for one in each time zone when a day begins there,
people for any day. Cases are taken in order of their due days, a chunk a transaction with the
cursor, so that who takes over goes on behind it, and what a sweep did is not done again. A case
that cannot be advanced is left out by name and tried again by itself; it holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, CorridorError, safe_text
from libs.events.store.handle import handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from libs.events.workers.backoff import Attempt, Backoff
from services.complaints.contract import CASE, SERVICE
from services.complaints.domain.case import AdvanceTo
from services.complaints.policy import Policies
from services.complaints.tables import sweeps
from services.complaints.tables.cases import case_readings, keep_cases
from services.complaints.tables.sweeps import EVERYWHERE, SWEEP, Cursor, Due, Sweep

CHUNK_CASES: Final = 1_000
LEFT_MAX: Final = 1_000
"""Cases that are left out at a time; of more the fault is not theirs."""
SWEEPER: Final = "sweeper"
"""The name under which it is led."""
CLOCK: Final = "clock"
"""The part of the work that begins a zone's day."""

log = structlog.get_logger("sweeper")


class TooManyLeft(CorridorError):
    """Too many cases cannot be advanced for each to be at fault by itself."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Sweeper:
    """Advances cases whose term is over, for days that somebody asks for and days that begin."""

    store: Store
    policies: Policies
    clock: Callable[[], datetime] = _now
    chunk: int = CHUNK_CASES
    left_max: int = LEFT_MAX
    backoff: Backoff = field(init=False)
    _begun: dict[str, date] = field(default_factory=dict)
    """The days that this process has begun already, so that it asks once a day."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, SWEEP)

    async def step(self) -> bool:
        """A chunk of a sweep and a try of each case that is left out; answers if any went on."""
        items: dict[str, Attempt] = {}
        today = self.policies.days_of(self.clock())
        if today != self._begun:
            items[CLOCK] = partial(self._begin, today)
        if sweep := await sweeps.next_sweep(self.store):
            items[f"{sweep.zone} {sweep.day}".strip()] = partial(self._sweep, sweep)
        for case, day in await sweeps.left(self.store, self.left_max):
            items[case] = partial(self._try_again, case, day)
        return await self.backoff.turn(items)

    async def readings(self) -> Sequence[Sample]:
        """The gauges of open cases, by the calendar of the capital."""
        today = self.policies.local_day(self.clock(), "")
        return await case_readings(self.store, today, self.policies.ladder.working.after(today))

    async def _begin(self, today: dict[str, date]) -> bool:
        await sweeps.begin(self.store, today, f"service:{SERVICE}")
        self._begun = today
        return True

    async def _sweep(self, sweep: Sweep) -> bool:
        """Advance a chunk of the cases that are due. Raises `HolidaysUnknown`, `TooManyLeft`."""
        day = self.policies.ladder.working.last(sweep.day)  # on a free day nobody receives a case
        provinces = None
        if sweep.zone != EVERYWHERE:
            provinces = self.policies.zones[sweep.zone].provinces
        async with self.store.transaction(Context.on_day(SERVICE, sweep.day)) as unit:
            due = await sweeps.due_cases(unit, day, sweep.cursor, provinces, self.chunk)
            if due:
                escalated = await self._advance(unit, due, sweep.day)
                await sweeps.move(
                    unit, sweep, Cursor(due[-1].due_on, due[-1].case), len(due), escalated
                )
            else:
                await sweeps.end(unit, sweep)
        return True

    async def _advance(self, unit: Transaction, due: Sequence[Due], day: date) -> int:
        """Advance cases to a day; those that cannot be are left out. The number of new turns."""
        escalated = 0

        async def advance(some: Sequence[Due]) -> None:
            nonlocal escalated
            escalated += await self._advance_all(unit, [due_case.case for due_case in some], day)

        refused = await by_halves(unit, due, advance, (ConcurrencyConflict,))
        for due_case, error in refused:
            log.error("case not swept", case=due_case.case, error=safe_text(error))
        names = [due_case.case for due_case, _ in refused]
        if refused and await sweeps.leave(unit, names, day) > self.left_max:
            raise TooManyLeft(day=day)
        return escalated

    async def _advance_all(self, unit: Transaction, cases: Sequence[str], day: date) -> int:
        command = AdvanceTo(day, self.policies.ladder)
        outcomes = await handle_many(unit, CASE, [(CASE.stream(case), command) for case in cases])
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        await keep_cases(unit, outcomes)
        return sum(len(outcome.events) for outcome in outcomes)

    async def _try_again(self, case: str, day: date) -> bool:
        """Advance a case that is left out; raises what it fails with."""
        async with self.store.transaction(Context.on_day(SERVICE, day)) as unit:
            await self._advance_all(unit, [case], day)
            await sweeps.leave_no_more(unit, case)
        return True
