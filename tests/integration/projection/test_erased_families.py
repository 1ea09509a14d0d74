"""An erased family: nothing is told of it any more, and every sum stays what it was."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from libs.events.bus import Record
from services.projection.contract import FAMILY_TOPIC
from services.projection.tables import areas, read_models
from tests.doors import NATION
from tests.integration.projection.kit import FAMILY, THIRD, Desk


def erased(desk: Desk) -> Record:
    return desk.said(FAMILY_TOPIC, "FamilyErased")


async def life(desk: Desk) -> None:
    """A family is registered, judged, and paid in a tahap."""
    await desk.take(
        *(desk.said(FAMILY_TOPIC, kind) for kind in ("FamilyRegistered", "MembersRegistered")),
        desk.said(FAMILY_TOPIC, "FamilyDesignated", tahap=THIRD),
    )
    await desk.blocked(THIRD)


async def nothing_is_told(desk: Desk) -> None:
    wanted = read_models.EntitlementsWanted(THIRD, NATION)
    assert await read_models.lives(desk.store, UUID(FAMILY), date(2023, 1, 1)) is None
    assert await read_models.timeline(desk.reading, NATION, UUID(FAMILY), None, 10) == []
    assert await read_models.entitlements(desk.reading, wanted, None, 10) == []
    judged = read_models.DesignationsWanted(NATION)
    assert await read_models.designations(desk.reading, judged, None, 10) == []


async def test_nothing_is_told_of_an_erased_family_and_all_sums_stay(desk: Desk) -> None:
    await life(desk)
    before = await areas.summary(desk.reading, THIRD)

    await desk.take(erased(desk))

    await nothing_is_told(desk)
    assert await areas.summary(desk.reading, THIRD) == before
    assert before["families"] == 1


async def test_what_comes_behind_the_erasure_is_told_to_nobody(desk: Desk) -> None:
    await life(desk)

    await desk.take(erased(desk), desk.said(FAMILY_TOPIC, "FamilyUnlisted", tahap="2023-4"))
    await desk.take(desk.paid("PaymentReleased", THIRD), erased(desk))

    await nothing_is_told(desk)
