"""Judges families' cycles in a transaction: from roster lines, when they come or when facts do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from libs.events.store.handle import handle_many
from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.conditionality.contract import COMMITMENT, EVALUATION, PERSON
from services.conditionality.domain.commitment import (
    Cause,
    Command,
    Commitment,
    CycleEvaluated,
    EvaluateCycle,
    Event,
)
from services.conditionality.domain.commitment.rules import FamilyTerminated
from services.conditionality.domain.duties import CommitmentPolicy, tokens_of
from services.conditionality.domain.evaluation.state import Evaluation
from services.conditionality.domain.person import Person
from services.conditionality.tables import exceptions
from services.conditionality.tables.exceptions import Holding
from services.conditionality.tables.roster import Line, keep_departed, keep_evaluated
from services.conditionality.tables.worklists import keep_worklists

RuleSetPolicies = Mapping[str, CommitmentPolicy]

# In the place of a partition, evaluations are counted under these as well.
RE_DECIDED = -1  # by the re-decider
RECOUNTED = -2  # by the withdrawer, which counts again what it left


class UnknownRuleSet(Exception):
    """A closing names a rule set that this service has no policy for."""


@dataclass(frozen=True, slots=True)
class FactsAtCut:
    """The facts of listed persons, by token, and the log's head before they were read."""

    cut: int
    persons: Mapping[str, Person]


async def facts_at_cut(unit: Transaction, lines: Sequence[Line]) -> FactsAtCut:
    """The facts that the evaluation of these lines rests on."""
    # The head is read before the facts: whatever is recorded behind it is the re-decider's.
    cut = await unit.head()
    tokens = sorted({token for line in lines for token in tokens_of(line.members)})
    loaded = await unit.load(PERSON, [f"person-{token}" for token in tokens])
    found = {
        stream_id.removeprefix("person-"): person.state for stream_id, person in loaded.items()
    }
    return FactsAtCut(cut, {token: found.get(token, Person()) for token in tokens})


async def judge(
    unit: Transaction,
    policies: RuleSetPolicies,
    lines: Sequence[Line],
    facts: FactsAtCut,
    partition: int,
    causes: Mapping[tuple[str, str], Cause] | None = None,
) -> None:
    """Evaluate the cycles of these lines and put the results into their tahap's proof.

    `causes` names, by (tahap, family), the late facts behind a re-evaluation. A family that can
    not be evaluated raises, so that its message is parked. One that was terminated since it was
    listed has nothing to be judged: its tahap is told that it has left.
    """
    await exceptions.lock_shared(unit)
    holding = await exceptions.holding_for(unit, lines)
    evaluations = await evaluations_of(unit, {line.tahap for line in lines})
    commands: list[tuple[str, Command]] = [
        (
            f"commitment-{line.family}",
            evaluation_of(
                line,
                facts,
                policy_of(policies, line.rule_set),
                frozen=evaluations[line.tahap].is_frozen_for(line.family),
                cause=causes.get((line.tahap, line.family)) if causes else None,
                held=holding.get((line.tahap, line.family), Holding()),
            ),
        )
        for line in lines
    ]
    outcomes = await handle_many(unit, COMMITMENT, commands)
    departed = [isinstance(outcome.error, FamilyTerminated) for outcome in outcomes]
    await keep_departed(unit, [line for line, gone in zip(lines, departed, strict=True) if gone])
    judged = [outcome for outcome, gone in zip(outcomes, departed, strict=True) if not gone]
    await keep_evaluated(unit, evaluated_lines(judged), partition)
    await keep_worklists(unit, judged)


def evaluation_of(
    line: Line,
    facts: FactsAtCut,
    policy: CommitmentPolicy,
    *,
    frozen: bool,
    cause: Cause | None,
    held: Holding,
) -> EvaluateCycle:
    """The evaluation of a line; whoever made an exception that bears on it is behind it too."""
    if cause is not None:
        cause = Cause(cause.fact, tuple(sorted({*cause.recorded_by, *held.people})))
    return EvaluateCycle(
        family=line.family,
        tahap=line.tahap,
        months=line.months,
        roster_revision=line.revision,
        facts_cut=facts.cut,
        members=line.members,
        facts={token: facts.persons[token] for token in tokens_of(line.members)},
        policy=policy,
        frozen=frozen,
        cause=cause,
        exempt=held.exempt,
    )


def policy_of(policies: RuleSetPolicies, rule_set: str) -> CommitmentPolicy:
    """The policy of a rule set; raises `UnknownRuleSet`."""
    if rule_set not in policies:
        raise UnknownRuleSet
    return policies[rule_set]


async def evaluations_of(unit: Transaction, tahaps: set[str]) -> dict[str, Evaluation]:
    """The evaluations of tahaps as they stand."""
    streams = {tahap: f"evaluation-{tahap}" for tahap in tahaps}
    loaded = await unit.load(EVALUATION, sorted(streams.values()))
    return {
        tahap: loaded[stream].state if stream in loaded else Evaluation()
        for tahap, stream in streams.items()
    }


def evaluated_lines(
    outcomes: Sequence[Outcome[Commitment, Event]],
) -> dict[tuple[str, str], bytes]:
    """The published evaluation of each (tahap, family) among outcomes; a refusal is raised."""
    lines: dict[tuple[str, str], bytes] = {}
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
        for event, published in zip(outcome.events, outcome.published, strict=True):
            if isinstance(event, CycleEvaluated):
                lines[event.tahap, event.family] = published.value
    return lines
