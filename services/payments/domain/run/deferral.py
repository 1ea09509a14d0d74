"""The rule by which a line leaves a payment run: by name, at a step whose figures can follow.

A line may leave before the account check's file, between the check and the order, and once it is
instructed until its own bank's file is committed. While the treasury checks accounts or releases
funds nothing leaves: what it was sent must be the same when it is sent again. But two people can go
on without the lines of whose accounts it says neither yes nor no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from services.payments.domain.listing import OrderLine, unanswered_digest
from services.payments.domain.run.messages import (
    DeferLines,
    DeferredLine,
    DeferUnanswered,
    Event,
    FileWithdrawn,
    LinesDeferred,
    ProposeUnanswered,
    UnansweredDeferred,
    UnansweredProposed,
    WithdrawFile,
)
from services.payments.domain.run.state import RunState
from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    AlreadyDispatched,
    Contradiction,
    FileUnknown,
    Malformed,
    NothingProposed,
    StaleHash,
    StepNotReached,
    TooManyUnanswered,
)
from services.payments.domain.shared.totals import Totals

UNANSWERED_MAX: Final = 1_000
"""Lines of an account check; where more have no answer, the treasury has not checked them."""


def leave(
    command: WithdrawFile | DeferLines | ProposeUnanswered | DeferUnanswered, state: RunState
) -> Sequence[Event]:
    """Take lines out of the run, or propose to."""
    match command:
        case WithdrawFile():
            return withdraw_file(command, state)
        case DeferLines():
            return defer_lines(command, state)
        case ProposeUnanswered():
            return propose_unanswered(command, state)
        case DeferUnanswered():
            return defer_unanswered(command, state)


def defer_lines(command: DeferLines, state: RunState) -> Sequence[Event]:
    """Take lines out of the run; those that are out already change nothing."""
    run = state.require_opened()
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
        # One that was withdrawn may be on its way all the same; only lines that nobody can ever
        # send again leave it.
        if file := state.file_of(line.bank):
            raise AlreadyDispatched(tahap=run.tahap, kind=run.kind, file=file)
    return [LinesDeferred(run.tahap, run.kind, lines)]


def withdraw_file(command: WithdrawFile, state: RunState) -> Sequence[Event]:
    """Take a file back that was not answered, without lines that nobody can open any more."""
    run, file = state.require_opened(), command.file
    if state.result(file) is not None or state.check_answer(file) is not None:
        raise Contradiction(document="FileWithdrawn", file=file)
    committed = state.bank_file(file) is not None or state.check_file(file) is not None
    if not committed and not any(sent.file == file for sent in state.withdrawn):
        raise FileUnknown(file=file)
    out = {line.payment for line in state.deferred}
    lines = tuple(line for line in command.lines if line.payment not in out)
    withdrawn = [FileWithdrawn(run.tahap, run.kind, file)] if committed else []
    deferred = [LinesDeferred(run.tahap, run.kind, lines)] if lines else []
    return [*withdrawn, *deferred]


def propose_unanswered(command: ProposeUnanswered, state: RunState) -> Sequence[Event]:
    """Let it wait for another person's approval to go on without the lines without an answer."""
    run = state.require_opened()
    totals = _unanswered(command.lines, command.hash, state)
    proposed = UnansweredProposed(
        run.tahap, run.kind, command.hash, totals.count, totals.rupiah, command.maker
    )
    return [] if state.unanswered_proposal == proposed else [proposed]


def defer_unanswered(command: DeferUnanswered, state: RunState) -> Sequence[Event]:
    """Take out what stands without an answer, where it is exactly what was proposed."""
    run, proposal = state.require_opened(), state.unanswered_proposal
    if proposal is None:
        raise NothingProposed(tahap=run.tahap, kind=run.kind)
    require_approval(proposal.maker, proposal.hash, command.checker, command.hash)
    totals = _unanswered(command.lines, command.hash, state)
    decided = UnansweredDeferred(
        tahap=run.tahap,
        kind=run.kind,
        hash=command.hash,
        count=totals.count,
        rupiah=totals.rupiah,
        maker=proposal.maker,
        checker=command.checker,
    )
    return [decided, LinesDeferred(run.tahap, run.kind, command.lines)]


def unanswered_hash(tahap: str, kind: str, lines: Sequence[DeferredLine]) -> tuple[str, Totals]:
    """(hash, totals) of lines without an answer, in order of payment."""
    digest = unanswered_digest(tahap, kind)
    for line in lines:
        digest.add(OrderLine(line.payment, line.bank, line.rupiah))
    return digest.hash(), digest.totals


def _unanswered(lines: Sequence[DeferredLine], named: str, state: RunState) -> Totals:
    """The totals of the lines that stand without an answer; refused where they are not `named`."""
    run = state.require_opened()
    if not lines or not state.checks or state.check_complete:
        raise StepNotReached(step="AccountCheckUnanswered")
    if len(lines) > UNANSWERED_MAX:
        raise TooManyUnanswered(tahap=run.tahap, kind=run.kind, most=UNANSWERED_MAX)
    stands, totals = unanswered_hash(run.tahap, run.kind, lines)
    if stands != named:
        raise StaleHash(given=named, stands=stands)
    return totals
