"""A collector of spans for tests: takes what OTLP exporters send by HTTP, and tells it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent


@dataclass(frozen=True)
class Span:
    """A span as a process has sent it; ids in hexadecimal digits, `parent` empty at the root."""

    service: str
    name: str
    kind: int
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    links: tuple[str, ...]

    @classmethod
    def of(cls, service: str, sent: Sent) -> Span:
        """A span out of an exporter's request."""
        return cls(
            service,
            sent.name,
            sent.kind,
            sent.trace_id.hex(),
            sent.span_id.hex(),
            sent.parent_span_id.hex(),
            attributes(sent.attributes),
            tuple(link.trace_id.hex() for link in sent.links),
        )


def attributes(given: Any) -> dict[str, Any]:
    """Attributes by name; each of ours is a text or a whole number."""
    return {each.key: each.value.string_value or each.value.int_value for each in given}


@dataclass
class Collector:
    """Where it listens, and what it was sent."""

    url: str
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def of_trace(self, trace: str) -> list[Span]:
        """The spans of a trace."""
        return [span for span in self.spans if span.trace == trace]

    def take(self, body: bytes) -> None:
        """Keep the spans that one exporter sent at once."""
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = attributes(resource.resource.attributes)["service.name"]
            for scope in resource.scope_spans:
                self.spans += [Span.of(service, sent) for sent in scope.spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector that listens meanwhile."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing of each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        listening = threading.Thread(target=server.serve_forever, args=(0.05,))
        listening.start()
        try:
            yield collector
        finally:
            server.shutdown()
            listening.join()
