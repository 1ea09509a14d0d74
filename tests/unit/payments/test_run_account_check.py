from dataclasses import replace

import pytest

from services.payments.domain.run.messages import (
    AccountCheckReceived,
    AccountCheckSent,
    MarkEntitled,
    RecordAccountCheck,
    SendAccountCheck,
)
from services.payments.domain.shared.errors import (
    Contradiction,
    FileOverlaps,
    FileUnknown,
    Malformed,
    StepNotReached,
    TotalsDiffer,
)
from services.payments.domain.shared.totals import Totals
from tests.unit.payments.kit import TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    CHECK,
    ENTITLED,
    NOTHING,
    OPEN,
    PROPOSE,
    SETTLED,
    after,
)

# -- Account check files


def test_an_account_check_is_committed_to_before_it_is_sent() -> None:
    after(*ENTITLED).when(CHECK).then(
        AccountCheckSent(
            TAHAP, "REGULAR", "2023-1-REGULAR-CHECK-1", "p1", "p3", 3, 3_000_000, "c" * 64
        )
    )


def test_sending_the_same_file_again_changes_nothing() -> None:
    after(*ENTITLED, CHECK).when(CHECK).then_nothing()
    after(*SETTLED).when(CHECK).then_nothing()


@pytest.mark.parametrize(
    "other",
    [
        replace(CHECK, sha256="0" * 64),
        replace(CHECK, count=2),
        replace(CHECK, rupiah=2_999_999),
        replace(CHECK, last="p2"),
    ],
)
def test_other_bytes_under_the_same_file_id_are_refused(other: SendAccountCheck) -> None:
    after(*ENTITLED, CHECK).when(other).then_refused(Contradiction)


def test_no_account_is_checked_before_the_list_is_entitled() -> None:
    after(OPEN).when(CHECK).then_refused(StepNotReached)


@pytest.mark.parametrize("too_much", [replace(CHECK, count=4), replace(CHECK, rupiah=3_000_001)])
def test_no_more_accounts_are_checked_than_are_payable(too_much: SendAccountCheck) -> None:
    after(*ENTITLED).when(too_much).then_refused(TotalsDiffer)


@pytest.mark.parametrize(
    "malformed",
    [
        replace(CHECK, count=0, rupiah=0),
        replace(CHECK, first="p3", last="p1"),
        replace(CHECK, count=1),
        replace(CHECK, last="p1"),
    ],
    ids=["empty", "range turned round", "one line over a range", "many lines in one place"],
)
def test_a_file_without_lines_or_range_is_refused(malformed: SendAccountCheck) -> None:
    after(*ENTITLED).when(malformed).then_refused(Malformed)


FIRST = replace(CHECK, last="p2", count=2, rupiah=2_000_000)
SECOND = SendAccountCheck("2023-1-REGULAR-CHECK-2", "p3", "p3", 1, 1_000_000, "3" * 64)


def test_a_long_list_is_checked_in_several_files() -> None:
    first_answer = replace(ANSWER, passed=of(2, 2_000_000), failed=NOTHING)
    second_answer = RecordAccountCheck(SECOND.file, "4" * 64, NOTHING, of(1, 1_000_000))

    half = after(*ENTITLED, FIRST, SECOND, first_answer)
    half.when(PROPOSE).then_refused(StepNotReached)
    assert after(*ENTITLED, FIRST, SECOND, first_answer, second_answer).when(PROPOSE).events


def test_a_part_that_was_never_sent_keeps_the_request_waiting() -> None:
    answered = replace(ANSWER, passed=of(2, 2_000_000), failed=NOTHING)

    after(*ENTITLED, FIRST, answered).when(PROPOSE).then_refused(StepNotReached)


def test_no_payment_is_checked_in_two_files() -> None:
    overlapping = replace(SECOND, first="p2", count=2, rupiah=1_000_000)

    after(*ENTITLED, FIRST).when(overlapping).then_refused(FileOverlaps)


# -- Their answers


def test_the_treasurys_answer_is_recorded() -> None:
    after(*ENTITLED, CHECK).when(ANSWER).then(
        AccountCheckReceived(
            TAHAP,
            "REGULAR",
            "2023-1-REGULAR-CHECK-1",
            "d" * 64,
            of(2, 2_000_000),
            of(1, 1_000_000),
        )
    )


def test_the_same_answer_again_changes_nothing() -> None:
    after(*SETTLED).when(ANSWER).then_nothing()


def test_another_answer_to_the_same_file_is_refused() -> None:
    other = replace(ANSWER, passed=of(3, 3_000_000), failed=NOTHING)

    after(*ENTITLED, CHECK, ANSWER).when(other).then_refused(Contradiction)


@pytest.mark.parametrize(
    ("passed", "failed"),
    [
        (of(2, 2_000_000), NOTHING),
        (of(3, 3_000_000), of(1, 1_000_000)),
        (of(2, 2_000_000), of(1, 1)),
    ],
)
def test_an_answer_that_leaves_out_or_adds_lines_is_refused(passed: Totals, failed: Totals) -> None:
    short = replace(ANSWER, passed=passed, failed=failed)

    after(*ENTITLED, CHECK).when(short).then_refused(TotalsDiffer)


def test_an_answer_of_negative_totals_is_refused() -> None:
    negative = replace(ANSWER, passed=of(4, 4_000_000), failed=of(-1, -1_000_000))

    after(*ENTITLED, CHECK).when(negative).then_refused(Malformed)


def test_an_answer_to_a_file_that_was_never_sent_is_refused() -> None:
    after(*ENTITLED).when(ANSWER).then_refused(FileUnknown)


def test_a_run_without_payable_families_has_no_files() -> None:
    nobody = after(OPEN, MarkEntitled(of(4, 4_000_000), NOTHING))

    nobody.when(CHECK).then_refused(TotalsDiffer)
