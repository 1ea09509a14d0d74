"""A message of the topic's owner is told from whatever others write beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.bus import Batch, Record, batched
from libs.events.bus.envelope import Envelope, headers_of, source_of, type_prefix
from libs.events.bus.malformed import KEY_BYTES_MAX, ParsedBatch, parse_each
from libs.events.bus.topics import Topics

TOPIC = "pkh.payments.tahap.v1"
TOPICS = Topics("id.example", {TOPIC: 3}, {TOPIC: "payments"})
PARTITION = 1
MOMENT = datetime(2023, 3, 31, tzinfo=UTC)
KEYS = [key for key in map(str, range(99)) if TOPICS.partition(TOPIC, key) == PARTITION]
STRANGE = next(key for key in map(str, range(99)) if TOPICS.partition(TOPIC, key) != PARTITION)
LONG = next(
    key
    for key in (f"{n}".rjust(KEY_BYTES_MAX + 1) for n in range(99))
    if TOPICS.partition(TOPIC, key) == PARTITION
)
VALUE = b'{"tahap": "2023-1"}'


def message(position: int, key: bytes | None = KEYS[0].encode(), value: bytes = VALUE) -> Record:
    """A message as payments' relay sends it."""
    place = MOMENT, position, position - 1, "first"
    sent = Envelope(
        f"first-{position}", source_of("payments"), "ListFrozen", 1, "s", *place, trace=None
    )
    headers = headers_of(sent, type_prefix(TOPICS.namespace, TOPIC))
    return Record(TOPIC, PARTITION, key, value, tuple(headers), offset=position + 70)


def changed(**headers: bytes) -> Record:
    """A message some of whose headers are others."""
    ours = message(5)
    together = tuple((dict(ours.headers) | headers).items())
    return Record(TOPIC, PARTITION, ours.key, ours.value, together, ours.offset)


def read(*records: Record) -> tuple[list[int], list[str]]:
    """The positions of the messages among records, and what is said of the others."""
    sent: list[ParsedBatch] = [parse_each(each, TOPICS) for each in _batches(records)]
    positions = [n for each in sent if each.envelopes for n in each.envelopes.positions]
    return positions, [str(error) for each in sent for _, error in each.malformed]


def _batches(records: tuple[Record, ...]) -> list[Batch]:
    return list(batched(TOPIC, PARTITION, records))


def test_what_the_owner_s_relay_writes_is_its_message() -> None:
    assert read(message(4), message(5, KEYS[1].encode()), message(6)) == ([4, 5, 6], [])


FOREIGN = {
    "another service": (changed(ce_source=b"/services/registry"), "source"),
    "another namespace": (changed(ce_type=b"com.pkh.payments.tahap.ListFrozen.v1"), "type"),
    "another topic": (changed(ce_type=b"id.example.pkh.payments.payment.Paid.v1"), "type"),
    "no version": (changed(ce_type=b"id.example.pkh.payments.tahap.ListFrozen.v0"), "type"),
    "no name": (changed(ce_type=b"id.example.pkh.payments.tahap.Siti Aminah.v1"), "type"),
    "before itself": (changed(ce_previous=b"5"), "previous"),
    "another id": (changed(ce_id=b"first-6"), "id"),
    "no key": (message(5, None), "key"),
    "a strange key": (message(5, STRANGE.encode()), "key"),
    "a long key": (message(5, LONG.encode()), "key"),
    "a key that is no text": (message(5, b"\xff\x00"), "key"),
    "no value": (message(5, value=b""), "value"),
    "a value cut off": (message(5, value=b'{"tahap": '), "value"),
    "a value that is no text": (message(5, value=b'{"tahap": "\xff"}'), "value"),
    "brackets": (message(5, value=b"[" * 100_000), "value"),
}


@pytest.mark.parametrize(("record", "reason"), FOREIGN.values(), ids=FOREIGN)
def test_what_it_cannot_have_written_is_malformed_and_its_neighbours_are_not(
    record: Record, reason: str
) -> None:
    positions, [error] = read(message(4), record, message(6))

    assert positions == [4, 6]
    assert error.endswith(f"partition=1, offset=75, reason={reason})")


def test_a_newer_version_of_the_owner_s_message_is_no_malformed_one() -> None:
    newer = changed(ce_type=b"id.example.pkh.payments.tahap.ListFrozen.v2")

    assert read(newer) == ([5], [])


def test_a_trace_that_is_none_makes_no_message_malformed() -> None:
    assert read(changed(traceparent=b"Siti")) == ([5], [])


pairs = st.tuples(
    st.sampled_from(sorted(dict(message(1).headers))) | st.text(max_size=4),
    st.binary(max_size=9) | st.sampled_from([value for _, value in message(1).headers]),
)
others = st.builds(
    Record,
    topic=st.just(TOPIC),
    partition=st.just(PARTITION),
    key=st.none() | st.binary(max_size=4),
    value=st.binary(max_size=9) | st.just(VALUE),
    headers=st.lists(pairs, max_size=12).map(tuple),
    offset=st.just(0),
).filter(lambda record: dict(record.headers).get("ce_source") != source_of("payments").encode())


@given(st.lists(st.integers(1, 99) | others, max_size=30))
def test_whatever_bytes_there_are_every_message_is_told_from_them(
    sent: list[int | Record],
) -> None:
    records = [message(each) if isinstance(each, int) else each for each in sent]

    positions, errors = read(*records)

    assert positions == [each for each in sent if isinstance(each, int)]
    assert len(errors) == sum(isinstance(each, Record) for each in sent)


INBOUND = "pkh.inbound.population.v1"
WRITTEN = Topics(
    "id.example",
    {INBOUND: 3, "pkh.inbound.ships.v1": 1},
    {},
    writers={INBOUND: ["dukcapil", "kemenag"], "pkh.inbound.ships.v1": ["harbour"]},
)


def written(offset: int, **headers: bytes | None) -> Record:
    """A message as somebody outside sends it, some of whose headers are others or missing."""
    sent = {
        "ce_id": b"d-%d" % offset,
        "ce_source": b"/inbound/dukcapil",
        "ce_type": b"id.example.pkh.inbound.population.PersonDied.v1",
        "ce_time": b"2023-03-31T00:00:00Z",
    } | headers
    packed = tuple((name, value) for name, value in sent.items() if value is not None)
    return Record(INBOUND, PARTITION, KEYS[0].encode(), b"{}", packed, offset)


def read_written(*records: Record) -> tuple[list[int], list[str]]:
    """As `read`, of a topic that somebody outside writes."""
    parsed = [parse_each(each, WRITTEN) for each in batched(INBOUND, PARTITION, records)]
    positions = [n for each in parsed if each.envelopes for n in each.envelopes.positions]
    return positions, [str(error) for each in parsed for _, error in each.malformed]


def test_on_an_inbound_topic_the_registered_writer_alone_is_believed() -> None:
    assert WRITTEN.registered()["dukcapil"] == [INBOUND]
    assert read_written(written(7)) == ([8], [])
    assert read_written(written(7, ce_source=b"/inbound/kemenag")) == ([8], [])
    for forged in (b"/services/dukcapil", b"/inbound/another", b"/inbound/harbour", b""):
        positions, [error] = read_written(written(6), written(7, ce_source=forged), written(8))
        assert positions == [7, 9]
        assert "reason=source" in error


def test_a_message_from_outside_has_its_offset_for_a_position_and_says_none_itself() -> None:
    boasting = written(3, ce_position=b"900", ce_previous=b"0", ce_epoch=b"mine")

    [parsed] = [parse_each(each, WRITTEN) for each in batched(INBOUND, PARTITION, [boasting])]

    assert parsed.envelopes is not None
    assert parsed.envelopes.at(0).position == 4
    assert parsed.envelopes.at(0).epoch == ""


@pytest.mark.parametrize(
    "headers",
    [
        {"ce_id": None},
        {"ce_id": b""},
        {"ce_id": b"a b"},
        {"ce_id": b"x" * 201},
        {"ce_source": None},
        {"ce_type": b"id.example.pkh.inbound.ships.PersonDied.v1"},
        {"ce_type": b"PersonDied"},
        {"ce_type": b"id.example.pkh.inbound.population.PersonDied.v2"},
        {"ce_time": b"yesterday"},
        {"ce_time": b"2023-03-31T00:00:00"},
    ],
)
def test_what_is_no_cloud_event_from_outside_holds_up_nothing(
    headers: dict[str, bytes | None],
) -> None:
    positions, errors = read_written(written(6), written(7, **headers), written(8))

    assert positions == [7, 9]
    assert len(errors) == 1
