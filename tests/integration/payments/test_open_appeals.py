"""A family graduates while a case of it appeals: its held money stays until the appeal's end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from libs.events.bus import Record
from services.payments.domain.payment.messages import HoldStatus
from services.payments.tables.ledger import books
from tests.doors import sent
from tests.integration.payments.houses import TAHAP_1, House, books_of
from tests.integration.payments.office import Office
from tests.integration.payments.test_runs import CREDITED

CASE = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90"
HOUSE = CREDITED[0]


def appeal(office: Office, kind: str, house: House = HOUSE) -> Record:
    """Conditionality's word that something waits for a case's appeal, or does no more."""
    body = {"family": house.family, "case": CASE, "tahap": TAHAP_1, "against": "HOLD"}
    ended = {"outcome": "REJECTED"} if kind == "AppealEnded" else {}
    return office.elsewhere.commitment.record(kind, house.family, body | ended)


async def graduated(office: Office, *before: str) -> None:
    """A family whose money is held graduates with the next tahap, after these words of it."""
    office.world.accounts.update(books_of(CREDITED))
    await office.paid(CREDITED, failed=[HOUSE])
    await office.take(*(appeal(office, kind) for kind in before))
    await office.paid([replace(HOUSE, graduated=True), *CREDITED[1:]], tahap="2023-2")


async def returned(office: Office) -> Sequence[tuple[str, str]]:
    found = await sent(office.store, "PaymentReturned")
    return [(m.body["tahap"], m.body["at_tahap"]) for m in found]


async def test_who_graduates_while_an_appeal_is_open_gives_nothing_back_before_its_end(
    office: Office,
) -> None:
    await graduated(office, "AppealPaused")
    assert await returned(office) == []
    assert (await office.payment(HOUSE)).hold.status is HoldStatus.HELD
    [waits] = [message.body for message in await sent(office.store, "ReturnWaits")]
    assert (waits["tahap"], waits["at_tahap"], waits["cases"]) == (TAHAP_1, "2023-2", [CASE])

    await office.take(appeal(office, "AppealEnded"))

    assert await returned(office) == [(TAHAP_1, "2023-2")]
    await office.take(appeal(office, "AppealEnded"))
    assert len(await returned(office)) == 1
    assert (await books(office.store)).broken == []


async def test_what_an_upheld_appeal_releases_does_not_go_back_with_the_graduation(
    office: Office,
) -> None:
    await graduated(office, "AppealPaused")
    effect = office.elsewhere.effect

    await office.take(
        effect("Released", HOUSE, TAHAP_1, TAHAP_1, revision=2), appeal(office, "AppealEnded")
    )

    assert await returned(office) == []
    assert (await office.payment(HOUSE)).hold.status is HoldStatus.RELEASED
    assert (await books(office.store)).broken == []


async def test_an_appeal_that_has_ended_keeps_nothing_even_if_its_beginning_comes_again(
    office: Office,
) -> None:
    await graduated(office, "AppealPaused", "AppealEnded", "AppealPaused")

    assert await returned(office) == [(TAHAP_1, "2023-2")]


@pytest.mark.parametrize("ended", [False, True])
async def test_an_appeal_that_opens_or_ends_while_its_family_graduates_is_before_it_or_behind_it(
    office: Office, ended: bool
) -> None:
    office.world.accounts.update(books_of(CREDITED))
    await office.paid(CREDITED, failed=[HOUSE])
    if ended:
        await office.take(appeal(office, "AppealPaused"))
    await office.arrived([replace(HOUSE, graduated=True), *CREDITED[1:]], tahap="2023-2")
    await office.frozen("2023-2")

    word = appeal(office, "AppealEnded" if ended else "AppealPaused")
    await asyncio.gather(office.pay(), office.take(word))
    await office.ordered("2023-2")
    await office.pay()

    waits, back = await sent(office.store, "ReturnWaits"), await returned(office)
    held = (await office.payment(HOUSE)).hold.status
    if ended:
        assert (held, back) == (HoldStatus.FORFEITED, [(TAHAP_1, "2023-2")])
    else:
        assert held is (HoldStatus.FORFEITED if back else HoldStatus.HELD)
        assert len(waits) + len(back) == 1
        await office.take(appeal(office, "AppealEnded"))
        assert await returned(office) == [(TAHAP_1, "2023-2")]
    assert (await books(office.store)).broken == []
