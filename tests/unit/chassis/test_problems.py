"""A refusal tells its caller why, and above all nothing personal or internal."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from asyncpg.exceptions._base import DataError  # the driver's own; the public one is the server's
from fastapi import APIRouter, Request
from structlog.testing import capture_logs

from libs.chassis.dev_issuer import Issuer
from libs.chassis.middleware import upload_up_to
from libs.chassis.problems import MEDIA_TYPE, Refusal, kebab
from libs.events.domain.errors import ConcurrencyConflict, DomainError, EventTooLarge, NotFound
from tests.unit.chassis.service import (
    NIK,
    Reader,
    Writer,
    calling,
    service,
    settings_for,
    things,
    token_for,
)


class PaymentNotInstructed(DomainError):
    """A payment cannot be confirmed before it is instructed."""


class PaymentUnknown(NotFound):
    """There is no such payment."""


@pytest.fixture
async def client(issuer: Issuer, issuer_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = service(settings_for(issuer_dir, body_bytes_max=1_024), things(), failing())
    async with calling(app, token_for(issuer)) as opened:
        yield opened


ERRORS: dict[str, Exception] = {
    "domain": PaymentNotInstructed(payment="p-1"),
    "unknown": PaymentUnknown(payment="p-1"),
    "conflict": ConcurrencyConflict(stream="family-1", version=3),
    "large": EventTooLarge(type="FamilyListed"),
    "refusal": Refusal(418, "teapot", "Short and stout.", {"X-Spout": "1"}, {"handle": 1}),
    "lost": asyncpg.ConnectionDoesNotExistError(f"connection lost while writing {NIK}"),
    "refused": ConnectionRefusedError(NIK),
    "too long": asyncpg.QueryCanceledError(f"canceling statement, which asks for {NIK}"),
    "value": DataError(f"invalid input for query argument $1: {NIK}"),
    "bug": RuntimeError(f"the person {NIK} broke it"),
}


def failing() -> APIRouter:
    router = APIRouter()

    @router.get("/fail/{how}")
    async def fail(how: str, reader: Reader) -> None:
        try:
            raise ERRORS[how]
        except Exception as error:
            raise error from ValueError(NIK)

    @router.put("/stream", dependencies=[upload_up_to(4_096)])
    async def stream(request: Request, writer: Writer) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    return router


@pytest.mark.parametrize(
    ("how", "status", "kind", "detail"),
    [
        (
            "domain",
            409,
            "payment-not-instructed",
            "A payment cannot be confirmed before it is instructed. (payment=p-1)",
        ),
        ("unknown", 404, "payment-unknown", "There is no such payment. (payment=p-1)"),
        (
            "conflict",
            409,
            "concurrency-conflict",
            "The stream was moved by somebody else. (stream=family-1, version=3)",
        ),
        (
            "large",
            413,
            "event-too-large",
            "An event is larger than the bus will carry. (type=FamilyListed)",
        ),
        ("refusal", 418, "teapot", "Short and stout."),
        ("lost", 503, "database-unavailable", None),
        ("refused", 503, "database-unavailable", None),
        ("too long", 503, "database-busy", None),
        ("value", 500, "internal-server-error", None),
        ("bug", 500, "internal-server-error", None),
    ],
)
async def test_every_error_is_a_problem_of_its_kind(
    client: httpx.AsyncClient, how: str, status: int, kind: str, detail: str | None
) -> None:
    answer = await client.get(f"/fail/{how}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, MEDIA_TYPE)
    problem = answer.json()
    assert problem["type"] == f"/problems/{kind}"
    assert (problem["status"], problem.get("detail")) == (status, detail)
    assert problem["instance"] == f"urn:request:{answer.headers['X-Request-ID']}"
    assert NIK not in answer.text


async def test_a_rule_is_the_title_and_members_of_a_type_stand_beside(
    client: httpx.AsyncClient,
) -> None:
    domain, teapot = await client.get("/fail/domain"), await client.get("/fail/refusal")
    assert domain.json()["title"] == "A payment cannot be confirmed before it is instructed."
    assert (teapot.json()["handle"], teapot.headers["X-Spout"]) == (1, "1")


async def test_with_if_match_a_conflict_is_a_precondition_that_failed(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/fail/conflict", headers={"If-Match": '"2"'})
    assert answer.status_code == 412


async def test_a_lost_database_says_when_to_ask_again(client: httpx.AsyncClient) -> None:
    assert (await client.get("/fail/lost")).headers["Retry-After"] == "1"


async def test_of_a_bug_the_log_tells_kind_and_place_and_no_text(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as logged:
        await client.get("/fail/bug")
    [line] = [line for line in logged if line["event"] == "unexpected error"]
    assert line["log_level"] == "error"


async def test_no_such_address_and_no_such_method_are_problems_too(
    client: httpx.AsyncClient,
) -> None:
    missing, wrong = await client.get("/nothing"), await client.delete("/things/ball")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    assert (wrong.status_code, wrong.json()["type"]) == (405, "/problems/method-not-allowed")
    assert wrong.headers["allow"] == "PUT"


# -- Requests that are wrong ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        {"nik": 6103014107900001},
        {"nik": NIK + "0"},
        {"nik": f"{NIK}x"},
        {"nik": [NIK]},
        {"nik": {NIK: NIK}},
        {"nik": "1" * 15, "size": NIK},
        {"nik": NIK, NIK: 1},
        {"nik": NIK, "colour": None, "size": 1.5},
        [NIK],
        NIK,
    ],
)
async def test_a_wrong_request_is_told_where_and_never_what(
    client: httpx.AsyncClient, body: Any
) -> None:
    answer = await client.put("/things/ball", json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "/problems/invalid-request"
    assert all(mistake["loc"][0] == "body" and mistake["message"] for mistake in problem["errors"])
    assert NIK not in answer.text


async def test_known_places_are_named_and_made_up_ones_are_not(client: httpx.AsyncClient) -> None:
    answer = await client.put("/things/ball", json={"nik": "1", "sizes": 2, "size": "2"})
    assert [(m["loc"], m["code"]) for m in answer.json()["errors"]] == [
        (["body", "nik"], "nik_length"),
        (["body", "size"], "int_type"),
        (["body", "*"], "extra_forbidden"),
    ]
    assert answer.json()["errors"][0]["message"] == "A NIK has 16 digits."


async def test_a_validators_own_text_is_withheld(client: httpx.AsyncClient) -> None:
    answer = await client.put("/things/ball", json={"nik": "Siti Aminah"})
    assert answer.json()["errors"][0]["message"] == "The value is refused"


@pytest.mark.parametrize("body", [b"{", b'{"nik": "' + NIK.encode(), b"[1,"])
async def test_malformed_json_is_told_and_not_quoted(
    client: httpx.AsyncClient, body: bytes
) -> None:
    answer = await client.put(
        "/things/ball", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-json")
    assert NIK not in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"9" * 900, b"[" * 900])
async def test_json_that_no_reader_takes_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.put(
        "/things/ball", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == MEDIA_TYPE


# -- Bodies that are too large --------------------------------------------------------------------


async def _chunked(bytes_total: int) -> AsyncIterator[bytes]:
    for _ in range(bytes_total // 512):
        yield b"x" * 512


BODIES: dict[str, Callable[[int], Any]] = {"declared": lambda n: b"x" * n, "chunked": _chunked}


@pytest.mark.parametrize("form", BODIES)
@pytest.mark.parametrize("path", ["/things/ball", "/stream"])
async def test_a_body_over_the_routes_limit_is_refused(
    client: httpx.AsyncClient, form: str, path: str
) -> None:
    answer = await client.put(
        path, content=BODIES[form](8_192), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/body-too-large")


@pytest.mark.parametrize("form", BODIES)
async def test_a_route_may_take_more_than_the_others(client: httpx.AsyncClient, form: str) -> None:
    answer = await client.put("/stream", content=BODIES[form](4_096))
    assert (answer.status_code, answer.json()) == (200, 4_096)


# -- The interface's description ------------------------------------------------------------------


async def test_every_operation_describes_its_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    operations = [each for path in document["paths"].values() for each in path.values()]
    for operation in operations:
        for status in (each for each in operation["responses"] if each >= "4"):
            [(media_type, content)] = operation["responses"][status]["content"].items()
            if operation["operationId"] == "ready":
                continue  # says in its own form what does not answer
            assert media_type == MEDIA_TYPE
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert {"Problem", "Mistake"} <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in json.dumps(document)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("PaymentNotInstructed", "payment-not-instructed"),
        ("Not Found", "not-found"),
        ("Tahap2Closed", "tahap2-closed"),
        ("NIKInvalid", "nik-invalid"),
    ],
)
def test_a_types_address_is_its_name_in_small_words(name: str, kind: str) -> None:
    assert kebab(name) == kind


async def test_a_problems_type_leads_to_its_page_for_anybody(issuer_dir: Path) -> None:
    async with calling(service(settings_for(issuer_dir))) as client:
        refused = await client.get("/nowhere")
        page = await client.get(refused.json()["type"])
        unknown = await client.get("/problems/nothing-of-ours")

    assert refused.json()["type"] == "/problems/unauthorized"
    assert page.text.startswith("# Unauthorized")
    assert page.headers["Content-Type"].startswith("text/markdown")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
