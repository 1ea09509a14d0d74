from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.payments.domain.payment.decider import AMOUNT_IDR_MAX, payment
from services.payments.domain.payment.messages import (
    AccountCheckFailed,
    Command,
    Defer,
    Event,
    FailAccountCheck,
    HoldPlaced,
    HoldStatus,
    PaymentDeferred,
    PaymentEntitled,
    PaymentInstructed,
    PaymentVoided,
    PaymentWithheld,
    TakeOut,
    Void,
    WithheldReason,
)
from services.payments.domain.shared.errors import (
    Contradiction,
    Malformed,
    NotEntitled,
    NotPayable,
    StepNotReached,
)
from tests.unit.payments.kit import (
    AMOUNT,
    COMPONENTS,
    COUNTED,
    CREDIT,
    CREDITED,
    ENTITLE,
    ENTITLED,
    FAIL,
    FAMILY,
    HOLD,
    INSTRUCT,
    INSTRUCTED,
    ORDER,
    PAYMENT,
    TAHAP,
    entitle,
    past,
)

OUT_OF_ORDER = TakeOut("ON_HOLD", ordered=True)
DEFER = Defer(TAHAP, FAMILY, "REGULAR", "PARKED")
CLOSED, DORMANT = FailAccountCheck("ACCOUNT_CLOSED"), FailAccountCheck("ACCOUNT_DORMANT")


def test_a_family_is_entitled() -> None:
    given(payment).when(ENTITLE).then(
        PaymentEntitled(
            payment=PAYMENT,
            tahap=TAHAP,
            family=FAMILY,
            kind="REGULAR",
            region="61.03.01.2026",
            components=COMPONENTS,
            amount=AMOUNT,
            payee_valid=True,
            benefit_policy="2021-2024",
            counted=COUNTED,
        )
    )


def test_entitling_twice_changes_nothing_however_far_the_money_is() -> None:
    for history in (ENTITLED, INSTRUCTED, CREDITED):
        given(payment, *history).when(ENTITLE).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        entitle(amount=AMOUNT + 1),
        entitle(payee_valid=False),
        entitle(tahap="2023-2"),
        entitle(kind="SUPPLEMENTARY-1"),
        entitle(family="a81d4c3e-2b6f-4e57-9c10-5d8e7f6a0b92"),
    ],
)
def test_another_entitlement_on_the_same_payment_is_refused(other: Command) -> None:
    given(payment, *ENTITLED).when(other).then_refused(Contradiction)


@pytest.mark.parametrize("amount", [-1, AMOUNT_IDR_MAX + 1, 2**53 + 1])
def test_an_amount_that_no_bank_file_can_carry_is_refused(amount: int) -> None:
    given(payment).when(entitle(amount=amount)).then_refused(Malformed)


@pytest.mark.parametrize("amount", [0, AMOUNT_IDR_MAX])
def test_the_least_and_the_most_amount_are_taken(amount: int) -> None:
    assert len(given(payment).when(entitle(amount=amount)).events) == 1


@pytest.mark.parametrize(
    "malformed", [entitle(kind="URGENT"), entitle(kind="SUPPLEMENTARY-0"), entitle(tahap="2023")]
)
def test_an_entitlement_of_no_known_kind_or_tahap_is_refused(malformed: Command) -> None:
    given(payment).when(malformed).then_refused(Malformed)


def test_a_person_paid_elsewhere_leaves_an_entitlement_that_is_withheld() -> None:
    answered = given(payment).when(entitle(duplicate_person=True)).events

    assert answered[0] == ENTITLED[0]
    assert answered[1:] == (
        PaymentWithheld(PAYMENT, TAHAP, FAMILY, WithheldReason.DUPLICATE_PERSON),
    )


def test_a_withheld_payment_is_never_instructed_nor_checked() -> None:
    withheld = given(payment, *past(entitle(duplicate_person=True)))

    withheld.when(INSTRUCT).then_refused(NotPayable)
    withheld.when(CLOSED).then_refused(Contradiction)
    withheld.when(entitle(duplicate_person=True)).then_nothing()


# -- A deferred payment


def test_a_deferred_payment_is_closed_before_it_begins() -> None:
    given(payment).when(DEFER).then(
        PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "PARKED"),
    )


def test_deferring_twice_changes_nothing() -> None:
    given(payment, *past(DEFER)).when(DEFER).then_nothing()


def test_a_deferred_payment_is_not_entitled_because_another_run_pays_it() -> None:
    given(payment, *past(DEFER)).when(ENTITLE).then_refused(Contradiction)
    given(payment, *past(DEFER)).when(INSTRUCT).then_refused(NotPayable)


def test_what_is_entitled_is_not_deferred_any_more() -> None:
    given(payment, *ENTITLED).when(DEFER).then_refused(Contradiction)


# -- Taken out of its run


def test_an_entitled_payment_is_deferred_before_its_order_and_no_money_moves() -> None:
    given(payment, *ENTITLED).when(TakeOut("ON_HOLD")).then(
        PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "ON_HOLD", returned=0)
    )


def test_an_instructed_payment_is_deferred_before_its_file_and_its_money_goes_back() -> None:
    given(payment, *INSTRUCTED).when(OUT_OF_ORDER).then(
        PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "ON_HOLD", returned=AMOUNT)
    )


def test_funds_of_an_order_have_no_way_back_before_the_payment_is_instructed() -> None:
    given(payment, *ENTITLED).when(OUT_OF_ORDER).then_refused(StepNotReached)


def test_taking_a_payment_out_twice_changes_nothing() -> None:
    out = given(payment, *past(ENTITLE, TakeOut("ON_HOLD")))

    out.when(TakeOut("ON_HOLD")).then_nothing()
    out.when(TakeOut("KEY_GONE")).then_nothing()


def test_what_was_taken_out_is_neither_instructed_nor_entitled_again() -> None:
    out = given(payment, *past(ENTITLE, TakeOut("ON_HOLD")))

    out.when(INSTRUCT).then_refused(NotPayable)
    out.when(ENTITLE).then_refused(Contradiction)


@pytest.mark.parametrize(
    "answered", [(INSTRUCT, CREDIT), (INSTRUCT, FAIL), (CLOSED,)], ids=["paid", "failed", "checked"]
)
def test_a_payment_that_has_its_answer_is_not_taken_out(answered: tuple[Command, ...]) -> None:
    given(payment, *past(ENTITLE, *answered)).when(OUT_OF_ORDER).then_refused(Contradiction)
    given(payment, *past(ENTITLE, *answered)).when(TakeOut("ON_HOLD")).then_refused(Contradiction)


def test_nobody_is_taken_out_who_is_not_entitled() -> None:
    given(payment).when(TakeOut("ON_HOLD")).then_refused(NotEntitled)


# -- The account check


def test_a_failed_account_check_takes_the_payment_out() -> None:
    given(payment, *ENTITLED).when(CLOSED).then(
        AccountCheckFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED")
    )


def test_the_same_failure_again_changes_nothing() -> None:
    given(payment, *past(ENTITLE, CLOSED)).when(CLOSED).then_nothing()


def test_another_failure_than_the_one_on_record_is_refused() -> None:
    given(payment, *past(ENTITLE, CLOSED)).when(DORMANT).then_refused(Contradiction)


def test_a_check_can_not_fail_once_the_bank_is_instructed() -> None:
    given(payment, *INSTRUCTED).when(CLOSED).then_refused(Contradiction)


def test_without_a_valid_payee_there_is_no_account_to_check() -> None:
    given(payment, *past(entitle(payee_valid=False))).when(CLOSED).then_refused(NotPayable)


@pytest.mark.parametrize("command", [CLOSED, INSTRUCT, CREDIT, FAIL])
def test_nothing_is_said_of_a_payment_that_nobody_is_entitled_to(command: Command) -> None:
    given(payment).when(command).then_refused(NotEntitled)


# -- Taken back with a cancelled tahap


@pytest.mark.parametrize(
    "earlier",
    [(ENTITLE,), (ENTITLE, CLOSED), (entitle(duplicate_person=True),), (DEFER,)],
    ids=["entitled", "account-failed", "withheld", "deferred"],
)
def test_a_payment_is_voided_once_and_entitled_anew_once(earlier: tuple[Command, ...]) -> None:
    again = entitle(amount=AMOUNT - 1)
    voided = PaymentVoided(PAYMENT, TAHAP, FAMILY, "REGULAR")

    given(payment, *past(*earlier)).when(Void()).then(voided)
    given(payment, *past(*earlier, Void())).when(Void()).then_nothing()
    assert len(given(payment, *past(*earlier, Void())).when(again).events) == 1
    given(payment, *past(*earlier, Void(), again)).when(again).then_nothing()
    given(payment, *past(*earlier, Void(), again)).when(ENTITLE).then_refused(Contradiction)


@pytest.mark.parametrize(
    ("earlier", "deferred"),
    [((ENTITLE, INSTRUCT), 0), ((ENTITLE, INSTRUCT, TakeOut("ON_HOLD", ordered=True)), AMOUNT)],
    ids=["instructed", "deferred-then"],
)
def test_a_voided_payment_takes_along_what_a_bank_was_to_be_sent(
    earlier: tuple[Command, ...], deferred: int
) -> None:
    voided = PaymentVoided(PAYMENT, TAHAP, FAMILY, "REGULAR", ORDER, "BNI", AMOUNT, deferred)
    again = replace(INSTRUCT, order=f"{ORDER}-R2", bank="BRI")

    given(payment, *past(*earlier)).when(Void(ORDER)).then(voided)
    given(payment, *past(*earlier)).when(Void()).then(replace(voided, funds=AMOUNT))
    given(payment, *past(*earlier, Void())).when(Void()).then_nothing()
    given(payment, *past(*earlier, Void())).when(INSTRUCT).then_refused(NotEntitled)
    given(payment, *past(*earlier, Void(), ENTITLE)).when(again).then(
        PaymentInstructed(PAYMENT, TAHAP, FAMILY, AMOUNT, "BRI", f"{ORDER}-R2")
    )


def test_a_hold_that_was_carried_to_a_supplementary_payment_is_void_with_it() -> None:
    regular, later = [
        payment.fold(past(entitle(kind=kind), HOLD, Void()))
        for kind in ("REGULAR", "SUPPLEMENTARY-1")
    ]

    assert (regular.hold.status, later.hold.status) == (HoldStatus.HELD, HoldStatus.NONE)
    # The next announcement may carry it anew.
    assert payment.decide(HOLD, later) == [HoldPlaced(HOLD.effect)]


@pytest.mark.parametrize("sent", [CREDITED, past(ENTITLE, INSTRUCT, FAIL)])
def test_a_payment_that_a_bank_has_answered_is_not_voided(sent: tuple[Event, ...]) -> None:
    given(payment, *sent).when(Void()).then_refused(Contradiction)


def test_nothing_is_voided_that_was_never_entitled() -> None:
    given(payment).when(Void()).then_nothing()
