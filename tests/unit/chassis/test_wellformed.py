"""Requests that could mean two things: refused before a route sees them, and never quoted."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Request

from libs.chassis.bodies import Day, Id, Month, Nik, Position, Strict
from libs.chassis.dev_issuer import Issuer
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import ReadsOnly
from tests.unit.chassis.service import (
    NIK,
    Reader,
    Writer,
    calling,
    service,
    settings_for,
    token_for,
)

ID = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
GOOD = {"on": "2023-03-31", "family": ID, "month": "2023-01", "nik": NIK, "after": 7}


class Report(Strict):
    on: Day
    family: Id
    month: Month
    nik: Nik
    after: Position


def reports() -> APIRouter:
    router = APIRouter(tags=["things"])

    @router.post("/reports", dependencies=[Unconditional, ReadsOnly])
    async def report(body: Report, writer: Writer) -> dict[str, str]:
        return {"on": body.on.isoformat(), "family": str(body.family)}

    @router.post("/streams", dependencies=[Unconditional, ReadsOnly])
    async def stream(request: Request, writer: Writer) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    @router.get("/reports/{family}/{number}")
    async def found(
        family: UUID, number: int, reader: Reader, on: date | None = None, whole: bool = False
    ) -> dict[str, Any]:
        return {"family": family, "number": number, "on": on, "whole": whole}

    return router


@pytest.fixture
async def things(issuer: Issuer, issuer_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = service(settings_for(issuer_dir, body_bytes_max=1_000), reports())
    async with calling(app, token_for(issuer)) as client:
        yield client


async def send(
    things: httpx.AsyncClient, body: str | bytes, path: str = "/reports"
) -> httpx.Response:
    return await things.post(path, content=body, headers={"Content-Type": "application/json"})


async def test_a_body_in_its_one_form_is_taken(things: httpx.AsyncClient) -> None:
    answer = await things.post("/reports", json=GOOD)
    assert (answer.status_code, answer.json()) == (200, {"on": "2023-03-31", "family": ID})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("on", each) for each in ("0", 0, "20230331", "2023-03-31T00:00", "9999-12-31", None)),
        *(("family", each) for each in (f"{{{ID}}}", ID.replace("-", ""), f"urn:uuid:{ID}", 5)),
        *(("month", each) for each in ("0000-01", "٢٠٢٣-٠٥", "2023-5", 202305)),
        *(("nik", each) for each in ("6.10302E+15", f"{NIK} ", "\uff16" * 16, int(NIK))),
        *(("after", each) for each in (1.0, "1", True, -1, 2**63 - 1 + 1)),
    ],
)
async def test_a_field_in_any_other_form_is_refused_and_not_quoted(
    things: httpx.AsyncClient, field: str, value: object
) -> None:
    answer = await things.post("/reports", json=GOOD | {field: value})
    assert answer.status_code == 422
    assert NIK not in answer.text
    [error] = answer.json()["errors"]
    assert error["loc"] == ["body", field]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('{"nik": "a", "nik": "b"}', 400, "malformed-json"),
        ('{"more": {"nik": 1, "nik": 2}}', 400, "malformed-json"),
        ('{"after": NaN}', 400, "malformed-json"),
        ('{"after": -Infinity}', 400, "malformed-json"),
        ("[" * 900, 400, "malformed-json"),
        (b'{"nik": "\xff"}', 400, "malformed-json"),
        ("{}".encode("utf-16"), 400, "malformed-json"),
        ('{"nik": "\\u0000"}', 422, "invalid-request"),
        ('{"nik": "\\ud800"}', 422, "invalid-request"),
        ('{"a\\u0000": 1}', 422, "invalid-request"),
        ("9" * 1_001, 413, "body-too-large"),
    ],
)
@pytest.mark.parametrize("path", ["/reports", "/streams"])
async def test_json_that_readers_would_take_differently_is_refused(
    things: httpx.AsyncClient, body: str | bytes, status: int, code: str, path: str
) -> None:
    answer = await send(things, body, path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"/problems/{code}")


async def test_a_name_that_stands_twice_is_refused_whichever_value_is_meant(
    things: httpx.AsyncClient,
) -> None:
    doubled = json.dumps(GOOD)[:-1] + ', "after": 8}'
    assert (await send(things, json.dumps(GOOD))).status_code == 200
    assert (await send(things, doubled)).json()["type"] == "/problems/malformed-json"


async def test_what_is_no_json_is_passed_on_as_it_comes(things: httpx.AsyncClient) -> None:
    answer = await things.post("/streams", content=b"nik\0", headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()) == (200, 4)


@pytest.mark.parametrize(
    "path", ["/reports/%00", "/nowhere%00", "/reports/a%ff", "/%ED%A0%80", "/health%0a"]
)
async def test_an_address_that_is_no_text_is_refused(things: httpx.AsyncClient, path: str) -> None:
    answer = await things.get(path)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["path"])


async def test_a_query_that_is_no_text_is_refused(things: httpx.AsyncClient) -> None:
    answer = await things.get("/health?a=%00")
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["query"])


async def test_a_parameter_in_its_one_form_is_taken(things: httpx.AsyncClient) -> None:
    answer = await things.get(f"/reports/{ID}/-7?on=2023-03-31&whole=true")
    assert answer.json() == {"family": ID, "number": -7, "on": "2023-03-31", "whole": True}


@pytest.mark.parametrize(
    ("address", "loc"),
    [
        (f"/reports/%7B{ID}%7D/7", ["path", "family"]),
        *((f"/reports/{ID}/{n}", ["path", "number"]) for n in ("1_0", "1.0", "+1", "%201", "٣")),
        (f"/reports/{ID}/9223372036854775808", ["path", "number"]),
        *(
            (f"/reports/{ID}/7?on={day}", ["query", "on"])
            for day in ("0", "20230331", "0001-01-01")
        ),
        *((f"/reports/{ID}/7?whole={flag}", ["query", "whole"]) for flag in ("1", "yes", "True")),
    ],
)
async def test_a_parameter_in_any_other_form_is_refused_by_its_name(
    things: httpx.AsyncClient, address: str, loc: list[str]
) -> None:
    answer = await things.get(address)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, loc)
