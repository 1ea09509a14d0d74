"""The files of a payment run: account checks to the treasury, credit files to the banks.

A file is committed to before it is sent. The same file again is quiet, another one under its id is
refused, and no payment stands in two files.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.payments.domain.run.file_messages import (
    AccountCheckReceived,
    AccountCheckSent,
    BankFileSent,
    BankResultReceived,
    RecordAccountCheck,
    RecordBankResult,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run.guards import once, require_equal
from services.payments.domain.run.messages import Event
from services.payments.domain.run.state import RunState, totals_of
from services.payments.domain.shared.errors import (
    Contradiction,
    FileOverlaps,
    FileUnknown,
    Malformed,
    StepNotReached,
    TotalsDiffer,
)
from services.payments.domain.shared.totals import Totals, checked, total

# -- Account check


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
    if state.check_file(command.file) is not None:
        return once(state.check_file(command.file), sent)
    _require_room(sent, state.checks, state.payable)
    return [sent]


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


# -- Bank files


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
    if state.bank_file(command.file) is not None:
        return once(state.bank_file(command.file), sent)
    _require_room(sent, state.files, state.instructed)
    return [sent]


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


# -- Guards


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
        if _bank(other) == _bank(sent) and sent.first <= other.last and other.first <= sent.last:
            raise FileOverlaps(file=sent.file, with_file=other.file)
    together = total(totals_of(other) for other in others) + checked(totals_of(sent))
    if not together.within(limit):
        raise TotalsDiffer(of=sent.file, most=limit, given=together)


def _bank(file: AccountCheckSent | BankFileSent) -> str:
    return file.bank if isinstance(file, BankFileSent) else ""


def _require_part(sent: Totals, answered: Totals, file: str) -> None:
    """Refuse an answer to more than was sent, and one that is whole in one figure alone."""
    if not answered.within(sent) or (answered.count == sent.count) != (
        answered.rupiah == sent.rupiah
    ):
        raise TotalsDiffer(of=file, expected=sent, given=answered)
