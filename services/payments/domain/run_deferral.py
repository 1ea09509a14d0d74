"""The rule by which a line leaves a payment run: by name, at a step whose figures can follow.

A line may leave before the account check's file, between the check and the order, and once it is
instructed until its own bank's file is committed. While the treasury checks accounts or releases
funds nothing leaves: what it was sent must be the same when it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.errors import AlreadyDispatched, Malformed, StepNotReached
from services.payments.domain.ids import bank_file_id
from services.payments.domain.run_deferral_messages import DeferLines, LinesDeferred
from services.payments.domain.run_guards import opened
from services.payments.domain.run_messages import Event
from services.payments.domain.run_state import RunState


def defer_lines(command: DeferLines, state: RunState) -> Sequence[Event]:
    """Take lines out of the run; those that are out already change nothing."""
    run = opened(state)
    out = {line.payment for line in state.deferred}
    lines = tuple(line for line in command.lines if line.payment not in out)
    if not lines:
        return []
    if len({line.payment for line in lines}) != len(lines):
        raise Malformed(lines=len(lines))
    if state.checks and not state.check_complete:
        raise StepNotReached(step="AccountCheckReceived")
    if state.order is not None and state.funds is None:
        raise StepNotReached(step="FundsReleased")  # they are released for the whole order
    for line in lines:
        file = bank_file_id(run.tahap, run.kind, line.bank)
        if state.bank_file(file) is not None:
            raise AlreadyDispatched(tahap=run.tahap, kind=run.kind, file=file)
    return [LinesDeferred(run.tahap, run.kind, lines)]
