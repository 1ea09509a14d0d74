"""Appeals and orders of cases, done to families' commitments."""

from __future__ import annotations

from typing import Final

from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.conditionality.contract import (
    COMMITMENT,
    AppealDecided,
    AppealOpened,
    OrderRequested,
)
from services.conditionality.domain.commitment import (
    AnswerOrder,
    Cause,
    Command,
    DecideAppeal,
    EvaluateCycle,
    NoteAppeal,
    OrderReevaluation,
)
from services.conditionality.domain.duties import ONE_AT_A_TIME, CommitmentPolicy
from services.conditionality.tables import exceptions
from services.conditionality.tables.exceptions import Holding
from services.conditionality.tables.regions import lives_within
from services.conditionality.tables.roster import Line, lines_of
from services.conditionality.tables.worklists import keep_worklists
from services.conditionality.workers.judging import (
    RuleSetPolicies,
    evaluation_of,
    facts_at_cut,
    policy_of,
)
from services.conditionality.workers.re_decider import facts_between
from services.conditionality.workers.withdrawer import lock_uncancelled

REEVALUATE_CYCLE: Final = "REEVALUATE_CYCLE"


async def take_case(
    unit: Transaction,
    policies: RuleSetPolicies,
    asked: AppealOpened | AppealDecided | OrderRequested,
) -> None:
    """Do what a case asks; an order of another service is left to that."""
    command = await _command(unit, policies, asked)
    if command is not None:
        outcome = await handle(unit, COMMITMENT, f"commitment-{asked.family}", command)
        await keep_worklists(unit, [outcome])


async def _command(
    unit: Transaction,
    policies: RuleSetPolicies,
    asked: AppealOpened | AppealDecided | OrderRequested,
) -> Command | None:
    if isinstance(asked, OrderRequested) and asked.ordered != REEVALUATE_CYCLE:
        return None
    inside = await lives_within(unit, asked.family, asked.regions)
    policy = await _policy(unit, policies, asked.family, asked.tahap or "")
    match asked:
        case AppealOpened():
            pauses = policy is not None and policy.appeals_pause
            limits = policy.appeal_limits if policy else ONE_AT_A_TIME
            appeal = asked.family, asked.case, asked.tahap, asked.effect
            return NoteAppeal(*appeal, pauses, limits, inside)
        case AppealDecided():
            decided = asked.family, asked.case, asked.outcome, policy
            return DecideAppeal(*decided, asked.decision, inside)
        case OrderRequested():
            if not inside:
                of_case = asked.family, asked.order, asked.case
                return AnswerOrder(*of_case, "OUTSIDE_REGIONS", policy)
            return await _reevaluation(unit, policies, asked)


async def _policy(
    unit: Transaction, policies: RuleSetPolicies, family: str, tahap: str
) -> CommitmentPolicy | None:
    lines = await lines_of(unit, [(tahap, family)])
    return policy_of(policies, lines[0].rule_set) if lines else None


async def _reevaluation(
    unit: Transaction, policies: RuleSetPolicies, asked: OrderRequested
) -> Command:
    lines = await lines_of(unit, [(asked.tahap, asked.family)]) if asked.tahap else []
    lines = await lock_uncancelled(unit, lines) if lines else []
    if not lines:
        policy = await _policy(unit, policies, asked.family, asked.tahap or "")
        of_case = asked.family, asked.order, asked.case
        return AnswerOrder(*of_case, "NO_SUCH_CYCLE", policy, asked.tahap or "")
    evaluate = await _evaluation(unit, lines[0], policies, asked.asked_by)
    return OrderReevaluation(asked.order, asked.case, evaluate)


async def _evaluation(
    unit: Transaction, line: Line, policies: RuleSetPolicies, asked_by: tuple[str, ...]
) -> EvaluateCycle:
    """The cycle by all that is recorded now; nobody who recorded any of it decides on it."""
    await exceptions.lock_shared(unit)
    holding = await exceptions.holding_for(unit, [line])
    facts = await facts_at_cut(unit, [line])
    recorded = await facts_between(unit, line, 0)
    actors = {*asked_by, *(fact.actor for fact in recorded)}
    last = max((fact.position for fact in recorded), default=0)
    return evaluation_of(
        line,
        facts,
        policy_of(policies, line.rule_set),
        frozen=True,
        cause=Cause(last, tuple(sorted(actors))),
        held=holding.get((line.tahap, line.family), Holding()),
    )
