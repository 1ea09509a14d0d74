"""Lines that leave a run by name: when they may, and what the run comes to without them."""

from dataclasses import replace

import pytest

from services.payments.domain.run.messages import (
    Command,
    DeferLines,
    DeferredLine,
    LinesDeferred,
    MarkCredited,
    MarkEntitled,
    Reconcile,
    TahapReconciled,
    WithdrawFile,
)
from services.payments.domain.shared.errors import (
    AlreadyDispatched,
    Contradiction,
    Malformed,
    NothingProposed,
    NothingToPay,
    StepNotReached,
    TotalsDiffer,
)
from tests.unit.payments.kit import FAMILY, NEIGHBOUR, TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    APPROVE,
    BNI_RESULT,
    BRI_RESULT,
    CHECK,
    ENTITLED,
    FUNDS,
    NOTHING,
    OPEN,
    ORDERED,
    PROPOSE,
    SENT,
    TO_BNI,
    TO_BRI,
    after,
)

BRI_LINE = DeferredLine("p2", FAMILY, "BRI", 800_000, "ON_HOLD")
BNI_LINE = DeferredLine("p1", NEIGHBOUR, "BNI", 1_200_000, "ON_HOLD")
OUT = DeferLines((BRI_LINE,))
FUNDED: tuple[Command, ...] = (*ORDERED, FUNDS)
CHECKED: tuple[Command, ...] = (*ENTITLED, CHECK, ANSWER)

# -- When a line may leave


@pytest.mark.parametrize(
    "steps", [(OPEN,), ENTITLED, CHECKED, FUNDED], ids=["open", "entitled", "checked", "funded"]
)
def test_a_line_leaves_by_name(steps: tuple[Command, ...]) -> None:
    after(*steps).when(OUT).then(LinesDeferred(TAHAP, "REGULAR", (BRI_LINE,)))


def test_a_line_that_has_left_changes_nothing_when_it_leaves_again() -> None:
    after(*FUNDED, OUT).when(OUT).then_nothing()
    after(*SENT[:-1], OUT, TO_BNI).when(replace(OUT, lines=())).then_nothing()


def test_nothing_leaves_while_the_treasury_checks_the_accounts() -> None:
    after(*ENTITLED, CHECK).when(OUT).then_refused(StepNotReached)


def test_nothing_leaves_while_the_treasury_releases_the_order_s_funds() -> None:
    after(*ORDERED).when(OUT).then_refused(StepNotReached)


def test_nothing_leaves_a_file_that_is_committed() -> None:
    sent_to_bri = after(*FUNDED, TO_BRI)

    sent_to_bri.when(OUT).then_refused(AlreadyDispatched)
    assert sent_to_bri.when(DeferLines((BNI_LINE,))).events


def test_a_file_that_was_withdrawn_is_sent_anew_under_its_own_id_alone() -> None:
    withdrawn = after(*FUNDED, TO_BRI, WithdrawFile(TO_BRI.file, ()))

    withdrawn.when(replace(TO_BRI, file=f"{TO_BRI.file}-K3Q")).then_refused(Contradiction)
    assert withdrawn.when(TO_BRI).events
    withdrawn.when(OUT).then_refused(AlreadyDispatched)


def test_a_payment_leaves_once() -> None:
    after(*FUNDED).when(DeferLines((BRI_LINE, BRI_LINE))).then_refused(Malformed)


# -- What the run comes to


def test_what_left_before_the_check_is_not_checked() -> None:
    one_less = replace(CHECK, count=2, rupiah=2_200_000, last="p3")

    after(*ENTITLED, OUT).when(CHECK).then_refused(TotalsDiffer)
    assert after(*ENTITLED, OUT).when(one_less).events


def test_what_left_before_its_entitlement_is_counted_is_not_payable() -> None:
    mark = MarkEntitled(of(4, 4_000_000), of(2, 2_200_000))

    assert after(OPEN, OUT).when(mark).events
    assert after(OPEN, OUT, mark).when(replace(CHECK, count=2, rupiah=2_200_000)).events


def test_what_left_after_the_check_is_not_ordered() -> None:
    one_less = replace(PROPOSE, count=1, rupiah=1_200_000)

    after(*CHECKED, OUT).when(PROPOSE).then_refused(TotalsDiffer)
    assert after(*CHECKED, OUT).when(one_less).events


def test_a_request_falls_with_a_line_that_leaves_and_can_not_be_approved() -> None:
    after(*CHECKED, PROPOSE, OUT).when(APPROVE).then_refused(NothingProposed)


def test_when_every_line_has_left_there_is_nothing_to_order() -> None:
    empty = after(*CHECKED, DeferLines((BRI_LINE, BNI_LINE)))

    empty.when(PROPOSE).then_refused(NothingToPay)
    empty.when(Reconcile(NOTHING, NOTHING, NOTHING, NOTHING)).then(
        TahapReconciled(TAHAP, "REGULAR", NOTHING, NOTHING, NOTHING)
    )


def test_what_left_behind_the_order_stands_in_no_file() -> None:
    after(*FUNDED, OUT, TO_BNI).when(TO_BRI).then_refused(TotalsDiffer)


def test_a_run_is_reconciled_on_what_was_ordered_less_what_left() -> None:
    credited = of(1, 1_200_000)
    settled = (*FUNDED, OUT, TO_BNI, BNI_RESULT, MarkCredited(credited, NOTHING))
    books = Reconcile(credited, credited, NOTHING, NOTHING, of(1, 800_000))

    after(*settled).when(books).then(
        TahapReconciled(TAHAP, "REGULAR", credited, credited, NOTHING, of(1, 800_000))
    )
    after(*settled).when(replace(books, deferred=NOTHING)).then_refused(TotalsDiffer)


def test_a_run_without_a_line_left_in_its_order_has_nothing_to_credit() -> None:
    emptied = after(*FUNDED, DeferLines((BRI_LINE, BNI_LINE)))

    assert emptied.when(MarkCredited(NOTHING, NOTHING)).events


def test_what_the_banks_answer_is_still_all_that_was_instructed() -> None:
    nothing_left = after(*SENT, BNI_RESULT, BRI_RESULT)

    nothing_left.when(OUT).then_refused(AlreadyDispatched)
    assert nothing_left.when(MarkCredited(of(1, 1_200_000), of(1, 800_000))).events
