"""A family asks to be erased, as the law lets it: the nation's list and run go on without it.

At each moment of a tahap an erasure is either refused, because money is under way, or the family is
named as erased and all others are paid.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from services.payments.domain.payment.state import Transfer
from services.payments.domain.tahap.messages import Deferral
from services.payments.tables.ledger import books
from services.registry.workers.eraser import MoneyIsUnderWay
from tests.integration.attacks.erasing import (
    CARDS,
    MONEY_IDR,
    TAHAP_PATH,
    Programme,
    child_of,
    payee_of,
    programme_at,
)
from tests.integration.payments.office import CHECKER
from tests.integration.payments.steps import (
    until_checking,
    until_dispatched,
    until_entitled,
    until_instructed,
)
from tests.integration.registry.kit import child, family, member
from tests.servers import Postgres

ERASED, *OTHERS = CARDS


@pytest_asyncio.fixture
async def programme(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Programme]:
    """Four families of a register, and payments, which pays them."""
    async with programme_at(postgres, tmp_path) as found:
        yield found


# -- Moments of a tahap ---------------------------------------------------------------------------


async def nothing(_programme: Programme) -> None:
    """No tahap is announced."""


async def announced(programme: Programme) -> None:
    await programme.announced()


async def half_listed(programme: Programme) -> None:
    """A family is listed, and the others are not yet."""
    await programme.announced()
    await programme.register.lister(chunk=1).step()


async def listed(programme: Programme) -> None:
    await programme.listed()


async def joined(programme: Programme) -> None:
    await programme.joined()


async def frozen(programme: Programme) -> None:
    await programme.joined()
    await programme.frozen()


async def entitled(programme: Programme) -> None:
    await frozen(programme)
    await until_entitled(programme.office)


async def checking(programme: Programme) -> None:
    await frozen(programme)
    await until_checking(programme.office)


async def checked(programme: Programme) -> None:
    await frozen(programme)
    await programme.office.pay()


async def ordered(programme: Programme) -> None:
    await checked(programme)
    await programme.office.ordered()


async def instructed(programme: Programme) -> None:
    await ordered(programme)
    await until_instructed(programme.office)


async def dispatched(programme: Programme) -> None:
    await ordered(programme)
    await until_dispatched(programme.office)


async def paid(programme: Programme) -> None:
    await ordered(programme)
    await programme.office.pay()


Moment = Callable[[Programme], Awaitable[None]]
BEFORE_THE_FILE: Final[tuple[Moment, ...]] = (
    *(announced, half_listed, listed, joined, frozen, entitled, checking, checked, ordered),
    instructed,
)


async def erased_family(programme: Programme) -> str:
    """The family that is erased: the last one in the order in which they are listed."""
    return max(programme.families.values())


async def others_are_paid(programme: Programme, erased: str) -> None:
    """Everybody but one family has got what is owed, once, and every rupiah is explained."""
    paid = {
        programme.payment(card): MONEY_IDR
        for card, each in programme.families.items()
        if each != erased
    }
    assert programme.office.world.credited() == paid
    assert (await books(programme.office.store)).broken == []
    closed = (await programme.office.tahap()).closed
    assert closed is not None
    assert await programme.is_erased(erased)


@pytest.mark.parametrize("moment", BEFORE_THE_FILE, ids=lambda moment: moment.__name__)
async def test_before_a_bank_has_its_file_the_family_is_left_out_by_name_and_all_others_are_paid(
    programme: Programme, moment: Moment
) -> None:
    erased = await erased_family(programme)
    await moment(programme)

    await programme.erase(erased)
    await programme.goes_on()

    await others_are_paid(programme, erased)
    closed = (await programme.office.tahap()).closed
    assert closed is not None
    assert closed.lapsed == (Deferral(erased, "ERASED"),)


async def test_before_a_tahap_is_announced_the_family_has_left_and_is_missed_by_no_list(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)

    await programme.erase(erased)
    await programme.listed()
    await programme.goes_on()

    [closed] = await programme.register.closed()
    assert (closed.body["listed"], closed.body["withheld"]) == (len(OTHERS), [])
    await others_are_paid(programme, erased)


async def test_a_freeze_that_was_proposed_before_the_erasure_is_not_approved(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)
    await programme.proposed()
    [paid] = (await programme.office.tahap()).lists
    assert paid.ready is not None

    await programme.erase(erased)
    approval = {"hash": paid.ready.hash}
    refused = await programme.office.asked_by(
        CHECKER, "check", f"{TAHAP_PATH}/freeze-approval", approval
    )
    await programme.goes_on()

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/list-moved")
    await others_are_paid(programme, erased)


# -- Money under way ------------------------------------------------------------------------------


async def test_while_a_bank_has_the_money_nobody_is_erased_and_afterwards_everybody_may_be(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)
    await dispatched(programme)

    refused = await programme.approval_of(erased)
    await programme.goes_on()
    await programme.erase(erased)

    problem = refused.json()
    assert (refused.status_code, problem["type"]) == (409, "/problems/money-under-way")
    assert "why=IN_A_BANKS_FILE" in problem["detail"]
    assert len(programme.office.world.credited()) == len(CARDS)
    assert await programme.is_erased(erased)
    assert (await books(programme.office.store)).broken == []


async def test_blocked_money_is_under_way_until_it_is_released(programme: Programme) -> None:
    erased = await erased_family(programme)
    await programme.joined()
    house = programme.home(erased)
    there = programme.office.elsewhere
    await programme.office.take(there.effect("Suspended", house, "2023-1"))
    await programme.goes_on()

    blocked = await programme.approval_of(erased)
    await programme.office.take(there.effect("Released", house, "2023-2", "2023-1"))
    await programme.erase(erased)

    assert "why=BLOCKED" in blocked.json()["detail"]
    assert await programme.is_erased(erased)


async def test_a_file_that_is_committed_beside_the_approval_is_answered_before_the_key_goes(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)
    await instructed(programme)
    approved = await programme.approval_of(erased)
    await until_dispatched(programme.office)  # payments has not heard of it yet
    await programme.carry()

    await programme.eraser.step()
    too_early = await programme.is_erased(erased)
    with pytest.raises(MoneyIsUnderWay):
        await programme.eraser._carry_out(erased)
    await programme.office.pay()
    await programme.eraser._carry_out(erased)

    assert approved.status_code == 204
    assert not too_early
    assert await programme.is_erased(erased)
    assert len(programme.office.world.credited()) == len(CARDS)
    assert (await books(programme.office.store)).broken == []


async def test_where_payments_does_not_answer_nobody_is_erased(programme: Programme) -> None:
    erased = await erased_family(programme)
    token = programme.eraser.payments.token_file
    token.write_text("a token that nobody issued")

    answer = await programme.approval_of(erased)

    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/service-silent")
    assert not await programme.is_erased(erased)


# -- Nothing is told of it ------------------------------------------------------------------------


async def test_no_answer_of_registry_or_payments_tells_of_an_erased_family(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)
    await paid(programme)
    await programme.erase(erased)
    registry, payments = programme.registry, programme.office.door
    scopes = ("registry:read", "registry:identify", "registry:erase")
    reader = registry.who("reader-1", *scopes)
    [card] = [card for card, each in programme.families.items() if each == erased]

    stands = await registry.client.get(f"/families/{erased}", headers=reader)
    who = await registry.post(
        "/identities/lookup", reader, json={"families": [erased], "purpose": "COMPLAINT"}
    )
    by_card = await registry.post(
        "/identities/by-card", reader, json={"no_kk": card, "purpose": "COMPLAINT"}
    )
    shown = await registry.client.get(f"/erasures/{erased}", headers=reader)
    money = payments.who("reader-1", "payments:read")
    paid_to = await payments.client.get(f"/families/{erased}/payments", headers=money)
    held = await payments.client.get(f"/families/{erased}/holds", headers=money)

    assert [each.status_code for each in (stands, by_card, paid_to, held)] == [404] * 4
    assert (who.status_code, who.json()) == (200, [])
    assert shown.json() == {
        "family": erased,
        "state": "ERASED",
        "ground": "SUBJECT_REQUEST",
        "maker": "ana",
        "checker": "budi",
    }
    rows = await programme.register.store.pool.fetch(
        """SELECT family FROM identity_family WHERE family = $1
           UNION ALL SELECT family FROM identity_member WHERE family = $1""",
        erased,
    )
    assert rows == []


async def test_who_was_erased_may_apply_again_as_another_family(programme: Programme) -> None:
    erased = await erased_family(programme)
    [card] = [card for card, each in programme.families.items() if each == erased]
    await programme.erase(erased)

    await programme.register.take("families", family(card, payee_of(card)))
    await programme.register.take(
        "members", member(card, payee_of(card), "1980-01-01"), child(card, child_of(card))
    )
    await programme.listed()

    again = (await programme.register.state_of(card)).family
    lines = {line.key for line in await programme.register.lines()}
    assert again != erased
    assert again in lines
    assert erased not in lines


async def test_who_may_not_see_the_family_does_not_erase_it(programme: Programme) -> None:
    erased = await erased_family(programme)
    clerk = programme.registry.who("clerk-1", "registry:import", "registry:approve")
    abroad = programme.registry.who("clerk-2", "registry:erase", regions=("11",))
    ground = {"ground": "SUBJECT_REQUEST", "evidence": "BA-1"}

    answers = [
        (await programme.registry.post(f"/erasures/{erased}", who, json=ground)).status_code
        for who in (clerk, abroad)
    ]

    assert answers == [403, 404]


# -- Restored backups -----------------------------------------------------------------------------


async def test_a_key_that_a_restored_backup_brings_back_is_destroyed_again(
    programme: Programme, postgres: Postgres
) -> None:
    erased = await erased_family(programme)
    kept = await programme.keys_as_kept(erased)
    await programme.erase(erased)
    await programme.restore_keys(erased, kept)
    came_back = not await programme.is_erased(erased)

    moved = await programme.eraser.compare()

    assert (came_back, moved) == (True, True)
    assert await programme.is_erased(erased)


async def test_an_erasure_that_a_restored_log_has_lost_is_written_again(
    programme: Programme,
) -> None:
    erased = await erased_family(programme)
    assert await programme.eraser.keys.destroy(erased)  # the log is that of the day before

    await programme.eraser.compare()
    again = await programme.eraser.compare()

    assert not again
    reader = programme.registry.who("reader-1", "registry:read", "registry:erase")
    shown = await programme.registry.client.get(f"/erasures/{erased}", headers=reader)
    stands = await programme.registry.client.get(f"/families/{erased}", headers=reader)
    assert (shown.json()["state"], shown.json()["ground"]) == ("ERASED", "KEY_WAS_DESTROYED")
    assert stands.status_code == 404
    await programme.listed()
    await programme.goes_on()
    await others_are_paid(programme, erased)
    assert (await programme.office.payment(programme.home(erased))).transfer is Transfer.NONE
