"""Spans over appends, windows and batches, and the traceparents that carry a trace between them.

Where nobody collects spans none is made: traceparents go from message to message as they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.context import Context as Parent
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from libs.events import telemetry

if TYPE_CHECKING:
    from libs.events.bus import Record
    from libs.events.bus.incoming import Incoming

TRACEPARENT: Final = "traceparent"

_tracer = trace.get_tracer("libs.events")
_propagator = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int]


def collected() -> bool:
    """True if this process has been told where spans go."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def traceparent(span: Span) -> str:
    """A span as a W3C traceparent."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def trace_id(parent: str | None) -> str:
    """The trace that a traceparent belongs to; empty for none."""
    return parent[3:35] if parent else ""


def _parent(carried: str | None) -> Parent | None:
    """The parent of a new span; without a traceparent, whatever is the current span."""
    return _propagator.extract({TRACEPARENT: carried}) if carried else None


def _link(span: Span, carried: Iterable[str]) -> None:
    for traceparent in sorted(set(carried)):
        context = trace.get_current_span(_propagator.extract({TRACEPARENT: traceparent}, Parent()))
        span.add_link(context.get_span_context())


# -- Appends and windows: their spans are made when they are over ---------------------------------


def appended(store: str, began_ns: int, parent: str | None, events: int, position: int) -> None:
    """One append that has committed, under what caused it."""
    _finished_span(
        telemetry.SPAN_APPEND.format(store=store),
        SpanKind.INTERNAL,
        began_ns,
        parent,
        {
            telemetry.APPENDED_STORE: store,
            telemetry.APPENDED_EVENTS: events,
            telemetry.APPENDED_POSITION: position,
        },
    )


def sent(system: str, began_ns: int, records: Sequence[Record]) -> None:
    """One window that the bus has acknowledged; under the last message's trace, linked to all."""
    topics = sorted({record.topic for record in records})
    carried = [value.decode() for r in records for name, value in r.headers if name == TRACEPARENT]
    attributes: dict[str, str | int] = {
        telemetry.MESSAGING_SYSTEM: system,
        telemetry.MESSAGING_OPERATION: "send",
        telemetry.MESSAGING_OPERATION_TYPE: "send",
        telemetry.MESSAGING_BATCH: len(records),
    }
    name = telemetry.SPAN_SEND_TO_SEVERAL
    if len(topics) == 1:
        name = telemetry.SPAN_SEND.format(topic=topics[0])
        attributes[telemetry.MESSAGING_DESTINATION] = topics[0]
    parent = carried[-1] if carried else None
    _finished_span(name, SpanKind.PRODUCER, began_ns, parent, attributes, carried)


def _finished_span(
    name: str,
    kind: SpanKind,
    began_ns: int,
    parent: str | None,
    attributes: Attributes,
    links: Iterable[str] = (),
) -> None:
    span = _tracer.start_span(
        name, _parent(parent), kind=kind, attributes=attributes, start_time=began_ns
    )
    _link(span, links)
    span.end()


# -- Batches --------------------------------------------------------------------------------------


@contextmanager
def processing(
    system: str,
    group: str,
    topic: str,
    partitions: Sequence[int],
    count: int,
    parent: str | None,
    carried: Iterable[str | None],
) -> Iterator[str | None]:
    """The span of `count` messages' transaction, under the last one's trace, `parent`, and linked
    to all that they `carried`; gives its traceparent.

    What the messages cause is recorded under that one. An error's text is told to nobody.
    """
    if not collected():
        yield parent
        return
    attributes: Attributes = {
        telemetry.MESSAGING_SYSTEM: system,
        telemetry.MESSAGING_OPERATION: "process",
        telemetry.MESSAGING_OPERATION_TYPE: "process",
        telemetry.MESSAGING_DESTINATION: topic,
        telemetry.MESSAGING_PARTITION: ",".join(map(str, partitions)),
        telemetry.MESSAGING_GROUP: group,
        telemetry.MESSAGING_BATCH: count,
    }
    with _tracer.start_as_current_span(
        telemetry.SPAN_PROCESS.format(topic=topic),
        _parent(parent),
        kind=SpanKind.CONSUMER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        _link(span, filter(None, carried))
        try:
            yield traceparent(span)
        except Exception as error:
            failed(span, type(error).__name__)
            raise


def failed(span: Span, kind: str) -> None:
    """Mark a span as ended by an error of a kind; without its text."""
    span.set_attribute(telemetry.ERROR_TYPE, kind)
    span.set_status(Status(StatusCode.ERROR))


def traces_by_key(messages: Sequence[Incoming], parent: str | None) -> Mapping[str, str]:
    """The traceparent of each key whose last message is of another trace than its batch's `parent`.

    What such a message causes is recorded under its own trace. Mostly a batch is of one, and
    then this is empty.
    """
    batch = trace_id(parent)
    envelopes = {id(message.envelopes): message.envelopes for message in messages}.values()
    if {trace_id(own) for of_batch in envelopes for own in set(of_batch.traces)} <= {batch, ""}:
        return {}
    carried = [message.envelopes.traces[message.index] for message in messages]
    last = {message.key: own for message, own in zip(messages, carried, strict=True)}
    return {key: own for key, own in last.items() if own and trace_id(own) != batch}
