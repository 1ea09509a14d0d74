"""One payment run: the documents and files by which a frozen list becomes money in accounts.

    opened -> entitled -> account check -> request (SPP) -> order (SPM) -> funds release (SP2D)
           -> bank files -> results -> transfers recorded -> reconciled

The regular run and every supplementary one take the same way. Each call to the outside goes
"commit sending(id), send, commit the answer": a crash between leaves the outcome unknown, and it
is asked for again with the same id. So the same document again is quiet, another one under the
same id is refused, and no two files of a kind share a payment.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.domain.decider import Decider
from services.payments.domain.run.cancellation import take_back
from services.payments.domain.run.cancellation_messages import CancelRun, RecordOrderCancelled
from services.payments.domain.run.deferral import leave
from services.payments.domain.run.deferral_messages import (
    DeferLines,
    DeferUnanswered,
    ProposeUnanswered,
    WithdrawFile,
)
from services.payments.domain.run.file_messages import (
    RecordAccountCheck,
    RecordBankResult,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run.files import (
    record_account_check,
    record_bank_result,
    send_account_check,
    send_bank_file,
)
from services.payments.domain.run.guards import once, require_equal
from services.payments.domain.run.messages import (
    ApproveOrder,
    Command,
    Event,
    FundsReleased,
    ListEntitled,
    MarkCredited,
    MarkEntitled,
    OpenRun,
    PaymentOrdered,
    PaymentRequested,
    ProposeOrder,
    Reconcile,
    RecordFundsRelease,
    RunOpened,
    TahapReconciled,
    TransfersRecorded,
)
from services.payments.domain.run.state import RunState, evolve, totals_of
from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    Contradiction,
    NotConserved,
    NothingProposed,
    NothingToPay,
    StepNotReached,
    TotalsDiffer,
    TransfersUnknown,
)
from services.payments.domain.shared.ids import checked_kind, checked_tahap
from services.payments.domain.shared.totals import NOTHING, Totals, checked, total

# -- Rules: entitlement


def open_run(command: OpenRun, state: RunState) -> Sequence[Event]:
    """Open the run of a frozen list, once an order of a cancelled one is taken back."""
    if state.recalled is not None:
        raise StepNotReached(step="OrderCancelled")
    checked(Totals(command.count, command.rupiah))
    return once(
        state.opened,
        RunOpened(
            tahap=checked_tahap(command.tahap),
            kind=checked_kind(command.kind),
            list_hash=command.list_hash,
            count=command.count,
            rupiah=command.rupiah,
            cut=command.cut,
        ),
    )


def mark_entitled(command: MarkEntitled, state: RunState) -> Sequence[Event]:
    """Go on when the entitlements come to exactly what was frozen."""
    run = state.require_opened()
    require_equal(totals_of(run), command.entitled, of="entitlements")
    # What two people approved to be cut is what is cut.
    if command.cut != run.cut:
        raise TotalsDiffer(of="cut", most=run.cut, given=command.cut)
    if not checked(command.payable).within(command.entitled):
        raise TotalsDiffer(of="payable", most=command.entitled, given=command.payable)
    return once(
        state.entitled,
        ListEntitled(run.tahap, run.kind, command.entitled, command.payable, command.cut),
    )


# -- Rules: request, order and funds


def propose_order(command: ProposeOrder, state: RunState) -> Sequence[Event]:
    """Request the money of exactly the payments that passed; a new request replaces the last."""
    run = state.require_opened()
    if not state.check_complete:
        raise StepNotReached(step="AccountCheckReceived")
    if state.passed.count == 0:
        raise NothingToPay(tahap=run.tahap, kind=run.kind)
    require_equal(state.passed, Totals(command.count, command.rupiah), of="request")
    requested = PaymentRequested(
        tahap=run.tahap,
        kind=run.kind,
        request=command.request,
        hash=command.hash,
        count=command.count,
        rupiah=command.rupiah,
        maker=command.maker,
    )
    if state.order is not None:
        return once(state.request, requested)
    return [] if state.request == requested else [requested]


def approve_order(command: ApproveOrder, state: RunState) -> Sequence[Event]:
    """Order the payment, approved by a second person; approving it again changes nothing."""
    run, request = state.require_opened(), state.request
    if request is None:
        raise NothingProposed(tahap=run.tahap, kind=run.kind)
    require_approval(request.maker, request.hash, command.checker, command.hash)
    if state.order is not None:
        if state.order.order != command.order:
            raise Contradiction(document="PaymentOrdered", order=state.order.order)
        return []
    return [
        PaymentOrdered(
            tahap=run.tahap,
            kind=run.kind,
            order=command.order,
            hash=request.hash,
            count=request.count,
            rupiah=request.rupiah,
            maker=request.maker,
            checker=command.checker,
        )
    ]


def record_funds_release(command: RecordFundsRelease, state: RunState) -> Sequence[Event]:
    """Record that the treasury released what was ordered, no rupiah more or less."""
    run, order = state.require_opened(), state.order
    if order is None:
        raise StepNotReached(step="PaymentOrdered")
    if (command.order, command.hash) != (order.order, order.hash):
        raise Contradiction(document="PaymentOrdered", order=order.order)
    require_equal(state.ordered, Totals(command.count, command.rupiah), of=command.number)
    return once(
        state.funds,
        FundsReleased(
            tahap=run.tahap,
            kind=run.kind,
            order=command.order,
            number=command.number,
            count=command.count,
            rupiah=command.rupiah,
        ),
    )


# -- Rules: reconciliation


def mark_credited(command: MarkCredited, state: RunState) -> Sequence[Event]:
    """Go on when every file is answered in full and the payments say what the banks said."""
    run = state.require_opened()
    _require_dispatched(state)
    _require_known(state.instructed, state.credited + state.failed)
    require_equal(state.credited, command.credited, of="credited")
    require_equal(state.failed, command.failed, of="failed")
    return once(
        state.transfers,
        TransfersRecorded(run.tahap, run.kind, command.credited, command.failed),
    )


def reconcile(command: Reconcile, state: RunState) -> Sequence[Event]:
    """Close the books; a run of which no payment could be ordered closes on zeros."""
    run = state.require_opened()
    answered = command.credited + command.failed
    if command.instructed != answered + command.unknown:
        raise NotConserved(
            instructed=command.instructed, answered=answered, unknown=command.unknown
        )
    if command.unknown != NOTHING:
        raise TransfersUnknown(unknown=command.unknown)
    nothing_passed = state.check_complete and state.passed.count == 0
    if state.transfers is None and not nothing_passed:
        raise StepNotReached(step="TransfersRecorded")
    require_equal(state.instructed, command.instructed, of="instructed")
    require_equal(state.credited, command.credited, of="credited")
    require_equal(state.failed, command.failed, of="failed")
    require_equal(state.uninstructed, command.deferred, of="deferred")
    return once(
        state.reconciled,
        TahapReconciled(
            tahap=run.tahap,
            kind=run.kind,
            instructed=command.instructed,
            credited=command.credited,
            failed=command.failed,
            deferred=command.deferred,
        ),
    )


# -- Guards


def _require_dispatched(state: RunState) -> None:
    if state.funds is None or total(totals_of(each) for each in state.files) != state.instructed:
        raise StepNotReached(step="BankFileSent")


def _require_known(sent: Totals, answered: Totals) -> None:
    if sent != answered:
        unknown = Totals(sent.count - answered.count, sent.rupiah - answered.rupiah)
        raise TransfersUnknown(unknown=unknown)


# -- The decider


def decide(command: Command, state: RunState) -> Sequence[Event]:
    """The events of a command; none where it was already done."""
    match command:
        case OpenRun():
            return open_run(command, state)
        case CancelRun() | RecordOrderCancelled():
            return take_back(command, state)
        case MarkEntitled():
            return mark_entitled(command, state)
        case WithdrawFile() | DeferLines() | ProposeUnanswered() | DeferUnanswered():
            return leave(command, state)
        case SendAccountCheck():
            return send_account_check(command, state)
        case RecordAccountCheck():
            return record_account_check(command, state)
        case ProposeOrder():
            return propose_order(command, state)
        case ApproveOrder():
            return approve_order(command, state)
        case RecordFundsRelease():
            return record_funds_release(command, state)
        case SendBankFile():
            return send_bank_file(command, state)
        case RecordBankResult():
            return record_bank_result(command, state)
        case MarkCredited():
            return mark_credited(command, state)
        case Reconcile():
            return reconcile(command, state)


run: Final[Decider[Command, RunState, Event]] = Decider(RunState(), decide, evolve)
