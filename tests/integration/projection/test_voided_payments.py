"""A payment that was taken back with its cancelled tahap, in the rows of the tahap."""

from __future__ import annotations

import pytest

from services.projection.tables import read_models
from tests.doors import NATION
from tests.integration.projection.kit import AMOUNT, Desk

TAHAP = "2023-1"


@pytest.mark.parametrize("at_once", [True, False], ids=["one-batch", "one-by-one"])
async def test_a_voided_payment_has_no_row_until_it_is_entitled_anew(
    desk: Desk, at_once: bool
) -> None:
    first = [
        desk.paid("PaymentEntitled", TAHAP),
        desk.paid("AccountCheckFailed", TAHAP),
        desk.paid("PaymentVoided", TAHAP),
    ]
    anew = [desk.paid("PaymentEntitled", TAHAP), desk.paid("PaymentCredited", TAHAP, hold="NONE")]
    if at_once:
        await desk.take(*first, *anew)
    else:
        await desk.take(*first)
        wanted = read_models.EntitlementsWanted(TAHAP, NATION)
        assert await read_models.entitlements(desk.reading, wanted, None, 10) == []
        await desk.take(*anew)

    row = await desk.row(TAHAP)
    assert (row["disposition"], row["amount"]) == ("PAID", AMOUNT)


async def test_of_a_row_that_one_batch_writes_twice_the_later_word_stands(desk: Desk) -> None:
    await desk.take(
        desk.judged("CycleEvaluated", tahap=TAHAP, revision=2, result="COMPLIANT", duties=[]),
        desk.judged("CycleEvaluated", tahap=TAHAP, revision=1, result="FAILED"),
        desk.paid("PaymentEntitled", TAHAP, region="61.03.01.2001"),
        desk.paid("PaymentEntitled", TAHAP, region="61.03.01.2002"),
    )

    row = await desk.row(TAHAP)
    assert (row["commitment"], row["region"]) == ("COMPLIANT", "61.03.01.2002")
