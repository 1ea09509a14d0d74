from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simulators.journal import Block, Cancelled, Journal, JournalBroken, Line, Order
from simulators.refusals import Code, Refusal
from simulators.request_file import Kind, Whole
from tests.unit.simulators.given import ON

LINES = [
    Line("one", 1_350_000, "CREDITED"),
    Line("two", 225_000, "ACCOUNT_CLOSED"),
    Line("three", 5, "CREDITED", repeated=True),
]
WHOLE = Whole(3, 1_575_005, "A" * 43 + "=")
ORDER = Order("SPM-2023-1", 2, 1_575_000, "f" * 64, "123456789012345")
CANCELLED = Cancelled("SPM-2023-1", 2, 1_575_000, "f" * 64, ORDER.sp2d, "987654321098765")


def take(journal: Journal, file_id: str = "2023-1-BNI") -> Block:
    return journal.take(Kind.CREDIT, file_id, ON, WHOLE, LINES)


def reopened(journal: Journal) -> Journal:
    journal.close()
    return Journal(journal.path)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "BNI.journal")


def test_what_was_taken_is_read_again(journal: Journal) -> None:
    blocks = [take(journal), take(journal, "2023-2-BNI")]
    journal.release(ORDER)
    journal.cancel(CANCELLED)

    again = reopened(journal)

    assert again.blocks == blocks
    assert [list(again.lines(block)) for block in again.blocks] == [LINES, LINES]
    assert (again.orders, again.cancelled) == ([ORDER], [CANCELLED])


def test_a_new_start_goes_on_where_the_last_one_ended(journal: Journal) -> None:
    take(journal)
    again = reopened(journal)
    take(again, "2023-2-BNI")

    assert [block.file_id for block in reopened(again).blocks] == ["2023-1-BNI", "2023-2-BNI"]


def test_a_journal_reads_as_its_layout_says(journal: Journal) -> None:
    take(journal)
    first, *lines, last = journal.path.read_text().splitlines()

    assert first.startswith("F,1,CREDIT,2023-1-BNI,2023-04-20,20")
    assert first.endswith(f"+00:00,sha-256=:{WHOLE.digest}:")
    assert lines == [
        "L,one,1350000,CREDITED",
        "L,two,225000,ACCOUNT_CLOSED",
        "R,three,5,CREDITED",
    ]
    assert last == "E,1,3,1575005"


def test_a_block_that_a_crash_left_half_written_never_happened(journal: Journal) -> None:
    first = take(journal)
    size = journal.path.stat().st_size
    take(journal, "2023-2-BNI")
    journal.close()
    written = journal.path.read_bytes()

    for cut in range(size, len(written)):
        journal.path.write_bytes(written[:cut])
        again = Journal(journal.path)
        assert again.blocks == [first]
        assert take(again, "2023-2-BNI").file_id == "2023-2-BNI"
        again.close()
        journal.path.write_bytes(written[:size])


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace(b"L,one", b"X,one", 1), id="record"),
        pytest.param(lambda text: text.replace(b"E,1,3,", b"E,1,4,", 1), id="count"),
        pytest.param(lambda text: text.replace(b"L,two,225000", b"L,two,225001", 1), id="amount"),
        pytest.param(lambda text: text.replace(b"F,1,", b"F,7,", 1), id="number"),
        pytest.param(lambda text: text[text.index(b"E,1") :], id="beginning lost"),
    ],
)
def test_a_damaged_journal_is_not_gone_on_with(
    journal: Journal, damage: Callable[[bytes], bytes]
) -> None:
    take(journal)
    take(journal, "2023-2-BNI")
    journal.close()
    journal.path.write_bytes(damage(journal.path.read_bytes()))

    with pytest.raises(JournalBroken, match="damaged"):
        Journal(journal.path)


def test_two_processes_do_not_write_one_journal(journal: Journal) -> None:
    with pytest.raises(JournalBroken, match="another process"):
        Journal(journal.path)


class FullDisk:
    """A disk that takes so many bytes and then no more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, bytes_left: int) -> None:
        self.bytes_left = bytes_left
        self._write = os.write
        monkeypatch.setattr(os, "write", self.write)

    def write(self, descriptor: int, data: bytearray) -> int:
        if self.bytes_left == 0:
            raise OSError(28, "No space left on device")
        written = self._write(descriptor, bytes(data[: min(self.bytes_left, 100)]))
        self.bytes_left -= written
        return written


def test_a_full_disk_takes_nothing_and_heals_when_there_is_room(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take(journal)
    disk = FullDisk(monkeypatch, bytes_left=40)
    with pytest.raises(Refusal) as refusal:
        take(journal, "2023-2-BNI")
    assert refusal.value.code is Code.JOURNAL_FAILED
    assert len(journal.path.read_bytes()) == journal.path.read_bytes().index(b"E,1") + 14

    disk.bytes_left = 10_000
    second = take(journal, "2023-2-BNI")

    assert reopened(journal).blocks == [first, second]


def test_a_journal_that_can_not_be_forced_to_disk_acknowledges_nothing_more(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        for _ in range(2):
            with pytest.raises(Refusal, match="JOURNAL_FAILED"):
                take(journal)
    with pytest.raises(Refusal, match="JOURNAL_FAILED"):
        take(journal)

    assert reopened(journal).blocks == []
