"""The leader's work: close a tahap's evaluation when it is complete; say evaluations again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import safe_text
from libs.events.store.handle import handle, handle_many
from libs.events.store.log import recorded
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.conditionality.contract import COMMITMENT, EVALUATION, SERVICE
from services.conditionality.domain.commitment import (
    Command,
    CycleEvaluated,
    RepeatEvaluation,
)
from services.conditionality.domain.evaluation.messages import CloseEvaluation
from services.conditionality.tables import roster
from services.conditionality.workers.job_progress import CLOSER

REPEATED_FAMILIES = 1_000

REPEATER: Final = "repeater"

log = structlog.get_logger("repeater")


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
                for tahap, listed, proved in await roster.open_evaluations(self.store)
            }
        )

    async def _close(self, tahap: str, listed: int, proved: str) -> bool:
        stream_id = f"evaluation-{tahap}"
        found = await self.store.read(EVALUATION, [stream_id])
        announced = found[stream_id].state.announced if stream_id in found else None
        if announced is None:
            return False
        async with self.store.transaction(Context.on_day(SERVICE, announced.closing_date)) as unit:
            families, changes = await roster.counted(unit, tahap)
            parked = await roster.unjudged_families(unit, tahap)
            counted = f"{changes}/{len(parked)}"  # what the proof would be of
            if families + len(parked) != listed or counted == proved:
                return False
            buckets = await roster.proof(unit, tahap)
            command = CloseEvaluation(tahap, families, parked, buckets)
            await handle(unit, EVALUATION, stream_id, command)
            await roster.evaluation_proved(unit, tahap, counted)
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
                for tahap, bucket in await roster.asked_again(self.store)
            }
        )

    async def _repeat(self, tahap: str, bucket: str) -> bool:
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            cursor = f"{bucket}000000-0000-0000-0000-000000000000"
            while families := await roster.evaluated_after(unit, tahap, cursor, bucket, self.chunk):
                repeat = partial(_repeat, unit, tahap)
                for family, error in await by_halves(unit, families, repeat):
                    named = {"tahap": tahap, "family": family}
                    log.error("evaluation not said again", **named, error=safe_text(error))
                cursor = families[-1]
            await roster.sent_again(unit, tahap, bucket)
        return True


async def _repeat(unit: Transaction, tahap: str, families: Sequence[str]) -> None:
    await handle_many(unit, COMMITMENT, await _repeats(unit, tahap, families))


async def _repeats(
    unit: Transaction, tahap: str, families: Sequence[str]
) -> list[tuple[str, Command]]:
    streams = [f"commitment-{family}" for family in families]
    latest: dict[str, CycleEvaluated] = {}
    for stored in await recorded(unit, streams, [CycleEvaluated.__name__]):
        event = stored.event(COMMITMENT)
        if isinstance(event, CycleEvaluated) and event.tahap == tahap:
            latest[stored.stream_id] = event
    return [(stream, RepeatEvaluation(event)) for stream, event in latest.items()]
