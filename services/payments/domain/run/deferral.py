"""The rule by which a line leaves a payment run: by name, at a step whose figures can follow.

A line may leave before the account check's file, between the check and the order, and once it is
instructed until its own bank's file is committed. While the treasury checks accounts or releases
funds nothing leaves: what it was sent must be the same when it is sent again.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.run.deferral_messages import (
    DeferLines,
    FileWithdrawn,
    LinesDeferred,
    WithdrawFile,
)
from services.payments.domain.run.guards import opened
from services.payments.domain.run.messages import Event
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.errors import (
    AlreadyDispatched,
    Contradiction,
    FileUnknown,
    Malformed,
    StepNotReached,
)
from services.payments.domain.shared.ids import bank_file_id


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
        # One that was withdrawn may be on its way all the same; only lines that nobody can ever
        # send again leave it.
        if state.bank_file(file) is not None or file in state.withdrawn:
            raise AlreadyDispatched(tahap=run.tahap, kind=run.kind, file=file)
    return [LinesDeferred(run.tahap, run.kind, lines)]


def withdraw_file(command: WithdrawFile, state: RunState) -> Sequence[Event]:
    """Take a file back that was not answered, without lines that nobody can open any more."""
    run, file = opened(state), command.file
    if state.result(file) is not None or state.check_answer(file) is not None:
        raise Contradiction(document="FileWithdrawn", file=file)
    committed = state.bank_file(file) is not None or state.check_file(file) is not None
    if not committed and file not in state.withdrawn:
        raise FileUnknown(file=file)
    out = {line.payment for line in state.deferred}
    lines = tuple(line for line in command.lines if line.payment not in out)
    withdrawn = [FileWithdrawn(run.tahap, run.kind, file)] if committed else []
    deferred = [LinesDeferred(run.tahap, run.kind, lines)] if lines else []
    return [*withdrawn, *deferred]
