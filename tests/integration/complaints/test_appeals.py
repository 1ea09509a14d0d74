"""Appeals and orders at the door of complaints, and their answers at its topics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.complaints.main import SERVICE
from tests.doors import Door, front_door, service_settings
from tests.integration.complaints.files import sweep
from tests.integration.complaints.kit import COMPLAINT
from tests.servers import Postgres

SCOPES = ("complaints:receive", "complaints:read", "complaints:decide")
APPEAL = {"tahap": "2023-1", "effect": "HOLD", "received_on": "2023-04-20"}


@pytest_asyncio.fixture
async def complaints(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a running complaints."""
    async with (
        service_settings(postgres, tmp_path, "complaints") as settings,
        front_door(SERVICE, settings, tmp_path) as service,
    ):
        yield service


async def received(door: Door, **changes: Any) -> str:
    """A case of a family, or as these changes have it."""
    answer = await door.post("/cases", door.who("clerk-1", *SCOPES), json=COMPLAINT | changes)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["case"])


async def remedy(door: Door, case: str) -> httpx.Response:
    return await door.client.get(f"/cases/{case}/remedy", headers=door.who("clerk-1", *SCOPES))


async def opened(door: Door, case: str, **changes: Any) -> httpx.Response:
    who = door.who("officer-1", *SCOPES)
    return await door.post(f"/cases/{case}/appeal", who, json=APPEAL | changes)


async def decided(door: Door, case: str, subject: str, outcome: str) -> httpx.Response:
    seen = {"If-Match": (await remedy(door, case)).headers["ETag"]}
    who = door.who(subject, *SCOPES) | seen
    return await door.post(f"/cases/{case}/appeal/decision", who, json={"outcome": outcome})


async def test_an_appeal_is_opened_by_one_person_and_decided_by_another(complaints: Door) -> None:
    case = await received(complaints)

    assert (await opened(complaints, case)).status_code == 204
    own = await decided(complaints, case, "Officer-1", "UPHELD")
    assert (own.status_code, own.json()["type"]) == (409, "/problems/same-person")
    assert (await decided(complaints, case, "officer-2", "UPHELD")).status_code == 204

    body = (await remedy(complaints, case)).json()
    assert (body["appeal"]["tahap"], body["appeal"]["outcome"]) == ("2023-1", "UPHELD")
    [order] = body["orders"]
    assert (order["ordered"], order["tahap"], order["answer"]) == (
        "REEVALUATE_CYCLE",
        "2023-1",
        None,
    )


async def test_appeals_of_another_region_are_as_unknown_as_none(complaints: Door) -> None:
    case = await received(complaints)
    stranger = complaints.who("officer-3", *SCOPES, regions=("61.04",))
    path = f"/cases/{case}"

    foreign = [
        await complaints.client.get(f"{path}/remedy", headers=stranger),
        await complaints.post(f"{path}/appeal", stranger, json=APPEAL),
        await complaints.post(
            f"{path}/appeal/decision", stranger | {"If-Match": '"1"'}, json={"outcome": "UPHELD"}
        ),
        await complaints.post(f"{path}/orders", stranger, json={"ordered": "UPDATE_DATA"}),
    ]

    assert {(each.status_code, each.json()["type"]) for each in foreign} == {
        (404, "/problems/case-unknown")
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "problem"),
    [
        ("appeal", APPEAL | {"tahap": "2023-2"}, 409, "appeal-differs"),
        ("appeal", APPEAL | {"effect": "ANGER"}, 422, "invalid-request"),
        ("orders", {"ordered": "REEVALUATE_CYCLE"}, 422, "invalid-request"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    complaints: Door, path: str, body: dict[str, str], status: int, problem: str
) -> None:
    case = await received(complaints)
    await opened(complaints, case)

    who = complaints.who("officer-1", *SCOPES)
    answer = await complaints.post(f"/cases/{case}/{path}", who, json=body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{problem}")


async def test_a_case_of_no_family_asks_nobody_for_anything(complaints: Door) -> None:
    case = await received(complaints, family=None)

    answer = await opened(complaints, case)

    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/case-of-no-family")


async def test_an_order_that_no_service_carries_out_says_so_on_the_case(complaints: Door) -> None:
    case = await received(complaints)
    who = complaints.who("officer-1", *SCOPES)

    sent = await complaints.post(f"/cases/{case}/orders", who, json={"ordered": "UPDATE_DATA"})

    assert sent.status_code == 204
    [order] = (await remedy(complaints, case)).json()["orders"]
    assert order["answer"] == "NOT_YET_SUPPORTED"


async def test_of_two_who_decide_an_appeal_at_once_one_does(complaints: Door) -> None:
    case = await received(complaints)
    await opened(complaints, case)
    seen = {"If-Match": (await remedy(complaints, case)).headers["ETag"]}

    both = await asyncio.gather(
        *(
            complaints.post(
                f"/cases/{case}/appeal/decision",
                complaints.who(f"officer-{number}", *SCOPES) | seen,
                json={"outcome": outcome},
            )
            for number, outcome in ((2, "UPHELD"), (3, "REJECTED"))
        )
    )

    assert sorted(answer.status_code for answer in both) == [204, 412]
    body = (await remedy(complaints, case)).json()
    decided_by_first = both[0].status_code == 204
    assert body["appeal"]["outcome"] == ("UPHELD" if decided_by_first else "REJECTED")
    assert len(body["orders"]) == int(decided_by_first)


async def test_an_appeal_is_decided_while_its_case_goes_up_the_ladder(complaints: Door) -> None:
    case = await received(complaints, received_on="2023-04-03")
    await opened(complaints, case)

    answer, _ = await asyncio.gather(
        decided(complaints, case, "officer-2", "UPHELD"), sweep(complaints, "2023-12-29")
    )

    assert answer.status_code == 204, answer.text
    assert (await remedy(complaints, case)).json()["appeal"]["outcome"] == "UPHELD"
    who = complaints.who("clerk-1", *SCOPES)
    swept = (await complaints.client.get(f"/cases/{case}", headers=who)).json()
    assert (swept["level"], swept["status"]) == ("NATION", "OPEN")
