"""Cases as their reporters follow them, by a number and a PIN."""

from __future__ import annotations

from tests.doors import Door
from tests.integration.complaints.kit import (
    SCOPES,
    follow,
    problem,
    received,
    seen,
    step,
)


async def test_a_reporter_answers_rates_and_opens_a_case_again(complaints: Door) -> None:
    receipt = await received(complaints)
    case, by = receipt["case"], (receipt["receipt"], receipt["pin"])
    clerk = complaints.who("clerk-1", *SCOPES)
    await step(complaints, case, "notes", clerk, {"words": "Not for the reporter."})
    await step(complaints, case, "question", clerk, {"words": "Which month?"})

    waits = (await follow(complaints, *by)).json()
    answered = await follow(complaints, *by, "/answer", words="In May.")
    await step(complaints, case, "resolution", clerk, {"resolution": "UPHELD", "words": "Paid."})
    early = await follow(complaints, *by, "/rating", rating=5)
    await step(complaints, case, "closing", clerk)
    rated = await follow(complaints, *by, "/rating", rating=2)
    closed = (await follow(complaints, *by)).json()
    reopened = await follow(complaints, *by, "/reopening")

    assert (waits["status"], [e["words"] for e in waits["entries"]]) == (
        "WAITS_FOR_YOU",
        ["Which month?"],
    )
    assert problem(early) == "case-not-closed"
    assert [answered.status_code, rated.status_code, reopened.status_code] == [204, 204, 204]
    assert (closed["status"], [e["words"] for e in closed["entries"]]) == (
        "CLOSED",
        ["Which month?", "In May.", "Paid."],
    )
    found = await seen(complaints, case, clerk)
    assert (found["status"], found["rating"]) == ("OPEN", 2)


async def test_a_complaint_that_is_sent_again_tells_the_same_pin(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES)
    body = {"category": "NO_CARD", "channel": "WEB", "region": "61.03.01.2026"}

    answers = [await complaints.post("/cases", clerk, key="once", json=body) for _ in range(2)]

    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
