from dataclasses import replace

import pytest

from services.payments.domain.ledger import (
    FAMILY_AVAILABLE,
    FAMILY_BLOCKED,
    PROGRAMME_ACCOUNT,
    STATE_TREASURY,
    TAKEN_BACK_BY,
    Movement,
    MovementName,
    bank_clearing,
    of_payment,
    of_run,
)
from services.payments.domain.ledger_checks import (
    balances,
    check_balances,
    check_reconciled,
    check_tahap,
    sums_by_name,
)
from services.payments.domain.payment.decider import payment
from services.payments.domain.payment.messages import Command, TakeOut, Void
from services.payments.domain.run.messages import Event as RunEvent
from services.payments.domain.run.messages import FundsReleased, OrderCancelled, TahapReconciled
from tests.unit.payments.kit import (
    AMOUNT,
    CLEAR,
    CREDIT,
    ENTITLE,
    FAIL,
    GRADUATE,
    HOLD,
    INSTRUCT,
    ORDER,
    PAYMENT,
    RELEASE,
    TAHAP,
    TERMINATE,
    of,
)

FUNDS = FundsReleased(TAHAP, "REGULAR", ORDER, "230951304012345", 1, AMOUNT)
BNI = bank_clearing("BNI")


def moved(*commands: Command) -> list[Movement]:
    """Every movement of the order's funds and of one payment that these commands went to."""
    movements = list(of_run(FUNDS))
    state = payment.initial
    for command in commands:
        events = payment.decide(command, state)
        state = payment.fold(events, state)
        for event in events:
            movements += of_payment(event, state)
    return movements


def standing(*commands: Command) -> dict[str, int]:
    return {account: sum_ for account, sum_ in balances(moved(*commands)).items() if sum_}


SENT = (ENTITLE, INSTRUCT)
PATHS = {
    "entitled": ((ENTITLE,), PROGRAMME_ACCOUNT),
    "instructed": (SENT, BNI),
    "credited": ((*SENT, CREDIT), FAMILY_AVAILABLE),
    "credited blocked": ((HOLD, *SENT, CREDIT), FAMILY_BLOCKED),
    "released": ((HOLD, *SENT, CREDIT, RELEASE), FAMILY_AVAILABLE),
    "cleared before the credit": ((HOLD, CLEAR, *SENT, CREDIT), FAMILY_AVAILABLE),
}


@pytest.mark.parametrize(("commands", "account"), PATHS.values(), ids=PATHS)
def test_the_money_stands_in_one_account(commands: tuple[Command, ...], account: str) -> None:
    assert standing(*commands) == {STATE_TREASURY: -AMOUNT, account: AMOUNT}


HOME = {
    "transfer failed": (*SENT, FAIL),
    "graduated": (HOLD, *SENT, CREDIT, GRADUATE),
    "terminated": (HOLD, *SENT, CREDIT, TERMINATE),
    "deferred before its file": (*SENT, TakeOut("ON_HOLD", ordered=True)),
    "terminated before the credit": (HOLD, TERMINATE, *SENT, CREDIT),
}
GIVEN_BACK = OrderCancelled(TAHAP, "REGULAR", ORDER, "9876", FUNDS.number, 1, AMOUNT)
CANCELLED = {
    "instructed": (*SENT, Void(ORDER)),
    "deferred before its file": (*SENT, TakeOut("ON_HOLD", ordered=True), Void(ORDER)),
    "not instructed": (ENTITLE, Void(ORDER)),
}


@pytest.mark.parametrize("commands", HOME.values(), ids=HOME)
def test_money_that_is_not_paid_is_back_in_the_treasury(commands: tuple[Command, ...]) -> None:
    assert standing(*commands) == {}


@pytest.mark.parametrize("commands", CANCELLED.values(), ids=CANCELLED)
def test_each_row_of_a_cancelled_order_has_one_that_moves_it_back(
    commands: tuple[Command, ...],
) -> None:
    movements = moved(*commands)
    assert balances(movements).get(PROGRAMME_ACCOUNT) == AMOUNT
    assert check_balances(balances(movements)) == []
    assert check_tahap(TAHAP, sums_by_name(movements)) == []

    movements += of_run(GIVEN_BACK)

    back = {(each.name, each.credit, each.debit) for each in movements}
    for each in movements:
        if each.name in TAKEN_BACK_BY:
            assert (TAKEN_BACK_BY[each.name], each.debit, each.credit) in back
    assert all(sum_ == 0 for sum_ in balances(movements).values())
    assert check_reconciled(TAHAP, sums_by_name(movements)) == []


LATE = {
    "instructed": SENT,
    "deferred before its file": (*SENT, TakeOut("ON_HOLD", ordered=True)),
}


@pytest.mark.parametrize("commands", LATE.values(), ids=LATE)
@pytest.mark.parametrize("recalled", ["", f"{ORDER}-R2"])
def test_what_stands_with_a_payment_that_is_void_later_goes_back_with_it(
    commands: tuple[Command, ...], recalled: str
) -> None:
    given_back = [*moved(*commands), *of_run(replace(GIVEN_BACK, unvoided=AMOUNT))]
    assert check_balances(balances(given_back)) == []
    assert check_tahap(TAHAP, sums_by_name(given_back)) == []
    before = len(moved(*commands))

    movements = given_back + moved(*commands, Void(recalled))[before:]

    assert all(sum_ == 0 for sum_ in balances(movements).values())
    assert check_reconciled(TAHAP, sums_by_name(movements)) == []
    assert len({each.id for each in movements}) == len(movements)


def test_what_the_treasury_released_unheard_has_a_row_for_each_way() -> None:
    assert of_run(replace(GIVEN_BACK, unrecorded=True)) == (*of_run(FUNDS), *of_run(GIVEN_BACK))
    assert of_run(replace(GIVEN_BACK, number="", count=0, rupiah=0)) == ()


def test_the_rows_of_the_next_order_have_ids_of_their_own() -> None:
    again = f"{ORDER}-R2"
    first = moved(*SENT, Void(ORDER))
    second = moved(ENTITLE, replace(INSTRUCT, order=again), CREDIT)[1:]
    second += of_run(replace(FUNDS, order=again)) + of_run(replace(GIVEN_BACK, order=again))

    ids = {each.id for each in second}
    assert not ids & {each.id for each in first}
    assert ids == {
        "2023-1-REGULAR:FUNDS_RELEASED-R2",
        "2023-1-REGULAR:FUNDS_CANCELLED-R2",
        f"{PAYMENT}:INSTRUCTED-R2",
        f"{PAYMENT}:CREDITED",
    }


def test_a_movement_is_one_row_with_an_id_of_its_own() -> None:
    movements = moved(HOLD, *SENT, CREDIT, RELEASE)

    assert movements == [
        Movement(
            "2023-1-REGULAR:FUNDS_RELEASED",
            MovementName.FUNDS_RELEASED,
            TAHAP,
            PROGRAMME_ACCOUNT,
            STATE_TREASURY,
            AMOUNT,
        ),
        Movement(
            f"{PAYMENT}:INSTRUCTED", MovementName.INSTRUCTED, TAHAP, BNI, PROGRAMME_ACCOUNT, AMOUNT
        ),
        Movement(f"{PAYMENT}:CREDITED", MovementName.CREDITED, TAHAP, FAMILY_BLOCKED, BNI, AMOUNT),
        Movement(
            f"{PAYMENT}:RELEASED",
            MovementName.RELEASED,
            TAHAP,
            FAMILY_AVAILABLE,
            FAMILY_BLOCKED,
            AMOUNT,
        ),
    ]


@pytest.mark.parametrize(
    "document",
    [
        TahapReconciled(TAHAP, "REGULAR", of(1, AMOUNT), of(1, AMOUNT), of(0, 0)),
        FundsReleased(TAHAP, "REGULAR", ORDER, "230951304012345", 0, 0),
    ],
)
def test_a_document_that_moves_nothing_has_no_row(document: RunEvent) -> None:
    assert of_run(document) == ()


# -- What must hold


@pytest.mark.parametrize(
    "commands",
    [*(path for path, _ in PATHS.values()), *HOME.values()],
    ids=[*PATHS, *HOME],
)
def test_nothing_is_broken_on_any_way_that_money_can_go(commands: tuple[Command, ...]) -> None:
    assert check_balances(balances(moved(*commands))) == []
    assert check_tahap(TAHAP, sums_by_name(moved(*commands))) == []


def test_a_reconciled_tahap_has_credited_and_failed_all_its_funds() -> None:
    settled = sums_by_name(moved(HOLD, *SENT, CREDIT, GRADUATE))

    assert check_reconciled(TAHAP, settled) == []


def test_money_that_was_deferred_behind_its_order_leaves_no_fund_unaccounted_for() -> None:
    settled = sums_by_name(moved(*SENT, TakeOut("ON_HOLD", ordered=True)))

    assert settled[MovementName.DEFERRED] == AMOUNT
    assert check_reconciled(TAHAP, settled) == []


def test_a_transfer_without_an_answer_breaks_a_reconciled_tahap() -> None:
    broken = check_reconciled(TAHAP, sums_by_name(moved(*SENT)))

    assert [(each.invariant, each.expected, each.found) for each in broken] == [
        ("credited, failed and deferred are funds released", AMOUNT, 0)
    ]


@pytest.mark.parametrize(
    ("movements", "invariant"),
    [
        ({MovementName.INSTRUCTED: 1}, "instructed within funds released"),
        ({MovementName.CREDITED: 1}, "answered and deferred within instructed"),
        ({MovementName.RELEASED: 1}, "released and returned within credited"),
    ],
)
def test_money_out_of_nothing_is_named(movements: dict[MovementName, int], invariant: str) -> None:
    assert [each.invariant for each in check_tahap(TAHAP, movements)] == [invariant]


def test_an_overdrawn_account_and_a_lost_rupiah_are_named() -> None:
    broken = check_balances({STATE_TREASURY: -10, FAMILY_AVAILABLE: 12, FAMILY_BLOCKED: -1})

    assert [(each.invariant, each.where, each.found) for each in broken] == [
        ("no account below zero", FAMILY_BLOCKED, -1),
        ("sum is zero", "all accounts", 1),
    ]
