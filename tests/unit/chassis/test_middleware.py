"""Ids, traces, log lines, health and versions."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI, Response
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from libs.chassis import health, logs, middleware
from libs.chassis.dev_issuer import Issuer
from libs.chassis.etag import IfMatch, etag, stamp
from libs.events.domain.errors import NotFound
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

NOON = datetime(2023, 3, 31, 12, tzinfo=UTC)
THING = {"nik": NIK}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
async def client(issuer: Issuer, issuer_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = service(settings_for(issuer_dir), things(), versioned(), clock=lambda: NOON)
    async with calling(app, token_for(issuer, regions=("61",))) as opened:
        yield opened


def versioned() -> APIRouter:
    router = APIRouter()

    @router.get("/versioned")
    async def read(reader: Reader, response: Response) -> str:
        stamp(response, version=3, position=41)
        return "it"

    @router.put("/versioned")
    async def write(writer: Writer, seen: IfMatch) -> str:
        seen.ensure(3)
        return seen.version

    @router.get("/moving")
    async def moving(reader: Reader, response: Response, progress: int = 0) -> str:
        response.headers["ETag"] = etag(3, str(progress))
        return "it"

    return router


# -- Ids and traces -------------------------------------------------------------------------------


async def test_a_trace_that_was_sent_goes_on_in_what_is_recorded(
    client: httpx.AsyncClient,
) -> None:
    headers = {"traceparent": TRACE, "X-Request-ID": "req-00000001"}
    answer = await client.put("/things/ball", json=THING, headers=headers)
    recorded = answer.json()
    assert recorded["trace"].split("-")[1] == TRACE.split("-")[1]
    assert (recorded["actor"], recorded["cause"]) == ("officer-7", "req-00000001")
    assert answer.headers["X-Request-ID"] == "req-00000001"


async def test_without_a_trace_one_is_made(client: httpx.AsyncClient) -> None:
    answers = [await client.put("/things/ball", json=THING) for _ in range(2)]
    traces = {answer.json()["trace"] for answer in answers}
    assert len(traces) == 2
    assert all(
        re.fullmatch(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00", t) for t in traces
    )


@pytest.mark.parametrize(
    "sent", ["short", "x" * 100, f"id {NIK}", f"call-{NIK}", NIK, "a\tb-------"]
)
async def test_a_request_id_of_another_form_is_not_taken(
    client: httpx.AsyncClient, sent: str
) -> None:
    answer = await client.get("/things/whoami", headers={"X-Request-ID": sent})
    assert answer.headers["X-Request-ID"] != sent


async def test_answers_are_not_kept_by_anybody_on_the_way(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things/whoami")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/things/whoami", "/health", "/nowhere"])
async def test_browsers_are_told_to_run_and_frame_nothing_of_an_answer_and_to_ask_over_tls(
    client: httpx.AsyncClient, path: str
) -> None:
    strangers = httpx.AsyncClient(transport=client._transport, base_url=client.base_url)
    for answer in (await client.get(path), await strangers.get(path)):
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; frame-ancestors 'none'"
        )
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


# -- Log lines and spans --------------------------------------------------------------------------


async def test_a_log_line_names_the_route_and_nothing_that_the_caller_wrote(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as logged:
        await client.put(f"/things/{NIK}?nik={NIK}", json=THING)
        await client.get(f"/{NIK}")
    lines = [line for line in logged if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("PUT", "/things/{name}", 200),
        ("GET", "unmatched", 404),
    ]
    assert [(line["subject"], line["client"]) for line in lines] == [
        ("officer-7", "127.0.0.1"),
        ("officer-7", "127.0.0.1"),
    ]
    assert NIK not in repr(logged)


async def test_a_span_names_the_route_and_nothing_that_the_caller_wrote(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    # The framework would find this provider too, and make a span of its own with the address.
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(middleware, "_tracer", provider.get_tracer("test"))
    answer = await client.put(
        f"/things/{NIK}?nik={NIK}", json=THING, headers={"traceparent": TRACE}
    )
    [span] = spans.get_finished_spans()
    assert span.name == "PUT /things/{name}"
    assert span.parent is not None
    assert format(span.parent.span_id, "016x") == TRACE.split("-")[2]
    assert span.context is not None
    assert format(span.context.span_id, "016x") == answer.json()["trace"].split("-")[2]
    assert NIK not in span.to_json()


@pytest.fixture
def logging_undone() -> Iterator[None]:
    """A change that a test makes to the process's logging is undone."""
    root = logging.getLogger()
    handlers, level, configured = root.handlers[:], root.level, structlog.get_config()
    yield
    structlog.configure(**configured)
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("logging_undone")
def test_every_log_line_is_one_json_object_that_names_the_service(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("things", "info")
    structlog.get_logger("ours").info("it happened", families=3)
    logging.getLogger("theirs").warning("it %s\nand %s", "rains", NIK)
    structlog.get_logger("ours").debug("too fine")
    logging.getLogger("aiokafka.conn").info("Authenticated as pkh_registry")  # for each connection
    ours, theirs = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (
        ours.items()
        >= {
            "event": "it happened",
            "families": 3,
            "level": "info",
            "service": "things",
        }.items()
    )
    assert theirs.items() >= {"event": "it rains", "logger": "theirs"}.items()


@pytest.mark.usefixtures("logging_undone")
def test_no_log_line_holds_the_text_of_an_error_that_is_not_ours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("things", "info")
    try:
        try:
            raise ValueError(NIK)
        except ValueError as inner:
            raise NotFound(family="f-1") from inner
    except NotFound as error:
        structlog.get_logger("ours").exception("caught")
        logging.getLogger("theirs").exception("caught")
        structlog.get_logger("ours").warning("given", exc_info=error)
        structlog.get_logger("ours").warning("theirs", exc_info=error.__cause__)
    out = capsys.readouterr().out
    lines = [json.loads(line) for line in out.splitlines()]
    assert NIK not in out
    assert lines.pop()["error"] == ["ValueError"]
    assert len(lines) == 3
    for line in lines:
        assert line["error"] == ["There is no such thing. (family=f-1)", "ValueError"]
        assert "test_no_log_line" in line["passed"][0]


def test_an_error_without_a_place_is_described_too() -> None:
    assert logs.describe(RuntimeError(NIK)) == {"error": ["RuntimeError"], "passed": []}
    assert sys.exc_info() == (None, None, None)


# -- Health ---------------------------------------------------------------------------------------


async def test_ready_names_each_check_and_what_ails_it() -> None:
    async def fine(_state: object) -> None: ...

    async def away(_state: object) -> None:
        raise ConnectionRefusedError(NIK)

    async def silent(_state: object) -> None:
        await asyncio.Event().wait()

    checks = {"database": fine, "bus": away, "relay": silent}
    app = FastAPI()
    app.include_router(health.health_router())
    app.state.readings = health.Readings(checks, app.state, check_s_max=0.01)
    async with calling(app) as client:
        answer = await client.get("/ready")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "checks": {"database": "ok", "bus": "ConnectionRefusedError", "relay": "TimeoutError"},
    }


async def test_what_waits_for_a_person_is_told_and_leaves_the_service_ready() -> None:
    async def waits(_state: object) -> None:
        raise health.WaitsForAPerson(families=1)

    app = FastAPI()
    app.include_router(health.health_router())
    app.state.readings = health.Readings({"incidents": waits}, app.state)
    async with calling(app) as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert answer.json()["checks"]["incidents"].endswith("(families=1)")


async def test_however_often_ready_is_asked_its_checks_run_once_in_a_while() -> None:
    asked = 0

    async def counted(_state: object) -> None:
        nonlocal asked
        asked += 1

    app = FastAPI()
    app.include_router(health.health_router())
    app.state.readings = health.Readings({"database": counted}, app.state, kept_s=1_000)
    async with calling(app) as client:
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert asked == 1


async def test_ready_when_every_check_passes(issuer_dir: Path) -> None:
    async def fine(_state: object) -> None: ...

    app = service(settings_for(issuer_dir), readiness={"database": fine})
    async with calling(app) as client:
        answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (
        200,
        {"ready": True, "checks": {"database": "ok"}},
    )


async def test_a_check_that_is_passed_leaves_no_line_and_one_that_fails_does(
    issuer_dir: Path,
) -> None:
    async def away(_state: object) -> None:
        raise ConnectionRefusedError

    app = service(settings_for(issuer_dir), readiness={"database": away})
    with capture_logs() as logged:
        async with calling(app) as client:
            await client.get("/health")
            await client.get("/ready")

    lines = [(line["route"], line["status"]) for line in logged if line["event"] == "request"]
    assert lines == [("/ready", 503)]


# -- Versions -------------------------------------------------------------------------------------


async def test_an_answer_says_version_and_position(client: httpx.AsyncClient) -> None:
    answer = await client.get("/versioned")
    assert (answer.headers["ETag"], answer.headers["Position"]) == ('"3"', "41")


@pytest.mark.parametrize(
    ("if_match", "status"),
    [
        (etag(3), 200),
        (etag(3, "all that was shown"), 200),
        (etag(2), 412),
        (etag(2, "all that was shown"), 412),
        (None, 428),
        ("3", 400),
        ('W/"3"', 400),
        ("*", 400),
        ('"3", "4"', 400),
        ('"x"', 412),
        ('"x y"', 400),
        ('"٣"', 400),
    ],
)
async def test_a_change_names_the_version_that_was_seen(
    client: httpx.AsyncClient, if_match: str | None, status: int
) -> None:
    headers = {} if if_match is None else {b"If-Match": if_match.encode()}
    answer = await client.put("/versioned", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("if_match", [None, etag(2)])
async def test_who_must_look_again_is_told_the_current_version(
    client: httpx.AsyncClient, if_match: str | None
) -> None:
    answer = await client.put("/versioned", headers={"If-Match": if_match} if if_match else {})
    kinds = {428: "if-match-missing", 412: "version-stale"}
    assert answer.json()["type"] == f"/problems/{kinds[answer.status_code]}"
    assert answer.headers.get("ETag") == (etag(3) if if_match else None)


@pytest.mark.parametrize(
    ("known", "status"),
    [
        ('"3"', 304),
        ('W/"3"', 304),
        ('"1", "3"', 304),
        ("*", 304),
        ('"2"', 200),
        ("3", 200),
        ("", 200),
    ],
)
async def test_what_a_reader_has_already_is_not_sent_again(
    client: httpx.AsyncClient, known: str, status: int
) -> None:
    answer = await client.get("/versioned", headers={"If-None-Match": known})

    assert answer.status_code == status
    assert (answer.headers["ETag"], answer.headers["Position"]) == ('"3"', "41")
    assert answer.content == (b"" if status == 304 else b'"it"')
    assert ("Content-Type" in answer.headers) == (status == 200)


async def test_progress_is_shown_anew_and_makes_nobody_look_again(
    client: httpx.AsyncClient,
) -> None:
    seen = (await client.get("/moving")).headers["ETag"]

    again = await client.get("/moving?progress=1", headers={"If-None-Match": seen})
    decided = await client.put("/versioned", headers={"If-Match": seen})

    assert (again.status_code, decided.status_code) == (200, 200)
    assert again.headers["ETag"] != seen


async def test_what_is_refused_is_told_whatever_a_reader_has(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"If-None-Match": "*"})
    assert answer.status_code == 404
