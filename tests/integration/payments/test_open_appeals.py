"""A family graduates while a case of it appeals: its held money stays until the appeal's end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

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
