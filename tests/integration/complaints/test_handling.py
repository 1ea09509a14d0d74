"""Steps on cases at the door: by the office that has them, and refused by name to others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors import Door
from tests.integration.complaints.kit import SCOPES, received, seen, step
from tests.servers import eventually

QUESTION = {"template": "MORE_NEEDED", "language": "en", "words": "Which month was it?"}
RESOLUTION = {"resolution": "UPHELD", "template": "UPHELD"}


@pytest.fixture
def clerk(complaints: Door) -> dict[str, str]:
    """The headers of somebody of the case's district."""
    return complaints.who("clerk-1", *SCOPES, regions=("61.03.01",))


async def test_a_case_goes_from_its_assignment_to_its_end(
    complaints: Door, clerk: dict[str, str]
) -> None:
    case = (await received(complaints))["case"]

    done = [
        await step(complaints, case, "assignment", clerk, {"to": "clerk-2"}),
        await step(complaints, case, "notes", clerk, {"words": "Asked the bank."}),
        await step(
            complaints,
            case,
            "attachments",
            clerk,
            {"reference": "2023/a.jpg", "media_type": "image/jpeg", "size": 1_000},
        ),
        await step(complaints, case, "question", clerk, QUESTION),
        await step(complaints, case, "answer", clerk, {"words": "In May."}),
        await step(complaints, case, "resolution", clerk, RESOLUTION),
        await step(complaints, case, "closing", clerk),
    ]

    assert done == [""] * 7
    found = await seen(complaints, case, clerk)
    assert (found["status"], found["closed"], found["assigned"]) == ("RESOLVED", True, "clerk-2")
    words = await seen(complaints, case, clerk, "/words")
    assert [entry["kind"] for entry in words["entries"]] == [
        *("TEXT", "NOTE", "QUESTION", "ANSWER", "REPLY")
    ]
    assert "Which month was it?" in words["entries"][2]["words"]
    assert [each["reference"] for each in words["attachments"]] == ["2023/a.jpg"]
    assert await step(complaints, case, "reopening", clerk) == ""
    assert (await seen(complaints, case, clerk))["status"] == "OPEN"


async def test_a_case_waits_while_its_reporter_is_asked(
    complaints: Door, clerk: dict[str, str]
) -> None:
    case = (await received(complaints))["case"]
    before = await seen(complaints, case, clerk)

    await step(complaints, case, "question", clerk, QUESTION)

    waiting = await seen(complaints, case, clerk)
    assert (waiting["paused"], waiting["due_on"] > before["due_on"]) == (True, True)
    await step(complaints, case, "answer", clerk, {"words": "In May."})
    assert (await seen(complaints, case, clerk))["due_on"] == before["due_on"]


@pytest.mark.parametrize(
    ("name", "body", "kind"),
    [
        ("attachments", {"reference": "a.html", "media_type": "text/html", "size": 1}, "attach"),
        ("attachments", {"reference": "a.png", "media_type": "image/png", "size": 10**9}, "attach"),
        ("notes", {"words": "a" * 1_000_000}, "words-too-long"),
        ("notes", {"words": "<b>"}, "words-unfit"),
        ("notes", {"words": ""}, "invalid-request"),
        ("question", {}, "invalid-request"),
        ("question", {"template": "LOVE_LETTER"}, "template-unknown"),
        ("answer", {"words": "In May."}, "case-not-paused"),
        ("closing", None, "case-not-resolved"),
        ("reopening", None, "case-not-resolved"),
        ("unlinking", None, "case-not-linked"),
        ("assignment", {"to": "\u0000"}, "invalid-request"),
    ],
)
async def test_a_step_that_cannot_be_taken_is_refused_by_name(
    complaints: Door, clerk: dict[str, str], name: str, body: dict[str, Any], kind: str
) -> None:
    case = (await received(complaints))["case"]

    assert (await step(complaints, case, name, clerk, body)).startswith(kind)


async def test_a_district_resolves_nothing_that_the_regency_has(
    complaints: Door, clerk: dict[str, str]
) -> None:
    levy = (await received(complaints, category="LEVY"))["case"]
    assert await step(complaints, levy, "resolution", clerk, RESOLUTION) == "case-unknown"

    chief = complaints.who("chief", *SCOPES, regions=("61.03",))
    assert await step(complaints, levy, "resolution", chief, RESOLUTION) == ""


async def test_a_case_that_has_passed_on_is_seen_below_and_resolved_by_whoever_has_it(
    complaints: Door, clerk: dict[str, str]
) -> None:
    case = (await received(complaints, received_on="2023-03-30"))["case"]
    operator = complaints.who("operator-1", "platform:operate")
    chief = complaints.who("chief", *SCOPES, regions=("61.03",))

    async def has_passed_on() -> bool:
        return bool((await seen(complaints, case, clerk))["level"] == "REGENCY")

    await complaints.post("/sweeps", operator, json={"on": "2023-04-10"})
    await eventually(has_passed_on)

    below = await step(complaints, case, "resolution", clerk, RESOLUTION)
    assert below == "case-at-another-office"
    assert await step(complaints, case, "resolution", chief, RESOLUTION) == ""


async def test_nobody_decides_a_case_about_themselves(complaints: Door) -> None:
    case = (await received(complaints, about="chief"))["case"]
    chief = complaints.who("Chief", *SCOPES, regions=("61.03",))
    other = complaints.who("other", *SCOPES, regions=("61.03",))

    assert await step(complaints, case, "resolution", chief, RESOLUTION) == "case-unknown"
    assigned = await step(complaints, case, "assignment", other, {"to": "chief"})
    assert assigned == "case-about-themselves"
    assert await step(complaints, case, "resolution", other, RESOLUTION) == ""


async def test_a_duplicate_is_resolved_with_the_case_that_stands_for_it(
    complaints: Door, clerk: dict[str, str]
) -> None:
    first, second = [(await received(complaints))["case"] for _ in range(2)]
    third = (await received(complaints))["case"]

    assert await step(complaints, second, "link", clerk, {"to": first}) == ""
    assert await step(complaints, first, "link", clerk, {"to": third}) == "stands-for-others"
    assert await step(complaints, third, "link", clerk, {"to": second}) == "case-is-linked"
    assert await step(complaints, third, "link", clerk, {"to": third}) == "linked-to-itself"
    assert await step(complaints, second, "resolution", clerk, RESOLUTION) == "case-is-linked"
    assert await step(complaints, third, "link", clerk, {"to": first}) == ""
    assert await step(complaints, third, "unlinking", clerk) == ""

    assert await step(complaints, first, "resolution", clerk, RESOLUTION) == ""
    states = {case: (await seen(complaints, case, clerk))["status"] for case in (second, third)}
    assert states == {second: "RESOLVED", third: "OPEN"}


async def test_of_two_who_resolve_at_once_the_second_has_to_look_again(
    complaints: Door, clerk: dict[str, str]
) -> None:
    case = (await received(complaints))["case"]
    stale = clerk | {"If-Match": '"1"'}

    answer = await complaints.post(f"/cases/{case}/resolution", stale, json=RESOLUTION)

    assert answer.status_code == 412


async def test_templates_are_in_two_languages(complaints: Door, clerk: dict[str, str]) -> None:
    found = (await complaints.client.get("/answer-templates", headers=clerk)).json()["items"]

    assert {each["code"] for each in found} >= {"MORE_NEEDED", "UPHELD", "REJECTED", "REFERRED"}
    assert all(each["id"] != each["en"] for each in found)
