"""The destination of a process's spans: an OpenTelemetry collector, where one is named, or none."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace

from libs.chassis.settings import Environment

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NAMESPACE: Final = "pkh"
EXPORT_S_MAX: Final = 3.0
LINKS_MAX: Final = 512
"""Of a span: each message of a batch may be of its own trace."""


@contextmanager
def exported(service: str, env: Environment = os.environ) -> Iterator[None]:
    """Send this process's spans to the collector that OpenTelemetry's own variables name.

    Without one nothing is loaded and no span is made. What is left at the end is sent then.
    """
    if not any(env.get(name) for name in ENDPOINTS):
        yield
        return
    # The SDK and its exporter cost memory and time at the start, for those who want them alone.
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    export = importlib.import_module("opentelemetry.sdk.trace.export")
    resources = importlib.import_module("opentelemetry.sdk.resources")
    named = {"service.name": service, "service.namespace": NAMESPACE}
    provider = sdk.TracerProvider(
        resource=resources.Resource.create(named),
        span_limits=sdk.SpanLimits(max_links=LINKS_MAX),
    )
    provider.add_span_processor(export.BatchSpanProcessor(_exporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()


def _exporter() -> object:
    otlp = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    requests = importlib.import_module("requests")
    session = requests.Session()
    session.trust_env = False  # the collector is one of ours: no proxy stands before it
    return otlp.OTLPSpanExporter(timeout=EXPORT_S_MAX, session=session)
