import pytest

from libs.events.domain.testing import given
from services.payments.domain.payment.decider import carried, payment
from services.payments.domain.payment.messages import (
    Defer,
    EffectTooLate,
    Event,
    FailAccountCheck,
    Hold,
    HoldForfeited,
    HoldLifted,
    HoldPlaced,
    HoldStatus,
    KeepForAppeal,
    PaymentCredited,
    PaymentReleased,
    PaymentReturned,
    Release,
    ReturnReason,
    ReturnWaits,
)
from tests.unit.payments.kit import (
    AMOUNT,
    BLOCKED,
    CLEAR,
    CORRECT,
    CREDIT,
    CREDITED,
    ENTITLE,
    FAIL,
    FAMILY,
    GRADUATE,
    HOLD,
    INSTRUCT,
    PAYMENT,
    RELEASE,
    TAHAP,
    TERMINATE,
    past,
)

PLACED = HoldPlaced(HOLD.effect)
RELEASED_AT_2 = PaymentReleased(PAYMENT, TAHAP, FAMILY, AMOUNT, "2023-2", RELEASE.effect)
CLEARED_AT_1 = PaymentReleased(PAYMENT, TAHAP, FAMILY, AMOUNT, TAHAP, CLEAR.effect)
TERMINATED_AT_3 = PaymentReturned(PAYMENT, TAHAP, FAMILY, AMOUNT, "2023-3", ReturnReason.TERMINATED)
GRADUATED_AT_2 = PaymentReturned(
    PAYMENT, TAHAP, FAMILY, AMOUNT, "2023-2", ReturnReason.GRADUATED_NATURAL
)


def credited(hold: HoldStatus) -> PaymentCredited:
    return PaymentCredited(PAYMENT, TAHAP, FAMILY, AMOUNT, hold, CREDIT.bank_reference)


# -- Holding


@pytest.mark.parametrize(
    "history",
    [
        (),
        past(ENTITLE),
        past(ENTITLE, INSTRUCT),
        past(ENTITLE, INSTRUCT, FAIL),
        past(ENTITLE, FailAccountCheck("ACCOUNT_CLOSED")),
    ],
    ids=["not entitled", "entitled", "instructed", "transfer failed", "account failed"],
)
def test_money_is_held_wherever_it_is_short_of_the_family(history: tuple[Event, ...]) -> None:
    given(payment, *history).when(HOLD).then(PLACED)


def test_the_same_hold_again_changes_nothing() -> None:
    given(payment, PLACED).when(HOLD).then_nothing()


def test_a_hold_that_came_before_the_entitlement_blocks_the_credit() -> None:
    held = past(HOLD, ENTITLE, INSTRUCT)

    given(payment, *held).when(CREDIT).then(credited(HoldStatus.HELD))


def test_money_that_the_family_can_draw_is_not_blocked_afterwards() -> None:
    given(payment, *CREDITED).when(HOLD).then(EffectTooLate(HOLD.effect, HoldStatus.HELD))


def test_money_that_was_released_is_not_blocked_again() -> None:
    late = Hold("suspended-again")

    released = past(HOLD, ENTITLE, INSTRUCT, CREDIT, RELEASE)
    given(payment, *released).when(late).then(EffectTooLate(late.effect, HoldStatus.HELD))


def test_a_hold_that_came_too_late_is_noted_once() -> None:
    given(payment, *CREDITED, EffectTooLate(HOLD.effect, HoldStatus.HELD)).when(HOLD).then_nothing()


def test_a_cycle_that_fails_after_all_holds_again_before_the_credit() -> None:
    again = Hold("suspended-2023-1-revision-3")
    history = past(HOLD, CORRECT, again, ENTITLE, INSTRUCT)

    given(payment, *history).when(CREDIT).then(credited(HoldStatus.HELD))


# -- Releasing


def test_blocked_money_is_released_at_a_later_tahap() -> None:
    given(payment, *BLOCKED).when(RELEASE).then(RELEASED_AT_2)


def test_the_same_release_again_changes_nothing() -> None:
    given(payment, *BLOCKED, RELEASED_AT_2).when(RELEASE).then_nothing()


def test_a_second_release_moves_nothing() -> None:
    second = Release("released-2023-3", "2023-3")

    released = past(HOLD, ENTITLE, INSTRUCT, CREDIT, RELEASE)
    given(payment, *released).when(second).then(HoldLifted(second.effect, second.at_tahap))


def test_a_late_copy_of_a_release_does_not_lift_a_later_hold() -> None:
    history = past(RELEASE, HOLD, ENTITLE, INSTRUCT, CREDIT)

    given(payment, *history).when(RELEASE).then_nothing()


def test_a_late_copy_of_a_hold_does_not_hold_what_was_released() -> None:
    given(payment, *past(HOLD, RELEASE)).when(HOLD).then_nothing()


def test_before_the_credit_a_release_moves_nothing() -> None:
    given(payment, *past(HOLD, ENTITLE)).when(RELEASE).then(
        HoldLifted(RELEASE.effect, RELEASE.at_tahap)
    )


def test_where_nothing_was_sent_a_release_moves_nothing() -> None:
    failed = past(HOLD, ENTITLE, INSTRUCT, FAIL)

    given(payment, *failed).when(RELEASE).then(HoldLifted(RELEASE.effect, RELEASE.at_tahap))


def test_a_cycle_corrected_before_the_credit_was_never_blocked() -> None:
    corrected = past(HOLD, CORRECT, ENTITLE, INSTRUCT)

    given(payment, *corrected).when(CREDIT).then(credited(HoldStatus.RELEASED))


def test_a_family_cleared_before_the_credit_has_its_money_released_at_the_credit() -> None:
    cleared = past(HOLD, CLEAR, ENTITLE, INSTRUCT)

    given(payment, *cleared).when(CREDIT).then(credited(HoldStatus.HELD), CLEARED_AT_1)


def test_a_release_by_a_later_tahap_takes_effect_at_a_late_credit() -> None:
    released = past(HOLD, ENTITLE, INSTRUCT, RELEASE)

    given(payment, *released).when(CREDIT).then(credited(HoldStatus.HELD), RELEASED_AT_2)


def test_a_late_credit_that_moved_its_money_is_recorded_once() -> None:
    settled = past(HOLD, CLEAR, ENTITLE, INSTRUCT, CREDIT)

    given(payment, *settled).when(CREDIT).then_nothing()
    given(payment, *settled).when(CLEAR).then_nothing()
    given(payment, *settled).when(TERMINATE).then_nothing()


# -- Returning


def test_blocked_money_of_a_graduated_family_goes_back() -> None:
    given(payment, *BLOCKED).when(GRADUATE).then(GRADUATED_AT_2)


def test_blocked_money_of_a_terminated_family_goes_back() -> None:
    given(payment, *BLOCKED).when(TERMINATE).then(TERMINATED_AT_3)


def test_money_goes_back_once() -> None:
    given(payment, *BLOCKED, TERMINATED_AT_3).when(TERMINATE).then_nothing()
    given(payment, *BLOCKED, TERMINATED_AT_3).when(GRADUATE).then_nothing()


def test_money_that_the_family_can_draw_stays_with_it() -> None:
    given(payment, *CREDITED).when(GRADUATE).then_nothing()
    given(payment, *BLOCKED, RELEASED_AT_2).when(GRADUATE).then_nothing()


def test_where_nothing_is_held_nothing_is_forfeited() -> None:
    given(payment).when(TERMINATE).then_nothing()
    given(payment, *past(ENTITLE, INSTRUCT)).when(TERMINATE).then_nothing()


def test_held_money_is_forfeited_before_the_credit_and_goes_back_at_the_credit() -> None:
    given(payment, *past(HOLD)).when(TERMINATE).then(
        HoldForfeited("2023-3", ReturnReason.TERMINATED)
    )
    forfeited = past(HOLD, TERMINATE, ENTITLE, INSTRUCT)
    given(payment, *forfeited).when(CREDIT).then(credited(HoldStatus.HELD), TERMINATED_AT_3)


def test_forfeited_money_that_could_not_be_credited_goes_back_once() -> None:
    forfeited = past(HOLD, TERMINATE, ENTITLE, INSTRUCT, FAIL)

    given(payment, *forfeited).when(TERMINATE).then_nothing()
    assert not [event for event in forfeited if isinstance(event, PaymentReturned)]


def test_a_decision_on_forfeited_money_is_too_late() -> None:
    given(payment, *BLOCKED, TERMINATED_AT_3).when(RELEASE).then(
        EffectTooLate(RELEASE.effect, HoldStatus.RELEASED)
    )
    given(payment, *past(HOLD, TERMINATE)).when(Hold("another")).then(
        EffectTooLate("another", HoldStatus.HELD)
    )


# -- What a supplementary payment takes over from the deferred one

DEFER = Defer(TAHAP, FAMILY, "REGULAR", "PARKED")


@pytest.mark.parametrize(
    "said",
    [(), (HOLD,), (HOLD, CLEAR), (HOLD, CORRECT), (HOLD, TERMINATE), (HOLD, CLEAR, TERMINATE)],
    ids=["nothing", "held", "cleared", "corrected", "forfeited", "cleared, then forfeited"],
)
def test_a_supplementary_payment_moves_its_money_as_the_deferred_one_would_have(
    said: tuple[Hold, ...],
) -> None:
    deferred = payment.fold(past(DEFER, *said))

    directly = past(*said, ENTITLE, INSTRUCT, CREDIT)
    taken_over = past(ENTITLE, *carried(deferred.hold), INSTRUCT, CREDIT)

    assert moved(taken_over) == moved(directly)


def moved(events: tuple[Event, ...]) -> list[Event]:
    return [e for e in events if isinstance(e, PaymentCredited | PaymentReleased | PaymentReturned)]


# -- Waiting for an appeal


WAIT = KeepForAppeal("2023-2", ("case-1",))


def test_held_money_that_waits_for_an_appeal_says_so_once_and_stays() -> None:
    then = given(payment, *BLOCKED).when(WAIT)

    then.then(ReturnWaits(PAYMENT, TAHAP, FAMILY, "2023-2", ("case-1",)))
    assert then.state.hold.status is HoldStatus.HELD
    given(payment, *BLOCKED, *then.events).when(WAIT).then_nothing()
    given(payment, *BLOCKED, *then.events).when(GRADUATE).then(GRADUATED_AT_2)


@pytest.mark.parametrize("history", [(), CREDITED, past(HOLD), past(ENTITLE, HOLD, GRADUATE)])
def test_money_that_is_not_held_waits_for_nothing(history: tuple[Event, ...]) -> None:
    given(payment, *history).when(WAIT).then_nothing()
