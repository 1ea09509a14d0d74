from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.bus.partition import partition_of

# Positions on a topic are kept by partition for ever, so these may never come out differently.
KNOWN = [
    ("3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11", 12, 9),
    ("2023-1", 12, 1),
    ("keluarga", 12, 6),
    ("", 12, 0),
    ("2023-1", 1, 0),
]


@pytest.mark.parametrize(("key", "count", "partition"), KNOWN)
def test_known_keys_stay_where_they_are(key: str, count: int, partition: int) -> None:
    assert partition_of(key, count) == partition


@given(st.text(), st.integers(1, 1_000))
def test_text_and_its_bytes_are_one_key(key: str, count: int) -> None:
    assert partition_of(key, count) == partition_of(key.encode(), count)


@given(st.binary(), st.integers(1, 1_000))
def test_a_partition_is_the_checksum_of_the_key_modulo_the_count(key: bytes, count: int) -> None:
    assert partition_of(key, count) == crc32(key) % count


def test_many_keys_spread_evenly() -> None:
    counts = [0] * 12
    for number in range(12_000):
        counts[partition_of(f"family-{number}", 12)] += 1

    assert min(counts) > 900
    assert max(counts) < 1_100


@pytest.mark.parametrize("count", [0, -1])
def test_a_topic_without_partitions_has_no_place_for_a_key(count: int) -> None:
    with pytest.raises(ValueError, match="at least one partition"):
        partition_of("key", count)
