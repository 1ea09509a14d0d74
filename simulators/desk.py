"""The desk where files are handed in and answers asked for: takes a file whole, once."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from simulators.decided import Decided, Outcome
from simulators.journal import Block, Journal, Line
from simulators.refusals import Code, Refusal
from simulators.request_file import FILE_BYTES_MAX, Instruction, RequestReader, Whole

log = logging.getLogger(__name__)

Decide: TypeAlias = Callable[[Instruction, date], str]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A file is taken; `again` when the same bytes had been taken before."""

    block: Block
    again: bool


class Desk:
    """One desk of treasury or of a bank.

    `decide` answers an instruction on the file's date. It is asked while the file streams in, so
    that names and numbers are never kept; what it answered counts only when the file has proved
    whole. With `decided`, a reference keeps its first answer over all files.
    """

    def __init__(
        self,
        journal: Journal,
        decide: Decide,
        decided: Decided | None = None,
        *,
        answer_after_asks: int = 0,
    ) -> None:
        self._journal, self._decide, self._decided = journal, decide, decided
        self._answer_after_asks = answer_after_asks
        self._asked: Counter[str] = Counter()
        self._taken = {block.file_id: block for block in journal.blocks}

    async def take(
        self, reader: RequestReader, body: AsyncIterator[bytes], claim: Whole
    ) -> Receipt:
        """Take a file whole, or raise `Refusal` and keep nothing of it."""
        try:
            outcomes = await self._read(reader, body)
            whole = reader.proven(claim)
        except Refusal:
            await _drain(body)
            raise
        # Nothing awaits from here on, so of two uploads of one file the second finds the first.
        taken = self._taken.get(reader.file_id)
        if taken is None:
            return Receipt(self._keep(reader, whole, outcomes), again=False)
        if taken.whole != whole:
            raise Refusal(Code.FILE_CONTRADICTS)
        return Receipt(taken, again=True)

    def answer(self, file_id: str) -> tuple[Block, int] | None:
        """A taken file and how often its answer was given before; None while it is not ready."""
        block = self._taken.get(file_id)
        if block is None:
            raise Refusal(Code.UNKNOWN_FILE)
        before = self._asked[file_id] - self._answer_after_asks
        self._asked[file_id] += 1
        return (block, before) if before >= 0 else None

    async def _read(self, reader: RequestReader, body: AsyncIterator[bytes]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        async for chunk in body:
            for instruction in reader.feed(chunk):
                if instruction.reference in outcomes:
                    raise Refusal(Code.DUPLICATE_REFERENCE, reader.line)
                status = self._decide(instruction, reader.on)
                outcomes[instruction.reference] = (instruction.amount, status)
        return outcomes

    def _keep(self, reader: RequestReader, whole: Whole, outcomes: dict[str, Outcome]) -> Block:
        if self._decided:
            self._decided.refuse_contradictions(outcomes)
        lines = self._decided.lines(outcomes) if self._decided else _lines(outcomes)
        block = self._journal.take(reader.kind, reader.file_id, reader.on, whole, lines)
        if self._decided:
            self._decided.remember(outcomes)
        self._taken[block.file_id] = block
        log.info("taken file=%s records=%d sum=%d", block.file_id, whole.count, whole.sum)
        return block


def _lines(outcomes: dict[str, Outcome]) -> Iterator[Line]:
    for reference, (amount, status) in outcomes.items():
        yield Line(reference, amount, status)


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Read a refused file to its end, so that its sender gets to read the refusal."""
    left = FILE_BYTES_MAX
    async for chunk in body:
        left -= len(chunk)
        if left < 0:
            return
