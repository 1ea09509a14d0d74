"""The names under which the platform is watched keep to their rules, and a document tells them."""

from __future__ import annotations

import re

import pytest

from libs.events import telemetry
from libs.events.telemetry import METRICS, Metric
from libs.events.telemetry.metrics import Sample, families
from tests.architecture.tree import ROOT, python_files

UNITS = ("days", "events", "seconds", "messages", "rupiah")
UNITLESS = {
    "complaints_open_cases",
    "corridor_failing_items",
    "corridor_leaders",
    "corridor_parked_keys",
    "corridor_relay_faults",
    "corridor_running_jobs",
    "corridor_running_jobs_done_items",
    "http_server_refusals",
    "payments_held_families",
    "projection_answered_payments",
    "projection_proved_timestamp_seconds",
    "projection_proof_findings",
    "projection_evaluated_families",
    "payments_partner_incidents",
    "payments_proposed_closings",
    "registry_waiting_changes",
    "conditionality_unmatched_facts",
    "registry_looked_up_identities",
}  # things that are counted
YES_OR_NO = ("_stopped", "_reached")
PERSONAL = re.compile(r"nik|name|family|person|key|id\b|path|url|query|user|subject|address")
DOCUMENT = (ROOT / "docs" / "telemetry.md").read_text()


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metrics_name_ends_in_its_unit(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", metric.name)
    assert metric.name.endswith((*UNITS, *YES_OR_NO)) or metric.name in UNITLESS
    assert bool(metric.buckets) is (metric.kind == "histogram")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_no_label_names_a_person_or_grows_without_end(metric: Metric) -> None:
    assert not [label for label in metric.labels if PERSONAL.search(label)]


def test_no_name_is_given_twice() -> None:
    series = [name for metric in METRICS for name in metric.series]

    assert len(series) == len(set(series))


def test_every_metric_is_in_the_list_of_all() -> None:
    declared = [each for each in vars(telemetry).values() if isinstance(each, Metric)]

    assert declared == list(METRICS)


def test_every_metric_is_shown_by_something() -> None:
    sources = "\n".join((ROOT / path).read_text() for path in python_files("libs", "services"))
    constants = [name for name, each in vars(telemetry).items() if isinstance(each, Metric)]

    assert not [name for name in constants if f"telemetry.{name}" not in sources]


def test_nobody_else_makes_a_metric() -> None:
    makers = re.compile(r"\b(Counter|Gauge|Histogram|Summary)\(\s*['\"]")
    found = [
        str(path)
        for path in python_files("libs", "services")
        if makers.search((ROOT / path).read_text())
    ]

    assert not found


def test_the_document_tells_each_metric_as_it_is() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", DOCUMENT, re.MULTILINE)

    assert rows == [
        (metric.name, metric.kind, ", ".join(metric.labels), metric.help) for metric in METRICS
    ]


def test_the_document_tells_each_span_and_attribute_as_it_is() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| ([^|]*) \|$", DOCUMENT, re.MULTILINE))

    assert rows == telemetry.SPANS | telemetry.ATTRIBUTES


def test_every_attribute_is_in_the_list_of_all() -> None:
    dotted = re.compile(r"[a-z]+(\.[a-z_]+)+")
    named = {
        each
        for name, each in vars(telemetry).items()
        if name.isupper() and isinstance(each, str) and dotted.fullmatch(each)
    }

    assert named == telemetry.ATTRIBUTES.keys()


def test_readings_of_a_metric_are_shown_together() -> None:
    lag, parked = telemetry.RELAY_LAG_EVENTS, telemetry.CONSUMER_MESSAGES
    readings = [
        Sample(lag, 3, ("registry",)),
        Sample(parked, 1, ("registry", "parked")),
        Sample(lag, 0, ("payments",)),
    ]

    shown = {family.name: family.samples for family in families(readings)}

    assert [sample.value for sample in shown["corridor_relay_lag_events"]] == [3, 0]
    [counter] = shown["corridor_consumer_messages"]
    assert counter.name == "corridor_consumer_messages_total"
    assert counter.labels == {"store": "registry", "outcome": "parked"}
