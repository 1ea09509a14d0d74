"""The account check, the same for treasury and banks: is this, on this day, the payee's account?"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from simulators.books import Account, Status, comparable


class Answer(StrEnum):
    """The result of the check; the first that fits, in this order."""

    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    ACCOUNT_DORMANT = "ACCOUNT_DORMANT"
    NIK_MISMATCH = "NIK_MISMATCH"
    NAME_MISMATCH = "NAME_MISMATCH"
    OK = "OK"


def check(account: Account | None, on: date, name: str, nik: str) -> Answer:
    """Compare an account of the books with the name and NIK that the programme has for it."""
    if account is None:
        return Answer.ACCOUNT_NOT_FOUND
    match account.status_on(on):
        case Status.CLOSED:
            return Answer.ACCOUNT_CLOSED
        case Status.DORMANT:
            return Answer.ACCOUNT_DORMANT
        case Status.ACTIVE:
            return _holder(account, name, nik)


def _holder(account: Account, name: str, nik: str) -> Answer:
    if account.holder_nik != nik:
        return Answer.NIK_MISMATCH
    if account.holder_name != comparable(name):
        return Answer.NAME_MISMATCH
    return Answer.OK
