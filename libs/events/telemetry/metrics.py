"""Measurements of a process while it works, and the form in which anything measured is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter, Histogram, disable_created_metrics
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from libs.events import telemetry
from libs.events.telemetry import Metric

Family = CounterMetricFamily | GaugeMetricFamily


def _histogram(metric: Metric) -> Histogram:
    return Histogram(metric.name, metric.help, metric.labels, buckets=metric.buckets)


def _counter(metric: Metric) -> Counter:
    return Counter(metric.name, metric.help, metric.labels)


disable_created_metrics()  # type: ignore[no-untyped-call] # a moment beside each series, which nothing here asks for

# Observed once a request, an append, a batch or a window: never once a message.
APPEND_EVENTS: Final = _histogram(telemetry.APPEND_EVENTS)
APPEND_SECONDS: Final = _histogram(telemetry.APPEND_SECONDS)
PROCESS_SECONDS: Final = _histogram(telemetry.PROCESS_SECONDS)
REQUEST_SECONDS: Final = _histogram(telemetry.REQUEST_SECONDS)
RELAY_SEND_SECONDS: Final = _histogram(telemetry.RELAY_SEND_SECONDS)
RELAY_MESSAGES: Final = _counter(telemetry.RELAY_MESSAGES)
RELAY_FAULTS: Final = _counter(telemetry.RELAY_FAULTS)
HTTP_REFUSALS: Final = _counter(telemetry.HTTP_REFUSALS)
LOOKED_UP_IDENTITIES: Final = _counter(telemetry.LOOKED_UP_IDENTITIES)


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample that a look at a database or the bus has found: one series and its value."""

    metric: Metric
    value: float
    labels: tuple[str, ...]


def families(samples: Iterable[Sample]) -> Iterator[Family]:
    """The samples as prometheus-client shows them, those of a metric together."""
    found: dict[str, Family] = {}
    for sample in samples:
        metric = sample.metric
        if metric.name not in found:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            found[metric.name] = kind(metric.name, metric.help, labels=metric.labels)
        found[metric.name].add_metric(sample.labels, sample.value)
    yield from found.values()
