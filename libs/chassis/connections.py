"""Connections of a server: what a client may hold of it while it says nothing, or never ends.

A connection that waits for its client is idle: before a whole header, between two requests, and
while its answer is not read. Idle ones are bounded by address and in total, and where there are
too many the one that was idle longest makes way; so whoever comes with a request is served,
however many others hold connections open. Time is bounded as well, and so is what a parser keeps
in memory before anybody has read it: the bytes of a header, or of a trailer, in one piece.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from libs.chassis.limits import Limits
from libs.chassis.problems import MEDIA_TYPE, Problem, title_of
from libs.events.telemetry.metrics import HTTP_REFUSALS

PIECE_BYTES: Final = 16_384
"""Parsed at a time, so that a header is refused before much more than its limit is kept."""
PIPELINE_MAX: Final = 16
"""Requests that one connection may send ahead of their answers."""


@dataclass(slots=True)
class Idle:
    """The connections of a process that wait for their clients, in the order since when."""

    limits: Limits
    _by_address: dict[str, OrderedDict[LimitedProtocol, None]] = field(default_factory=dict)
    _all: OrderedDict[LimitedProtocol, None] = field(default_factory=OrderedDict)

    def add(self, one: LimitedProtocol) -> None:
        """Note that a connection is idle from now on; the longest idle one may have to go."""
        own = self._by_address.setdefault(one.address, OrderedDict())
        own[one] = self._all[one] = None
        if len(own) > self.limits.idle_connections_per_address_max:
            next(iter(own)).make_way()
        elif len(self._all) > self.limits.idle_connections_max:
            next(iter(self._all)).make_way()

    def remove(self, one: LimitedProtocol) -> None:
        """Note that a connection is busy, or gone."""
        if one not in self._all:
            return
        del self._all[one]
        own = self._by_address[one.address]
        del own[one]
        if not own:
            del self._by_address[one.address]


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with bounds on time, on bytes and on idle connections."""

    def __init__(self, idle: Idle, **server: Any) -> None:
        super().__init__(**server)
        self.idle, self.limits = idle, idle.limits
        self.address = ""
        self._in_header = False
        self._unread = 0
        """Bytes that came since the request began or its last byte of body."""
        self._unsent = 0
        """Bytes of answers that stood in the buffer when the client began to be waited for."""
        self._deadline: asyncio.TimerHandle | None = None

    # -- A connection

    # The server's class narrows the transport as well: it only ever listens to streams.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._wait_for_client(self.limits.header_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._busy()
        super().connection_lost(exc)

    def make_way(self) -> None:
        """Close an idle connection for another one."""
        HTTP_REFUSALS.labels("idle").inc()
        self._end()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_client(self.limits.idle_s)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._is_served():
            self._busy()
        else:
            self._wait_for_client(self.limits.idle_s)

    def _is_served(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _wait_for_client(self, seconds: float) -> None:
        self._busy()
        self._unsent = self.transport.get_write_buffer_size()
        self._deadline = self.loop.call_later(seconds, self._too_late)
        self.idle.add(self)

    def _busy(self) -> None:
        self.idle.remove(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        read_at_least = self.limits.idle_s * self.limits.least_bytes_a_second
        if self.transport.get_write_buffer_size() < self._unsent - read_at_least:
            self._wait_for_client(self.limits.idle_s)
        elif self._in_header:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "header-too-slow")
        else:
            self._end()

    def _end(self) -> None:
        self._busy()
        self.transport.abort()

    # -- What it says

    def data_received(self, data: bytes) -> None:
        """Parse a piece at a time, and stop where too much of it is neither request nor body."""
        view = memoryview(data)
        while view and not self.transport.is_closing():
            self._unread += len(view[:PIECE_BYTES])
            super().data_received(bytes(view[:PIECE_BYTES]))
            view = view[PIECE_BYTES:]
            if self._unread > self.limits.header_bytes_max and not self.transport.is_closing():
                self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "header-too-large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._unread = 0
        self._in_header = True
        if not self._is_served():
            self._wait_for_client(self.limits.header_s)

    def on_headers_complete(self) -> None:
        self._in_header = False
        self._busy()
        if len(self.pipeline) >= PIPELINE_MAX:
            HTTP_REFUSALS.labels("pipeline").inc()
            self._end()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # What is left of a body that nobody reads any more counts as waiting for the client.
        if not self._is_served() and not self.transport.is_closing():
            self._wait_for_client(self.limits.idle_s)

    def _refuse(self, status: HTTPStatus, kind: str) -> None:
        """Answer a problem where no request came about, and close when it has gone out."""
        HTTP_REFUSALS.labels(kind).inc()
        self._busy()
        problem = Problem(type=f"/problems/{kind}", title=title_of(kind), status=status)
        body = problem.model_dump_json(exclude_none=True).encode()
        head = [
            f"HTTP/1.1 {status} {status.phrase}",
            f"Content-Type: {MEDIA_TYPE}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()
        self._deadline = self.loop.call_later(self.limits.idle_s, self.transport.abort)
