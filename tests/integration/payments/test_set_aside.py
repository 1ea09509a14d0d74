"""A payment that nobody can read stops nobody else's: it waits by name, and its rupiah too."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.workers.backoff import failing_parts
from services.payments.contract import PAYMENT
from services.payments.domain.payment.state import Transfer
from services.payments.domain.shared.ids import REGULAR, supplementary
from services.payments.domain.shared.totals import Totals
from services.payments.tables.ledger import books
from services.payments.workers.set_aside_retry import SET_ASIDE
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.steps import until_dispatched, until_entitled

VILLAGE = [*houses(3), House(4, "BRI")]
ODD, OTHERS = VILLAGE[0], VILLAGE[1:]
FIRST = supplementary(1)
ONE = Totals(1, EARLY_CHILD_IDR)


async def frozen(office: Office, failed: Sequence[House] = ()) -> None:
    """A frozen list that nobody has begun to pay; the failed ones are held."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE, failed=failed)
    await office.frozen()


async def ordered(office: Office) -> None:
    """A run that two people have ordered."""
    await frozen(office)
    await office.pay()
    await office.ordered()


async def unreadable(office: Office, house: House = ODD, kind: str = REGULAR) -> str:
    """Nobody can read a house's payment any more; answers what its state was."""
    state = await office.store.pool.fetchval(
        "SELECT state::text FROM streams WHERE stream_id = $1",
        PAYMENT.stream(house.payment(kind=kind)),
    )
    await mended(office, '"none"', house, kind)
    return str(state)


async def mended(office: Office, state: str, house: House = ODD, kind: str = REGULAR) -> None:
    """A house's payment reads as it did."""
    await office.store.pool.execute(
        "UPDATE streams SET state = $2::json WHERE stream_id = $1",
        PAYMENT.stream(house.payment(kind=kind)),
        state,
    )


async def set_aside(office: Office) -> list[tuple[str, str]]:
    """(payment, command) of all that waits to be said again, in order."""
    rows = await office.store.pool.fetch(
        "SELECT payment::text, command FROM payment_set_aside ORDER BY ord"
    )
    return [(row["payment"], row["command"]) for row in rows]


async def the_others_are_paid(office: Office) -> None:
    """Everybody else has the money, and the odd one has none."""
    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in OTHERS}
    assert await office.transfers(OTHERS) == [Transfer.CREDITED] * 3


async def test_a_family_that_cannot_be_entitled_leaves_the_run_by_name(office: Office) -> None:
    await frozen(office, failed=[ODD])
    await unreadable(office)

    await office.pay()
    await office.ordered()
    await office.pay()

    await the_others_are_paid(office)
    run = await office.run()
    assert run.entitled is not None
    assert run.entitled.entitled == Totals(4, 4 * EARLY_CHILD_IDR)
    assert run.entitled.payable == Totals(3, 3 * EARLY_CHILD_IDR)
    assert [(line.family, line.rupiah, line.reason) for line in run.deferred] == [
        (ODD.family, EARLY_CHILD_IDR, "CANNOT_BE_ENTITLED")
    ]
    assert run.reconciled is not None
    assert (await office.tahap()).outstanding == (ODD.family,)
    assert (await books(office.store)).broken == []
    assert await set_aside(office) == [(ODD.payment(), "Defer")]
    [failing] = await failing_parts(office.store.pool, SET_ASIDE, f"{TAHAP_1}-{REGULAR}")
    assert failing.item == f"{TAHAP_1}-{REGULAR} {ODD.payment()}"


async def test_a_family_that_could_not_be_entitled_is_paid_once_its_payment_is_mended(
    office: Office,
) -> None:
    await frozen(office, failed=[ODD])
    state = await unreadable(office)
    await office.pay()
    await office.ordered()
    await office.pay()

    await office.opened_supplementary(FIRST)
    await office.pay()
    again = await office.run(kind=FIRST)
    await mended(office, state)
    await office.pay()
    await office.supplemented(supplementary(2))

    # What was decided of the first payment could not be carried over: nobody paid without it.
    assert [line.reason for line in again.deferred] == ["CANNOT_BE_ENTITLED"]
    assert await office.transfers([ODD]) == [Transfer.DEFERRED]
    assert await set_aside(office) == []
    paid = ODD.payment(kind=supplementary(2))
    assert office.world.credited()[paid] == EARLY_CHILD_IDR
    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR
    assert (await office.balances())["family_blocked"] == EARLY_CHILD_IDR
    assert (await books(office.store)).broken == []


async def test_a_payment_that_cannot_be_instructed_leaves_the_run_and_its_books_wait(
    office: Office,
) -> None:
    await ordered(office)
    state = await unreadable(office)

    await office.pay()

    await the_others_are_paid(office)
    run = await office.run()
    assert run.uninstructed == ONE
    assert run.credited == Totals(3, 3 * EARLY_CHILD_IDR)
    assert run.reconciled is None
    # Its money is where it came to, and the run says whom it waits for.
    assert (await office.balances())["programme_account"] == EARLY_CHILD_IDR
    job = await office.seen(f"/jobs/run-{TAHAP_1}-{REGULAR}")
    assert ODD.payment() in job["problem"]["detail"]
    assert await set_aside(office) == [(ODD.payment(), "Instruct"), (ODD.payment(), "TakeOut")]
    assert (await books(office.store)).broken == []

    await mended(office, state)
    await office.pay()
    await office.supplemented(FIRST)

    assert sum(office.world.credited().values()) == 4 * EARLY_CHILD_IDR
    assert (await office.tahap()).closed is not None
    assert await office.balances() == {
        "family_available": 4 * EARLY_CHILD_IDR,
        "state_treasury": -4 * EARLY_CHILD_IDR,
    }
    assert (await books(office.store)).broken == []


async def test_a_payment_that_is_not_known_to_be_deferred_is_not_paid_by_another_run(
    office: Office,
) -> None:
    await ordered(office)
    state = await unreadable(office)
    await office.pay()
    await office.opened_supplementary(FIRST)
    await mended(office, state)

    # The supplementary run comes before the payment is asked again.
    await office.store.pool.execute("DELETE FROM payment_set_aside")
    await office.pay()

    assert [line.reason for line in (await office.run(kind=FIRST)).deferred] == [
        "CANNOT_BE_ENTITLED"
    ]
    await the_others_are_paid(office)


async def test_an_account_that_failed_is_kept_though_its_payment_cannot_be_read(
    office: Office,
) -> None:
    await frozen(office)
    del office.world.accounts[ODD.bank, ODD.account_no]
    await until_entitled(office)
    state = await unreadable(office)
    await office.pay()
    await office.ordered()
    await office.pay()

    await the_others_are_paid(office)
    assert (await office.run()).reconciled is not None
    await mended(office, state)
    await office.pay()

    assert await office.transfers([ODD]) == [Transfer.ACCOUNT_FAILED]
    assert await set_aside(office) == []


async def test_a_banks_word_of_a_payment_that_cannot_be_read_is_kept_and_booked_once_it_can(
    office: Office,
) -> None:
    await ordered(office)
    await until_dispatched(office)
    state = await unreadable(office)

    await office.pay()

    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in VILLAGE}
    assert await office.transfers(OTHERS) == [Transfer.CREDITED] * 3
    run = await office.run()
    assert run.credited == Totals(4, 4 * EARLY_CHILD_IDR)
    assert run.transfers is None
    assert await set_aside(office) == [(ODD.payment(), "Credit")]
    assert (await books(office.store)).broken == []

    await mended(office, state)
    await office.pay()

    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 4
    assert (await office.run()).reconciled is not None
    assert (await office.tahap()).closed is not None
    assert await set_aside(office) == []
    assert (await books(office.store)).broken == []
