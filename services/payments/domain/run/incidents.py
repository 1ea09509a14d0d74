"""Incidents: a word of a partner that cannot be our partner's about our file.

Nothing of it is taken, and the partner's part of the run stands until a person has judged it; the
other partners' parts go on. Of a cancelled run the treasury's part is to take its order back.
Whoever judges does not say that the word was good: the partner is asked again, and its next word
has to prove itself as every other one has.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.run.messages import (
    Event,
    JudgeIncident,
    PartnerIncidentFound,
    PartnerIncidentJudged,
    PaymentOrdered,
    ReportIncident,
    RunOpened,
)
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.errors import NoIncident


def of_incident(command: ReportIncident | JudgeIncident, state: RunState) -> Sequence[Event]:
    """Report an incident, or judge it."""
    if isinstance(command, ReportIncident):
        return report_incident(command, state)
    return judge_incident(command, state)


def report_incident(command: ReportIncident, state: RunState) -> Sequence[Event]:
    """Stop a partner's part of the run; quiet while an incident of it waits already."""
    run = _run(state)
    if state.incident_of(command.partner) is not None:
        return []
    return [PartnerIncidentFound(run.tahap, run.kind, command.partner, command.error)]


def judge_incident(command: JudgeIncident, state: RunState) -> Sequence[Event]:
    """Let a partner's part of the run go on, by a person who says why."""
    run = _run(state)
    if state.incident_of(command.partner) is None:
        raise NoIncident(tahap=run.tahap, kind=run.kind, partner=command.partner)
    return [
        PartnerIncidentJudged(run.tahap, run.kind, command.partner, command.judge, command.reason)
    ]


def _run(state: RunState) -> RunOpened | PaymentOrdered:
    """The run by its opening, or by the order of a cancelled one. Raises `StepNotReached`."""
    return state.recalled or state.require_opened()
