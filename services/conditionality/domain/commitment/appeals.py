"""Appeals of cases: what one is against waits until its end, and goes on then or is set right."""

from __future__ import annotations

from collections.abc import Iterator

from services.conditionality.domain.commitment.commands import (
    AnswerOrder,
    DecideAppeal,
    NoteAppeal,
    OrderReevaluation,
)
from services.conditionality.domain.commitment.corrections import ended, proposal_of
from services.conditionality.domain.commitment.cycles import WITHDRAWN, Cycle, Standing
from services.conditionality.domain.commitment.events import (
    AppealDecisionRefused,
    AppealEnded,
    AppealNotPaused,
    AppealPaused,
    AppealUpheld,
    Event,
    FindingApproved,
    InvestigationOpened,
    NotPausedBecause,
    OrderAnswered,
    RefusedBecause,
    Released,
)
from services.conditionality.domain.commitment.investigations import end
from services.conditionality.domain.commitment.sanctions import (
    effect_id,
    failures_to_investigation,
    standing_of,
)
from services.conditionality.domain.commitment.state import Appeal, Commitment, evolve
from services.conditionality.domain.commitment.verdicts import judge
from services.conditionality.domain.duties import CommitmentPolicy

# -- An appeal, opened and decided


def note_appeal(command: NoteAppeal, state: Commitment) -> list[Event]:
    """The appeal pauses what it is against from now on, or nothing, and that is said."""
    if state.appeal(command.case) is not None:
        return []
    appeal = command.family, command.case, command.tahap, command.against
    because = _refused_because(command, state) or _not_paused_because(command, state)
    return [AppealPaused(*appeal) if because is None else AppealNotPaused(*appeal, because)]


def _refused_because(command: NoteAppeal, state: Commitment) -> RefusedBecause | None:
    # Said first: what is not in their regions answers nobody whether there is such a cycle.
    if not command.inside:
        return "OUTSIDE_REGIONS"
    about = command.tahap, command.against
    same = [a for a in state.appeals if (a.tahap, a.against) == about and a.standing != "REFUSED"]
    waiting = [a for a in same if a.standing in {"OPEN", "UPHELD"} and not a.early]
    if len(waiting) >= command.limits.open:
        return "ANOTHER_IS_OPEN"
    over = [a for a in same if a.standing in {"CORRECTED", "ENDED"} and not a.early]
    return "APPEALED_TOO_OFTEN" if len(over) >= command.limits.decided else None


def _not_paused_because(command: NoteAppeal, state: Commitment) -> NotPausedBecause | None:
    cycle, investigation = state.cycle(command.tahap), state.investigation
    if cycle is None or cycle.result == WITHDRAWN:
        return "NO_SUCH_CYCLE"
    if state.terminated or cycle.hold == "FORFEITED":
        return "RETURNED"
    if cycle.result != "FAILED":
        return "NO_EFFECT"
    match command.against:
        case "HOLD":
            came = cycle.hold == "HELD"
        case "CUT":
            came = cycle.cut_percent > 0
        case "TERMINATION":
            at = investigation.tahap if investigation and state.under_investigation else None
            came = at == command.tahap
    if not came:
        return "NO_EFFECT"
    return None if command.pauses else "NOT_BY_POLICY"


def decide_appeal(command: DecideAppeal, state: Commitment) -> list[Event]:
    """Upheld, it waits for the cycle to be decided again; otherwise what waited goes on.

    A decision of somebody in whose regions the family does not live is refused, and what waits
    goes on waiting.
    """
    appeal = state.appeal(command.case)
    if appeal is None or appeal.standing != "OPEN":
        return []
    decided = command.family, command.case, appeal.tahap, appeal.against
    if not command.inside:
        return [AppealDecisionRefused(*decided, command.decision, "OUTSIDE_REGIONS")]
    if command.outcome == "UPHELD":
        return [AppealUpheld(*decided)]
    return [AppealEnded(*decided, command.outcome)]


# -- Orders of a case


def order_reevaluation(command: OrderReevaluation, state: Commitment) -> list[Event]:
    """The cycle judged again is proposed, as late facts would; another person decides on it.

    For a case whose own appeal was upheld the duties that failed are taken as met; its order takes
    the place of one that only asks, and joins that of another upheld appeal. Where nothing would
    change, or another case's correction waits, the order is refused.
    """
    evaluate, order = command.evaluate, (command.order, command.case)
    family, tahap = evaluate.family, evaluate.tahap
    if command.order in state.orders:
        return []
    cycle, own = state.cycle(tahap), state.upheld(command.case, tahap)
    if cycle is None or cycle.result == WITHDRAWN or evaluate.cause is None:
        return _refused(family, order, own, "NO_SUCH_CYCLE")
    upheld = command.case if own else state.excused_by(tahap, by_decision=True)
    verdict = judge(evaluate, upheld)
    if verdict.digest == cycle.digest:
        return _unchanged(family, order, own)
    waits = state.ordered(tahap)
    if waits is not None and own is None:
        return _refused(family, order, None, "CORRECTION_WAITS")
    named, events = order, list[Event]()
    if waits is not None and state.ordering(tahap):
        named = waits.order, waits.case
    elif waits is not None:
        events.append(OrderAnswered(family, waits.order, waits.case, "REFUSED", "SUPERSEDED"))
    events.append(proposal_of(evaluate.cause, verdict, cycle, state, evaluate.policy, named))
    return [*events, OrderAnswered(family, *order, "PROPOSED")]


def _unchanged(family: str, order: tuple[str, str], own: Appeal | None) -> list[Event]:
    """Nothing would change; an upheld appeal has come to what it asked for, by other ways."""
    if own is None:
        return _refused(family, order, None, "NOTHING_CHANGED")
    done = OrderAnswered(family, *order, "DONE", "NOTHING_CHANGED")
    return [done, ended(family, own, corrected=True)]


def _refused(family: str, order: tuple[str, str], own: Appeal | None, reason: str) -> list[Event]:
    """The order is refused, and with it ends the upheld appeal that it was for, if it was."""
    answer = OrderAnswered(family, *order, "REFUSED", reason)
    return [answer, ended(family, own, corrected=False)] if own else [answer]


def answer_order(command: AnswerOrder, state: Commitment) -> list[Event]:
    """The order is answered once; an upheld appeal that it was for has ended."""
    if command.order in state.orders:
        return []
    order, own = (command.order, command.case), state.upheld(command.case, command.tahap)
    return _refused(command.family, order, own, command.reason)


# -- What goes on


def resumed(
    events: list[Event], before: Commitment, policy: CommitmentPolicy | None
) -> list[Event]:
    """These events, and what no appeal lets wait any more once they have happened.

    The ends of appeals come last: whoever keeps money for one lets go of it when all is decided.
    """
    if not events or not before.pausing:
        return events
    ends = [event for event in events if isinstance(event, AppealEnded)]
    others = [event for event in events if not isinstance(event, AppealEnded)]
    after = before
    for event in events:
        after = evolve(after, event)
    if len(after.pausing) == len(before.pausing):
        return events
    family = events[0].family
    # What two people have decided is carried out by no policy of a cycle, which may be gone.
    if decided := _waiting_decision(family, after):
        return [*others, end(decided, after), *ends]
    if policy is None:
        return events
    went_on = _goes_on(family, before, after, failures_to_investigation(policy))
    return [*others, *went_on, *ends]


def _waiting_decision(family: str, after: Commitment) -> FindingApproved | None:
    """The decision of two people for which no appeal is in the way any more, if there is one."""
    investigation = after.investigation
    found = investigation.finding if investigation else None
    if not investigation or not found or not after.decision_waits or after.pausing:
        return None
    return FindingApproved(family, investigation.tahap, found.outcome, found.maker, found.checker)


def _goes_on(
    family: str, before: Commitment, after: Commitment, failures_max: int
) -> Iterator[Event]:
    """The effects that have waited, by the cycles and ids that they would have had."""
    now = standing_of(after, failures_max)
    yield from _released(family, after, now)
    earlier = standing_of(before, failures_max).grounds
    grounds = [tahap for tahap in now.grounds if tahap not in earlier]
    cycle = after.cycle(grounds[-1]) if grounds else None
    if cycle is not None and not after.under_investigation:
        at = cycle.tahap, cycle.tahap, cycle.revision, now.counters[cycle.tahap]
        effect = effect_id(family, cycle.tahap, cycle.revision, "InvestigationOpened")
        yield InvestigationOpened(family, *at, effect)


def _released(family: str, after: Commitment, now: Standing) -> Iterator[Released]:
    tahaps: dict[Cycle, list[str]] = {}
    for tahap in after.held:
        if tahap not in now.held and tahap not in after.unmoved:
            tahaps.setdefault(_releasing(after, tahap), []).append(tahap)
    for cycle, released in tahaps.items():
        effect = effect_id(family, cycle.tahap, cycle.revision, "Released")
        yield Released(family, tuple(released), cycle.tahap, cycle.revision, effect)


def _releasing(after: Commitment, tahap: str) -> Cycle:
    """The cycle by which the money of a tahap is held no more: the next one that complied.

    The latest one, where it was held for a termination alone.
    """
    names = [cycle.tahap for cycle in after.standing_cycles]
    behind = after.standing_cycles[names.index(tahap) :]
    return next((cycle for cycle in behind if cycle.result == "COMPLIANT"), behind[-1])
