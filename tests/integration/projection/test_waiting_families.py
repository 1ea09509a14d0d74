"""The row of a family that waits before it graduates, and what takes its place."""

from __future__ import annotations

import pytest

from services.projection.contract import FAMILY_TOPIC
from services.projection.tables import areas
from tests.integration.projection.kit import AMOUNT, THIRD, Desk


async def test_a_waiting_family_has_a_row_and_is_no_family_that_is_paid(desk: Desk) -> None:
    await desk.take(desk.said(FAMILY_TOPIC, "GraduationPending", tahap=THIRD))

    row = await desk.row(THIRD)
    assert (row["disposition"], row["amount"]) == ("GRADUATION_PENDING", 0)
    sums = await areas.summary(desk.reading, THIRD)
    counts = sums["families"], sums["graduated"], sums["graduation_pending"]
    assert counts == (0, 0, 1)


@pytest.mark.parametrize("before", ["GraduationPending", "FamilyGraduated"])
async def test_a_reopened_family_has_one_row_and_its_payment_takes_its_place(
    desk: Desk, before: str
) -> None:
    await desk.take(
        desk.said(FAMILY_TOPIC, before, tahap=THIRD),
        desk.said(FAMILY_TOPIC, "FamilyReopened", tahap=THIRD),
    )
    assert (await desk.row(THIRD))["disposition"] == "REOPENED"

    await desk.take(
        desk.judged("CycleEvaluated", tahap=THIRD),
        desk.paid("PaymentEntitled", THIRD),
        desk.paid("PaymentCredited", THIRD, hold="NONE"),
    )

    row = await desk.row(THIRD)
    assert (row["disposition"], row["amount"]) == ("PAID", AMOUNT)


async def test_a_family_that_graduates_after_its_term_has_a_row_for_each(desk: Desk) -> None:
    await desk.take(
        desk.said(FAMILY_TOPIC, "GraduationPending", tahap=THIRD), desk.graduated("2023-4")
    )

    assert (await desk.row(THIRD))["disposition"] == "GRADUATION_PENDING"
    assert (await desk.row("2023-4"))["disposition"] == "GRADUATED_NATURAL"
