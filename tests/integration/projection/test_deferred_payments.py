"""A payment that left its run, in the rows of its tahap and in the family's timeline."""

from __future__ import annotations

from services.projection.contract import PAYMENT_TOPIC
from services.projection.tables import read_models
from tests.doors import NATION
from tests.integration.projection.kit import AMOUNT, Desk, payment_of

TAHAP = "2023-1"
AGAIN = payment_of("2023-9")


async def test_a_family_that_left_its_run_has_no_row_until_a_supplementary_run_pays_it(
    desk: Desk,
) -> None:
    await desk.take(
        desk.said(PAYMENT_TOPIC, "AdministrativeHoldPlaced"),
        desk.paid("PaymentEntitled", TAHAP),
        desk.paid("PaymentInstructed", TAHAP),
        desk.paid("PaymentDeferred", TAHAP, reason="ON_HOLD", returned=AMOUNT),
    )
    wanted = read_models.EntitlementsWanted(TAHAP, NATION)
    assert await read_models.entitlements(desk.reading, wanted, None, 10) == []

    again = {"tahap": TAHAP, "payment": AGAIN}
    await desk.take(
        desk.said(PAYMENT_TOPIC, "AdministrativeHoldEnded"),
        desk.said(PAYMENT_TOPIC, "PaymentEntitled", **again),
        desk.said(PAYMENT_TOPIC, "PaymentCredited", hold="NONE", **again),
    )

    row = await desk.row(TAHAP)
    assert (row["disposition"], row["amount"]) == ("PAID", AMOUNT)
