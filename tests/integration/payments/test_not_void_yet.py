"""A payment that cannot be voided waits by name: it holds up no tahap, and nobody pays it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from libs.events.workers.backoff import failing_parts
from services.payments.domain.payment.messages import FailAccountCheck
from services.payments.domain.payment.state import Transfer
from services.payments.domain.shared.ids import REGULAR, supplementary
from services.payments.tables.ledger import books
from services.payments.tables.payments import PaymentCommands
from services.payments.tables.payments import set_aside as keep
from services.payments.workers.set_aside_retry import SET_ASIDE
from tests.doors import CONTEXT
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1
from tests.integration.payments.office import Office, exhausted
from tests.integration.payments.steps import until_entitled, until_instructed
from tests.integration.payments.test_cancellation import (
    PATH,
    announced_again,
    approved,
    proposed,
)
from tests.integration.payments.test_cancellation_behind_freeze import left_of
from tests.integration.payments.test_set_aside import (
    ODD,
    OTHERS,
    VILLAGE,
    frozen,
    mended,
    ordered,
    set_aside,
    the_others_are_paid,
    unreadable,
)

FIRST = supplementary(1)


async def instructed(office: Office) -> None:
    """Every payment is instructed, and no file is committed."""
    await ordered(office)
    await until_instructed(office)


async def cancelled(office: Office) -> None:
    """Two people cancel the tahap, and payments takes back what it can."""
    assert (await proposed(office)).status_code == 204
    assert (await approved(office)).status_code == 204
    await office.undone()


async def announced_anew(office: Office) -> None:
    """The tahap is announced anew, and its list frozen."""
    await announced_again(office)
    await office.listed(VILLAGE, revision=2)
    await office.frozen()


async def test_a_payment_that_cannot_be_voided_holds_up_nobody_elses_take_back(
    office: Office,
) -> None:
    await instructed(office)
    state = await unreadable(office)

    await cancelled(office)

    shown = await office.seen(PATH)
    assert (shown["phase"], ODD.payment() in shown["trouble"]) == ("CANCELLED", True)
    assert await left_of(office) == {}
    assert await office.transfers(OTHERS) == [Transfer.NONE] * 3
    assert await set_aside(office) == [(ODD.payment(), "Void")]
    # Its rupiah stand where the payment has them: no account is below zero, none unexplained.
    assert await office.balances() == {
        "bank_clearing:BNI": EARLY_CHILD_IDR,
        "state_treasury": -EARLY_CHILD_IDR,
    }
    assert (await books(office.store)).broken == []
    await office.pay()
    [failing] = await failing_parts(office.store.pool, SET_ASIDE, f"{TAHAP_1}-{REGULAR}")
    assert failing.item == f"{TAHAP_1}-{REGULAR} {ODD.payment()}"
    job = await office.seen(f"/jobs/tahap-{TAHAP_1}")
    assert ODD.payment() in job["problem"]["detail"]

    await mended(office, state)
    await office.pay()

    assert await office.transfers([ODD]) == [Transfer.NONE]
    assert await set_aside(office) == []
    assert (await office.seen(PATH))["trouble"] is None
    assert await office.balances() == {}
    assert (await books(office.store)).broken == []


async def test_a_payment_that_is_mended_before_the_treasury_answers_leaves_no_rupiah_behind(
    office: Office,
) -> None:
    await instructed(office)
    state = await unreadable(office)
    office.world.unreachable.add("cancellation")
    await cancelled(office)
    assert (await office.seen(PATH))["phase"] == "CANCELLING"

    await mended(office, state)
    await office.pay()
    assert await office.transfers([ODD]) == [Transfer.NONE]
    office.world.unreachable.clear()
    await office.undone()

    assert (await office.seen(PATH))["phase"] == "CANCELLED"
    assert await office.balances() == {}
    assert (await books(office.store)).broken == []


@pytest.mark.parametrize("step", [until_entitled, instructed], ids=["entitled", "instructed"])
async def test_a_payment_is_paid_by_no_later_announcement_before_it_is_void(
    office: Office, step: Callable[[Office], Awaitable[None]]
) -> None:
    if step is until_entitled:
        await frozen(office)
    await step(office)
    state = await unreadable(office)
    await cancelled(office)
    await announced_anew(office)
    payer = office.payer()
    payer.set_aside_retry.backoff.clock = lambda: 0.0  # what has failed once rests for ever
    await payer.set_aside_retry.step()
    await mended(office, state)

    # Everybody can read it now, and nobody has voided it.
    await exhausted(payer.step)
    await office.ordered()
    await exhausted(payer.step)

    await the_others_are_paid(office)
    assert [line.reason for line in (await office.run()).deferred] == ["CANNOT_BE_ENTITLED"]
    assert (await office.run()).reconciled is not None
    await office.opened_supplementary(FIRST)
    await exhausted(payer.step)
    assert [line.reason for line in (await office.run(kind=FIRST)).deferred] == [
        "CANNOT_BE_ENTITLED"
    ]

    await office.pay()
    await office.supplemented(supplementary(2))

    assert await set_aside(office) == []
    assert await office.transfers([ODD]) == [Transfer.DEFERRED]
    assert office.world.credited()[ODD.payment(kind=supplementary(2))] == EARLY_CHILD_IDR
    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR
    assert await office.balances() == {
        "family_available": 4 * EARLY_CHILD_IDR,
        "state_treasury": -4 * EARLY_CHILD_IDR,
    }
    assert (await books(office.store)).broken == []


async def test_a_payment_that_cannot_be_voided_twice_is_void_once(office: Office) -> None:
    await instructed(office)
    state = await unreadable(office)
    await cancelled(office)
    await announced_anew(office)
    await office.pay()
    await office.ordered()
    await until_instructed(office)

    await cancelled(office)

    assert await set_aside(office) == [(ODD.payment(), "Void")]
    await mended(office, state)
    await office.pay()
    assert await office.balances() == {}
    assert (await books(office.store)).broken == []


# -- What an earlier revision has left


async def test_what_a_cancelled_revision_has_left_swallows_nothing_of_the_next(
    office: Office,
) -> None:
    await frozen(office)
    await until_entitled(office)
    said = PaymentCommands((TAHAP_1, REGULAR), ODD.payment(), (FailAccountCheck("ACCOUNT_CLOSED"),))

    for revision in (0, 1):
        async with office.store.transaction(CONTEXT) as unit:
            await keep(unit, [(said, ValueError("odd"))])
        if revision == 0:
            await office.store.pool.execute("UPDATE payment_set_aside SET revision = 0")
    await office.payer().set_aside_retry.step()

    assert await office.transfers([ODD]) == [Transfer.ACCOUNT_FAILED]
    assert await set_aside(office) == []
