from hashlib import sha256

import pytest
from hypothesis import given, strategies

from libs.events.domain.list_proof import Buckets, bucket_of, value_hash

KEYS = strategies.uuids().map(str)
LINES = strategies.lists(strategies.tuples(KEYS, strategies.binary(max_size=40)), max_size=30)
ONE = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
SAME_BUCKET = "3fffffff-8a55-4a3e-9d0e-6f4f0c9b7a11"
ANOTHER = "a00c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"


def test_a_values_hash_is_the_first_eight_bytes_of_sha256() -> None:
    assert f"{value_hash(b'line'):016x}" == sha256(b"line").hexdigest()[:16]


def test_a_line_counts_in_the_bucket_of_its_keys_first_byte() -> None:
    one = Buckets().add(ONE, b"line")

    assert one.to_json() == {"3f": (1, sha256(b"line").hexdigest()[:16])}


@pytest.mark.parametrize("key", ["", "3", "3G12", "3F12", "-1", "xy"])
def test_a_key_that_is_no_hexadecimal_text_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="two lower-case hexadecimal digits"):
        bucket_of(key)


def test_sums_wrap_around_at_sixty_four_bits() -> None:
    full = Buckets({"3f": (1, 2**64 - 1)})

    assert full.merge(Buckets({"3f": (1, 2)})).to_json() == {"3f": (2, "0000000000000001")}


@given(lines=LINES)
def test_the_order_of_lines_does_not_matter(lines: list[tuple[str, bytes]]) -> None:
    assert Buckets.of(lines) == Buckets.of(reversed(lines))


@given(lines=LINES, cut=strategies.integers(min_value=0, max_value=30))
def test_chunks_come_to_what_the_whole_comes_to(lines: list[tuple[str, bytes]], cut: int) -> None:
    whole = Buckets.of(lines)
    one_by_one = Buckets()
    for key, value in lines:
        one_by_one = one_by_one.add(key, value)

    assert Buckets.of(lines[:cut]).merge(Buckets.of(lines[cut:])) == whole == one_by_one
    assert whole.line_count == len(lines)


@given(lines=LINES)
def test_json_gives_the_same_buckets_back(lines: list[tuple[str, bytes]]) -> None:
    buckets = Buckets.of(lines)

    assert Buckets.from_json(buckets.to_json()) == buckets
    assert list(buckets.to_json()) == sorted(buckets.cells)


@pytest.mark.parametrize(
    "malformed",
    [
        {"3F": (1, "0" * 16)},
        {"3": (1, "0" * 16)},
        {"3f": (0, "0" * 16)},
        {"3f": (-1, "0" * 16)},
        {"3f": (1, "0" * 15)},
        {"3f": (1, "0" * 15 + "g")},
        {"3f": (1, " " * 16)},
    ],
)
def test_malformed_json_is_refused(malformed: dict[str, tuple[int, str]]) -> None:
    with pytest.raises(ValueError, match="is not"):
        Buckets.from_json(malformed)


def test_merging_changes_neither() -> None:
    one, other = Buckets.of([(ONE, b"1")]), Buckets.of([(ANOTHER, b"2")])

    one.merge(other)

    assert (one.line_count, other.line_count) == (1, 1)


def test_equal_lists_differ_nowhere() -> None:
    lines = [(ONE, b"1"), (ANOTHER, b"2")]

    assert Buckets.of(lines).differing(Buckets.of(lines)) == []


@pytest.mark.parametrize(
    "other",
    [
        [(ANOTHER, b"3")],
        [(ONE, b"1"), (ONE, b"1"), (SAME_BUCKET, b"2"), (ANOTHER, b"3")],
        [(ONE, b"1"), (SAME_BUCKET, b"x"), (ANOTHER, b"3")],
        [(ONE, b"1"), (ANOTHER, b"3")],
    ],
    ids=["both missing", "one doubled", "one changed", "one missing"],
)
def test_the_differing_bucket_is_named_from_either_side(other: list[tuple[str, bytes]]) -> None:
    mine = Buckets.of([(ONE, b"1"), (SAME_BUCKET, b"2"), (ANOTHER, b"3")])
    theirs = Buckets.of(other)

    assert mine.differing(theirs) == theirs.differing(mine) == ["3f"]
