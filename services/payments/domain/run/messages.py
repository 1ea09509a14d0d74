"""Commands to a payment run, and its documents as they come to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from services.payments.domain.run.cancellation_messages import (
    CancelRun,
    OrderCancelled,
    RecordOrderCancelled,
    RunCancelled,
)
from services.payments.domain.run.deferral_messages import (
    DeferLines,
    DeferUnanswered,
    FileWithdrawn,
    LinesDeferred,
    ProposeUnanswered,
    UnansweredDeferred,
    UnansweredProposed,
    WithdrawFile,
)
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
from services.payments.domain.shared.totals import NOTHING, Totals

# -- Commands


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


Command: TypeAlias = (
    OpenRun
    | CancelRun
    | RecordOrderCancelled
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


# -- Events


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


Event: TypeAlias = (
    RunOpened
    | RunCancelled
    | OrderCancelled
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
