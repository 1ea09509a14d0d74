"""How a payment run stands: the documents and files that it has so far."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.payments.domain.run_messages import (
    AccountCheckReceived,
    AccountCheckSent,
    BankFileSent,
    BankResultReceived,
    Event,
    FundsReleased,
    ListEntitled,
    PaymentOrdered,
    PaymentRequested,
    RunOpened,
    TahapReconciled,
    TransfersRecorded,
)
from services.payments.domain.totals import NOTHING, Totals, total


@dataclass(frozen=True, slots=True)
class RunState:
    """Each document as its event has it, None until it is there; the last result of each file."""

    opened: RunOpened | None = None
    entitled: ListEntitled | None = None
    checks: tuple[AccountCheckSent, ...] = ()
    check_answers: tuple[AccountCheckReceived, ...] = ()
    request: PaymentRequested | None = None
    order: PaymentOrdered | None = None
    funds: FundsReleased | None = None
    files: tuple[BankFileSent, ...] = ()
    results: tuple[BankResultReceived, ...] = ()
    transfers: TransfersRecorded | None = None
    reconciled: TahapReconciled | None = None

    @property
    def check_complete(self) -> bool:
        """Every payable payment stands in a check file and every check file is answered."""
        return (
            self.entitled is not None
            and total(totals_of(each) for each in self.checks) == self.entitled.payable
            and len(self.check_answers) == len(self.checks)
        )

    @property
    def passed(self) -> Totals:
        """The payments whose accounts passed the check."""
        return total(each.passed for each in self.check_answers)

    @property
    def ordered(self) -> Totals:
        """What is ordered to be paid; nothing before the order."""
        return totals_of(self.order) if self.order else NOTHING

    @property
    def credited(self) -> Totals:
        """What the banks say they credited."""
        return total(each.credited for each in self.results)

    @property
    def failed(self) -> Totals:
        """What the banks say they could not credit."""
        return total(each.failed for each in self.results)

    def check_file(self, file: str) -> AccountCheckSent | None:
        """The account check file of this id."""
        return next((each for each in self.checks if each.file == file), None)

    def check_answer(self, file: str) -> AccountCheckReceived | None:
        """The treasury's answer to the file of this id."""
        return next((each for each in self.check_answers if each.file == file), None)

    def bank_file(self, file: str) -> BankFileSent | None:
        """The bank file of this id."""
        return next((each for each in self.files if each.file == file), None)

    def result(self, file: str) -> BankResultReceived | None:
        """The bank's last answer for the file of this id."""
        return next((each for each in self.results if each.file == file), None)


def totals_of(
    document: AccountCheckSent | PaymentOrdered | BankFileSent | RunOpened,
) -> Totals:
    """Count and rupiah of a document that has one of each."""
    return Totals(document.count, document.rupiah)


def evolve(state: RunState, event: Event) -> RunState:
    """The state after an event."""
    match event:
        case RunOpened():
            return replace(state, opened=event)
        case ListEntitled():
            return replace(state, entitled=event)
        case AccountCheckSent():
            return replace(state, checks=(*state.checks, event))
        case AccountCheckReceived():
            return replace(state, check_answers=(*state.check_answers, event))
        case PaymentRequested():
            return replace(state, request=event)
        case PaymentOrdered():
            return replace(state, order=event)
        case FundsReleased():
            return replace(state, funds=event)
        case BankFileSent():
            return replace(state, files=(*state.files, event))
        case BankResultReceived():
            earlier = tuple(each for each in state.results if each.file != event.file)
            return replace(state, results=(*earlier, event))
        case TransfersRecorded():
            return replace(state, transfers=event)
        case TahapReconciled():
            return replace(state, reconciled=event)
