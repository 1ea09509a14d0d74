"""Records that a Kafka client has fetched, taken out by whole batches.

The library hands out records one by one through a generator, and makes an object of each that is
taken apart again at once: half of what reading costs. A batch of the broker is read in one go here.
Everything else stays the library's: requests, positions, seeks, rebalances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException

log = structlog.get_logger("kafka")


def fetch_whole_batches(consumer: AIOKafkaConsumer) -> None:
    """Have a started consumer's `getmany` answer lists of records, each a batch of the broker.

    Its `max_records` then is the most of such lists.
    """
    fetcher = consumer._fetcher  # noqa: SLF001 - no other way to what it has fetched
    fetcher._records = Fetched(fetcher._records)  # noqa: SLF001


class Fetched(dict[Any, Any]):
    """{partition: what came of it, or why nothing did}, as the library keeps it."""

    def __init__(self, there: dict[Any, Any]) -> None:
        super().__init__()
        for partition, found in there.items():
            self[partition] = found

    def __setitem__(self, partition: Any, found: Any) -> None:
        if isinstance(found, FetchResult):
            found._partition_records = WholeBatches(found._partition_records)  # noqa: SLF001
        super().__setitem__(partition, found)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """In the place of a batch that is none of ours: a record of which nothing is known."""

    offset: int
    key: None = None
    value: bytes = b""
    headers: tuple[()] = ()


def taken_apart(batch: Any) -> list[Any]:
    """The records of a batch that came as it was sent.

    The library gives up where a header's name is no text or the batch is compressed as nobody
    knows, and would give up again each time; brokers take such a batch from whoever may write.
    """
    try:
        return list(batch)
    except Exception as error:  # noqa: BLE001 - whatever reading and unpacking may raise
        log.warning("batch unreadable", kind=type(error).__name__, before=batch.next_offset)
        return [Unreadable(batch.next_offset - 1)]


class WholeBatches:
    """The batches of one answer for one partition, each as the list of its records.

    `next_fetch_offset` is the library's: by it a seek is noticed, and where to go on from.
    """

    def __init__(self, fetched: PartitionRecords) -> None:
        self._partition = fetched._tp  # noqa: SLF001 - this stands in for it, from what it holds
        self._batches = fetched._records  # noqa: SLF001 - likewise
        self._corrupt = False
        self.next_fetch_offset: int = fetched.next_fetch_offset

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        while not self._corrupt and self._batches.has_next():
            batch = self._batches.next_batch()
            if not batch.validate_crc():
                self._corrupt = True  # nothing behind it is taken: all of it is fetched again
                raise CorruptRecordException(f"Invalid CRC - {self._partition}")
            first, self.next_fetch_offset = self.next_fetch_offset, batch.next_offset
            records = [] if batch.is_control_batch else taken_apart(batch)
            if records and records[0].offset < first:  # the answer begins with a whole batch
                records = [record for record in records if record.offset >= first]
            if records:
                return records
        raise StopIteration
