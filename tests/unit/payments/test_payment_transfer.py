import pytest

from libs.events.domain.testing import given
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import (
    Command,
    Credit,
    Event,
    FailAccountCheck,
    FailTransfer,
    HoldStatus,
    Instruct,
    PaymentCredited,
    PaymentInstructed,
    TransferFailed,
)
from services.payments.domain.shared.errors import (
    AccountNotChecked,
    AmountDiffers,
    Contradiction,
    NothingToPay,
    NotInstructed,
    NotPayable,
)
from tests.unit.payments.kit import (
    AMOUNT,
    CREDIT,
    CREDITED,
    ENTITLE,
    ENTITLED,
    FAIL,
    FAILED,
    FAMILY,
    INSTRUCT,
    INSTRUCTED,
    ORDER,
    PAYMENT,
    TAHAP,
    entitle,
    past,
)

# -- Instructing


def test_a_checked_payment_is_instructed() -> None:
    given(payment, *ENTITLED).when(INSTRUCT).then(
        PaymentInstructed(PAYMENT, TAHAP, FAMILY, AMOUNT, "BNI", ORDER)
    )


@pytest.mark.parametrize("history", [INSTRUCTED, CREDITED, FAILED])
def test_instructing_again_changes_nothing(history: tuple[Event, ...]) -> None:
    given(payment, *history).when(INSTRUCT).then_nothing()


@pytest.mark.parametrize(
    "other", [Instruct("SPM-2023-1-SUPPLEMENTARY-1", "BNI", "OK"), Instruct(ORDER, "BRI", "OK")]
)
@pytest.mark.parametrize("history", [INSTRUCTED, CREDITED, FAILED])
def test_another_order_or_another_bank_is_refused(
    history: tuple[Event, ...], other: Command
) -> None:
    given(payment, *history).when(other).then_refused(Contradiction)


@pytest.mark.parametrize("code", ["", "ACCOUNT_DORMANT", "ok"])
def test_an_account_that_did_not_pass_the_check_gets_no_money(code: str) -> None:
    given(payment, *ENTITLED).when(Instruct(ORDER, "BNI", code)).then_refused(AccountNotChecked)


def test_a_failed_account_check_stands_even_if_the_order_says_ok() -> None:
    failed_check = past(ENTITLE, FailAccountCheck("NIK_MISMATCH"))

    given(payment, *failed_check).when(INSTRUCT).then_refused(NotPayable)


def test_without_a_valid_payee_nothing_is_instructed() -> None:
    given(payment, *past(entitle(payee_valid=False))).when(INSTRUCT).then_refused(NotPayable)


def test_an_entitlement_to_nothing_is_not_instructed() -> None:
    given(payment, *past(entitle(amount=0))).when(INSTRUCT).then_refused(NothingToPay)


# -- The bank credits


def test_the_credit_is_recorded_with_the_banks_reference() -> None:
    given(payment, *INSTRUCTED).when(CREDIT).then(
        PaymentCredited(PAYMENT, TAHAP, FAMILY, AMOUNT, HoldStatus.NONE, "BNI-0001")
    )


def test_the_same_credit_again_changes_nothing() -> None:
    given(payment, *CREDITED).when(CREDIT).then_nothing()


def test_a_second_credit_under_another_reference_is_refused() -> None:
    given(payment, *CREDITED).when(Credit("BNI-0002", AMOUNT)).then_refused(Contradiction)


def test_a_credit_after_a_failure_is_refused() -> None:
    given(payment, *FAILED).when(CREDIT).then_refused(Contradiction)


def test_a_credit_that_nobody_instructed_is_refused() -> None:
    given(payment, *ENTITLED).when(CREDIT).then_refused(NotInstructed)


@pytest.mark.parametrize("amount", [0, -AMOUNT, AMOUNT - 1, AMOUNT + 1])
def test_a_credit_of_another_amount_is_refused(amount: int) -> None:
    given(payment, *INSTRUCTED).when(Credit("BNI-0001", amount)).then_refused(AmountDiffers)


# -- The bank fails


def test_a_failed_transfer_is_recorded_with_its_code_and_amount() -> None:
    given(payment, *INSTRUCTED).when(FAIL).then(
        TransferFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED", AMOUNT)
    )


def test_the_same_failure_again_changes_nothing() -> None:
    given(payment, *FAILED).when(FAIL).then_nothing()


def test_a_failure_for_another_reason_is_refused() -> None:
    other = FailTransfer("NAME_MISMATCH", AMOUNT)

    given(payment, *FAILED).when(other).then_refused(Contradiction)


def test_a_failure_after_the_credit_is_refused() -> None:
    given(payment, *CREDITED).when(FAIL).then_refused(Contradiction)


def test_a_failure_that_nobody_instructed_is_refused() -> None:
    given(payment, *ENTITLED).when(FAIL).then_refused(NotInstructed)


def test_a_failure_of_another_amount_is_refused() -> None:
    given(payment, *INSTRUCTED).when(FailTransfer("X", AMOUNT - 1)).then_refused(AmountDiffers)
