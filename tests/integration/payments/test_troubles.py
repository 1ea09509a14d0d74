"""A fault elsewhere stops what it concerns, and nothing else; no rupiah moves by mistake."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest

from libs.events.bus import Record
from libs.events.store.watermarks import Positions
from services.payments.contract import COMMITMENT_TOPIC
from services.payments.domain.payment.state import Transfer
from services.payments.tables.holds import PARKED_MAX
from tests.doors import sent
from tests.integration.payments.houses import (
    TAHAP_1,
    books_of,
    houses,
)
from tests.integration.payments.office import Office, exhausted

VILLAGE = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]


async def until_troubled(office: Office) -> None:
    """Pay as leaders do, who begin again after a fault, for a while."""
    for _ in range(6):
        await office.pay()


async def ordered(office: Office) -> None:
    """The village's money is ordered and not released yet."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()


# -- Holds


async def test_who_has_a_parked_decision_is_deferred_by_name_and_all_others_are_paid(
    office: Office,
) -> None:
    await ordered(office)
    await office.take(parked_hold(office))
    await office.pay()

    assert await office.transfers(VILLAGE[:1]) == [Transfer.DEFERRED]
    assert await office.transfers(VILLAGE[1:]) == [Transfer.CREDITED] * 4
    assert (await office.tahap()).outstanding == (VILLAGE[0].family,)
    taken_out = await sent(office.store, "PaymentDeferred")
    assert [m.body["reason"] for m in taken_out] == ["DECISION_PARKED"]
    assert (await office.seen("/ledger/check"))["broken"] == []


async def test_no_file_leaves_while_very_many_decisions_are_parked(office: Office) -> None:
    await ordered(office)
    elsewhere = [str(uuid.UUID(int=number)) for number in range(1, PARKED_MAX + 2)]
    await office.take(*(parked_hold(office, family) for family in elsewhere))

    await until_troubled(office)

    assert office.world.credited() == {}


def parked_hold(office: Office, family: str = VILLAGE[0].family) -> Record:
    """A decision on a family's money that this service cannot read, and parks."""
    broken = {"family": family, "tahap": 7}
    return office.elsewhere.commitment.record("Suspended", family, broken)


async def test_a_busy_conditionality_is_waited_for_up_to_where_it_was(office: Office) -> None:
    await ordered(office)
    payer = office.payer()
    office.world.upstream = Positions("first", 10, 8, {}, {}, 0)
    await exhausted(payer.step)
    assert office.world.credited() == {}

    office.world.upstream = Positions("first", 15, 11, {COMMITMENT_TOPIC: {}}, {}, 0)
    await exhausted(payer.step)

    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5


# -- Lists


async def test_a_line_that_comes_behind_the_freeze_changes_nothing(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    body = await office.elsewhere.line_body(VILLAGE[0], TAHAP_1, revision=2)
    other = body | {"region": "61.71.01.1001", "payee_valid": False}
    await office.take(office.elsewhere.roster.record("FamilyListed", VILLAGE[0].family, other))

    await office.pay()
    await office.ordered()
    await office.pay()

    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5
    entitled = await sent(office.store, "PaymentEntitled")
    assert {m.body["region"] for m in entitled} == {"61.03.01.2026"}


async def test_a_later_revision_that_is_parked_does_not_count_twice(office: Office) -> None:
    await office.announce()
    said = office.elsewhere
    lines = [await said.line(house) for house in VILLAGE]
    judged = [said.evaluation(house) for house in VILLAGE]
    broken = await said.line_body(VILLAGE[0], TAHAP_1, revision=2) | {"members": "unreadable"}
    parked = said.roster.record("FamilyListed", VILLAGE[0].family, broken)
    await office.take(*lines, parked, said.list_closed([parked, *lines[1:]]))
    await office.take(*judged, said.evaluation_closed(judged))

    await office.join()

    ready = (await office.tahap()).lists[0].ready
    assert ready is not None
    assert ready.missing == (VILLAGE[0].family,)
    assert len(await sent(office.store, "BucketRequested")) == 0


# -- Files


@pytest.mark.parametrize(
    "odd", [{"bank": None}, {"bank": "BCA"}, {"account_no": None}, {"payee_nik": None}]
)
async def test_an_account_that_no_bank_can_have_fails_its_own_family_alone(
    office: Office, odd: dict[str, object]
) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.announce()
    said = office.elsewhere
    strange = await said.line_body(VILLAGE[0], TAHAP_1) | odd
    lines = [
        said.roster.record("FamilyListed", VILLAGE[0].family, strange),
        *[await said.line(house) for house in VILLAGE[1:]],
    ]
    judged = [said.evaluation(house) for house in VILLAGE]
    await office.take(*lines, said.list_closed(lines))
    await office.take(*judged, said.evaluation_closed(judged))
    await office.join()
    await office.frozen()
    await until_troubled(office)
    await office.ordered()
    await until_troubled(office)

    assert await office.transfers(VILLAGE[1:]) == [Transfer.CREDITED] * 4
    assert await office.transfers(VILLAGE[:1]) == [Transfer.ACCOUNT_FAILED]


@pytest.mark.parametrize(
    "clear",
    [{"name": "AGUSTINA\nSURYANI"}, {"name": "A" * 101}, {"account_no": "3" * 35}],
    ids=["line-break", "long-name", "long-account"],
)
async def test_a_value_that_no_file_can_carry_fails_its_own_family_alone(
    office: Office, clear: dict[str, str]
) -> None:
    strange = replace(VILLAGE[0], written=tuple(clear.items()))
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived([strange, *VILLAGE[1:]])
    await office.frozen()
    await until_troubled(office)
    await office.ordered()
    await until_troubled(office)

    assert await office.transfers(VILLAGE[1:]) == [Transfer.CREDITED] * 4
    assert await office.transfers([strange]) == [Transfer.ACCOUNT_FAILED]


# -- Partners


async def test_a_bank_that_is_away_does_not_keep_the_others_from_paying(office: Office) -> None:
    await ordered(office)
    office.world.unreachable = {"/banks/BNI"}

    await until_troubled(office)

    assert await office.transfers(VILLAGE[:3]) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(VILLAGE[3:]) == [Transfer.CREDITED] * 2
    office.world.unreachable = set()
    await office.pay()
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5


async def test_a_run_in_trouble_does_not_keep_another_tahap_from_being_paid(
    office: Office,
) -> None:
    await ordered(office)
    office.world.unreachable = {"SPM-2023-1"}
    await office.arrived(VILLAGE, tahap="2023-2")
    await office.frozen("2023-2")

    await until_troubled(office)
    await office.ordered("2023-2")
    await until_troubled(office)

    assert await office.transfers(VILLAGE, "2023-2") == [Transfer.CREDITED] * 5
    assert await office.transfers(VILLAGE) == [Transfer.ENTITLED] * 5
