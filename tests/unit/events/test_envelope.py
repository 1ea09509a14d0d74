"""A batch whose headers are not ours is refused, by the name of its first such record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.events.bus import Batch, batched
from libs.events.bus.envelope import Envelope, EnvelopeMalformed, headers_of, parse_all, type_prefix

TOPIC = "pkh.payments.tahap.v1"
MOMENT = datetime(2023, 3, 31, tzinfo=UTC)
OURS = Envelope("first-5", "/services/payments", "ListFrozen", 1, "s", MOMENT, 5, 4, "first", None)


@dataclass(frozen=True)
class Foreign:
    """A record as a client reads it that others have sent; a header may be without content."""

    offset: int
    headers: Any
    key: bytes | None = None
    value: bytes | None = None


def batch(*changes: dict[str, bytes | None]) -> Batch:
    """Our message again and again from offset 70 on, each with its headers changed so."""
    ours = dict(headers_of(OURS, type_prefix("id.example", TOPIC)))
    rows = [Foreign(at, list((ours | change).items())) for at, change in enumerate(changes, 70)]
    [found] = batched(TOPIC, 0, rows)
    return found


def test_what_was_put_into_headers_is_read_from_them() -> None:
    assert parse_all(batch({}, {})).at(1) == OURS


@pytest.mark.parametrize(
    "change",
    [
        {"ce_position": b"Siti"},
        {"ce_position": b"-5"},
        {"ce_position": b"0"},
        {"ce_position": b"9223372036854775808"},
        {"ce_position": None},
        {"ce_previous": b"-1"},
        {"ce_epoch": b"first\0"},
        {"ce_time": b"Siti"},
        {"ce_time": b"2023-03-31T00:00:00"},
        {"ce_time": None},
        {"ce_type": b"Siti"},
        {"ce_type": b"id.example.ListFrozen.vSiti"},
        {"ce_type": None},
    ],
    ids=str,
)
def test_the_first_malformed_record_is_named_and_what_it_says_is_not(
    change: dict[str, bytes | None],
) -> None:
    with pytest.raises(EnvelopeMalformed) as refused:
        parse_all(batch({}, {}, change, {}, change))

    assert refused.value.facts == {"topic": TOPIC, "partition": 0, "offset": 72}


def test_a_missing_header_is_named_and_its_record() -> None:
    headers = headers_of(OURS, type_prefix("id.example", TOPIC))
    headers = [header for header in headers if header[0] != "ce_epoch"]
    [found] = batched(TOPIC, 0, [Foreign(70, headers), Foreign(71, headers)])

    with pytest.raises(EnvelopeMalformed, match=r"header=ce_epoch, offset=70"):
        parse_all(found)


def test_a_header_that_is_there_twice_is_named() -> None:
    headers = headers_of(OURS, type_prefix("id.example", TOPIC))
    [found] = batched(TOPIC, 0, [Foreign(70, [*headers, ("ce_subject", b"another")])])

    with pytest.raises(EnvelopeMalformed, match=r"header=ce_subject, reason=twice"):
        parse_all(found)


def test_absent_contents_of_other_headers_read_as_empty() -> None:
    own = headers_of(OURS, type_prefix("id.example", TOPIC))
    [found] = batched(TOPIC, 0, [Foreign(70, [*own, ("theirs", None)])])

    assert found.record(0).headers[-1] == ("theirs", b"")
    assert found.record(0).value == b""
