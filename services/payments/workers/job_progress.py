"""Progress of payments' long work: a tahap's list as it is joined, and its runs to the banks."""

from __future__ import annotations

from typing import Final

from libs.chassis.jobs import JobProblem, State, Step
from libs.chassis.stream_jobs import WORK_FAILS, Progress, StreamJobs, share_before
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC, ROSTER_TOPIC, RUN, TAHAP
from services.payments.domain.run.state import RunState, RunStep
from services.payments.domain.shared.totals import total
from services.payments.domain.tahap.state import TahapState
from services.payments.tables.open_lists import counted, proof_of
from services.payments.tables.run_lines import PAYER
from services.payments.workers.dues import ENTITLE
from services.payments.workers.list_joiner import JOINER
from services.payments.workers.run_worker import INSTRUCT
from services.payments.workers.troubles import cancellation_trouble, run_trouble

TROUBLE: Final = "/problems/run-in-trouble"


# -- The list -------------------------------------------------------------------------------------


async def joining(store: Store, tahap: str) -> Progress:
    """A tahap's list as it is joined: a line of the roster and one evaluation for each family."""
    stream = TAHAP.stream(tahap)
    state = (await store.read(TAHAP, [stream]))[stream].state
    if state.announced is None and state.cancelled is not None:
        return await _taking_back(store, state)
    async with store.looking() as unit:
        listed = (await counted(unit, tahap, ROSTER_TOPIC)).lines
        evaluated = (await counted(unit, tahap, COMMITMENT_TOPIC)).lines
        roster = await proof_of(unit, tahap, ROSTER_TOPIC)
        problem = await _not_taken_back(unit, tahap)
    counts = {"listed": listed, "evaluated": evaluated}
    whole = 2 * roster.lines - roster.graduated if roster else None
    ready = state.lists[0].ready if state.lists else None
    if ready is None:
        return Progress("RUNNING", listed + evaluated, whole, "lines", counts, problem=problem)
    result = {
        "hash": ready.hash,
        "count": ready.count,
        "rupiah": ready.rupiah,
        "missing": len(ready.missing),
    }
    return Progress(
        "DONE", listed + evaluated, whole, "lines", counts, result=result, problem=problem
    )


async def _taking_back(store: Store, state: TahapState) -> Progress:
    """A cancelled tahap: the payments and lines that are left of it, and why they still are."""
    tahap = state.tahap
    async with store.looking() as unit:
        left = await unit.connection.fetchrow(
            """SELECT (SELECT count(*) FROM payment_of WHERE tahap = $1) AS payments,
                      (SELECT count(*) FROM list_line WHERE tahap = $1) AS lines""",
            tahap,
        )
        problem = await _not_taken_back(unit, tahap)
    going_on: State = "FAILING" if problem else "RUNNING"
    return Progress(
        state=going_on if state.undoing else "CANCELLED",
        done=0,
        total=None,
        unit="lines",
        counts=dict(left or {}),
        problem=problem,
    )


async def _not_taken_back(unit: Transaction, tahap: str) -> JobProblem | None:
    trouble = await cancellation_trouble(unit, tahap)
    return JobProblem(type=WORK_FAILS, detail=trouble) if trouble else None


# -- A run ----------------------------------------------------------------------------------------


async def paying(store: Store, run: str) -> Progress:
    """A run by its steps; a payment is done when it is credited, or known not to be."""
    year, number, kind = run.split("-", 2)
    tahap = f"{year}-{number}"
    stream = RUN.stream(tahap, kind)
    async with store.looking() as unit:
        state = (await unit.load(RUN, [stream]))[stream].state
        steps = await _steps(unit, tahap, kind, state)
        trouble = await run_trouble(unit, tahap, kind)
    waits: State = "WAITING" if state.next_step is RunStep.ORDER else "RUNNING"
    going_on: State = "FAILING" if state.incidents else waits
    counts = {"credited": state.credited.count, "failed": state.failed.count}
    return Progress(
        state="DONE" if state.reconciled is not None else going_on,
        done=state.settled,
        total=state.count,
        unit="payments",
        counts=counts,
        steps=steps,
        result=dict(counts) if state.reconciled is not None else None,
        problem=JobProblem(type=TROUBLE, detail=trouble) if trouble else None,
    )


async def _steps(unit: Transaction, tahap: str, kind: str, state: RunState) -> list[Step]:
    """The steps in their order."""
    row = await unit.connection.fetchrow(
        "SELECT step, cursor FROM run_open WHERE tahap = $1 AND kind = $2", tahap, kind
    )
    step, cursor = row or ("", "")
    payable = (state.payable - state.unanswered).count if state.entitled else None
    checked = total(answer.passed + answer.failed for answer in state.check_answers)
    passed = state.passed.count if state.check_complete else None
    ordered = state.ordered.count if state.order else passed
    entitled = _by_cursor(step == ENTITLE, cursor, state.count, done=state.entitled is not None)
    instructed = _by_cursor(
        step == INSTRUCT, cursor, ordered or 0, done=row is None or step == f"{INSTRUCT}-DONE"
    )
    to_send = state.instructed.count if state.order else passed
    answered = state.credited.count + state.failed.count
    return [
        _step("ENTITLING", entitled, state.count),
        _step("CHECKING_ACCOUNTS", checked.count, payable),
        _step("ORDERING", state.ordered.count, passed),
        _step("INSTRUCTING", instructed, ordered),
        _step("DISPATCHING", state.sent.count, to_send),
        _step("CREDITING", answered, to_send),
    ]


def _by_cursor(at_it: bool, cursor: str, whole: int, *, done: bool) -> int:
    """The part of a step in the order of ids that is done."""
    if done:
        return whole
    return round(share_before(cursor) * whole) if at_it else 0


def _step(name: str, done: int, whole: int | None) -> Step:
    if whole is not None and done >= whole:
        return Step(name=name, state="DONE", done=done, total=whole)
    return Step(name=name, state="RUNNING" if done else "WAITING", done=done, total=whole)


LISTS = StreamJobs(
    kind="tahap",
    ends_with=("ListReady",),
    why_not="a closing that was announced is joined to its end; people decide on it by its freeze",
    progress=joining,
    work=JOINER,
    seen_by=frozenset({"payments:read"}),
)
RUNS = StreamJobs(
    kind="run",
    ends_with=("TahapReconciled", "RunCancelled"),
    why_not="a frozen list is paid to its end; until a bank has a file two people cancel its tahap",
    progress=paying,
    work=PAYER,
    seen_by=frozenset({"payments:read"}),
)
