from datetime import date, timedelta

import pytest

from simulators.books import Account, Status
from simulators.check import Answer, check
from tests.unit.simulators.given import NAME, NIK, ON, account


def test_the_payees_own_open_account_is_ok() -> None:
    assert check(account(), ON, NAME, NIK) is Answer.OK


def test_an_account_that_the_bank_does_not_have_is_not_found() -> None:
    assert check(None, ON, NAME, NIK) is Answer.ACCOUNT_NOT_FOUND


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.CLOSED, Answer.ACCOUNT_CLOSED), (Status.DORMANT, Answer.ACCOUNT_DORMANT)],
)
def test_a_status_counts_from_its_day_on_and_not_before(status: Status, code: Answer) -> None:
    changed = account(status, ON)

    assert check(changed, ON - timedelta(days=1), NAME, NIK) is Answer.OK
    assert check(changed, ON, NAME, NIK) is code
    assert check(changed, ON + timedelta(days=1), NAME, NIK) is code


def test_another_persons_account_is_a_nik_mismatch() -> None:
    assert check(account(), ON, NAME, "6103014903800002") is Answer.NIK_MISMATCH


def test_another_name_is_a_name_mismatch() -> None:
    assert check(account(), ON, "AGUSTINA SURIANI", NIK) is Answer.NAME_MISMATCH


def test_a_name_written_another_way_is_the_same_name() -> None:
    assert check(account(), ON, "Agustina  Suryani.", NIK) is Answer.OK


def test_the_first_fault_is_the_one_that_is_told() -> None:
    wrong: tuple[Account, date, str, str] = (account(Status.CLOSED, ON), ON, "X", "0")

    assert check(None, *wrong[1:]) is Answer.ACCOUNT_NOT_FOUND
    assert check(*wrong) is Answer.ACCOUNT_CLOSED
    assert check(account(), *wrong[1:]) is Answer.NIK_MISMATCH
    assert check(account(), ON, "X", NIK) is Answer.NAME_MISMATCH
