"""Sanctions of a judged cycle: money held, released or cut; an investigation opened or ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from libs.events.domain.errors import DomainError
from services.conditionality.domain.commitment.cycles import (
    Standing,
    standing,
    with_revision,
)
from services.conditionality.domain.commitment.events import (
    CycleEvaluated,
    Event,
    InvestigationOpened,
    InvestigationWithdrawn,
    Released,
    Suspended,
)
from services.conditionality.domain.commitment.state import Commitment
from services.conditionality.domain.commitment.verdicts import Verdict
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    Cut,
    Suspension,
)

EFFECTS: Final = uuid5(NAMESPACE_URL, "urn:pkh:conditionality:effect")


def effect_id(family: str, cycle: str, revision: int, effect: str) -> str:
    """The id of what one revision of a cycle causes: the same however often it is computed."""
    return str(uuid5(EFFECTS, f"{family}|{cycle}|{revision}|{effect}"))


class SanctionNotSupported(DomainError):
    """This rule set cuts month by month or never investigates, and neither can be carried out."""


def failures_to_investigation(policy: CommitmentPolicy) -> int:
    """The number of failures in a row at which a rule set asks for an investigation."""
    match policy.sanction:
        case Suspension(failures_to_investigation=failures_max):
            return failures_max
        case Cut(per="CYCLE", failures_to_investigation=int(failures_max)):
            return failures_max
        case Cut():
            raise SanctionNotSupported(rule_set=policy.rule_set)


def standing_of(state: Commitment, failures_max: int) -> Standing:
    """The family's standing, in which what is paused adds nothing."""
    return standing(state.cycles, failures_max, state.paused)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The family once a verdict counts and its standing then, as which revision of the cycle."""

    revision: int
    counter: int
    state: Commitment
    after: Standing


def outlook(state: Commitment, verdict: Verdict, failures_max: int) -> Outlook:
    """The standing that a family like `state` would have if this verdict counted."""
    cycle = state.cycle(verdict.tahap)
    revision = cycle.revision + 1 if cycle else 1
    judged = replace(state, cycles=with_revision(state.cycles, verdict.cycle(revision)))
    after = standing_of(judged, failures_max)
    return Outlook(revision, after.counters[verdict.tahap], judged, after)


def take_effect(state: Commitment, verdict: Verdict, failures_max: int) -> list[Event]:
    """The evaluation and what follows from it.

    A terminated family has no money left to hold and no place left to lose: its cycle is set
    right, and nothing follows.
    """
    new = outlook(state, verdict, failures_max)
    evaluated = CycleEvaluated(
        tahap=verdict.tahap,
        family=verdict.family,
        revision=new.revision,
        roster_revision=verdict.roster_revision,
        facts_cut=verdict.facts_cut,
        result=verdict.result,
        counter=new.counter,
        duties=verdict.duties,
        evidence=verdict.evidence,
        cut_percent=verdict.cut_percent,
        case=verdict.case,
        excused=verdict.excused,
        access=verdict.access,
    )
    if state.terminated:
        return [evaluated]
    effects = (
        _suspended(state, evaluated, new.after),
        _released(evaluated, new),
        _investigation(state, evaluated, new, failures_max),
    )
    return [evaluated, *(effect for effect in effects if effect is not None)]


def _suspended(state: Commitment, evaluated: CycleEvaluated, after: Standing) -> Event | None:
    cycle = state.cycle(evaluated.tahap)
    newly_failed = evaluated.result == "FAILED" and (cycle is None or cycle.result != "FAILED")
    # Only the evaluated cycle's own money can become held. Where a correction takes back the
    # compliance that had released older tahaps, they stay released: money once released is
    # spent in good faith. And where a later cycle complied, it has released this one as well.
    held = newly_failed and evaluated.tahap in after.held
    # While a termination waits for an appeal the family's new money is credited, and held.
    is_first = cycle is None or cycle.hold == "NONE"
    if not held and not (state.termination_waits and is_first):
        return None
    return Suspended(
        family=evaluated.family,
        tahap=evaluated.tahap,
        cycle=evaluated.tahap,
        revision=evaluated.revision,
        counter=evaluated.counter,
        effect=_effect(evaluated, "Suspended"),
    )


def _released(evaluated: CycleEvaluated, new: Outlook) -> Event | None:
    still_held = {*new.after.held, *new.state.unmoved}
    released = tuple(tahap for tahap in new.state.held if tahap not in still_held)
    if not released:
        return None
    return Released(
        family=evaluated.family,
        tahaps=released,
        cycle=evaluated.tahap,
        revision=evaluated.revision,
        effect=_effect(evaluated, "Released"),
    )


def _investigation(
    state: Commitment, evaluated: CycleEvaluated, new: Outlook, failures_max: int
) -> Event | None:
    """It opens when the counter becomes the number, and not again until a person decided."""
    if state.investigation is not None and state.under_investigation:
        # What an appeal pauses may still count, so it takes away no ground.
        if standing(new.state.cycles, failures_max).grounds:
            return None
        return InvestigationWithdrawn(
            family=evaluated.family,
            tahap=state.investigation.tahap,
            cycle=evaluated.tahap,
            revision=evaluated.revision,
            effect=_effect(evaluated, "InvestigationWithdrawn"),
        )
    before = standing_of(state, failures_max)
    grounds = [tahap for tahap in new.after.grounds if tahap not in before.grounds]
    if not grounds:
        return None
    return InvestigationOpened(
        family=evaluated.family,
        tahap=grounds[-1],
        cycle=evaluated.tahap,
        revision=evaluated.revision,
        counter=new.after.counters[grounds[-1]],
        effect=_effect(evaluated, "InvestigationOpened"),
    )


def _effect(evaluated: CycleEvaluated, effect: str) -> str:
    return effect_id(evaluated.family, evaluated.tahap, evaluated.revision, effect)
