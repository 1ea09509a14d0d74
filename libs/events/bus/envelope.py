"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the data as the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import TypeVar

from msgspec import Struct

from libs.events.bus import Batch, Record, batched
from libs.events.domain.errors import CorridorError

T = TypeVar("T")

CONTENT_TYPE = b"application/json"
CONTENT_TYPE_HEADER = "content-type", CONTENT_TYPE
HEADERS_READ = (
    *("ce_id", "ce_source", "ce_type", "ce_subject", "ce_time"),
    *("ce_position", "ce_previous", "ce_epoch", "traceparent"),
)
SPECVERSION = "ce_specversion", b"1.0"
POSITION_MAX = 2**63 - 1
REPEATED_MAX = 1_024  # headers of a kind that are remembered: few types, one time for a block
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class EnvelopeMalformed(CorridorError):
    """A message's headers are not a CloudEvent of ours."""


class Envelope(Struct, frozen=True, gc=False):
    """The envelope around a message's data.

    `position` is the event's place in its store, `previous` that of the message before it in the
    same partition (0 for the first), `epoch` names the store's life between two restores: with
    the three a lost message is arithmetic. `type` is the bare event name, `major` its version.
    """

    id: str
    source: str
    type: str
    major: int
    subject: str
    time: datetime
    position: int
    previous: int
    epoch: str
    trace: str | None


@lru_cache(maxsize=REPEATED_MAX)
def type_prefix(namespace: str, topic: str) -> tuple[str, str]:
    """("id.go.kemensos.pkh.registry.roster.", ".v1") of a topic "pkh.registry.roster.v1"."""
    base, version = topic.rsplit(".", 1)
    return f"{namespace}.{base}.", f".{version}"


def source_of(owner: str) -> str:
    """The source of what a service publishes."""
    return f"/services/{owner}"


def inbound_source(writer: str) -> str:
    """The source of what somebody registered writes from outside."""
    return f"/inbound/{writer}"


def headers_of(envelope: Envelope, prefix: tuple[str, str]) -> list[tuple[str, bytes]]:
    """The record headers of an envelope; `prefix` is the topic's `type_prefix`.

    What many messages have alike is one object in all of them.
    """
    headers = [
        SPECVERSION,
        ("ce_id", envelope.id.encode()),
        _header("ce_source", envelope.source),
        _type_header(prefix, envelope.type),
        ("ce_subject", envelope.subject.encode()),
        _time_header(envelope.time),
        ("ce_position", b"%d" % envelope.position),
        ("ce_previous", b"%d" % envelope.previous),
        _header("ce_epoch", envelope.epoch),
        CONTENT_TYPE_HEADER,
    ]
    if envelope.trace is not None:
        headers.append(_header("traceparent", envelope.trace))
    return headers


@lru_cache(maxsize=REPEATED_MAX)
def _header(name: str, value: str) -> tuple[str, bytes]:
    return name, value.encode()


@lru_cache(maxsize=REPEATED_MAX)
def _type_header(prefix: tuple[str, str], kind: str) -> tuple[str, bytes]:
    return "ce_type", f"{prefix[0]}{kind}{prefix[1]}".encode()


@lru_cache(maxsize=REPEATED_MAX)
def _time_header(moment: datetime) -> tuple[str, bytes]:
    return "ce_time", moment.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()


class Envelopes(Struct, frozen=True):
    """The envelopes of a batch's records, by columns.

    Ids and subjects are left as bytes: each is another, and few are ever asked for.
    """

    ids: Sequence[bytes]
    sources: Sequence[str]
    types: Sequence[str]
    majors: Sequence[int]
    subjects: Sequence[bytes]
    times: Sequence[datetime]
    positions: Sequence[int]
    previous: Sequence[int]
    epochs: Sequence[str]
    traces: Sequence[str | None]

    def at(self, index: int) -> Envelope:
        """One of them by itself."""
        return Envelope(
            text_of(self.ids[index]),
            self.sources[index],
            self.types[index],
            self.majors[index],
            text_of(self.subjects[index]),
            self.times[index],
            self.positions[index],
            self.previous[index],
            self.epochs[index],
            self.traces[index],
        )


def parse(record: Record) -> Envelope:
    """The envelope of a record. Raises `EnvelopeMalformed` that names the header, not its value."""
    [batch] = batched(record.topic, record.partition, [record])
    return parse_all(batch).at(0)


def parse_all(batch: Batch) -> Envelopes:
    """The envelopes of a batch. Raises `EnvelopeMalformed` for its first malformed record."""
    try:
        return _parsed(columns_of(batch))
    except KeyError as missing:
        raise EnvelopeMalformed(header=missing.args[0], offset=batch.offsets[0]) from None
    except (ValueError, IndexError, OverflowError):
        if len(batch) > 1:
            for record in batch.records:
                parse(record)
        raise EnvelopeMalformed(
            topic=batch.topic, partition=batch.partition, offset=batch.offsets[0]
        ) from None


def _parsed(columns: Mapping[str, Sequence[bytes]]) -> Envelopes:
    kinds = _converted(kind_of, columns["ce_type"])
    positions = _numbers(columns["ce_position"], 1)
    traces = _converted(trace_of, columns["traceparent"]) if "traceparent" in columns else None
    return Envelopes(
        ids=columns["ce_id"],
        sources=_converted(text_of, columns["ce_source"]),
        types=[kind for kind, _ in kinds],
        majors=[major for _, major in kinds],
        subjects=columns["ce_subject"],
        times=_converted(moment_of, columns["ce_time"]),
        positions=positions,
        previous=_numbers(columns["ce_previous"], 0),
        epochs=_converted(_epoch, columns["ce_epoch"]),
        traces=traces or [None] * len(positions),
    )


def _converted(read: Callable[[bytes], T], column: Sequence[bytes]) -> list[T]:
    """A column whose values are few, mostly one, each read once."""
    if column.count(column[0]) == len(column):
        return [read(column[0])] * len(column)
    converted = {value: read(value) for value in set(column)}
    return list(map(converted.__getitem__, column))


def _numbers(column: Sequence[bytes], least: int) -> list[int]:
    """Positions that a store can have given; one below `least` would pass for one taken before."""
    numbers = list(map(int, column))
    if min(numbers) < least or max(numbers) > POSITION_MAX:
        raise ValueError
    return numbers


def columns_of(batch: Batch) -> dict[str, Sequence[bytes]]:
    """{header: its contents}; raises `EnvelopeMalformed` for a header that is there twice."""
    named = dict(zip(batch.header_names, batch.header_values, strict=True))
    if len(named) < len(batch.header_names):
        _refuse_twice(batch.header_names)
    return named


def _refuse_twice(names: Sequence[str]) -> None:
    # Both Kafka clients allow a header twice; which one a reader takes would be an accident.
    for name in HEADERS_READ:
        if names.count(name) > 1:
            raise EnvelopeMalformed(header=name, reason="twice")


def text_of(value: bytes) -> str:
    """A header as a text."""
    return value.decode("utf-8", "replace")


def _epoch(value: bytes) -> str:
    if b"\0" in value:  # no column could hold it
        raise ValueError
    return text_of(value)


def kind_of(value: bytes) -> tuple[str, int]:
    """The bare name of a type, and its major version; ValueError, IndexError."""
    base, version = text_of(value).rsplit(".v", 1)
    return base.rsplit(".", 1)[1], int(version)


def trace_of(value: bytes) -> str | None:
    """A W3C trace context; None for anything else."""
    trace = text_of(value)
    return trace if TRACEPARENT.fullmatch(trace) else None


def moment_of(value: bytes) -> datetime:
    """An aware moment in UTC; ValueError, OverflowError."""
    moment = datetime.fromisoformat(text_of(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment.astimezone(UTC)  # OverflowError where that is before year 1 or after 9999
