"""What a payment run can be asked to do, and its documents and files as they come to be.

Of a file only range, count, sum and hash are kept; its bytes are rendered when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from services.payments.domain.totals import Totals

# -- Commands


@dataclass(frozen=True, slots=True)
class OpenRun:
    """Open the run of a frozen list, with the list's hash and control totals."""

    tahap: str
    kind: str
    list_hash: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class MarkEntitled:
    """Say that every line of the list has its entitlement.

    `payable` are those with a valid payee, an amount and no person paid elsewhere.
    """

    entitled: Totals
    payable: Totals


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


@dataclass(frozen=True, slots=True)
class MarkCredited:
    """Say that each payment has its own event for what the bank answered."""

    credited: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class Reconcile:
    """Close the books of the run: four totals from the ledger, not from the bank's files."""

    instructed: Totals
    credited: Totals
    failed: Totals
    unknown: Totals


Command: TypeAlias = (
    OpenRun
    | MarkEntitled
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
    """A frozen list is to be paid."""

    tahap: str
    kind: str
    list_hash: str
    count: int
    rupiah: int


@dataclass(frozen=True, slots=True)
class ListEntitled:
    """Every line of the list has its entitlement."""

    tahap: str
    kind: str
    entitled: Totals
    payable: Totals


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


@dataclass(frozen=True, slots=True)
class TransfersRecorded:
    """Every payment of the run has an event for what the bank answered."""

    tahap: str
    kind: str
    credited: Totals
    failed: Totals


@dataclass(frozen=True, slots=True)
class TahapReconciled:
    """The run's books agree: instructed is credited and failed, nothing is unknown."""

    tahap: str
    kind: str
    instructed: Totals
    credited: Totals
    failed: Totals


Event: TypeAlias = (
    RunOpened
    | ListEntitled
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
