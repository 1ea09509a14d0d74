"""The leader's work: close a tahap's evaluation when it is complete; judge again on late facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import asyncpg
import msgspec

from libs.events.backoff import Backoff
from libs.events.codec import codec_of
from libs.events.handle import handle, handle_many
from libs.events.log import window_after
from libs.events.model import Context
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.conditionality import views
from services.conditionality.contract import COMMITMENT, EVALUATION, PERSON, SERVICE
from services.conditionality.domain.commitment import (
    Cause,
    Command,
    CycleEvaluated,
    RepeatEvaluation,
)
from services.conditionality.domain.duties import tokens_of
from services.conditionality.domain.evaluation_messages import CloseEvaluation, EvaluationAnnounced
from services.conditionality.domain.person import months_touched
from services.conditionality.job_views import CLOSER
from services.conditionality.judging import RE_DECIDED, Policies, judge, known_facts
from services.conditionality.withdrawing import not_cancelled

WINDOW_EVENTS_MAX = 2_000
REPEATED_FAMILIES = 1_000

REPEATER: Final = "repeater"
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
_EVALUATIONS = """
SELECT stream_id, schema_version, data FROM events
WHERE stream_id = ANY($1) AND type = 'CycleEvaluated' ORDER BY stream_id, version
"""
_END_OF_LOG: Final = 2**63 - 1


@dataclass(slots=True)
class Closer:
    """Closes the evaluation of a tahap once every listed family is evaluated or parked."""

    store: Store
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, CLOSER)

    async def step(self) -> bool:
        """Close, or close again where revisions came since; answers whether it did."""
        return await self.backoff.turn(
            {
                tahap: partial(self._close, tahap, listed, proved)
                for tahap, listed, proved in await views.open_evaluations(self.store)
            }
        )

    async def _close(self, tahap: str, listed: int, proved: str) -> bool:
        stream_id = f"evaluation-{tahap}"
        found = await self.store.read(EVALUATION, [stream_id])
        announced = found[stream_id].state.announced if stream_id in found else None
        if announced is None:
            return False
        async with self.store.transaction(_on_closing_day(announced)) as unit:
            families, changes = await views.counted(unit, tahap)
            parked = await views.unjudged_families(unit, tahap)
            seen = f"{changes}/{len(parked)}"
            if families + len(parked) != listed or seen == proved:
                return False
            buckets = await views.proof(unit, tahap)
            command = CloseEvaluation(tahap, families, parked, buckets)
            await handle(unit, EVALUATION, stream_id, command)
            await views.evaluation_proved(unit, tahap, seen)
        return True


@dataclass(slots=True)
class Repeater:
    """Says evaluations again, as they were, whose buckets did not arrive as they were proven."""

    store: Store
    chunk: int = REPEATED_FAMILIES
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, REPEATER)

    async def step(self) -> bool:
        """Every bucket that was asked for; answers whether there was any."""
        return await self.backoff.turn(
            {
                f"{tahap} {bucket}": partial(self._repeat, tahap, bucket)
                for tahap, bucket in await views.asked_again(self.store)
            }
        )

    async def _repeat(self, tahap: str, bucket: str) -> bool:
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            cursor = f"{bucket}000000-0000-0000-0000-000000000000"
            while families := await views.evaluated_after(unit, tahap, cursor, bucket, self.chunk):
                await handle_many(unit, COMMITMENT, await _repeats(unit, tahap, families))
                cursor = families[-1]
            await views.said_again(unit, tahap, bucket)
        return True


async def _repeats(
    unit: Transaction, tahap: str, families: Sequence[str]
) -> list[tuple[str, Command]]:
    streams = [f"commitment-{family}" for family in families]
    codec = codec_of(COMMITMENT)
    latest: dict[str, CycleEvaluated] = {}
    for row in await unit.connection.fetch(_EVALUATIONS, streams):
        event = codec.decode_event("CycleEvaluated", row["schema_version"], row["data"])
        if isinstance(event, CycleEvaluated) and event.tahap == tahap:
            latest[row["stream_id"]] = event
    return [(stream, RepeatEvaluation(event)) for stream, event in latest.items()]


def _on_closing_day(announced: EvaluationAnnounced) -> Context:
    day = announced.closing_date
    return Context(datetime(day.year, day.month, day.day, tzinfo=UTC), f"service:{SERVICE}")


@dataclass(slots=True)
class _Late:
    """What one window asks to be judged again, and why."""

    lines: dict[tuple[str, str], views.Line] = field(default_factory=dict)
    causes: dict[tuple[str, str], Cause] = field(default_factory=dict)

    def add(self, line: views.Line, fact: int, actor: str) -> None:
        cycle = line.tahap, line.family
        self.lines[cycle] = line
        known = self.causes.get(cycle)
        # All of them, not the last alone: none may approve what follows from their own fact.
        actors = {actor, *(known.recorded_by if known else ())}
        fact = max(fact, known.fact if known else 0)
        self.causes[cycle] = Cause(fact, tuple(sorted(actors)))


@dataclass(frozen=True, slots=True)
class _Fact:
    """A recorded fact: its place in the log, the months (YYYY-MM) it speaks of, who recorded it."""

    position: int
    months: frozenset[str]
    actor: str


@dataclass(frozen=True, slots=True)
class ReDecider:
    """Judges a cycle again when a fact of its months was recorded behind its evaluation.

    It follows the service's own log in position order, so no fact can slip in between: on a fact
    it looks for evaluations that rest on that person and month, on an evaluation for facts
    between the head that the evaluation had read and the evaluation itself.
    """

    store: Store
    policies: Policies
    events_max: int = WINDOW_EVENTS_MAX

    async def step(self) -> bool:
        """One window of the log; answers whether there was one."""
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
        lines = await not_cancelled(unit, list(late.lines.values())) if late.lines else []
        if not lines:
            return
        known = await known_facts(unit, lines)
        # What is known may hold facts that came behind the window: whoever recorded one of them
        # is named as well, or could approve what follows from it until the next window.
        for line in lines:
            await self._between(unit, line, seen, _END_OF_LOG, late)
        await judge(unit, self.policies, lines, known, RE_DECIDED, late.causes)

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
        touched = {
            token: frozenset[str]().union(*(fact.months for fact in found))
            for token, found in told.items()
        }
        for token, line in await views.lines_resting_on(unit, touched):
            for fact in told[token]:
                if not fact.months.isdisjoint(line.months):
                    late.add(line, fact.position, fact.actor)

    async def _behind_evaluations(
        self,
        unit: Transaction,
        rows: Sequence[Mapping[str, Any]],
        last_fact: int,
        late: _Late,
    ) -> None:
        codec = codec_of(COMMITMENT)
        behind: dict[tuple[str, str], tuple[int, int]] = {}
        for row in rows:
            event = codec.decode_event(row["type"], row["schema_version"], row["data"])
            # Facts before the cut were seen; most evaluations have none behind it.
            if isinstance(event, CycleEvaluated) and event.facts_cut < last_fact:
                behind[event.tahap, event.family] = (event.facts_cut, row["position"])
        for line in await views.lines_of(unit, list(behind)) if behind else []:
            await self._between(unit, line, *behind[line.tahap, line.family], late)

    async def _between(
        self, unit: Transaction, line: views.Line, cut: int, position: int, late: _Late
    ) -> None:
        streams = [f"person-{token}" for token in tokens_of(line.members)]
        for row in await unit.connection.fetch(_FACTS_BETWEEN, streams, cut, position):
            if _months(row) & set(line.months):
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


def _months(row: Mapping[str, Any] | asyncpg.Record) -> frozenset[str]:
    event = codec_of(PERSON).decode_event(row["type"], row["schema_version"], row["data"])
    return months_touched(event)
