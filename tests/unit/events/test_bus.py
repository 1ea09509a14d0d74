from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.bus import Record
from libs.events.bus.connect import connect
from libs.events.bus.embedded_member import share_of
from libs.events.bus.kafka_settings import Cluster, KafkaSecurity, KafkaSettings
from libs.events.bus.limits import RECORD_BYTES_MAX, record_bytes, refuse_oversize
from libs.events.bus.segments import SEGMENT_BYTES_MAX, SEGMENT_RECORDS_MAX, pack, unpack
from libs.events.domain.errors import BusRefused

headers = st.lists(st.tuples(st.text(max_size=9), st.binary(max_size=9)), max_size=5).map(tuple)
records = st.builds(
    Record,
    topic=st.just("topic"),
    partition=st.just(3),
    key=st.none() | st.binary(max_size=9),
    value=st.binary(max_size=30),
    headers=headers,
)


def unpacked(segments: list[tuple[int, bytes]]) -> list[Record]:
    offset, found = 0, []
    for count, payload in segments:
        found += unpack("topic", 3, offset + count, count, payload).records
        offset += count
    return found


# -- Segments


@given(st.lists(records, min_size=1, max_size=20))
def test_packed_records_are_unpacked_as_they_were_with_their_offsets(given: list[Record]) -> None:
    found = unpacked(list(pack(given)))

    assert [(r.topic, r.partition, r.key, r.value, r.headers) for r in found] == [
        (r.topic, r.partition, r.key, r.value, r.headers) for r in given
    ]
    assert [r.offset for r in found] == list(range(len(given)))


@pytest.mark.parametrize(
    ("count", "size"), [(SEGMENT_RECORDS_MAX * 2 + 1, 1), (11, RECORD_BYTES_MAX)]
)
def test_a_segment_has_limits(count: int, size: int) -> None:
    given = [Record("topic", 3, None, b"x" * size) for _ in range(count)]

    segments = list(pack(given))

    assert len(segments) > 1
    assert sum(packed for packed, _ in segments) == count
    assert all(packed <= SEGMENT_RECORDS_MAX for packed, _ in segments)
    assert all(len(payload) <= SEGMENT_BYTES_MAX for _, payload in segments)
    assert len(unpacked(segments)) == count


# -- Shares


@given(st.integers(1, 50), st.sets(st.integers(1, 10**9), min_size=1, max_size=60))
def test_every_partition_has_one_member_and_no_member_two_more_than_another(
    count: int, members: set[int]
) -> None:
    shares = [share_of(count, list(members), member) for member in sorted(members)]

    assert [partition for share in shares for partition in share] == list(range(count))
    sizes = [len(share) for share in shares]
    assert max(sizes) - min(sizes) <= 1
    assert all(before >= after for before, after in pairwise(sizes))


# -- Limits


@pytest.mark.parametrize(
    "record",
    [
        lambda size: Record("t", 0, None, b"x" * size),
        lambda size: Record("t", 0, b"k" * size, b""),
        lambda size: Record("t", 0, b"k", b"x" * (size - 1)),
        lambda size: Record("t", 0, None, b"", [("n", b"x" * (size - 9))]),
        lambda size: Record("t", 0, None, b"", [("é", b"x" * (size - 10))]),
    ],
    ids=["value", "key", "both", "header", "header beyond ASCII"],
)
def test_key_value_and_headers_together_have_a_limit(record: Callable[[int], Record]) -> None:
    refuse_oversize([record(RECORD_BYTES_MAX)])
    with pytest.raises(BusRefused) as refused:
        refuse_oversize([record(1), record(RECORD_BYTES_MAX + 1)])

    assert refused.value.facts["bytes"] == RECORD_BYTES_MAX + 1


def test_many_empty_headers_are_not_for_nothing() -> None:
    assert record_bytes(None, b"", [("", b"")] * RECORD_BYTES_MAX) > RECORD_BYTES_MAX


# -- Addresses


@pytest.mark.parametrize("url", ["mysql://host/bus", "localhost:9092", ""])
async def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no bus speaks"):
        await connect(url)


@pytest.mark.parametrize(
    ("replication", "asked", "in_sync"),
    [(1, None, "1"), (2, None, "1"), (3, None, "2"), (3, 1, "1")],
)
def test_all_copies_but_one_must_hold_a_record_unless_it_is_said(
    replication: int, asked: int | None, in_sync: str
) -> None:
    cluster = Cluster(replication=replication, in_sync=asked)
    configs = KafkaSettings("host:9092", 10.0, cluster).topic_configs()

    assert configs["min.insync.replicas"] == in_sync
    assert configs["cleanup.policy"] == "delete", "a compacted topic forgets what it was told"


def test_a_password_is_not_shown() -> None:
    settings = KafkaSettings("host:9092", 10.0, Cluster(KafkaSecurity("registry", "s3cret")))

    assert "s3cret" not in repr(settings)
    assert settings.client()["sasl_plain_password"] == "s3cret"
    assert settings.client()["security_protocol"] == "SASL_SSL"
