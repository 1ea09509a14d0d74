from dataclasses import replace

import pytest

from services.payments.domain.run.messages import (
    BankFileSent,
    BankResultReceived,
    Command,
    RecordBankResult,
    SendBankFile,
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
    BNI_RESULT,
    FUNDS,
    NOTHING,
    ORDERED,
    SENT,
    SETTLED,
    TO_BNI,
    TO_BRI,
    after,
)

# -- Bank files


def test_a_bank_file_is_committed_to_before_it_is_sent() -> None:
    after(*ORDERED, FUNDS).when(TO_BNI).then(
        BankFileSent(
            TAHAP,
            "REGULAR",
            "BNI",
            "2023-1-REGULAR-BNI-1",
            "p1",
            "p1",
            1,
            1_200_000,
            "e" * 64,
        )
    )


def test_sending_the_same_bank_file_again_changes_nothing() -> None:
    after(*SENT).when(TO_BNI).then_nothing()
    after(*SETTLED).when(TO_BNI).then_nothing()


@pytest.mark.parametrize(
    "other",
    [replace(TO_BNI, sha256="0" * 64), replace(TO_BNI, bank="BTN"), replace(TO_BNI, rupiah=1)],
)
def test_another_bank_file_under_the_same_id_is_refused(other: SendBankFile) -> None:
    after(*SENT).when(other).then_refused(Contradiction)


def test_no_bank_is_sent_a_file_before_the_funds_are_released() -> None:
    after(*ORDERED).when(TO_BNI).then_refused(StepNotReached)


@pytest.mark.parametrize(
    "too_much",
    [
        replace(TO_BRI, rupiah=800_001),
        replace(TO_BRI, last="p3", count=2),
        SendBankFile("BTN", "2023-1-REGULAR-BTN-1", "p9", "p9", 1, 1, "9" * 64),
    ],
)
def test_the_files_together_never_pay_more_than_was_ordered(too_much: SendBankFile) -> None:
    steps = (*SENT,) if too_much.bank == "BTN" else (*ORDERED, FUNDS, TO_BNI)

    after(*steps).when(too_much).then_refused(TotalsDiffer)


def test_no_payment_stands_in_two_files_to_a_bank() -> None:
    again = replace(TO_BNI, file="2023-1-REGULAR-BNI-2", rupiah=100_000)

    after(*ORDERED, FUNDS, TO_BNI).when(again).then_refused(FileOverlaps)


def test_files_to_two_banks_may_cross_because_a_payment_has_one_bank() -> None:
    crossing = replace(TO_BRI, first="p0", last="p0")

    assert after(*ORDERED, FUNDS, TO_BNI).when(crossing).events


# -- Bank results


def test_a_banks_result_is_recorded() -> None:
    after(*SENT).when(BNI_RESULT).then(
        BankResultReceived(
            TAHAP,
            "REGULAR",
            "BNI",
            "2023-1-REGULAR-BNI-1",
            "1" * 64,
            of(1, 1_200_000),
            NOTHING,
        )
    )


def test_the_same_result_again_changes_nothing_whatever_bytes_brought_it() -> None:
    answered = after(*SENT, BNI_RESULT)

    answered.when(BNI_RESULT).then_nothing()
    answered.when(replace(BNI_RESULT, sha256="7" * 64)).then_nothing()


def test_a_contradicting_result_is_refused() -> None:
    reversed_ = replace(BNI_RESULT, credited=NOTHING, failed=of(1, 1_200_000))

    after(*SENT, BNI_RESULT).when(reversed_).then_refused(Contradiction)


TO_ONE_BANK: tuple[Command, ...] = (
    *ORDERED,
    FUNDS,
    SendBankFile("BNI", TO_BNI.file, "p1", "p2", 2, 2_000_000, "e" * 64),
)
HALF = replace(BNI_RESULT, credited=of(1, 1_200_000))
WHOLE = replace(HALF, failed=of(1, 800_000), sha256="8" * 64)


def test_what_a_bank_has_not_answered_is_unknown_until_it_is_asked_again() -> None:
    after(*TO_ONE_BANK, HALF).when(WHOLE).then(
        BankResultReceived(
            TAHAP, "REGULAR", "BNI", TO_BNI.file, "8" * 64, of(1, 1_200_000), of(1, 800_000)
        )
    )


def test_an_answer_is_never_taken_back() -> None:
    after(*TO_ONE_BANK, WHOLE).when(HALF).then_refused(Contradiction)


@pytest.mark.parametrize(
    ("credited", "failed"),
    [
        (of(3, 2_000_000), NOTHING),
        (of(2, 2_000_001), NOTHING),
        (of(1, 2_000_000), NOTHING),
        (of(2, 1_999_999), NOTHING),
        (of(1, 1_200_000), of(1, 799_999)),
    ],
    ids=["lines too many", "rupiah too many", "all rupiah in one line", "rupiah lost", "lost"],
)
def test_a_result_that_can_not_be_of_the_file_is_refused(credited: Totals, failed: Totals) -> None:
    stray = replace(HALF, credited=credited, failed=failed)

    after(*TO_ONE_BANK).when(stray).then_refused(TotalsDiffer)


@pytest.mark.parametrize("credited", [of(-1, 0), of(0, 1), of(1, -1)])
def test_a_result_of_impossible_totals_is_refused(credited: Totals) -> None:
    after(*TO_ONE_BANK).when(replace(HALF, credited=credited)).then_refused(Malformed)


def test_a_result_of_a_file_that_was_never_sent_is_refused() -> None:
    stray = RecordBankResult("2023-1-REGULAR-BTN-1", "1" * 64, of(1, 1), NOTHING)

    after(*SENT).when(stray).then_refused(FileUnknown)
