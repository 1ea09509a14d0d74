"""CloudEvents 1.0 in Kafka's binary mode: attributes as `ce_*` headers, the data as the value."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from msgspec import Struct

from libs.events.bus import Headers, Record
from libs.events.errors import CorridorError

CONTENT_TYPE = b"application/json"
REPEATED_MAX = 1_024  # texts remembered of a kind: few types, and one time for a whole block


class EnvelopeMalformed(CorridorError):
    """A message's headers are not a CloudEvent of ours."""


class Envelope(Struct, frozen=True, gc=False):
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


@lru_cache(maxsize=REPEATED_MAX)
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
        ("ce_time", _time_text(envelope.time)),
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
        kind, major = _kind(named["ce_type"])
        return Envelope(
            id=_text(named["ce_id"]),
            source=_repeated(named["ce_source"]),
            type=kind,
            major=major,
            subject=_text(named["ce_subject"]),
            time=_time(named["ce_time"]),
            position=int(named["ce_position"]),
            previous=int(named["ce_previous"]),
            epoch=_repeated(named["ce_epoch"]),
            trace=_repeated(named["traceparent"]) if "traceparent" in named else None,
        )
    except KeyError as missing:
        raise EnvelopeMalformed(header=missing.args[0], offset=record.offset) from None
    except (ValueError, IndexError):
        raise EnvelopeMalformed(
            topic=record.topic, partition=record.partition, offset=record.offset
        ) from None


def _single(headers: Headers) -> dict[str, bytes]:
    named = dict(headers)
    if len(named) < len(headers):
        _refuse_twice(headers)
    return named


def _refuse_twice(headers: Headers) -> None:
    # Both Kafka clients allow a header twice; which one a reader takes would be an accident.
    seen: set[str] = set()
    for name, _ in headers:
        if name in seen and (name.startswith("ce_") or name == "traceparent"):
            raise EnvelopeMalformed(header=name, reason="twice")
        seen.add(name)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


_repeated = lru_cache(maxsize=REPEATED_MAX)(_text)


@lru_cache(maxsize=REPEATED_MAX)
def _kind(value: bytes) -> tuple[str, int]:
    base, version = _text(value).rsplit(".v", 1)
    return base.rsplit(".", 1)[1], int(version)


@lru_cache(maxsize=REPEATED_MAX)
def _time(value: bytes) -> datetime:
    return datetime.fromisoformat(_text(value))


@lru_cache(maxsize=REPEATED_MAX)
def _time_text(moment: datetime) -> bytes:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()
