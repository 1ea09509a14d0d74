"""A tahap of the sample year as operations sees it: its traces, its metrics, and no canary."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from cli.surroundings import MEASURED, SERVICES
from libs.events import telemetry
from tests.chaos.year import SMALL, Year, year
from tests.e2e.collector import Collector, Span, collecting
from tests.e2e.test_canaries import canaries, holding, tables, write
from tests.servers import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

EXPORT_EVERY_MS = 100
CONSUMER, PRODUCER = 5, 4  # kinds, as OTLP numbers them


@dataclass(frozen=True)
class Watched:
    """A year of which a tahap has been paid, and where its spans went."""

    year: Year
    collector: Collector

    async def shown(self) -> dict[str, str]:
        """What each process shows at /metrics."""
        async with httpx.AsyncClient(trust_env=False) as client:
            urls = self.year.platform.metrics_urls
            return {name: (await client.get(url)).text for name, url in urls.items()}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        "OTEL_BSP_SCHEDULE_DELAY": str(EXPORT_EVERY_MS),
    }
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value or collector.url)
        yield collector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(collector: Collector) -> AsyncIterator[Watched]:
    async with year(SMALL) as running:
        await running.run(1)
        yield Watched(running, collector)


def began(collector: Collector, request: str) -> str:
    """The trace that a request began."""
    [span] = [span for span in collector.spans if span.name == request]
    assert span.parent == ""
    return span.trace


async def spans_of(watched: Watched, request: str, last: str) -> list[Span]:
    """The trace that a request began, once projection has taken in what `last` topic told of it
    and no span waits for one that another process has not sent yet."""

    def arrived() -> bool:
        spans = watched.collector.of_trace(began(watched.collector, request))
        ids = {span.id for span in spans} | {""}
        taken = any((s.service, s.name) == ("projection", f"process {last}") for s in spans)
        return taken and all(span.parent in ids for span in spans)

    await eventually(arrived, what=f"the trace of {request}, whole, as far as {last}")
    return watched.collector.of_trace(began(watched.collector, request))


async def test_one_trace_runs_from_a_request_through_every_service(watched: Watched) -> None:
    spans = await spans_of(watched, "POST /tahap", "pkh.conditionality.commitment.v1")

    assert {span.service for span in spans} == {*SERVICES, "relay"}
    processed = {(s.service, s.name.removeprefix("process ")) for s in spans if s.kind == CONSUMER}
    assert processed >= {
        ("registry", "pkh.payments.tahap.v1"),
        ("conditionality", "pkh.payments.tahap.v1"),
        ("conditionality", "pkh.registry.roster.v1"),
        ("payments", "pkh.registry.roster.v1"),
        ("payments", "pkh.conditionality.commitment.v1"),
        ("projection", "pkh.payments.tahap.v1"),
        ("projection", "pkh.conditionality.commitment.v1"),
    }


async def test_every_span_of_it_hangs_on_another_but_the_request(watched: Watched) -> None:
    spans = await spans_of(watched, "POST /tahap", "pkh.conditionality.commitment.v1")

    assert [span.name for span in spans if not span.parent] == ["POST /tahap"]


async def test_an_approval_is_traced_to_the_money_in_the_last_read_model(watched: Watched) -> None:
    request = "POST /tahap/{tahap}/freeze-approval"

    spans = await spans_of(watched, request, "pkh.payments.payment.v1")

    assert {"payments", "relay", "projection"} <= {span.service for span in spans}


async def test_a_batch_and_a_window_are_one_span_linked_to_what_they_carry(
    watched: Watched,
) -> None:
    spans = await spans_of(watched, "POST /tahap", "pkh.conditionality.commitment.v1")

    carrying = [span for span in spans if span.kind in (CONSUMER, PRODUCER)]
    assert all(span.trace in span.links for span in carrying)
    assert sum(span.attributes[telemetry.MESSAGING_BATCH] for span in carrying) > 3 * len(carrying)


async def test_spans_and_attributes_are_those_that_are_told(watched: Watched) -> None:
    forms = [re.sub(r"\\{\w+\\}", r"\\S+", re.escape(name)) for name in telemetry.SPANS]

    for span in watched.collector.spans:
        assert any(re.fullmatch(form, span.name) for form in forms), span.name
        assert span.attributes.keys() <= telemetry.ATTRIBUTES.keys()


async def test_every_metric_is_shown_by_some_process(watched: Watched) -> None:
    shown = await watched.shown()

    assert shown.keys() == set(MEASURED)
    everything = "\n".join(shown.values())
    for metric in telemetry.METRICS:
        assert f"# HELP {metric.series[0]} " in everything or f"# HELP {metric.name} " in everything


async def test_no_canary_is_left_by_a_watched_run(watched: Watched, tmp_path: Path) -> None:
    running, patterns, dump = watched.year, tmp_path / "patterns", tmp_path / "dump"
    dump.mkdir()
    planted = canaries(running)
    write(patterns, b"\n".join(sorted(planted)) + b"\n")

    write(dump / "tables", await tables(running))
    write(dump / "metrics", "\n".join((await watched.shown()).values()).encode())
    write(dump / "spans", b"\n".join(watched.collector.bodies))
    hits = await asyncio.to_thread(holding, patterns, running.platform.data_dir)
    hits += await asyncio.to_thread(holding, patterns, dump)

    assert len(planted) > 1_000
    assert hits == []
    # The test of the test: the year's own files are full of them.
    assert len(holding(patterns, SMALL)) >= 5
