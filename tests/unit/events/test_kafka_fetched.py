"""A broker's answer is taken by whole batches, and is what the library finds in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from libs.events.bus import batched
from libs.events.bus.kafka_fetched import WholeBatches

PLACE = TopicPartition("purse.v1", 3)


def packed(first: int, count: int) -> bytes:
    """A batch as a broker keeps it, its records numbered on from `first`."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 100_000)
    for at in range(count):
        offset = b"%d" % (first + at)
        builder.append(at, 0, b"key" + offset, b"value" + offset, [("n", offset), ("none", None)])
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def fetched(answer: bytes, offset: int = 0) -> PartitionRecords:
    return PartitionRecords(PLACE, MemoryRecords(answer), None, offset, None, None, True, 0)


def offsets(batches: Iterable[Sequence[Any]]) -> list[list[int]]:
    return [[record.offset for record in batch] for batch in batches]


def test_records_are_what_the_library_makes_of_them() -> None:
    answer = packed(0, 3) + packed(3, 2)

    by_one = list(fetched(answer))
    by_batches = chain.from_iterable(WholeBatches(fetched(answer)))

    assert list(batched("purse.v1", 3, by_batches)) == list(batched("purse.v1", 3, by_one))


def test_each_batch_is_a_list_and_what_comes_next_lies_behind_the_last() -> None:
    batches = WholeBatches(fetched(packed(0, 3) + packed(7, 2)))

    assert offsets(batches) == [[0, 1, 2], [7, 8]]
    assert batches.next_fetch_offset == 9


def test_a_batch_that_began_before_what_was_asked_for_is_cut() -> None:
    assert offsets(WholeBatches(fetched(packed(0, 3) + packed(3, 2), offset=2))) == [[2], [3, 4]]


def test_a_batch_that_lies_before_what_was_asked_for_is_passed() -> None:
    assert offsets(WholeBatches(fetched(packed(0, 3) + packed(3, 2), offset=3))) == [[3, 4]]


def test_nothing_is_taken_from_behind_a_batch_that_is_damaged() -> None:
    damaged = bytearray(packed(3, 2))
    damaged[-1] ^= 1
    batches = WholeBatches(fetched(packed(0, 3) + bytes(damaged) + packed(5, 2)))

    assert offsets([next(batches)]) == [[0, 1, 2]]
    with pytest.raises(CorruptRecordException):
        next(batches)

    assert list(batches) == []
    assert batches.next_fetch_offset == 3
