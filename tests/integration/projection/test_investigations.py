"""An investigation adds to a family's rows, sums and timeline."""

from __future__ import annotations

from uuid import UUID

import pytest

from services.projection.tables import areas, read_models
from tests.doors import NATION
from tests.integration.projection.kit import AMOUNT, FAMILY, THIRD, Desk

FAILED = ("2023-1", "2023-2", THIRD)


async def test_a_row_waits_for_the_investigation_that_opened_at_its_tahap(desk: Desk) -> None:
    await desk.blocked(*FAILED)
    await desk.take(desk.judged("InvestigationOpened"))

    assert (await desk.row("2023-2"))["disposition"] == "BLOCKED"
    assert (await desk.row(THIRD))["disposition"] == "BLOCKED+INVESTIGATION"


@pytest.mark.parametrize(
    ("decided", "moved", "disposition", "column"),
    [
        ("Terminated", "PaymentReturned", "BLOCKED+TERMINATED", "returned"),
        ("Cleared", "PaymentReleased", "BLOCKED+CLEARED", "released"),
    ],
)
async def test_a_decision_before_the_next_closing_moves_all_of_it_in_the_same_row(
    desk: Desk, decided: str, moved: str, disposition: str, column: str
) -> None:
    await desk.blocked(*FAILED)
    await desk.take(desk.judged("InvestigationOpened"), desk.judged(decided))
    await desk.take(*(desk.paid(moved, tahap, at_tahap=THIRD) for tahap in FAILED))

    row = await desk.row(THIRD)
    assert (row["disposition"], row[column]) == (disposition, 3 * AMOUNT)


async def test_a_termination_of_a_family_that_was_not_paid_says_so(desk: Desk) -> None:
    await desk.take(
        desk.judged("CycleEvaluated", tahap=THIRD),
        desk.paid("PaymentEntitled", THIRD),
        desk.paid("AccountCheckFailed", THIRD),
        desk.judged("InvestigationOpened"),
        desk.judged("Terminated"),
    )

    assert (await desk.row(THIRD))["disposition"] == "ACCOUNT_FAILED+TERMINATED"


async def test_a_late_decision_stands_where_it_counts_and_leaves_the_past_as_it_was(
    desk: Desk,
) -> None:
    await desk.blocked(*FAILED, "2023-4")
    await desk.take(
        desk.judged("InvestigationOpened"),
        desk.judged("Cleared", cycle="2023-4", tahaps=[*FAILED, "2023-4"]),
    )

    assert (await desk.row(THIRD))["disposition"] == "BLOCKED+INVESTIGATION"
    assert (await desk.row("2023-4"))["disposition"] == "BLOCKED+CLEARED"


async def test_a_row_says_nothing_of_an_investigation_that_lost_its_ground(desk: Desk) -> None:
    await desk.blocked(*FAILED)
    await desk.take(desk.judged("InvestigationOpened"), desk.judged("InvestigationWithdrawn"))

    assert (await desk.row(THIRD))["disposition"] == "BLOCKED"


async def test_sums_count_by_what_stands_before_the_plus(desk: Desk) -> None:
    await desk.blocked(*FAILED)
    await desk.take(desk.judged("InvestigationOpened"), desk.judged("Terminated"))
    await desk.take(desk.paid("PaymentReturned", THIRD, at_tahap=THIRD))

    sums = await areas.summary(desk.reading, THIRD)

    assert (sums["families"], sums["blocked"], sums["paid"]) == (1, 1, 0)
    assert (sums["credited_idr"], sums["returned_idr"]) == (AMOUNT, AMOUNT)


async def test_a_graduation_under_investigation_is_a_graduation(desk: Desk) -> None:
    await desk.blocked(*FAILED)
    await desk.take(desk.judged("InvestigationOpened"), desk.graduated("2023-4"))
    await desk.take(
        *(
            desk.paid("PaymentReturned", tahap, at_tahap="2023-4", reason="GRADUATED_NATURAL")
            for tahap in FAILED
        )
    )

    row = await desk.row("2023-4")
    assert (row["disposition"], row["returned"]) == ("GRADUATED_NATURAL", 3 * AMOUNT)
    assert (await desk.row(THIRD))["disposition"] == "BLOCKED+INVESTIGATION"


async def test_the_timeline_tells_of_every_step(desk: Desk) -> None:
    steps = (
        "CorrectionProposed",
        "CorrectionRejected",
        "CorrectionWithdrawn",
        "CorrectionApproved",
        "InvestigationOpened",
        "InvestigationWithdrawn",
        "Cleared",
        "Terminated",
    )
    await desk.take(*(desk.judged(step) for step in steps))

    events = await read_models.timeline(desk.reading, NATION, UUID(FAMILY), None, 100)
    assert tuple(each["type"] for each in events) == steps
