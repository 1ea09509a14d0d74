"""Commands to a payment run and its events: documents, files, who leaves it, and its end.

Of a file only range, count, sum and hash are kept; its bytes are rendered when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from services.payments.domain.shared.totals import NOTHING, Totals

UNANSWERED: Final = "ACCOUNT_CHECK_UNANSWERED"
"""The reason of a line of whose account the treasury said neither yes nor no."""


@dataclass(frozen=True, slots=True)
class DeferredLine:
    """A payment of a run, with its family, bank and whole rupiah, and the code of why it leaves."""

    payment: str
    family: str
    bank: str
    rupiah: int
    reason: str


# -- Commands: the documents


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Open the run of a frozen list, with the list's hash and control totals."""

    tahap: str
    kind: str
    list_hash: str
    count: int
    rupiah: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class MarkEntitled:
    """Say that every line of the list has its entitlement.

    `payable` are those with a valid payee, an amount and no person paid elsewhere, less what is
    cut of it; `cut` is of all that are entitled.
    """

    entitled: Totals
    payable: Totals
    cut: int = 0


@dataclass(frozen=True, slots=True)
class ProposeOrder:
    """The maker's payment request (SPP): hash and totals of the order's lines."""

    maker: str
    request: str
    hash: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class ApproveOrder:
    """The checker's payment order (SPM) for the requested hash."""

    checker: str
    order: str
    hash: str


@dataclass(frozen=True, slots=True)
class RecordFundsRelease:
    """Record the treasury's release order (SP2D `number`) for the payment order."""

    order: str
    number: str
    hash: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class MarkCredited:
    """Say that each payment has its own event for what the bank answered."""

    credited: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Close the books of the run: totals from the ledger, not from the bank's files.

    `instructed` is without the lines that left the run behind its order, which are `deferred`.
    """

    instructed: Totals
    credited: Totals
    failed: Totals
    unknown: Totals
    deferred: Totals = NOTHING


# -- Commands: the files


@dataclass(frozen=True, slots=True)
class SendAccountCheck:
    """Commit to send an account check file of the payments `first`..`last`, then send it."""

    file: str
    first: str
    last: str
    count: int
    rupiah: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RecordAccountCheck:
    """Record the treasury's answer to an account check file, `sha256` of the answer's bytes."""

    file: str
    sha256: str
    passed: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class SendBankFile:
    """Commit to send a credit file of the payments `first`..`last` to a bank, then send it."""

    bank: str
    file: str
    first: str
    last: str
    count: int
    rupiah: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RecordBankResult:
    """Record what a bank has answered for a file so far; what is left is unknown.

    `sha256` of the last answer is evidence alone: the same outcome may come payment by payment.
    """

    file: str
    sha256: str
    credited: Totals
    failed: Totals


# -- Commands: lines that leave by name, before the file that they would stand in is committed


@dataclass(frozen=True, slots=True)
class DeferLines:
    """Take these lines out of the run; each of them is payable by a supplementary run."""

    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class WithdrawFile:
    """Take back a committed file that its partner never took, and these lines out of the run.

    They cannot be rendered any more, so neither can the file as it was committed.
    """

    file: str
    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class ProposeUnanswered:
    """The maker's wish to go on without the lines that the account check leaves without an answer.

    They are all that are so at this moment; `hash` is over them.
    """

    maker: str
    hash: str
    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class DeferUnanswered:
    """Another person's approval: take out the lines that stand without an answer now."""

    checker: str
    hash: str
    lines: tuple[DeferredLine, ...]


# -- Commands: incidents


@dataclass(frozen=True, slots=True)
class ReportIncident:
    """Say that a word of a partner, TREASURY or a bank, cannot be its own about our file."""

    partner: str
    error: str


@dataclass(frozen=True, slots=True)
class JudgeIncident:
    """A person's judgement, with its reason: the partner may be asked again."""

    partner: str
    judge: str
    reason: str


# -- Commands: the end with a cancelled tahap


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End the run, whose tahap two people cancel."""


@dataclass(frozen=True, slots=True)
class RecordOrderCancelled:
    """Record that the treasury has cancelled the order of a run that is over.

    `receipt` is its number for that; `number` the one of the release (SP2D) whose `count` and
    `rupiah` it has back, empty and zeros where it had released nothing. `unvoided` are those of
    them that stand with payments which could not be voided yet.
    """

    order: str
    receipt: str
    number: str
    count: int
    rupiah: int
    unvoided: int = 0


Command: TypeAlias = (
    OpenRun
    | CancelRun
    | RecordOrderCancelled
    | ReportIncident
    | JudgeIncident
    | MarkEntitled
    | DeferLines
    | ProposeUnanswered
    | DeferUnanswered
    | WithdrawFile
    | SendAccountCheck
    | RecordAccountCheck
    | ProposeOrder
    | ApproveOrder
    | RecordFundsRelease
    | SendBankFile
    | RecordBankResult
    | MarkCredited
    | Reconcile
)

# -- Events: the documents


@dataclass(frozen=True, slots=True)
class RunOpened:
    """A frozen list is to be paid, its rupiah less what is cut of them."""

    tahap: str
    kind: str
    list_hash: str
    count: int
    rupiah: int
    cut: int = 0


@dataclass(frozen=True, slots=True)
class ListEntitled:
    """Every line of the list has its entitlement."""

    tahap: str
    kind: str
    entitled: Totals
    payable: Totals
    cut: int = 0


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """The payment request (SPP) of a maker."""

    tahap: str
    kind: str
    request: str
    hash: str
    count: int
    rupiah: int
    maker: str


@dataclass(frozen=True, slots=True)
class PaymentOrdered:
    """The payment order (SPM): a second person approved the request."""

    tahap: str
    kind: str
    order: str
    hash: str
    count: int
    rupiah: int
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class FundsReleased:
    """The treasury released the order's money (SP2D)."""

    tahap: str
    kind: str
    order: str
    number: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class TransfersRecorded:
    """Every payment of the run has an event for what the bank answered."""

    tahap: str
    kind: str
    credited: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class TahapReconciled:
    """The run's books agree: instructed is credited and failed, nothing is unknown.

    Ordered is instructed and `deferred`: the lines that left the run behind its order.
    """

    tahap: str
    kind: str
    instructed: Totals
    credited: Totals
    failed: Totals
    deferred: Totals = NOTHING


# -- Events: the files


@dataclass(frozen=True, slots=True)
class AccountCheckSent:
    """An account check file goes to the treasury; sent again, it has the same id and hash."""

    tahap: str
    kind: str
    file: str
    first: str
    last: str
    count: int
    rupiah: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AccountCheckReceived:
    """The treasury answered an account check file."""

    tahap: str
    kind: str
    file: str
    sha256: str
    passed: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class BankFileSent:
    """A credit file goes to a bank; sent again, it has the same id and hash."""

    tahap: str
    kind: str
    bank: str
    file: str
    first: str
    last: str
    count: int
    rupiah: int
    sha256: str


@dataclass(frozen=True, slots=True)
class BankResultReceived:
    """A bank answered for a file; what is neither credited nor failed is unknown."""

    tahap: str
    kind: str
    bank: str
    file: str
    sha256: str
    credited: Totals
    failed: Totals


# -- Events: lines that leave


@dataclass(frozen=True, slots=True)
class LinesDeferred:
    """The run goes on without these lines; what it comes to from here on is less by them."""

    tahap: str
    kind: str
    lines: tuple[DeferredLine, ...]


@dataclass(frozen=True, slots=True)
class FileWithdrawn:
    """The file of this id is void; it is committed anew with what is left of it."""

    tahap: str
    kind: str
    file: str


@dataclass(frozen=True, slots=True)
class UnansweredProposed:
    """Somebody proposes to go on without the lines of this hash; replaced by the next proposal."""

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    maker: str


@dataclass(frozen=True, slots=True)
class UnansweredDeferred:
    """Two people decided to go on without lines that the treasury left without an answer.

    `LinesDeferred` names them. A supplementary run may pay them, once their accounts are checked.
    """

    tahap: str
    kind: str
    hash: str
    count: int
    rupiah: int
    maker: str
    checker: str


# -- Events: incidents


@dataclass(frozen=True, slots=True)
class PartnerIncidentFound:
    """The part of the run of a partner, TREASURY or a bank, stands until a person has judged."""

    tahap: str
    kind: str
    partner: str
    error: str


@dataclass(frozen=True, slots=True)
class PartnerIncidentJudged:
    """A person has judged the incident of a partner, which is asked again."""

    tahap: str
    kind: str
    partner: str
    judge: str
    reason: str


# -- Events: the end with a cancelled tahap


@dataclass(frozen=True, slots=True)
class RunCancelled:
    """The run is over and paid nobody; a later revision of its tahap starts it anew."""

    tahap: str
    kind: str


@dataclass(frozen=True, slots=True)
class OrderCancelled:
    """The treasury never releases this order any more, and has back what it had released.

    `count` and `rupiah` are what was released under `number`; zeros and empty where nothing was.
    `unrecorded`: the release is known by this answer alone, so no `FundsReleased` says it.
    `unvoided` are the rupiah of them that are booked with the payments that they stand with, each
    when it can be voided.
    """

    tahap: str
    kind: str
    order: str
    receipt: str
    number: str
    count: int
    rupiah: int
    unrecorded: bool = False
    unvoided: int = 0


Event: TypeAlias = (
    RunOpened
    | RunCancelled
    | OrderCancelled
    | PartnerIncidentFound
    | PartnerIncidentJudged
    | ListEntitled
    | LinesDeferred
    | UnansweredProposed
    | UnansweredDeferred
    | FileWithdrawn
    | AccountCheckSent
    | AccountCheckReceived
    | PaymentRequested
    | PaymentOrdered
    | FundsReleased
    | BankFileSent
    | BankResultReceived
    | TransfersRecorded
    | TahapReconciled
)
