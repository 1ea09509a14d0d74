"""A tahap from its frozen list to its books, with the real treasury and the real banks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from services.payments.domain.payment.messages import HoldStatus
from services.payments.domain.payment.state import Transfer, answer_of
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of, houses
from tests.integration.payments.office import Office

CREDITED = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]
CLOSED_AT_CHECK = House(6, "BTN", closed_since=date(2023, 4, 5))
CLOSED_AT_CREDIT = House(7, "BTN", closed_since=date(2023, 4, 6))
NO_PAYEE = House(8, "MANDIRI", payee_valid=False)
VILLAGE = [*CREDITED, CLOSED_AT_CHECK, CLOSED_AT_CREDIT, NO_PAYEE]


async def test_every_family_ends_where_its_payee_account_and_bank_put_it(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))

    await office.paid(VILLAGE)

    assert await office.transfers(CREDITED) == [Transfer.CREDITED] * 5
    assert await office.transfers([CLOSED_AT_CHECK]) == [Transfer.ACCOUNT_FAILED]
    assert await office.transfers([CLOSED_AT_CREDIT]) == [Transfer.FAILED]
    assert await office.transfers([NO_PAYEE]) == [Transfer.ENTITLED]
    assert answer_of(await office.payment(CLOSED_AT_CHECK)) == "ACCOUNT_CLOSED"
    assert (await office.run()).reconciled is not None
    assert (await office.tahap()).closed is not None


async def test_the_books_say_what_the_banks_own_journals_say(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))

    await office.paid(VILLAGE)

    assert office.world.credited() == {house.payment(): EARLY_CHILD_IDR for house in CREDITED}
    moved = await office.moved()
    assert moved["FUNDS_RELEASED"] == moved["INSTRUCTED"] == 6 * EARLY_CHILD_IDR
    assert moved["CREDITED"] == 5 * EARLY_CHILD_IDR
    assert moved["FAILED"] == EARLY_CHILD_IDR
    assert await office.balances() == {
        "family_available": 5 * EARLY_CHILD_IDR,
        "state_treasury": -5 * EARLY_CHILD_IDR,
    }
    assert (await books(office.store)).broken == []


async def test_a_family_has_at_most_three_events_a_tahap_where_nothing_differs(
    office: Office,
) -> None:
    office.world.accounts.update(books_of(CREDITED))

    await office.paid(CREDITED)

    for house in CREDITED:
        said = [m.type for m in await sent(office.store) if m.key == house.family]
        assert said == ["PaymentEntitled", "PaymentInstructed", "PaymentCredited"]


async def test_a_run_of_which_nobody_passes_the_check_closes_on_zeros(office: Office) -> None:
    office.world.accounts.update(books_of([CLOSED_AT_CHECK]))
    await office.arrived([CLOSED_AT_CHECK, NO_PAYEE])
    await office.frozen()

    await office.pay()

    assert (await office.run()).reconciled is not None
    assert (await office.tahap()).closed is not None
    assert await office.moved() == {}


async def test_no_money_moves_before_two_people_have_ordered_it(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.arrived(CREDITED)
    await office.frozen()

    await office.pay()

    assert await office.transfers(CREDITED) == [Transfer.ENTITLED] * 5
    assert office.world.credited() == {}
    assert await office.moved() == {}


async def test_payments_whose_snapshots_an_older_release_wrote_are_paid_on(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.arrived(CREDITED, TAHAP_1, failed=CREDITED[:1])
    await office.frozen()
    await office.pay()
    # The form of that release: one flat state, in which what is not there is empty.
    older = '{"transfer": "NONE", "amount": 0, "order": "", "hold": "NONE", "effects": []}'

    await office.store.pool.execute(
        "UPDATE streams SET state = $1, state_version = 2 WHERE stream_id LIKE 'payment-%'", older
    )
    await office.ordered()
    await office.pay()

    assert await office.transfers(CREDITED) == [Transfer.CREDITED] * 5
    assert (await office.payment(CREDITED[0])).hold.status is HoldStatus.HELD
    assert (await books(office.store)).broken == []


async def test_a_person_on_two_cards_is_paid_once(office: Office) -> None:
    one, other = House(11), replace(House(12), child=House(11).person)
    office.world.accounts.update(books_of([one, other]))

    await office.paid([one, other])

    transfers = sorted(await office.transfers([one, other]))
    assert transfers == [Transfer.CREDITED, Transfer.WITHHELD]
    assert sum(office.world.credited().values()) == EARLY_CHILD_IDR
    assert len(await sent(office.store, "PaymentWithheld")) == 1


# -- Holds ----------------------------------------------------------------------------------------


async def test_money_of_a_failed_cycle_is_credited_and_blocked(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))

    await office.paid(CREDITED, failed=CREDITED[:1])

    assert (await office.payment(CREDITED[0])).hold.status is HoldStatus.HELD
    balances = await office.balances()
    assert balances["family_blocked"] == EARLY_CHILD_IDR
    assert balances["family_available"] == 4 * EARLY_CHILD_IDR


async def test_a_release_lets_the_family_draw_what_was_blocked(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.paid(CREDITED, failed=CREDITED[:1])

    released = office.elsewhere.effect("Released", CREDITED[0], "2023-2", TAHAP_1)
    await office.take(released)
    await office.take(released)

    assert (await office.payment(CREDITED[0])).hold.status is HoldStatus.RELEASED
    assert (await office.balances())["family_available"] == 5 * EARLY_CHILD_IDR
    assert len(await sent(office.store, "PaymentReleased")) == 1


async def test_a_termination_returns_what_was_blocked(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.paid(CREDITED, failed=CREDITED[:1])

    await office.take(office.elsewhere.effect("Terminated", CREDITED[0], "2023-2", TAHAP_1))

    assert (await office.payment(CREDITED[0])).hold.status is HoldStatus.FORFEITED
    assert (await office.moved())["RETURNED"] == EARLY_CHILD_IDR


async def test_a_family_that_graduates_gives_back_what_was_blocked(office: Office) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.paid(CREDITED, failed=CREDITED[:1])
    grown = replace(CREDITED[0], graduated=True)

    await office.paid([grown, *CREDITED[1:]], tahap="2023-2")

    [returned] = await sent(office.store, "PaymentReturned")
    assert returned.key == grown.family
    assert returned.body["tahap"] == TAHAP_1
    assert returned.body["at_tahap"] == "2023-2"
    assert (await books(office.store)).broken == []


async def test_an_entitlement_says_whom_it_does_not_count_and_why(office: Office) -> None:
    house = House(1, uncounted="ADJUDICATED")
    office.world.accounts.update(books_of([house]))

    await office.paid([house])

    [entitled] = await sent(office.store, "PaymentEntitled")
    assert entitled.body["amount"] == EARLY_CHILD_IDR
    assert entitled.body["not_counted"] == [{"member": 3, "reason": "ADJUDICATED"}]
