"""The leader's work on late facts: it follows the own log and judges cycles again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.consumer.subscription import is_item_fault
from libs.events.domain.decider import E
from libs.events.domain.errors import ConcurrencyConflict, safe_text
from libs.events.store.log import NOT_PLACED, Recorded, recorded
from libs.events.store.model import Context, StreamType
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from libs.events.workers.own_log import OwnLog
from services.conditionality.contract import COMMITMENT, PERSON, SERVICE
from services.conditionality.domain.commitment import (
    Cause,
    CycleEvaluated,
)
from services.conditionality.domain.duties import tokens_of
from services.conditionality.domain.person import months_touched
from services.conditionality.tables import exceptions, re_decisions, roster
from services.conditionality.workers.job_progress import RE_DECISION
from services.conditionality.workers.judging import RE_DECIDED, RuleSetPolicies, facts_at_cut, judge
from services.conditionality.workers.withdrawer import lock_uncancelled

WINDOW_EVENTS_MAX = 2_000
SCANNED_FAMILIES = 1_000

RE_DECIDER: Final = "re-decider"

OWN_LOG: Final = "own-log"
OWN_FACTS: Final = "own-facts"

FACTS: Final = ("SchoolMonthsRecorded", "VisitsRecorded")
DECIDED: Final = ("ExceptionDecided",)

log = structlog.get_logger("re-decider")


@dataclass(slots=True)
class _Late:
    """Cycles that one window asks to be judged again, and why."""

    lines: dict[tuple[str, str], roster.Line] = field(default_factory=dict)
    causes: dict[tuple[str, str], Cause] = field(default_factory=dict)

    def add(self, line: roster.Line, fact: int, actor: str) -> None:
        cycle = line.tahap, line.family
        self.lines[cycle] = line
        earlier = self.causes.get(cycle)
        # All of them, not the last alone: none may approve what follows from their own fact.
        actors = {actor, *(earlier.recorded_by if earlier else ())}
        fact = max(fact, earlier.fact if earlier else 0)
        self.causes[cycle] = Cause(fact, tuple(sorted(actors)))


@dataclass(frozen=True, slots=True)
class _Fact:
    """A recorded fact: its place in the log, the months (YYYY-MM) it speaks of, who recorded it.

    `months` is None where it cannot be read.
    """

    position: int
    months: frozenset[str] | None
    actor: str


@dataclass(slots=True)
class ReDecider:
    """Judges a cycle again when a fact of its months was recorded behind its evaluation.

    It follows the service's own log in position order, so no fact can slip in between: on a fact
    it looks for evaluations that rest on that person and month, on an evaluation for facts
    between the head that the evaluation had read and the evaluation itself. A cycle that cannot be
    judged again waits by name, and is tried again by itself; all others are judged. A fact that
    cannot be read may be of any month, and an evaluation that cannot may have read none.
    """

    store: Store
    policies: RuleSetPolicies
    events_max: int = WINDOW_EVENTS_MAX
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, RE_DECISION)

    async def step(self) -> bool:
        """One window of the log and a try of each cycle that waits; answers whether any went on."""
        moved = await self._window() | await self._scan()
        cycles = await re_decisions.waiting_cycles(self.store)
        tries = {" ".join(cycle): partial(self._try_again, cycle) for cycle in cycles}
        return await self.backoff.turn(tries) or moved

    async def _window(self) -> bool:
        log_of = OwnLog(self.store, RE_DECIDER, (*FACTS, CycleEvaluated.__name__))
        marks = await log_of.marks()
        found = await log_of.next_window(marks.get(OWN_LOG, 0), self.events_max)
        if found is None:
            return False
        end, stored = found
        moment = stored[-1].occurred_at if stored else datetime.now(UTC)
        async with self.store.transaction(Context(moment, f"service:{SERVICE}")) as unit:
            late = _Late()
            facts = [event for event in stored if event.type in FACTS]
            await self._add_by_facts(unit, facts, late)
            last_fact = max((fact.position for fact in facts), default=marks.get(OWN_FACTS, 0))
            evaluated = [event for event in stored if event.type not in FACTS]
            await self._add_by_evaluations(unit, evaluated, last_fact, late)
            await self._judge(unit, late, end)
            await log_of.move(unit, {OWN_LOG: end, OWN_FACTS: last_fact})
        return True

    async def _scan(self) -> bool:
        """Judge some cycles again of an exception that was decided on; answers whether any was."""
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            scan = await exceptions.next_scan(unit)
            if scan is None:
                return False
            found = await roster.lines_in(unit, scan.terms, scan.after, SCANNED_FAMILIES)
            late = _Late()
            decided = await recorded(unit, [f"exception-{scan.exception}"], DECIDED)
            for line in found:
                for person in scan.people:
                    late.add(line, decided[-1].position, person)
            marks = await OwnLog(self.store, RE_DECIDER, ()).marks()
            await self._judge(unit, late, marks.get(OWN_LOG, 0))
            await exceptions.move_scan(unit, scan, found)
        return True

    async def _judge(self, unit: Transaction, late: _Late, window_end: int) -> None:
        """Judge all that the window asks for; who cannot be judged waits."""
        lines = await lock_uncancelled(unit, list(late.lines.values())) if late.lines else []

        async def again(some: Sequence[roster.Line]) -> None:
            await self._judge_again(unit, some, window_end, late)

        for line, error in await by_halves(unit, lines, again, (ConcurrencyConflict,)):
            cycle = line.tahap, line.family
            log.error("cycle not judged again", cycle=" ".join(cycle), error=safe_text(error))
            await re_decisions.keep_waiting(unit, cycle, late.causes[cycle], window_end)

    async def _try_again(self, cycle: tuple[str, str]) -> bool:
        """Judge a cycle that waits; raises what it fails with."""
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            waits = await re_decisions.lock_waiting(unit, [cycle])
            lines = await lock_uncancelled(unit, await roster.lines_of(unit, list(waits)))
            if lines:
                await self._judge_again(unit, lines, NOT_PLACED, _Late())
            await re_decisions.end_waiting(unit, [cycle])
        return True

    async def _judge_again(
        self, unit: Transaction, lines: Sequence[roster.Line], window_end: int, late: _Late
    ) -> None:
        waited = await re_decisions.lock_waiting(
            unit, [(line.tahap, line.family) for line in lines]
        )
        facts = await facts_at_cut(unit, lines)
        # These facts may include some that came behind the window: whoever recorded one of them
        # is named as well, or could approve what follows from it until the next window.
        for line in lines:
            named_to = window_end
            if waiting := waited.get((line.tahap, line.family)):
                named_to = min(window_end, waiting.seen)
                for actor in waiting.cause.recorded_by:
                    late.add(line, waiting.cause.fact, actor)
            await self._add_between(unit, line, named_to, NOT_PLACED, late)
        await judge(unit, self.policies, lines, facts, RE_DECIDED, late.causes)
        await re_decisions.end_waiting(unit, list(waited))

    async def _add_by_facts(
        self, unit: Transaction, facts: Sequence[Recorded], late: _Late
    ) -> None:
        by_person: dict[str, list[_Fact]] = {}
        for stored in facts:
            fact = _Fact(stored.position, _months(stored), stored.actor)
            by_person.setdefault(stored.stream_id.removeprefix("person-"), []).append(fact)
        for token, line in await roster.lines_resting_on(unit, list(by_person)):
            for fact in by_person[token]:
                if _touches(fact.months, line):
                    late.add(line, fact.position, fact.actor)

    async def _add_by_evaluations(
        self,
        unit: Transaction,
        evaluated: Sequence[Recorded],
        last_fact: int,
        late: _Late,
    ) -> None:
        stretches: dict[tuple[str, str], tuple[int, int]] = {}  # of the log: not seen by a cycle
        unread: dict[str, int] = {}
        for stored in evaluated:
            event = _read(COMMITMENT, stored)
            # Facts before the cut were seen; most evaluations have none behind it.
            if isinstance(event, CycleEvaluated) and event.facts_cut < last_fact:
                stretches[event.tahap, event.family] = (event.facts_cut, stored.position)
            elif event is None:
                unread[stored.stream_id.removeprefix("commitment-")] = stored.position
        for line in await roster.lines_of(unit, list(stretches)) if stretches else []:
            await self._add_between(unit, line, *stretches[line.tahap, line.family], late)
        for line in await roster.lines_of_families(unit, list(unread)) if unread else []:
            await self._add_between(unit, line, 0, unread[line.family], late)

    async def _add_between(
        self, unit: Transaction, line: roster.Line, cut: int, position: int, late: _Late
    ) -> None:
        for fact in await facts_between(unit, line, cut, position):
            late.add(line, fact.position, fact.actor)


async def facts_between(
    unit: Transaction, line: roster.Line, cut: int, position: int = NOT_PLACED
) -> list[Recorded]:
    """The facts that a cycle may rest on, behind `cut` and up to a position of the log."""
    streams = [f"person-{token}" for token in tokens_of(line.members)]
    found = await recorded(unit, streams, FACTS, after=cut, until=position)
    return [fact for fact in found if _touches(_months(fact), line)]


def _touches(months: frozenset[str] | None, line: roster.Line) -> bool:
    """True where a cycle may rest on a fact of these months; None is any month."""
    return months is None or not months.isdisjoint(line.months)


def _months(fact: Recorded) -> frozenset[str] | None:
    event = _read(PERSON, fact)
    return None if event is None else months_touched(event)


def _read(kind: StreamType[Any, Any, E], stored: Recorded) -> E | None:
    """A stored event; None where it cannot be read, which one cycle then fails at by itself.

    Raises `UnknownEvent` where the program is older than its store.
    """
    try:
        event: E = stored.event(kind)
    except Exception as error:
        if not is_item_fault(error):
            raise
        log.warning("event not read", position=stored.position, error=safe_text(error))
        return None
    return event
