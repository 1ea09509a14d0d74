"""Progress of conditionality's long work: the evaluation of a tahap."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from libs.chassis.jobs import JobProblem
from libs.chassis.stream_jobs import WORK_FAILS, Progress, StreamJobs
from libs.events.store.postgres import Store
from libs.events.workers.backoff import failing_parts
from services.conditionality.contract import EVALUATION
from services.conditionality.domain.evaluation.messages import EvaluationClosed
from services.conditionality.tables.roster import counted, unjudged_families

CLOSER: Final = "closer"
"""The leader's work that closes an evaluation."""
RE_DECISION: Final = "re-decision"
"""The work whose items are cycles ("2023-1 <family>") that cannot be judged again."""
NAMED_MAX: Final = 20  # of them, in a job's problem


async def evaluation(store: Store, tahap: str) -> Progress:
    """A tahap's evaluation, and by name which of its cycles late facts cannot be counted in."""
    progress = await _evaluation(store, tahap)
    failing = await failing_parts(store.pool, RE_DECISION, tahap)
    if not failing:
        return progress
    named = [f"{failure.item.split()[-1]} ({failure.error})" for failure in failing[:NAMED_MAX]]
    more = f" and {len(failing) - NAMED_MAX} more" if len(failing) > NAMED_MAX else ""
    detail = f"cannot be judged again: {', '.join(named)}{more}"
    return replace(progress, problem=JobProblem(type=WORK_FAILS, detail=detail))


async def _evaluation(store: Store, tahap: str) -> Progress:
    """In families; the total is known once registry has closed its list."""
    stream_id = f"evaluation-{tahap}"
    state = (await store.read(EVALUATION, [stream_id]))[stream_id].state
    total = state.listed.listed if state.listed else None
    if state.closed is not None and state.is_closed:
        return _closed(state.closed, total)
    async with store.looking() as unit:
        evaluated, _ = await counted(unit, tahap)
        parked = len(await unjudged_families(unit, tahap))
    counts = {"evaluated": evaluated, "parked": parked}
    return Progress("RUNNING", evaluated + parked, total, "families", counts)


def _closed(closed: EvaluationClosed, total: int | None) -> Progress:
    counts = {"evaluated": closed.evaluated, "parked": len(closed.parked)}
    done = sum(counts.values())
    return Progress("DONE", done, total, "families", counts, result=dict(counts))


EVALUATIONS = StreamJobs(
    kind="evaluation",
    ends_with=("EvaluationClosed",),
    why_not="families are judged as the roster lists them; a frozen list rests on every one",
    progress=evaluation,
    work=CLOSER,
    seen_by=frozenset({"conditionality:read"}),
)
