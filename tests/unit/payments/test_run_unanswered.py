"""Lines of an account check without an answer: two people let the run go on without them."""

from dataclasses import replace

import pytest

from libs.events.domain.errors import DomainError
from services.payments.domain.run.deferral import UNANSWERED_MAX, unanswered_hash
from services.payments.domain.run.messages import (
    UNANSWERED,
    AccountCheckReceived,
    Command,
    DeferredLine,
    DeferUnanswered,
    LinesDeferred,
    ProposeUnanswered,
    UnansweredDeferred,
    UnansweredProposed,
    WithdrawFile,
)
from services.payments.domain.shared.errors import (
    NothingProposed,
    SamePerson,
    StaleHash,
    StepNotReached,
    TooManyUnanswered,
    TotalsDiffer,
)
from tests.unit.payments.kit import FAMILY, NEIGHBOUR, TAHAP, of
from tests.unit.payments.run_steps import (
    ANSWER,
    APPROVE,
    CHECK,
    ENTITLED,
    NOTHING,
    PROPOSE,
    after,
)

LINE = DeferredLine("p2", FAMILY, "BRI", 1_000_000, UNANSWERED)
OTHER = DeferredLine("p3", NEIGHBOUR, "BNI", 1_000_000, UNANSWERED)
HASH, _ = unanswered_hash(TAHAP, "REGULAR", (LINE,))
WANT = ProposeUnanswered("maker", HASH, (LINE,))
GO_ON = DeferUnanswered("checker", HASH, (LINE,))
ASKED: tuple[Command, ...] = (*ENTITLED, CHECK)
LET_GO: tuple[Command, ...] = (*ASKED, WANT, GO_ON)
REST = replace(ANSWER, passed=of(2, 2_000_000), failed=NOTHING)


def test_two_people_let_a_run_go_on_without_the_lines_that_have_no_answer() -> None:
    figures = TAHAP, "REGULAR", HASH, 1, 1_000_000

    after(*ASKED).when(WANT).then(UnansweredProposed(*figures, "maker"))
    after(*ASKED, WANT).when(WANT).then_nothing()
    after(*ASKED, WANT).when(GO_ON).then(
        UnansweredDeferred(*figures, "maker", "checker"),
        LinesDeferred(TAHAP, "REGULAR", (LINE,)),
    )


def test_what_is_let_go_needs_no_answer_and_is_not_ordered() -> None:
    after(*LET_GO).when(REST).then(
        AccountCheckReceived(TAHAP, "REGULAR", CHECK.file, "d" * 64, REST.passed, NOTHING)
    )
    after(*LET_GO).when(ANSWER).then_refused(TotalsDiffer)
    assert after(*LET_GO, REST).when(PROPOSE).events
    assert after(*LET_GO, REST, PROPOSE).when(APPROVE).events


@pytest.mark.parametrize(
    ("steps", "command", "refusal"),
    [
        (ASKED, GO_ON, NothingProposed),
        ((*ASKED, WANT), replace(GO_ON, checker="maker"), SamePerson),
        ((*ASKED, WANT), replace(GO_ON, lines=(LINE, OTHER)), StaleHash),
        ((*ASKED, WANT), replace(GO_ON, lines=(OTHER,)), StaleHash),
        ((*ASKED, WANT), replace(GO_ON, lines=()), StepNotReached),
        (ASKED, replace(WANT, hash="0" * 64), StaleHash),
        (ENTITLED, WANT, StepNotReached),
        ((*ASKED, ANSWER), WANT, StepNotReached),
        ((*ASKED, WANT, ANSWER), GO_ON, NothingProposed),
        (LET_GO, GO_ON, NothingProposed),
    ],
    ids=[
        *("not-proposed", "same-person", "one-more", "another-one", "all-answered"),
        *("another-hash", "not-asked", "answered", "answered-meanwhile", "twice"),
    ],
)
def test_nothing_is_let_go_but_what_two_people_saw_without_an_answer(
    steps: tuple[Command, ...], command: Command, refusal: type[DomainError]
) -> None:
    after(*steps).when(command).then_refused(refusal)


def test_a_treasury_that_answers_hardly_anything_is_not_gone_on_without() -> None:
    many = tuple(replace(LINE, payment=f"p{n:05}") for n in range(UNANSWERED_MAX + 1))

    after(*ASKED).when(replace(WANT, lines=many)).then_refused(TooManyUnanswered)


def test_what_was_let_go_is_in_no_later_check_where_the_file_is_withdrawn() -> None:
    again = replace(CHECK, count=2, rupiah=2_000_000)
    withdrawn = after(*LET_GO, WithdrawFile(CHECK.file, ()))

    withdrawn.when(CHECK).then_refused(TotalsDiffer)
    assert withdrawn.when(again).events
    assert after(*LET_GO, WithdrawFile(CHECK.file, ()), again).when(REST).events
