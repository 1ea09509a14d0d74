"""One payment run: the documents and files by which a frozen list becomes money in accounts.

    opened -> entitled -> account check -> request (SPP) -> order (SPM) -> funds release (SP2D)
           -> bank files -> results -> transfers recorded -> reconciled

The regular run and every supplementary one take the same way. Each call to the outside goes
"commit sending(id), send, commit the answer": a crash between leaves the outcome unknown, and it
is asked for again with the same id. So the same document again is quiet, another one under the
same id is refused, and no two files of a kind share a payment.

How lines leave it by name stands in deferral.py, how it ends with its tahap in cancellation.py,
what becomes of a partner's word that is not its own in incidents.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.events.domain.decider import Decider
from services.payments.domain.run.cancellation import take_back
from services.payments.domain.run.deferral import leave
from services.payments.domain.run.incidents import of_incident
from services.payments.domain.run.messages import (
    AccountCheckReceived,
    AccountCheckSent,
    ApproveOrder,
    BankFileSent,
    BankResultReceived,
    CancelRun,
    Command,
    DeferLines,
    DeferUnanswered,
    Event,
    FundsReleased,
    JudgeIncident,
    ListEntitled,
    MarkCredited,
    MarkEntitled,
    OpenRun,
    PaymentOrdered,
    PaymentRequested,
    ProposeOrder,
    ProposeUnanswered,
    Reconcile,
    RecordAccountCheck,
    RecordBankResult,
    RecordFundsRelease,
    RecordOrderCancelled,
    ReportIncident,
    RunOpened,
    SendAccountCheck,
    SendBankFile,
    TahapReconciled,
    TransfersRecorded,
    WithdrawFile,
)
from services.payments.domain.run.state import RunState, bank_of, evolve, once, totals_of
from services.payments.domain.shared.approval import require_approval
from services.payments.domain.shared.errors import (
    Contradiction,
    FileOverlaps,
    FileUnknown,
    Malformed,
    NotConserved,
    NothingProposed,
    NothingToPay,
    StepNotReached,
    TotalsDiffer,
    TransfersUnknown,
)
from services.payments.domain.shared.ids import checked_kind, checked_tahap
from services.payments.domain.shared.totals import NOTHING, Totals, checked, require_equal, total

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


# -- Rules: the account check


def send_account_check(command: SendAccountCheck, state: RunState) -> Sequence[Event]:
    """Commit to an account check file, before it is sent."""
    run = state.require_opened()
    if state.entitled is None:
        raise StepNotReached(step="ListEntitled")
    sent = AccountCheckSent(
        tahap=run.tahap,
        kind=run.kind,
        file=command.file,
        first=command.first,
        last=command.last,
        count=command.count,
        rupiah=command.rupiah,
        sha256=command.sha256,
    )
    return _committed(sent, state.check_file(command.file), state.checks, state.payable, state)


def record_account_check(command: RecordAccountCheck, state: RunState) -> Sequence[Event]:
    """Record the answer to a file that was sent; it must answer every line, but for those that two
    people have let go without an answer."""
    run = state.require_opened()
    sent = state.check_file(command.file)
    if sent is None:
        raise FileUnknown(file=command.file)
    answered = checked(command.passed) + checked(command.failed)
    require_equal(totals_of(sent) - state.unanswered, answered, of=command.file)
    return once(
        state.check_answer(command.file),
        AccountCheckReceived(
            tahap=run.tahap,
            kind=run.kind,
            file=command.file,
            sha256=command.sha256,
            passed=command.passed,
            failed=command.failed,
        ),
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


# -- Rules: the banks' files


def send_bank_file(command: SendBankFile, state: RunState) -> Sequence[Event]:
    """Commit to a bank file, before it is sent; never more than was ordered, no line twice."""
    run = state.require_opened()
    if state.funds is None:
        raise StepNotReached(step="FundsReleased")
    sent = BankFileSent(
        tahap=run.tahap,
        kind=run.kind,
        bank=command.bank,
        file=command.file,
        first=command.first,
        last=command.last,
        count=command.count,
        rupiah=command.rupiah,
        sha256=command.sha256,
    )
    return _committed(sent, state.bank_file(command.file), state.files, state.instructed, state)


def record_bank_result(command: RecordBankResult, state: RunState) -> Sequence[Event]:
    """Record what the bank has answered so far; an answer is never taken back."""
    run = state.require_opened()
    sent = state.bank_file(command.file)
    if sent is None:
        raise FileUnknown(file=command.file)
    credited, failed = checked(command.credited), checked(command.failed)
    _require_part(totals_of(sent), credited + failed, command.file)
    last = state.result(command.file)
    if last is not None:
        if (last.credited, last.failed) == (credited, failed):
            return []
        if not (last.credited.within(credited) and last.failed.within(failed)):
            raise Contradiction(document="BankResultReceived", file=command.file)
    return [
        BankResultReceived(
            tahap=run.tahap,
            kind=run.kind,
            bank=sent.bank,
            file=command.file,
            sha256=command.sha256,
            credited=credited,
            failed=failed,
        )
    ]


# -- Rules: reconciliation


def mark_credited(command: MarkCredited, state: RunState) -> Sequence[Event]:
    """Go on when every file is answered in full and the payments say what the banks said."""
    run = state.require_opened()
    _require_dispatched(state)
    _require_answered(state.instructed, state.credited + state.failed)
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


def _committed(
    sent: AccountCheckSent | BankFileSent,
    on_record: AccountCheckSent | BankFileSent | None,
    others: Sequence[AccountCheckSent] | Sequence[BankFileSent],
    limit: Totals,
    state: RunState,
) -> Sequence[Event]:
    """The commitment to a file, once: under its own id, with no payment or rupiah of another."""
    if on_record is not None:
        return once(on_record, sent)
    _require_own_id(sent, state)
    _require_room(sent, others, limit)
    return [sent]


def _require_room(
    sent: AccountCheckSent | BankFileSent,
    others: Sequence[AccountCheckSent] | Sequence[BankFileSent],
    limit: Totals,
) -> None:
    """Refuse a file that has a payment of another file, or more money than there is to send."""
    if sent.count < 1 or sent.first > sent.last or (sent.count == 1) != (sent.first == sent.last):
        raise Malformed(file=sent.file, count=sent.count)
    for other in others:
        # A payment stands with one bank, so ranges of two banks may cross; ranges of one may not.
        if (
            bank_of(other) == bank_of(sent)
            and sent.first <= other.last
            and other.first <= sent.last
        ):
            raise FileOverlaps(file=sent.file, with_file=other.file)
    together = total(totals_of(other) for other in others) + checked(totals_of(sent))
    if not together.within(limit):
        raise TotalsDiffer(of=sent.file, most=limit, given=together)


def _require_own_id(sent: AccountCheckSent | BankFileSent, state: RunState) -> None:
    """Refuse a new id for a file that was withdrawn: the first one may be on its way all the same,
    and of one id a partner takes one content alone."""
    for other in state.withdrawn:
        if bank_of(other) == bank_of(sent) and other.file != sent.file:
            raise Contradiction(document="FileWithdrawn", file=other.file)


def _require_part(sent: Totals, answered: Totals, file: str) -> None:
    """Refuse an answer to more than was sent, and one that is whole in one figure alone."""
    if not answered.within(sent) or (answered.count == sent.count) != (
        answered.rupiah == sent.rupiah
    ):
        raise TotalsDiffer(of=file, expected=sent, given=answered)


def _require_dispatched(state: RunState) -> None:
    if state.funds is None or state.sent != state.instructed:
        raise StepNotReached(step="BankFileSent")


def _require_answered(sent: Totals, answered: Totals) -> None:
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
        case ReportIncident() | JudgeIncident():
            return of_incident(command, state)
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
