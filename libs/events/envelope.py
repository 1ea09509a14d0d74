"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the data as the value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from libs.events.bus import Headers, Record
from libs.events.errors import CorridorError

CONTENT_TYPE = b"application/json"


class EnvelopeMalformed(CorridorError):
    """A message's headers are not a CloudEvent of ours."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds a message's data.

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


def type_prefix(namespace: str, topic: str) -> tuple[str, str]:
    """("id.go.kemensos.pkh.registry.roster.", ".v1") of a topic "pkh.registry.roster.v1"."""
    base, version = topic.rsplit(".", 1)
    return f"{namespace}.{base}.", f".{version}"


def headers_of(envelope: Envelope, prefix: tuple[str, str]) -> list[tuple[str, bytes]]:
    """The record headers of an envelope; `prefix` is the topic's `type_prefix`."""
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", f"{prefix[0]}{envelope.type}{prefix[1]}".encode()),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_position", b"%d" % envelope.position),
        ("ce_previous", b"%d" % envelope.previous),
        ("ce_epoch", envelope.epoch.encode()),
        ("content-type", CONTENT_TYPE),
    ]
    if envelope.trace is not None:
        headers.append(("traceparent", envelope.trace.encode()))
    return headers


def parse(record: Record) -> Envelope:
    """The envelope of a record. Raises `EnvelopeMalformed` that names the header, not its value."""
    named = _single(record.headers)
    try:
        base, version = named["ce_type"].rsplit(".v", 1)
        return Envelope(
            id=named["ce_id"],
            source=named["ce_source"],
            type=base.rsplit(".", 1)[1],
            major=int(version),
            subject=named["ce_subject"],
            time=datetime.fromisoformat(named["ce_time"]),
            position=int(named["ce_position"]),
            previous=int(named["ce_previous"]),
            epoch=named["ce_epoch"],
            trace=named.get("traceparent"),
        )
    except KeyError as missing:
        raise EnvelopeMalformed(header=missing.args[0], offset=record.offset) from None
    except (ValueError, IndexError):
        raise EnvelopeMalformed(
            topic=record.topic, partition=record.partition, offset=record.offset
        ) from None


def _single(headers: Headers) -> dict[str, str]:
    # Both Kafka clients allow a header twice; which one a reader takes would be an accident.
    named: dict[str, str] = {}
    for name, value in headers:
        if name in named and (name.startswith("ce_") or name == "traceparent"):
            raise EnvelopeMalformed(header=name, reason="twice")
        named[name] = value.decode("utf-8", "replace")
    return named
