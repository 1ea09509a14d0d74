"""A trace goes on through a batch: its span, its links, and what each message causes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from msgspec.structs import replace as altered
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from libs.events import telemetry
from libs.events.bus import Bus, Record
from libs.events.bus.connect import connect
from libs.events.bus.incoming import Incoming
from libs.events.consumer.inbox import Consumer
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import GapFound
from libs.events.store.handle import handle_many
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.telemetry import tracing
from tests.doors import TOPICS, Sender, deliver
from tests.purse import KEPT, Command, PutIn

READ = "pkh.payments.tahap.v1"
ANA = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BUDI = "00-1af7651916cd43dd8448eb211c80319d-c7ad6b7169203332-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that a collector would be sent."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(tracing, "collected", lambda: True)
    return kept


@pytest_asyncio.fixture
async def consumer(database: str, store: Store) -> AsyncIterator[Consumer]:
    """Puts as many coins into a purse as a message's key says, and publishes that under its key."""

    async def put_in(unit: Transaction, messages: Sequence[Incoming]) -> None:
        commands: list[tuple[str, Command]] = [
            (f"purse-{m.key}", PutIn(int(m.key))) for m in messages
        ]
        await handle_many(unit, KEPT, commands)

    bus: Bus = await connect(database)
    subscription = Subscription("test", READ, {"ListFrozen": dict}, put_in)
    yield Consumer(store, bus, "test", [subscription], TOPICS)
    await bus.close()


def traced(sender: Sender, key: str, trace: str) -> Record:
    """The sender's next message, as a relay sends one that was caused within a trace."""
    record = sender.record("ListFrozen", key, {})
    return altered(record, headers=[*record.headers, ("traceparent", trace.encode())])


async def stored(store: Store) -> dict[str, str]:
    """The traceparent that each stream's event will be published with."""
    rows = await store.pool.fetch(
        """SELECT stream_id,
                  coalesce(events.metadata ->> 'trace', blocks.metadata ->> 'trace') AS trace
           FROM events JOIN blocks USING (block)"""
    )
    return {row["stream_id"]: row["trace"] for row in rows}


def named(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    [span] = [span for span in spans.get_finished_spans() if span.name == name]
    return span


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return format(span.context.span_id, "016x")


async def test_a_batch_is_one_span_that_what_it_causes_goes_on_from(
    consumer: Consumer, spans: InMemorySpanExporter
) -> None:
    sender = Sender(READ)

    await deliver(consumer, traced(sender, "1", ANA), traced(sender, "2", ANA))

    batch, append = named(spans, f"process {READ}"), named(spans, "append test")
    assert batch.kind is SpanKind.CONSUMER
    assert batch.attributes is not None
    assert batch.attributes[telemetry.MESSAGING_BATCH] == 2
    assert batch.parent is not None
    assert format(batch.parent.span_id, "016x") == ANA.split("-")[2]
    assert append.parent is not None
    assert format(append.parent.span_id, "016x") == id_of(batch)
    went_on = f"00-{ANA.split('-')[1]}-{id_of(batch)}-01"
    assert await stored(consumer.store) == {"purse-1": went_on, "purse-2": went_on}


async def test_a_batch_is_linked_to_each_of_its_traces(
    consumer: Consumer, spans: InMemorySpanExporter
) -> None:
    sender = Sender(READ)

    await deliver(consumer, *(traced(sender, key, ANA) for key in "123"), traced(sender, "4", BUDI))

    links = named(spans, f"process {READ}").links
    assert [format(link.context.trace_id, "032x") for link in links] == [
        ANA.split("-")[1],
        BUDI.split("-")[1],
    ]


async def test_what_a_message_causes_is_recorded_under_its_own_trace(
    consumer: Consumer, spans: InMemorySpanExporter
) -> None:
    sender = Sender(READ)

    await deliver(consumer, traced(sender, "1", ANA), traced(sender, "2", BUDI))

    found = await stored(consumer.store)
    assert found["purse-1"] == ANA
    assert tracing.trace_id(found["purse-2"]) == tracing.trace_id(BUDI)


async def test_a_message_has_its_own_trace_although_the_last_of_its_batch_is_not_wanted(
    consumer: Consumer, spans: InMemorySpanExporter
) -> None:
    sender = Sender(READ)
    wanted, other = traced(sender, "1", ANA), sender.record("ClosingAnnounced", "2", {})
    passed = altered(other, headers=[*other.headers, ("traceparent", BUDI.encode())])

    await deliver(consumer, wanted, passed)

    assert await stored(consumer.store) == {"purse-1": ANA}


async def test_where_nobody_collects_spans_a_trace_goes_through_as_it_came(
    consumer: Consumer,
) -> None:
    sender = Sender(READ)

    await deliver(consumer, traced(sender, "1", ANA), traced(sender, "2", BUDI))

    assert await stored(consumer.store) == {"purse-1": ANA, "purse-2": BUDI}


async def test_a_batch_that_fails_says_of_what_kind_and_not_more(
    consumer: Consumer, spans: InMemorySpanExporter
) -> None:
    sender = Sender(READ)
    traced(sender, "3", ANA)

    with pytest.raises(GapFound):
        await deliver(consumer, traced(sender, "1", ANA))

    span = named(spans, f"process {READ}")
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes[telemetry.ERROR_TYPE] == "GapFound"
    assert not span.events
    assert span.status.description is None
