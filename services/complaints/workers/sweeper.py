"""The leader's work on due days: whoever's term is over has a case no more.

A sweep is for a business date. The clock asks for one in each time zone when a day begins there,
people for any day. Cases are taken in order of their due days, a chunk a transaction with the
cursor, so that who takes over goes on behind it, and what a sweep did is not done again. A case
that cannot be advanced is left out by name and tried again by itself; it holds up nobody else.

A case whose next term runs into a year without a decree of holidays keeps its level and is named.
One that came in so has no due day: every day begins with a look whether a decree has come since.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import structlog

from libs.events import telemetry
from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, CorridorError, safe_text
from libs.events.store.handle import handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry.metrics import Sample
from libs.events.workers.backoff import Attempt, Backoff
from services.complaints.contract import CASE, SERVICE
from services.complaints.domain.case import AdvanceTo, Command, DateTerm
from services.complaints.domain.working_days import HolidaysUnknown
from services.complaints.policy import Policies
from services.complaints.tables import sweeps
from services.complaints.tables.cases import case_readings, keep_cases, undated_cases
from services.complaints.tables.sweeps import EVERYWHERE, FIRST, SWEEP, Advanced, Cursor, Sweep

CHUNK_CASES: Final = 1_000
LEFT_MAX: Final = 1_000
"""Cases that are left out at a time; of more the fault is not theirs."""
SWEEPER: Final = "sweeper"
"""The name under which it is led."""
CLOCK: Final = "clock"
"""The part of the work that begins a zone's day."""
DATING: Final = "dating"
"""The part of the work that counts terms over a decree that has come."""

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
    _dated: str | None = None
    """The case up to which it has looked today for terms that have no last day; None at the end."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, SWEEP)

    async def step(self) -> bool:
        """A chunk of a sweep and a try of each case that is left out; answers if any went on."""
        items: dict[str, Attempt] = {}
        today = self.policies.days_of(self.clock())
        if today != self._begun:
            items[CLOCK] = partial(self._begin, today)
        if self._dated is not None:
            items[DATING] = partial(self._date, self._dated)
        if sweep := await sweeps.next_sweep(self.store):
            items[f"{sweep.zone} {sweep.day}".strip()] = partial(self._sweep, sweep)
        for case, day in await sweeps.left(self.store, self.left_max):
            items[case] = partial(self._try_again, case, day)
        return await self.backoff.turn(items)

    async def readings(self) -> Sequence[Sample]:
        """The gauges of open cases and of decreed days, by the calendar of the capital."""
        today, working = self.policies.local_day(self.clock(), ""), self.policies.ladder.working
        decreed = Sample(telemetry.DECREED_DAYS, (working.decreed_to - today).days, ())
        return [decreed, *await case_readings(self.store, today, working.next_day(today))]

    async def _begin(self, today: dict[str, date]) -> bool:
        await sweeps.begin(self.store, today, f"service:{SERVICE}")
        self._begun, self._dated = today, FIRST
        return True

    async def _date(self, after: str) -> bool:
        """Give a chunk of the cases without a due day theirs, as far as a decree has come."""
        ladder, today = self.policies.ladder, min(self._begun.values())
        async with self.store.transaction(Context.on_day(SERVICE, today)) as unit:
            undated = await undated_cases(unit, after, self.chunk)
            cases = [
                case.case
                for case in undated
                if ladder.accepted(case.level, case.received_on).due_on is not None
            ]
            await self._done_or_left(unit, cases, today, DateTerm(ladder))
        self._dated = undated[-1].case if undated else None
        return True

    async def _sweep(self, sweep: Sweep) -> bool:
        """Advance a chunk of the cases that are due. Raises `TooManyLeft`."""
        # On a free day nobody receives a case, and of days that nobody decreed nothing is known.
        day = self.policies.ladder.working.last_decreed(sweep.day)
        provinces = None
        if sweep.zone != EVERYWHERE:
            provinces = self.policies.zones[sweep.zone].provinces
        async with self.store.transaction(Context.on_day(SERVICE, sweep.day)) as unit:
            due = await sweeps.due_cases(unit, day, sweep.cursor, provinces, self.chunk)
            if due:
                advance = AdvanceTo(sweep.day, self.policies.ladder)
                cases = [due_case.case for due_case in due]
                advanced = await self._done_or_left(unit, cases, sweep.day, advance)
                cursor = Cursor(due[-1].due_on, due[-1].case)
                await sweeps.move(unit, sweep, cursor, len(due), advanced)
            else:
                await sweeps.end(unit, sweep)
        return True

    async def _done_or_left(
        self, unit: Transaction, cases: Sequence[str], day: date, command: Command
    ) -> Advanced:
        """Have cases do a command; leave out those that cannot. Raises `TooManyLeft`."""
        done: list[Advanced] = []

        async def work(some: Sequence[str]) -> None:
            done.append(await self._do(unit, some, [command]))

        refused = await by_halves(unit, cases, work, (ConcurrencyConflict,))
        for case, error in refused:
            log.error("case not swept", case=case, error=safe_text(error))
        names = [case for case, _ in refused]
        if refused and await sweeps.leave(unit, names, day) > self.left_max:
            raise TooManyLeft(day=day)
        return Advanced(*map(sum, zip(*done, strict=True))) if done else Advanced()

    async def _do(
        self, unit: Transaction, cases: Sequence[str], commands: Sequence[Command]
    ) -> Advanced:
        """Have each case do commands; raises what fails, but not that a decree is missing."""
        sent = [(CASE.stream(case), command) for case in cases for command in commands]
        outcomes = await handle_many(unit, CASE, sent)
        waiting: list[str] = []
        for outcome in outcomes:
            if isinstance(outcome.error, HolidaysUnknown):
                waiting.append(outcome.stream_id)
            elif outcome.error is not None:
                raise outcome.error
        if waiting:
            log.warning("cases wait for a decree", count=len(waiting), streams=waiting)
        await keep_cases(unit, outcomes)
        return Advanced(sum(len(outcome.events) for outcome in outcomes), len(waiting))

    async def _try_again(self, case: str, day: date) -> bool:
        """Have a case that is left out do all it may have missed; raises what it fails with."""
        ladder = self.policies.ladder
        async with self.store.transaction(Context.on_day(SERVICE, day)) as unit:
            await self._do(unit, [case], [DateTerm(ladder), AdvanceTo(day, ladder)])
            await sweeps.leave_no_more(unit, case)
        return True
