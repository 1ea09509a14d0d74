"""Middleware of every request: its id, trace, span, log line and largest body."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, Request
from opentelemetry import propagate, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from libs.chassis.forms import ID
from libs.chassis.limits import Limits
from libs.chassis.problems import Refusal, answer
from libs.chassis.settings import Settings
from libs.events import telemetry
from libs.events.store.model import Context
from libs.events.telemetry.metrics import HTTP_REFUSALS, REQUEST_SECONDS
from libs.events.telemetry.tracing import failed, traceparent

# A UUID, or a caller's own word; a run of digits could be somebody's number, and ids are logged.
REQUEST_ID: Final = re.compile(rf"{ID.pattern}|(?!.*[0-9]{{10}})[A-Za-z0-9_-]{{8,64}}")
DECLARED: Final = re.compile(r"[0-9]{1,18}")  # a Content-Length; a longer one is counted out
CLIENT_WENT_AWAY: Final = 499
SERVER_FAILED: Final = 500
ASKED_ALL_DAY: Final = frozenset(
    {"/health", "/ready"}
)  # by machines; only another answer is logged
BODY_MAX: Final = "chassis.body_max"
"""The place in a scope of the bytes and seconds that its body may take."""

HEEDED: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}
"""Headers of every answer that says no others: browsers keep nothing, run nothing of it, show it
in no frame, and ask this host in clear no more. In clear itself they do not heed the last."""

log = structlog.get_logger("access")
_tracer = trace.get_tracer("libs.chassis")


def _identified(span: Span) -> Span:
    """The span itself, or where nobody collects spans and none was sent, one to carry an id."""
    if span.get_span_context().is_valid:
        return span
    made = SpanContext(
        trace_id=secrets.randbits(128) | 1,
        span_id=secrets.randbits(64) | 1,
        is_remote=False,
        trace_flags=TraceFlags(0),
    )
    return NonRecordingSpan(made)


# -- Middleware -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Sent:
    """The part of the answer that was sent: its status, once it has begun."""

    status: int | None = None


def observed(app: ASGIApp) -> ASGIApp:
    """ASGI middleware: gives each request an id and a trace, and one log line when it is over.

    Nothing that a caller wrote stands in that line or in the span: the route's template stands
    for the path, and neither queries nor bodies are named; its address does. An unexpected error
    ends here.
    """

    async def observe(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        parent = propagate.extract(headers)
        started = _tracer.start_span(scope["method"], context=parent, kind=SpanKind.SERVER)
        with trace.use_span(_identified(started), end_on_exit=True, record_exception=False) as span:
            state: MutableMapping[str, Any] = scope.setdefault("state", {})
            state.update(request_id=request_id, trace=traceparent(span))
            trace_id = format(span.get_span_context().trace_id, "032x")
            with bound_contextvars(request=request_id, trace=trace_id):
                await _recorded(app, scope, receive, send, span)
        return None

    return observe


async def _recorded(app: ASGIApp, scope: Scope, receive: Receive, send: Send, span: Span) -> None:
    began = time.perf_counter()
    sent = _Sent()

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            sent.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = scope["state"]["request_id"]
            for name, value in HEEDED.items():
                headers.setdefault(name, value)
        await send(message)

    try:
        await app(scope, receive, sending)
    except ClientDisconnect:
        sent.status = CLIENT_WENT_AWAY
    except Exception:
        # The last wall: the server behind this one would log the error's text.
        log.exception("unexpected error")
        if sent.status is None:
            await answer(Request(scope), 500)(scope, receive, sending)
    finally:
        _log_line(scope, sent.status, span, time.perf_counter() - began)


def _log_line(scope: Scope, status: int | None, span: Span, seconds: float) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    method = scope["method"] if scope["method"] in telemetry.METHODS else telemetry.OTHER_METHOD
    REQUEST_SECONDS.labels(method, route, status or CLIENT_WENT_AWAY).observe(seconds)
    state = scope["state"]
    principal = state.get("principal")
    span.update_name(telemetry.SPAN_REQUEST.format(method=method, route=route))
    span.set_attributes({telemetry.HTTP_METHOD: method, telemetry.HTTP_ROUTE: route})
    if status is not None:
        span.set_attribute(telemetry.HTTP_STATUS, status)
        if status >= SERVER_FAILED:
            failed(span, str(status))
    if route in ASKED_ALL_DAY and status == HTTPStatus.OK:
        return
    log.info(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1_000, 1),
        subject=principal and principal.subject,
        client=scope["client"] and scope["client"][0],
        problem=state.get("problem"),
    )


@dataclass(slots=True)
class _Pace:
    """The pace at which a body comes: so much in all the time that it was waited for."""

    limits: Limits
    waited_s: float = 0.0
    taken: int = 0
    ended: bool = False

    async def next(self, receive: Receive, seconds: float) -> Message:
        """The next message of a body, which has `seconds` in all; a 408 `Refusal` in its place."""
        if self.ended:  # from now on only the client's leaving is waited for
            return await receive()
        least = self.limits.body_grace_s + self.taken / self.limits.least_bytes_a_second
        began = time.monotonic()
        try:
            async with asyncio.timeout(min(seconds, least) - self.waited_s):
                message = await receive()
        except TimeoutError:
            HTTP_REFUSALS.labels("body-too-slow").inc()
            detail = "The body did not come in time; nothing of it was kept."
            raise Refusal(408, "body-too-slow", detail, {"Connection": "close"}) from None
        self.waited_s += time.monotonic() - began
        self.taken += len(message.get("body", b""))
        self.ended = not message.get("more_body", False)
        return message


def limited(app: ASGIApp, bytes_max: int, limits: Limits) -> ASGIApp:
    """ASGI middleware: refuses a body of more than `bytes_max` bytes with 413, however it comes,
    and with 408 one that comes too slowly.

    Whoever reads the body gets the refusal, at the first byte where Content-Length tells it.
    """

    async def limit(scope: Scope, receive: Receive, send: Send) -> None:
        declared = Headers(scope=scope).get("content-length", "") if "headers" in scope else ""
        scope.setdefault(BODY_MAX, (bytes_max, limits.body_s))
        pace = _Pace(limits)

        async def receiving() -> Message:
            most, seconds = scope[BODY_MAX]
            if not DECLARED.fullmatch(declared) or int(declared) <= most:
                message = await pace.next(receive, seconds)
                if pace.taken <= most:
                    return message
            raise Refusal(413, "body-too-large", f"A body here has at most {most} bytes.")

        await app(scope, receiving, send)

    return limit


def upload_up_to(bytes_max: int) -> Any:
    """A route's dependency that sets its own limit, and gives a body the time of a file; for a
    route that streams its body, because one that FastAPI parses is read before any dependency."""

    async def widen(request: Request) -> None:
        settings: Settings = request.app.state.settings
        request.scope[BODY_MAX] = bytes_max, settings.limits.upload_s

    return Depends(widen)


# -- What handlers ask for ------------------------------------------------------------------------


def resource(name: str) -> Any:
    """The dependency that gives what the lifespan yielded under a name."""

    async def give(request: Request) -> Any:
        return getattr(request.app.state, name)

    return Depends(give)


async def asked(request: Request) -> Context:
    """Who asks, now, and in which trace; what a transaction of this request records."""
    now: datetime = request.app.state.clock()
    return Context(
        at=now,
        actor=request.state.principal.subject,
        trace=request.state.trace,
        cause=request.state.request_id,
    )


Asked = Annotated[Context, Depends(asked)]
