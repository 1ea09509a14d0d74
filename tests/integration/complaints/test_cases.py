"""Cases at the door of complaints: received once, within a region, read by nobody else."""

from __future__ import annotations

from uuid import uuid4

import pytest

from libs.events.store.postgres import Store
from tests.doors import Door, reads_of
from tests.integration.complaints.kit import (
    COMPLAINT,
    SAID,
    SCOPES,
    problem,
    received,
    seen,
)

LARGE = "a" * 1_000_000


async def test_a_case_is_received_and_read(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES)

    answer = await complaints.post("/cases", clerk, json=COMPLAINT)
    found = await complaints.client.get(f"/cases/{answer.json()['case']}", headers=clerk)

    assert answer.status_code == 201
    assert COMPLAINT.items() <= found.json().items()
    assert (found.json()["level"], found.json()["due_on"]) == ("DISTRICT", "2023-04-06")
    assert found.json()["overdue"] is True
    assert found.headers["ETag"] == answer.headers["ETag"]


async def test_a_complaint_that_is_sent_again_is_one_case(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES) | {"Idempotency-Key": str(uuid4())}

    first = await complaints.client.post("/cases", headers=clerk, json=COMPLAINT)
    again = await complaints.client.post("/cases", headers=clerk, json=COMPLAINT)

    assert again.json() == first.json()


async def test_a_case_of_another_region_is_as_unknown_as_none(complaints: Door) -> None:
    stranger = complaints.who("clerk-2", *SCOPES, regions=("61.04",))
    case = (await received(complaints))["case"]

    refused = await complaints.post("/cases", stranger, json=COMPLAINT)
    foreign = await complaints.client.get(f"/cases/{case}", headers=stranger)
    none = await complaints.client.get(f"/cases/{uuid4()}", headers=stranger)

    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/region-not-yours")
    assert (foreign.status_code, none.status_code) == (404, 404)
    assert foreign.json()["type"] == none.json()["type"] == "/problems/case-unknown"


@pytest.mark.parametrize("wrong", [{"channel": "lower"}, {"region": "61"}, {"more": 1}])
async def test_a_complaint_that_is_malformed_is_refused(
    complaints: Door, wrong: dict[str, object]
) -> None:
    refused = await complaints.post(
        "/cases", complaints.who("clerk-1", *SCOPES), json=COMPLAINT | wrong
    )

    assert refused.status_code == 422
    assert refused.json()["errors"]


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        ({"channel": "PIGEON"}, "channel-unknown"),
        ({"category": "WEATHER"}, "complaint-category-unknown"),
        ({"received_on": "2099-01-01"}, "received-in-future"),
        ({"received_on": "2019-01-01"}, "holidays-unknown"),
        ({"anonymous": True}, "anonymous-names-somebody"),
        ({"text": LARGE}, "words-too-long"),
        ({"text": "<script>alert(1)</script>"}, "words-unfit"),
        ({"name": "Siti\u0007"}, "words-unfit"),
        ({"contact": "a\u202eb"}, "words-unfit"),
        ({"about": " two "}, "subject-malformed"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_a_complaint_that_says_what_cannot_be_is_refused_by_name(
    complaints: Door, store: Store, wrong: dict[str, object], kind: str
) -> None:
    who = complaints.who("clerk-1", *SCOPES)

    refused = await complaints.post("/cases", who, json=COMPLAINT | wrong)

    assert problem(refused) == kind
    assert await store.pool.fetchval("SELECT count(*) FROM events") == 0


async def test_the_pin_is_told_and_stands_nowhere(complaints: Door, store: Store) -> None:
    receipt = await received(complaints)

    tables = await store.pool.fetch(
        "SELECT table_schema || '.' || quote_ident(table_name) FROM information_schema.tables"
        " WHERE table_schema IN ('public', 'complaints') AND table_type = 'BASE TABLE'"
    )
    for (table,) in tables:
        rows = await store.pool.fetch(f"SELECT t::text FROM {table} AS t")
        text = "\n".join(row[0] for row in rows)
        for clear in (f'"{receipt["pin"]}"', 'pin\\"', *SAID.values()):
            assert clear not in text, table


async def test_who_complained_is_told_on_record(complaints: Door, store: Store) -> None:
    case, clerk = (await received(complaints))["case"], complaints.who("clerk-1", *SCOPES)

    reporter = await seen(complaints, case, clerk, "/reporter")
    words = await seen(complaints, case, clerk, "/words")

    assert (reporter["name"], reporter["contact"]) == (SAID["name"], SAID["contact"])
    assert [entry["words"] for entry in words["entries"]] == [SAID["text"]]
    assert [(who, read["operation"]) for who, read in await reads_of(store.pool)] == [
        ("clerk-1", "GET /cases/{case}/reporter"),
        ("clerk-1", "GET /cases/{case}/words"),
    ]


async def test_who_complained_in_confidence_is_told_to_the_regency_and_auditors_alone(
    complaints: Door,
) -> None:
    case = (await received(complaints, confidential=True))["case"]
    receipt = {
        "district": complaints.who("clerk-1", *SCOPES, regions=("61.03.01",)),
        "district that may": complaints.who(
            "clerk-2", *SCOPES, "complaints:identify", regions=("61.03.01",)
        ),
        "regency": complaints.who("chief", *SCOPES, "complaints:identify", regions=("61.03",)),
        "auditor": complaints.who("auditor", "complaints:read", "platform:audit"),
    }

    names = {
        who: (await seen(complaints, case, headers, "/reporter")).get("name")
        for who, headers in receipt.items()
    }

    assert names == {
        "district": None,
        "district that may": None,
        "regency": SAID["name"],
        "auditor": SAID["name"],
    }


async def test_a_district_sees_no_complaint_about_its_own_people(complaints: Door) -> None:
    case = (await received(complaints, category="FACILITATOR_CONDUCT", about="pendamping-7"))[
        "case"
    ]

    for who, status in (
        (complaints.who("clerk-1", *SCOPES, regions=("61.03.01",)), 404),
        (complaints.who("Pendamping-7", *SCOPES, regions=("61.03",)), 404),
        (complaints.who("chief", *SCOPES, regions=("61.03",)), 200),
    ):
        found = await complaints.client.get(f"/cases/{case}", headers=who)
        assert found.status_code == status


async def test_cases_are_listed_by_area_level_and_day_before_they_are_due(
    complaints: Door,
) -> None:
    here, there = "61.03.01.2026", "61.04.02.2001"
    first = (await received(complaints, region=here))["case"]
    levy = (await received(complaints, region=here, category="LEVY"))["case"]
    await received(complaints, region=there)
    regency = complaints.who("chief", *SCOPES, regions=("61.03",))
    district = complaints.who("clerk-1", *SCOPES, regions=("61.03.01",))

    async def listed(who: dict[str, str], query: str = "") -> list[str]:
        page = await complaints.client.get(f"/cases{query}", headers=who)
        return [item["case"] for item in page.json()["items"]]

    assert await listed(regency) == [first, levy]
    assert await listed(district) == [first]
    assert await listed(regency, "?level=REGENCY&status=OPEN") == [levy]
    due = (await seen(complaints, first, regency))["due_on"]
    assert await listed(regency, f"?due_by={due}") == [first]
    page = await complaints.client.get("/cases?limit=1", headers=regency)
    behind = f"/cases?limit=1&cursor={page.json()['next']}"
    next_page = await complaints.client.get(behind, headers=regency)
    assert [item["case"] for item in next_page.json()["items"]] == [levy]
