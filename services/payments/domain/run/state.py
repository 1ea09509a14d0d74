"""The state of a payment run: the documents and files that it has so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from services.payments.domain.run.messages import (
    UNANSWERED,
    AccountCheckReceived,
    AccountCheckSent,
    BankFileSent,
    BankResultReceived,
    DeferredLine,
    Event,
    FileWithdrawn,
    FundsReleased,
    LinesDeferred,
    ListEntitled,
    OrderCancelled,
    PartnerIncidentFound,
    PartnerIncidentJudged,
    PaymentOrdered,
    PaymentRequested,
    RunCancelled,
    RunOpened,
    TahapReconciled,
    TransfersRecorded,
    UnansweredDeferred,
    UnansweredProposed,
)
from services.payments.domain.shared.errors import Contradiction, StepNotReached
from services.payments.domain.shared.totals import NOTHING, Totals, total


class RunStep(Enum):
    """The steps of a run, in their order; people take `ORDER`, all others go on by themselves."""

    OPEN = auto()
    ENTITLE = auto()
    CHECK_ACCOUNTS = auto()
    ORDER = auto()
    RELEASE_FUNDS = auto()
    PAY = auto()  # payments instructed, banks' files sent and answered
    RECONCILE = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class RunState:
    """Each document as its event has it, None until it is there; the last result of each file.

    `withdrawn` are files that were committed once and are void. `deferred` are the lines that left
    the run, by what they made less: `unchecked` what was to be checked, `unanswered` what the check
    had to answer, `unordered` what passed it, `uninstructed` what was ordered. `dispatched` is the
    first bank file that was ever committed. `incidents` wait for a person, one a partner.
    `recalled` is the order of a cancelled run that the treasury has not taken back yet,
    `recalled_funds` what it had released for it; `given_back` is its last answer to one.
    """

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
    deferred: tuple[DeferredLine, ...] = ()
    unchecked: Totals = NOTHING
    unanswered: Totals = NOTHING
    unanswered_proposal: UnansweredProposed | None = None
    unordered: Totals = NOTHING
    uninstructed: Totals = NOTHING
    withdrawn: tuple[AccountCheckSent | BankFileSent, ...] = ()
    dispatched: str = ""
    incidents: tuple[PartnerIncidentFound, ...] = ()
    recalled: PaymentOrdered | None = None
    recalled_funds: FundsReleased | None = None
    given_back: OrderCancelled | None = None

    def require_opened(self) -> RunOpened:
        """The terms that the run was opened with. Raises `StepNotReached` before."""
        if self.opened is None:
            raise StepNotReached(step="RunOpened")
        return self.opened

    @property
    def next_step(self) -> RunStep:
        """The step that comes next; where no account passed, the books are closed on zeros."""
        if self.opened is None:
            return RunStep.OPEN
        if self.entitled is None:
            return RunStep.ENTITLE
        if not self.check_complete:
            return RunStep.CHECK_ACCOUNTS
        if self.reconciled is not None:
            return RunStep.DONE
        if self.passed.count == 0 or self.transfers is not None:
            return RunStep.RECONCILE
        if self.order is None:
            return RunStep.ORDER
        return RunStep.RELEASE_FUNDS if self.funds is None else RunStep.PAY

    @property
    def count(self) -> int:
        """The payments of the run, as they were frozen and then entitled."""
        if self.entitled is not None:
            return self.entitled.entitled.count
        return self.opened.count if self.opened else 0

    @property
    def settled(self) -> int:
        """The payments that nothing more is done for: not payable, refused, deferred, answered."""
        if self.entitled is None:
            return 0
        not_payable = self.entitled.entitled.count - self.entitled.payable.count
        refused = total(answer.failed for answer in self.check_answers)
        deferred = self.unchecked + self.unanswered + self.unordered + self.uninstructed
        return not_payable + (refused + deferred + self.credited + self.failed).count

    @property
    def check_complete(self) -> bool:
        """Every payable payment stands in a check file and every check file is answered."""
        return (
            self.entitled is not None
            and total(totals_of(check) for check in self.checks) == self.payable
            and len(self.check_answers) == len(self.checks)
        )

    @property
    def payable(self) -> Totals:
        """The payments to be checked: payable entitlements, less the lines that left before it."""
        return self.entitled.payable - self.unchecked if self.entitled else NOTHING

    @property
    def passed(self) -> Totals:
        """The payments whose accounts passed the check and that are still in the run to order."""
        return total(answer.passed for answer in self.check_answers) - self.unordered

    @property
    def left_unanswered(self) -> frozenset[str]:
        """The payments that left because the treasury had not answered for their accounts."""
        return frozenset(line.payment for line in self.deferred if line.reason == UNANSWERED)

    @property
    def ordered(self) -> Totals:
        """The payments that are ordered; none before the order."""
        return totals_of(self.order) if self.order else NOTHING

    @property
    def instructed(self) -> Totals:
        """The sum of the banks' files: what was ordered, less the lines that left behind it."""
        return self.ordered - self.uninstructed

    @property
    def sent(self) -> Totals:
        """The sum of the banks' files that are committed."""
        return total(totals_of(file) for file in self.files)

    @property
    def credited(self) -> Totals:
        """The credits that the banks say they made."""
        return total(result.credited for result in self.results)

    @property
    def failed(self) -> Totals:
        """The credits that the banks say they could not make."""
        return total(result.failed for result in self.results)

    def file_of(self, bank: str | None) -> str:
        """The id of the file to a bank, or to the treasury (None), also of one that was withdrawn.

        Empty before one was committed: its end is drawn once, and kept ever after.
        """
        sent = (*self.checks, *self.files, *self.withdrawn)
        return next((file.file for file in sent if bank_of(file) == bank), "")

    def incident_of(self, partner: str) -> PartnerIncidentFound | None:
        """The incident of a partner, TREASURY or a bank, that waits for a person's judgement."""
        return next((found for found in self.incidents if found.partner == partner), None)

    def check_file(self, file: str) -> AccountCheckSent | None:
        """The account check file of this id."""
        return next((check for check in self.checks if check.file == file), None)

    def check_answer(self, file: str) -> AccountCheckReceived | None:
        """The treasury's answer to the file of this id."""
        return next((answer for answer in self.check_answers if answer.file == file), None)

    def bank_file(self, file: str) -> BankFileSent | None:
        """The bank file of this id."""
        return next((sent for sent in self.files if sent.file == file), None)

    def answered_whole(self, file: str) -> bool:
        """True when a bank has said of every line of its file what became of it."""
        sent, result = self.bank_file(file), self.result(file)
        if sent is None or result is None:
            return False
        return result.credited + result.failed == totals_of(sent)

    def result(self, file: str) -> BankResultReceived | None:
        """The bank's last answer for the file of this id."""
        return next((result for result in self.results if result.file == file), None)


def totals_of(
    document: AccountCheckSent | PaymentOrdered | BankFileSent | RunOpened,
) -> Totals:
    """Count and rupiah of a document that has one of each."""
    return Totals(document.count, document.rupiah)


def bank_of(file: AccountCheckSent | BankFileSent) -> str | None:
    """The bank that a file goes to; None where it goes to the treasury."""
    return file.bank if isinstance(file, BankFileSent) else None


def once(on_record: Event | None, document: Event) -> Sequence[Event]:
    """The document where there is none yet, nothing where it is the same, else a refusal."""
    if on_record is None:
        return [document]
    if on_record != document:
        raise Contradiction(document=type(document).__name__)
    return []


def evolve(state: RunState, event: Event) -> RunState:
    """The state after an event."""
    match event:
        case RunOpened():
            return replace(state, opened=event)
        case RunCancelled() | OrderCancelled():
            return _taken_back(state, event)
        case ListEntitled():
            return replace(state, entitled=event)
        case FileWithdrawn() | LinesDeferred() | UnansweredProposed() | UnansweredDeferred():
            return _left(state, event)
        case PartnerIncidentFound() | PartnerIncidentJudged():
            return replace(state, incidents=_incidents(state, event))
        case AccountCheckSent():
            return replace(state, checks=(*state.checks, event))
        case AccountCheckReceived():
            answers = (*state.check_answers, event)
            return replace(state, check_answers=answers, unanswered_proposal=None)
        case PaymentRequested():
            return replace(state, request=event)
        case PaymentOrdered():
            return replace(state, order=event)
        case FundsReleased():
            return replace(state, funds=event)
        case BankFileSent():
            first = state.dispatched or event.file
            return replace(state, files=(*state.files, event), dispatched=first)
        case BankResultReceived():
            earlier = tuple(result for result in state.results if result.file != event.file)
            return replace(state, results=(*earlier, event))
        case TransfersRecorded():
            return replace(state, transfers=event)
        case TahapReconciled():
            return replace(state, reconciled=event)


def _incidents(
    state: RunState, event: PartnerIncidentFound | PartnerIncidentJudged
) -> tuple[PartnerIncidentFound, ...]:
    """The incidents that wait for a judgement: of a partner at most one."""
    others = tuple(found for found in state.incidents if found.partner != event.partner)
    return (*others, event) if isinstance(event, PartnerIncidentFound) else others


def _taken_back(state: RunState, event: RunCancelled | OrderCancelled) -> RunState:
    """The run that is over: with its order while the treasury has not taken that back."""
    if isinstance(event, OrderCancelled):
        return RunState(given_back=event)
    return RunState(recalled=state.order, recalled_funds=state.funds)


def _left(
    state: RunState, event: FileWithdrawn | LinesDeferred | UnansweredProposed | UnansweredDeferred
) -> RunState:
    """The run behind what lines leave it by."""
    match event:
        case FileWithdrawn():
            return _withdrawn(state, event.file)
        case LinesDeferred():
            return _without(state, event.lines)
        case UnansweredProposed():
            return replace(state, unanswered_proposal=event)
        case UnansweredDeferred():
            return replace(state, unanswered_proposal=None)


def _withdrawn(state: RunState, file: str) -> RunState:
    """The run without a file; what its check was to answer is not in the next one."""
    out = replace(
        state,
        checks=tuple(sent for sent in state.checks if sent.file != file),
        files=tuple(sent for sent in state.files if sent.file != file),
        withdrawn=(
            *state.withdrawn,
            *(sent for sent in state.checks if sent.file == file),
            *(sent for sent in state.files if sent.file == file),
        ),
    )
    if state.check_file(file) is None:
        return out
    return replace(out, unchecked=state.unchecked + state.unanswered, unanswered=NOTHING)


def _without(state: RunState, lines: tuple[DeferredLine, ...]) -> RunState:
    """The run without some lines; a request that had them falls, and is to be made anew."""
    less = Totals(len(lines), sum(line.rupiah for line in lines))
    out = replace(state, deferred=(*state.deferred, *lines))
    if state.entitled is None:
        return out  # they are not among the payable ones that are counted next
    if not state.checks:
        return replace(out, unchecked=state.unchecked + less)
    if not state.check_complete:
        return replace(out, unanswered=state.unanswered + less)
    if state.order is None:
        return replace(out, unordered=state.unordered + less, request=None)
    return replace(out, uninstructed=state.uninstructed + less)
