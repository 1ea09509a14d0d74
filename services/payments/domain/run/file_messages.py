"""The files of a payment run: account checks to the treasury, credit files to the banks.

Of a file only range, count, sum and hash are kept; its bytes are rendered when it is sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.payments.domain.shared.totals import Totals

# -- Commands


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


# -- Events


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
