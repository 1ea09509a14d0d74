"""The leader's work on late facts: it follows the own log and judges cycles again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import asyncpg
import msgspec
import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.consumer.subscription import is_its_own
from libs.events.domain.decider import E
from libs.events.domain.errors import ConcurrencyConflict, safe_text
from libs.events.store.codec import codec_of
from libs.events.store.log import window_after
from libs.events.store.model import Context, StreamType
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.conditionality.contract import COMMITMENT, PERSON, SERVICE
from services.conditionality.domain.commitment import (
    Cause,
    CycleEvaluated,
)
from services.conditionality.domain.duties import tokens_of
from services.conditionality.domain.person import months_touched
from services.conditionality.tables import re_decisions, roster
from services.conditionality.workers.job_progress import RE_DECISION
from services.conditionality.workers.judging import RE_DECIDED, Policies, judge, known_facts
from services.conditionality.workers.withdrawer import not_cancelled

WINDOW_EVENTS_MAX = 2_000

RE_DECIDER: Final = "re-decider"

OWN_LOG: Final = "own-log"
OWN_FACTS: Final = "own-facts"

_EVENTS = """
SELECT block, ord, stream_id, type, schema_version, data, occurred_at FROM events
WHERE block = ANY($1) AND ord >= $2 AND ord < $3
  AND type IN ('SchoolMonthsRecorded', 'VisitsRecorded', 'CycleEvaluated')
"""
_FACTS_BETWEEN = """
SELECT stream_id, type, schema_version, data, first_position + ord AS position,
       blocks.metadata AS metadata
FROM events JOIN blocks USING (block)
WHERE stream_id = ANY($1) AND first_position + ord > $2 AND first_position + ord <= $3
"""
_END_OF_LOG: Final = 2**63 - 1

log = structlog.get_logger("re-decider")


@dataclass(slots=True)
class _Late:
    """Cycles that one window asks to be judged again, and why."""

    lines: dict[tuple[str, str], roster.Line] = field(default_factory=dict)
    causes: dict[tuple[str, str], Cause] = field(default_factory=dict)

    def add(self, line: roster.Line, fact: int, actor: str) -> None:
        cycle = line.tahap, line.family
        self.lines[cycle] = line
        known = self.causes.get(cycle)
        # All of them, not the last alone: none may approve what follows from their own fact.
        actors = {actor, *(known.recorded_by if known else ())}
        fact = max(fact, known.fact if known else 0)
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
    policies: Policies
    events_max: int = WINDOW_EVENTS_MAX
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, RE_DECISION)

    async def step(self) -> bool:
        """One window of the log and a try of each cycle that waits; answers whether any went on."""
        moved = await self._window()
        cycles = await re_decisions.waiting_cycles(self.store)
        tries = {" ".join(cycle): partial(self._try_again, cycle) for cycle in cycles}
        return await self.backoff.turn(tries) or moved

    async def _window(self) -> bool:
        position, last_fact = await self._cursor()
        window = await window_after(self.store.pool, position, self.events_max)
        if window is None:
            return False
        found = await window.events(self.store.pool, _EVENTS)
        rows = [{**row, "position": position} for position, row in found]
        actors = {
            number: str(msgspec.json.decode(block["metadata"])["actor"])
            for number, block in window.blocks.items()
        }
        moment = rows[-1]["occurred_at"] if rows else datetime.now(UTC)
        async with self.store.transaction(Context(moment, f"service:{SERVICE}")) as unit:
            late = _Late()
            facts = [row for row in rows if row["type"] != "CycleEvaluated"]
            await self._behind_facts(unit, facts, actors, late)
            last_fact = max((row["position"] for row in facts), default=last_fact)
            evaluated = [row for row in rows if row["type"] == "CycleEvaluated"]
            await self._behind_evaluations(unit, evaluated, last_fact, late)
            await self._judge(unit, late, window.end)
            await self._move(unit, window.end, last_fact)
        return True

    async def _judge(self, unit: Transaction, late: _Late, seen: int) -> None:
        """Judge all that the window asks for; who cannot be judged waits."""
        lines = await not_cancelled(unit, list(late.lines.values())) if late.lines else []

        async def again(some: Sequence[roster.Line]) -> None:
            await self._again(unit, some, seen, late)

        for line, error in await by_halves(unit, lines, again, (ConcurrencyConflict,)):
            cycle = line.tahap, line.family
            log.error("cycle not judged again", cycle=" ".join(cycle), error=safe_text(error))
            await re_decisions.wait(unit, cycle, late.causes[cycle], seen)

    async def _try_again(self, cycle: tuple[str, str]) -> bool:
        """Judge a cycle that waits; raises what it fails with."""
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            waits = await re_decisions.waiting(unit, [cycle])
            lines = await not_cancelled(unit, await roster.lines_of(unit, list(waits)))
            if lines:
                await self._again(unit, lines, _END_OF_LOG, _Late())
            await re_decisions.end(unit, [cycle])
        return True

    async def _again(
        self, unit: Transaction, lines: Sequence[roster.Line], seen: int, late: _Late
    ) -> None:
        waited = await re_decisions.waiting(unit, [(line.tahap, line.family) for line in lines])
        known = await known_facts(unit, lines)
        # What is known may hold facts that came behind the window: whoever recorded one of them
        # is named as well, or could approve what follows from it until the next window.
        for line in lines:
            behind = seen
            if before := waited.get((line.tahap, line.family)):
                behind = min(seen, before.seen)
                for actor in before.cause.recorded_by:
                    late.add(line, before.cause.fact, actor)
            await self._between(unit, line, behind, _END_OF_LOG, late)
        await judge(unit, self.policies, lines, known, RE_DECIDED, late.causes)
        await re_decisions.end(unit, list(waited))

    async def _behind_facts(
        self,
        unit: Transaction,
        facts: Sequence[Mapping[str, Any]],
        actors: Mapping[int, str],
        late: _Late,
    ) -> None:
        told: dict[str, list[_Fact]] = {}
        for row in facts:
            fact = _Fact(row["position"], _months(row), actors[row["block"]])
            told.setdefault(row["stream_id"].removeprefix("person-"), []).append(fact)
        for token, line in await roster.lines_resting_on(unit, list(told)):
            for fact in told[token]:
                if _touches(fact.months, line):
                    late.add(line, fact.position, fact.actor)

    async def _behind_evaluations(
        self,
        unit: Transaction,
        rows: Sequence[Mapping[str, Any]],
        last_fact: int,
        late: _Late,
    ) -> None:
        behind: dict[tuple[str, str], tuple[int, int]] = {}
        unread: dict[str, int] = {}
        for row in rows:
            event = _read(COMMITMENT, row)
            # Facts before the cut were seen; most evaluations have none behind it.
            if isinstance(event, CycleEvaluated) and event.facts_cut < last_fact:
                behind[event.tahap, event.family] = (event.facts_cut, row["position"])
            elif event is None:
                unread[row["stream_id"].removeprefix("commitment-")] = row["position"]
        for line in await roster.lines_of(unit, list(behind)) if behind else []:
            await self._between(unit, line, *behind[line.tahap, line.family], late)
        for line in await roster.lines_of_families(unit, list(unread)) if unread else []:
            await self._between(unit, line, 0, unread[line.family], late)

    async def _between(
        self, unit: Transaction, line: roster.Line, cut: int, position: int, late: _Late
    ) -> None:
        streams = [f"person-{token}" for token in tokens_of(line.members)]
        for row in await unit.connection.fetch(_FACTS_BETWEEN, streams, cut, position):
            if _touches(_months(row), line):
                actor = msgspec.json.decode(row["metadata"])["actor"]
                late.add(line, row["position"], str(actor))

    async def _cursor(self) -> tuple[int, int]:
        rows = await self.store.pool.fetch(
            "SELECT topic, position FROM consumed WHERE subscription = 're-decider'"
        )
        found = {row["topic"]: row["position"] for row in rows}
        return found.get(OWN_LOG, 0), found.get(OWN_FACTS, 0)

    async def _move(self, unit: Transaction, position: int, last_fact: int) -> None:
        await unit.connection.execute(
            """INSERT INTO consumed (subscription, topic, partition, position)
               VALUES ('re-decider', $1, 0, $2), ('re-decider', $3, 0, $4)
               ON CONFLICT (subscription, topic, partition)
               DO UPDATE SET position = excluded.position""",
            OWN_LOG,
            position,
            OWN_FACTS,
            last_fact,
        )


def _touches(months: frozenset[str] | None, line: roster.Line) -> bool:
    """True where a cycle may rest on a fact of these months; None is any month."""
    return months is None or not months.isdisjoint(line.months)


def _months(row: Mapping[str, Any] | asyncpg.Record) -> frozenset[str] | None:
    event = _read(PERSON, row)
    return None if event is None else months_touched(event)


def _read(kind: StreamType[Any, Any, E], row: Mapping[str, Any] | asyncpg.Record) -> E | None:
    """A stored event; None where it cannot be read, which one cycle then fails at by itself.

    Raises `UnknownEvent` where the program is older than its store.
    """
    codec = codec_of(kind)
    try:
        event: E = codec.decode_event(row["type"], row["schema_version"], row["data"])
    except Exception as error:
        if not is_its_own(error):
            raise
        log.warning("event not read", position=row["position"], error=safe_text(error))
        return None
    return event
