"""For every way in which a tahap can end for a family there is an explanation that says it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.projection.explanation.facts import MemberFacts
from services.projection.explanation.messages import (
    AccountCheckFailed,
    AdministrativeHoldEnded,
    AdministrativeHoldPlaced,
    Cleared,
    PaymentDeferred,
    PaymentReleased,
    PaymentReturned,
    PaymentWithheld,
    Terminated,
    TerminationTakenBack,
    TransferFailed,
)
from services.projection.explanation.tahap_messages import SupplementaryFrozen, UnansweredDeferred
from tests.unit.projection.kit import (
    ABSENT,
    CLOSING,
    FAMILY,
    HASH,
    INSTRUCTED,
    MOTHER,
    PAPERS,
    PAYMENT,
    REGION,
    REGISTERED,
    TAHAP,
    card,
    conditionality,
    credited,
    cycle,
    day,
    designated,
    entitled,
    failed,
    member,
    payments,
    registry,
    step,
    steps,
    why,
)

# -- Paid, or on its way --------------------------------------------------------------------------


def test_money_that_was_paid_is_told_from_its_list_to_the_banks_reference() -> None:
    paid = why("PAID", cycle(), entitled(), INSTRUCTED, credited())

    assert (paid.disposition, paid.amount, paid.region) == ("PAID", 975_000, REGION)
    assert paid.text.en == "The Rp 975,000 of tahap 2023-1 was paid."
    assert [order.text.en.split(")")[0] for order in steps(paid, "ORDER")] == [
        "Payment request (SPP",
        "Payment order (SPM",
        "The treasury released the funds (SP2D",
    ]
    assert "proposed by maker and approved by checker" in step(paid, "LIST").text.en
    transfer = step(paid, "TRANSFER")
    assert "BNI credited Rp 975,000 on 20 April 2023 (file 2023-1-BNI-1" in transfer.text.en
    assert "BNI-0001" in transfer.text.en
    assert [each.position for each in transfer.references] == [62, 60, 70, 80]
    assert steps(paid, "HELD") == []


def test_money_that_the_bank_has_not_answered_for_is_on_its_way() -> None:
    waiting = why("PENDING", cycle(), entitled(), INSTRUCTED)

    assert "has not answered yet" in step(waiting, "TRANSFER").text.en


def test_a_family_that_is_listed_and_not_entitled_yet_is_on_its_way() -> None:
    listed = why(None, cycle(), of_tahap=CLOSING)

    assert (listed.disposition, listed.amount) == ("PENDING", 0)
    assert "was kept (COMPLIANT)" in step(listed, "COMMITMENT").text.en


# -- Held back ------------------------------------------------------------------------------------


def test_blocked_money_is_told_with_the_days_that_were_missed() -> None:
    blocked = why("BLOCKED", *failed(), entitled(), INSTRUCTED, credited("HELD"))

    duty = step(blocked, "DUTY_FAILED")
    assert duty.member == ABSENT.member
    assert duty.text.en == (
        "Member 2 was at school on 17 of 21 days in February 2023 "
        "(3 absent, 1 with leave): 80 %, below 85 %."
    )
    assert "Kebijakan 2017, pendidikan" in [each.title for each in duty.clauses[0].sources]
    assert "failure number 1 in a row" in step(blocked, "SANCTION").text.en
    assert step(blocked, "HELD").amount == 975_000


def test_blocked_money_that_was_released_later_says_so() -> None:
    released = payments(900, PaymentReleased(PAYMENT, TAHAP, FAMILY, 975_000, "2023-2"))

    explanation = why("BLOCKED", *failed(), entitled(), INSTRUCTED, credited("HELD"), released)

    assert step(explanation, "LATER").text.en.startswith(
        "Rp 975,000 of tahap 2023-1 was released at tahap 2023-2"
    )


def test_a_compliant_cycle_tells_what_it_released_of_older_tahaps() -> None:
    other = "d0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d"
    released = payments(900, PaymentReleased(other, "2022-4", FAMILY, 225_000, TAHAP))

    explanation = why("PAID", cycle(), entitled(), INSTRUCTED, credited(), released)

    moved = step(explanation, "MOVED")
    assert (moved.amount, "of tahap 2022-4" in moved.text.en) == (225_000, True)


def test_a_person_paid_on_another_card_withholds_the_money() -> None:
    withheld = payments(31, PaymentWithheld(PAYMENT, TAHAP, FAMILY, "DUPLICATE_PERSON"))

    explanation = why("WITHHELD", cycle(), entitled(), withheld)

    assert "on another card" in step(explanation, "WITHHELD").text.en
    assert steps(explanation, "ORDER") == steps(explanation, "TRANSFER") == []


# -- Investigated ---------------------------------------------------------------------------------


def test_an_open_investigation_is_told() -> None:
    explanation = why("BLOCKED+INVESTIGATION", *failed(3), entitled(), INSTRUCTED, credited("HELD"))

    assert explanation.text.en.endswith("was credited and blocked; an investigation is open.")
    assert "an investigation was opened" in step(explanation, "INVESTIGATION").text.en


def test_a_termination_tells_who_decided_and_what_went_back() -> None:
    people = ("investigator", "supervisor")
    ended = conditionality(20, Terminated(FAMILY, (TAHAP,), TAHAP, TAHAP, *people))
    back = payments(901, PaymentReturned(PAYMENT, TAHAP, FAMILY, 975_000, TAHAP, "TERMINATED"))

    explanation = why(
        "BLOCKED+TERMINATED", *failed(3), entitled(), INSTRUCTED, credited("HELD"), ended, back
    )

    [_, decided] = steps(explanation, "INVESTIGATION")
    assert "investigator found" in decided.text.en
    assert "supervisor decided" in decided.text.en
    assert step(explanation, "MOVED").text.en.endswith("the family was terminated.")


def test_a_termination_that_was_taken_back_says_by_which_case_and_by_whom() -> None:
    ended = conditionality(20, Terminated(FAMILY, (), TAHAP, TAHAP, "investigator", "supervisor"))
    back = registry(60, TerminationTakenBack(FAMILY, TAHAP, "case-1", "boss"))

    explanation = why(
        "BLOCKED+TERMINATED", *failed(3), entitled(), INSTRUCTED, credited("HELD"), ended, back
    )

    [*_, taken_back] = steps(explanation, "INVESTIGATION")
    assert "Case case-1" in taken_back.text.en
    assert "boss decided" in taken_back.text.en


def test_an_investigation_that_clears_releases_what_was_held() -> None:
    people = ("investigator", "supervisor")
    cleared = conditionality(20, Cleared(FAMILY, (TAHAP,), TAHAP, TAHAP, *people))
    released = payments(901, PaymentReleased(PAYMENT, TAHAP, FAMILY, 975_000, TAHAP))

    explanation = why(
        "BLOCKED+CLEARED", *failed(3), entitled(), INSTRUCTED, credited("HELD"), cleared, released
    )

    [_, decided] = steps(explanation, "INVESTIGATION")
    assert "not confirmed" in decided.text.en
    assert "was released at tahap 2023-1" in step(explanation, "MOVED").text.en


# -- Failed on the way ----------------------------------------------------------------------------


def test_a_failed_account_check_is_told_with_its_day_and_file() -> None:
    wrong = payments(45, AccountCheckFailed(PAYMENT, TAHAP, FAMILY, "NAME_MISMATCH"))

    explanation = why("ACCOUNT_FAILED", cycle(), entitled(), wrong)

    check = step(explanation, "ACCOUNT_CHECK")
    assert check.text.en.startswith(
        "The account check of 5 April 2023 failed: the account's holder has another name"
    )
    assert [each.type for each in check.references] == ["AccountCheckFailed", "AccountCheckSent"]
    assert steps(explanation, "ORDER") == []


def test_a_transfer_that_failed_says_that_the_money_went_back() -> None:
    wrong = payments(81, TransferFailed(PAYMENT, TAHAP, FAMILY, "ACCOUNT_CLOSED", 975_000))

    explanation = why("TRANSFER_FAILED", cycle(), entitled(), INSTRUCTED, wrong)

    transfer = step(explanation, "TRANSFER").text.en
    assert "the account was closed (ACCOUNT_CLOSED)" in transfer
    assert "Rp 975,000 went back to the treasury" in transfer


@pytest.mark.parametrize(
    ("members", "payee", "why_not"),
    [
        ((MOTHER,), None, "is no member of the family"),
        ((MOTHER, member(2, "2000-2009")), 2, "born 2000-2009), who was not old"),
    ],
)
def test_without_a_valid_payee_it_is_told_what_is_wrong(
    members: tuple[MemberFacts, ...], payee: int | None, why_not: str
) -> None:
    family = (REGISTERED, card(*members, payee=payee), designated())

    explanation = why("NO_VALID_PAYEE", cycle(), entitled(payee_valid=False), family=family)

    assert why_not in step(explanation, "PAYEE").text.en
    assert [each.title for each in step(explanation, "PAYEE").clauses[0].sources] == [
        "Ganti pengurus"
    ]
    assert steps(explanation, "ACCOUNT_CHECK") == []


# -- Left out by name -----------------------------------------------------------------------------

DEFERRED = payments(25, PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "UNDER_REVIEW"))


def test_a_deferred_family_is_told_of_the_supplementary_run() -> None:
    explanation = why(None, cycle(), DEFERRED)

    assert (explanation.disposition, explanation.amount) == ("DEFERRED", 0)
    assert "UNDER_REVIEW" in step(explanation, "DEFERRED").text.en


def test_a_family_paid_by_a_supplementary_run_sees_that_runs_list() -> None:
    frozen = SupplementaryFrozen(TAHAP, "SUPPLEMENTARY-1", HASH, 3, 1, "mara", "cakra")
    of_tahap = (*CLOSING, *PAPERS, payments(90, frozen))

    explanation = why(
        "PENDING", cycle(), DEFERRED, entitled(kind="SUPPLEMENTARY-1"), of_tahap=of_tahap
    )

    assert "proposed by mara and approved by cakra" in step(explanation, "LIST").text.en
    assert "UNDER_REVIEW" in step(explanation, "DEFERRED").text.en


# -- Held by two people ---------------------------------------------------------------------------

HOLD = AdministrativeHoldPlaced(FAMILY, 1, "HOLD", "DATA_UNDER_REVIEW", "", day("2023-06-30"))


def test_who_was_let_go_without_the_treasurys_answer_is_told_by_whom() -> None:
    left = PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "ACCOUNT_CHECK_UNANSWERED")
    decided = payments(45, UnansweredDeferred(TAHAP, "REGULAR", "maker-2", "checker-2"))

    explanation = why(
        "DEFERRED", entitled(), payments(46, left), of_tahap=(*CLOSING, *PAPERS, decided)
    )

    text = step(explanation, "DEFERRED").text
    assert "maker-2 proposed and checker-2 decided" in text.en
    assert "maker-2 mengusulkan dan checker-2 memutuskan" in text.id
    assert [each.type for each in step(explanation, "DEFERRED").references] == [
        "PaymentDeferred",
        "UnansweredDeferred",
    ]


ON_HOLD = payments(26, PaymentDeferred(PAYMENT, TAHAP, FAMILY, "REGULAR", "ON_HOLD"))


def test_a_held_family_is_told_why_and_until_when_and_by_whom_in_what_role() -> None:
    explanation = why(None, cycle(), payments(24, HOLD), ON_HOLD)

    assert explanation.disposition == "DEFERRED"
    held = step(explanation, "ADMINISTRATIVE_HOLD").text.en
    assert held.startswith("A maker and a checker hold the family's money until 30 June 2023")
    assert "DATA_UNDER_REVIEW" in held


def test_a_family_that_left_its_run_is_deferred_whatever_it_was_entitled_to() -> None:
    explanation = why(
        None, cycle(), entitled(), INSTRUCTED, payments(90, HOLD), replace(ON_HOLD, position=91)
    )

    assert (explanation.disposition, explanation.amount) == ("DEFERRED", 0)
    assert (
        "left the run REGULAR before its bank's file was sent"
        in step(explanation, "DEFERRED").text.en
    )


def test_an_end_of_a_hold_and_the_supplementary_payment_are_told_together() -> None:
    ended = payments(92, AdministrativeHoldEnded(FAMILY, 1, "REVIEW_DONE"))
    left = (entitled(), payments(90, HOLD), replace(ON_HOLD, position=91), ended)
    again = replace(entitled(kind="SUPPLEMENTARY-1"), position=95)

    explanation = why("PENDING", cycle(), *left, again)

    assert explanation.amount == 975_000
    assert [each.text.en for each in steps(explanation, "ADMINISTRATIVE_HOLD")][1:] == [
        "A maker and a checker ended the hold (REVIEW_DONE)."
    ]


def test_an_excluded_family_is_told_that_its_money_lapses() -> None:
    excluded = replace(HOLD, kind="EXCLUSION", last_day=None)

    explanation = why(None, cycle(), payments(24, excluded), ON_HOLD)

    assert "lapses when the tahap is closed" in step(explanation, "ADMINISTRATIVE_HOLD").text.en


def test_a_hold_from_a_later_tahap_on_is_not_told_of_this_one() -> None:
    later = payments(24, replace(HOLD, from_tahap="2023-2"))

    assert steps(why("PENDING", cycle(), later, entitled()), "ADMINISTRATIVE_HOLD") == []


# -- Both languages -------------------------------------------------------------------------------


def test_every_sentence_is_there_in_english_and_in_indonesian() -> None:
    whole = (*failed(3), entitled(), INSTRUCTED, credited("HELD"))
    explanation = why("BLOCKED+INVESTIGATION", *whole)

    for each in explanation.steps:
        assert each.text.en != each.text.id
        assert each.text.en.endswith(".")
        assert each.text.id.endswith(".")
        for clause in each.clauses:
            assert clause.text.en != clause.text.id
