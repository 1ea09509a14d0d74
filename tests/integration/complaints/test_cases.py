"""Cases at the door of complaints: received once, within a region, read by nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from services.complaints.main import SERVICE
from tests.doors import Door, door, service_settings
from tests.integration.complaints.kit import COMPLAINT
from tests.servers import Postgres

SCOPES = ("complaints:receive", "complaints:read")


@pytest_asyncio.fixture
async def complaints(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a complaints without a case."""
    async with (
        service_settings(postgres, tmp_path, "complaints") as settings,
        door(SERVICE.application(settings), tmp_path) as service,
    ):
        yield service


async def test_a_case_is_received_and_read(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES)

    received = await complaints.post("/cases", clerk, json=COMPLAINT)
    found = await complaints.client.get(f"/cases/{received.json()['case']}", headers=clerk)

    assert received.status_code == 201
    assert COMPLAINT.items() <= found.json().items()
    assert found.headers["ETag"] == received.headers["ETag"]


async def test_a_complaint_that_is_sent_again_is_one_case(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES) | {"Idempotency-Key": str(uuid4())}

    first = await complaints.client.post("/cases", headers=clerk, json=COMPLAINT)
    again = await complaints.client.post("/cases", headers=clerk, json=COMPLAINT)

    assert again.json() == first.json()


async def test_a_case_of_another_region_is_as_unknown_as_none(complaints: Door) -> None:
    clerk = complaints.who("clerk-1", *SCOPES)
    stranger = complaints.who("clerk-2", *SCOPES, regions=("61.04",))
    received = await complaints.post("/cases", clerk, json=COMPLAINT)

    refused = await complaints.post("/cases", stranger, json=COMPLAINT)
    foreign = await complaints.client.get(f"/cases/{received.json()['case']}", headers=stranger)
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
