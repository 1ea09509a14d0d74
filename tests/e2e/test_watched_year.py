"""A tahap of the sample year as operations sees it: its traces, its metrics, and no canary."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio

from cli.client.proofs import report_proof
from cli.commands.rebuild import rebuild
from libs.chassis.catalogue import catalogue
from libs.events import telemetry
from localstack.environment import MEASURED
from services.projection.tables.proofs import KINDS
from tests.chaos.canaries import (
    COMPLAINED,
    DATABASES,
    WORDS,
    canaries,
    holding,
    plant_complaints,
    plant_words,
    tables,
)
from tests.chaos.year import SMALL, Year, year
from tests.e2e.collector import Collector, Span, collecting
from tests.servers import eventually
from tests.watching import (
    RATE_INTERVAL,
    Prometheus,
    Query,
    expanded,
    missing_prometheus,
    prometheus,
    promql,
    rules,
    sql,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

EXPORT_EVERY_MS = 100
CONSUMER, PRODUCER = 5, 4  # kinds, as OTLP numbers them
ANNOUNCED, EVALUATED = (
    "POST /tahap/{tahap}/announcement-approval",
    "pkh.conditionality.commitment.v1",
)


@dataclass(frozen=True)
class Watched:
    """A year of which a tahap has been paid, and where its spans went."""

    year: Year
    collector: Collector
    prometheus: Prometheus | None

    async def shown(self) -> dict[str, str]:
        """The page of each process at /metrics."""
        async with httpx.AsyncClient(trust_env=False) as client:
            urls = self.year.platform.metrics_urls
            return {name: (await client.get(url)).text for name, url in urls.items()}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        "OTEL_BSP_SCHEDULE_DELAY": str(EXPORT_EVERY_MS),
    }
    with collecting() as collector, pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value or collector.url)
        yield collector


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Watched]:
    async with AsyncExitStack() as running:
        sample = await running.enter_async_context(year(SMALL))
        server = None
        if not missing_prometheus():
            urls = sample.platform.metrics_urls.items()
            targets = {name: urlsplit(url).netloc for name, url in urls}
            directory = tmp_path_factory.mktemp("prometheus")
            server = await running.enter_async_context(prometheus(directory, targets))
        await sample.run(1)
        await plant_words(sample)
        await plant_complaints(sample)
        await prove(sample)
        yield Watched(sample, collector, server)


async def prove(sample: Year) -> None:
    """Have the witness look and a verifier verify, as their timers do."""
    for kind in KINDS:
        assert await report_proof(sample.front, kind, "auditor", findings=0) is None


@pytest.fixture
def server(watched: Watched) -> Prometheus:
    """The Prometheus that has watched the year."""
    if watched.prometheus is None:
        pytest.skip(f"not installed: {', '.join(missing_prometheus())}; Debian's prometheus")
    return watched.prometheus


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
    spans = await spans_of(watched, ANNOUNCED, EVALUATED)

    following = {name for name, service in catalogue().services.items() if service.reads}
    assert {span.service for span in spans} == {*following, "relay"}
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
    spans = await spans_of(watched, ANNOUNCED, EVALUATED)

    assert [span.name for span in spans if not span.parent] == [ANNOUNCED]


async def test_an_approval_is_traced_to_the_money_in_the_last_read_model(watched: Watched) -> None:
    request = "POST /tahap/{tahap}/freeze-approval"

    spans = await spans_of(watched, request, "pkh.payments.payment.v1")

    assert {"payments", "relay", "projection"} <= {span.service for span in spans}


async def test_a_batch_and_a_window_are_one_span_linked_to_what_they_carry(
    watched: Watched,
) -> None:
    spans = await spans_of(watched, ANNOUNCED, EVALUATED)

    carrying = [span for span in spans if span.kind in (CONSUMER, PRODUCER)]
    assert all(span.trace in span.links for span in carrying)
    assert sum(span.attributes[telemetry.MESSAGING_BATCH] for span in carrying) > 3 * len(carrying)


async def test_spans_and_attributes_are_those_that_are_told(watched: Watched) -> None:
    forms = [re.sub(r"\\{\w+\\}", r"\\S+", re.escape(name)) for name in telemetry.SPANS]

    for span in watched.collector.spans:
        assert any(re.fullmatch(form, span.name) for form in forms), span.name
        assert span.attributes.keys() <= telemetry.ATTRIBUTES.keys()


# Partners and servers of this platform are processes of its own machine, spoken to in clear.
NOT_HERE = {telemetry.CERTIFICATE_DAYS, telemetry.SERVER_CERTIFICATE_DAYS}


async def test_every_metric_is_shown_by_some_process(watched: Watched) -> None:
    shown = await watched.shown()

    assert shown.keys() == set(MEASURED)
    everything = "\n".join(shown.values())
    for metric in set(telemetry.METRICS) - NOT_HERE:
        assert f"# HELP {metric.series[0]} " in everything or f"# HELP {metric.name} " in everything


async def test_no_canary_is_left_by_a_watched_run(watched: Watched, tmp_path: Path) -> None:
    running, patterns, dump = watched.year, tmp_path / "patterns", tmp_path / "dump"
    dump.mkdir()
    planted = canaries(running)
    complained = {words.encode() for words in COMPLAINED}
    patterns.write_bytes(b"\n".join(sorted(planted | complained)) + b"\n")

    (dump / "tables").write_bytes(await tables(running))
    (dump / "metrics").write_bytes("\n".join((await watched.shown()).values()).encode())
    (dump / "spans").write_bytes(b"\n".join(watched.collector.bodies))
    hits = await asyncio.to_thread(holding, patterns, running.platform.data_dir)
    hits += await asyncio.to_thread(holding, patterns, dump)

    assert len(planted) > 1_000
    assert hits == []
    # The test of the test: the year's own files are full of them.
    assert len(holding(patterns, SMALL)) >= 5


async def test_what_people_say_of_sessions_stays_in_the_service_of_sessions(
    watched: Watched,
) -> None:
    running = watched.year
    others = await tables(running, [name for name in DATABASES if name != "p2k2"])
    shown = "\n".join((await watched.shown()).values()).encode()
    logs = b"".join(path.read_bytes() for path in (running.platform.data_dir / "logs").iterdir())
    kept = await tables(running, ["p2k2"])

    for words in WORDS:
        assert words.encode() in kept  # the test of the test
        for elsewhere in (others, shown, logs, *watched.collector.bodies):
            assert words.encode() not in elsewhere


# -- Prometheus -----------------------------------------------------------------------------------

# They show nothing while all is well, or where partners are spoken to in clear.
QUIET = {
    *("ProcessDown", "StoreUnreached", "BusUnreached", "NobodyLeads", "RelayBehind"),
    *("ConsumerBehind", "ConsumerStopped", "MessagesParked", "RequestsFail", "BankSilent"),
    *("BooksDoNotBalance", "AccountBelowZero", "WorkFails", "PartnerIncident"),
    *("CertificateEnds", "CertificateEndsThisWeek", "Certificates and keys"),
    *("ServerCertificateEnds", "ServerCertificateEndsThisWeek", "Certificates of servers"),
    *("ChangesBeforeClosing", "LookUpLimitReached", "CasesDue"),
    *("ProofFoundFault", "ProofOverdue"),
    *("JobStandsStill", "RupiahUnreconciled", "TransfersFail", "SuspensionSpike"),
}
# It hangs on the day of the year; what it is told by is shown whenever it is.
BY_CALENDAR = {"HolidaysUndecreed"}


async def test_prometheus_gets_what_every_process_shows(server: Prometheus) -> None:
    async def all_up() -> bool:
        up = await server.query('up{job="pkh"}')
        return {s["metric"]["service"]: s["value"][1] for s in up} == dict.fromkeys(MEASURED, "1")

    await eventually(all_up)


async def test_prometheus_works_out_every_rule(server: Prometheus) -> None:
    async def evaluated() -> list[dict[str, str]]:
        groups = (await server.ask("rules"))["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        return found if all(rule["health"] != "unknown" for rule in found) else []

    found = await eventually(evaluated)

    assert len(found) == len(rules())
    assert [rule["name"] for rule in found if rule["health"] != "ok"] == []


async def quiet(shows: Callable[[], Awaitable[list[Any]]]) -> bool:
    return not await shows()


async def test_every_query_is_answered_and_shows_something(server: Prometheus) -> None:
    for query in promql():
        expression = expanded(query.text, {"__rate_interval": RATE_INTERVAL})
        shows = partial(server.query, expression)
        if query.place in BY_CALENDAR:
            await shows()
            continue
        await eventually(partial(quiet, shows) if query.place in QUIET else shows, what=query.place)


async def test_the_money_that_prometheus_shows_is_the_ledger_s(
    watched: Watched, server: Prometheus
) -> None:
    payments = await asyncpg.connect(watched.year.platform.database_url("payments"))
    blocked = await payments.fetchval(
        """SELECT sum(CASE 'family_blocked' WHEN debit THEN amount WHEN credit THEN -amount END)
           FROM ledger"""
    )
    await payments.close()

    async def shown() -> bool:
        found = await server.query('account:ledger_balance_rupiah:max{account="family_blocked"}')
        return bool(found) and float(found[0]["value"][1]) == blocked

    assert blocked > 0
    await eventually(shown)


# -- Grafana --------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="module")
async def reader(watched: Watched) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """The projection as Grafana is let in."""
    environment = watched.year.platform._environment
    connection = await asyncpg.connect(environment.address("projection", "pkh_grafana"))
    yield connection
    await connection.close()


@pytest.mark.parametrize("query", sql(), ids=lambda query: query.place)
async def test_every_query_on_the_projection_is_answered_to_grafana(
    watched: Watched, reader: asyncpg.Connection[asyncpg.Record], query: Query
) -> None:
    rows = await reader.fetch(expanded(query.text, {"tahap": watched.year.tahaps[0].id}))

    assert rows
    assert "family" not in dict(rows[0])


async def test_grafana_is_shown_what_the_result_files_say(
    watched: Watched, reader: asyncpg.Connection[asyncpg.Record]
) -> None:
    [tahap] = [query for query in sql() if query.place == "Tahap by tahap"]
    expected = [r for r in watched.year.rows("expected/entitlements.csv") if r["tahap"] == "1"]

    [row] = await reader.fetch(tahap.text)

    assert row["families"] == len(expected)
    assert row["entitled"] == sum(int(each["amount"]) for each in expected)
    paid = [each for each in expected if each["disposition"] == "PAID"]
    assert row["credited"] == sum(int(each["amount"]) for each in paid)


async def test_grafana_is_shown_the_same_of_read_models_that_were_built_anew(
    watched: Watched, reader: asyncpg.Connection[asyncpg.Record]
) -> None:
    before = [await reader.fetch(query.text) for query in sql() if query.place == "Tahap by tahap"]

    await rebuild(watched.year.platform.data_dir, "projection", watched.year.screen)

    after = [await reader.fetch(query.text) for query in sql() if query.place == "Tahap by tahap"]
    assert before == after


@pytest.mark.parametrize(
    "forbidden",
    [
        "SELECT * FROM public.payment",
        "SELECT * FROM public.entitlement",
        "SELECT * FROM public.timeline",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
    ],
)
async def test_grafana_sees_no_family_and_changes_nothing(
    reader: asyncpg.Connection[asyncpg.Record], forbidden: str
) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)):
        await reader.execute(forbidden)
