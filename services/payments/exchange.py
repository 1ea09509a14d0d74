"""Files out and answers in: the treasury's account check, and the banks' credits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import asyncpg

from libs.events.ahead import ahead
from libs.events.errors import CorridorError
from libs.events.positions import positions
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC
from services.payments.domain.ids import (
    bank_file_id,
    check_file_id,
)
from services.payments.domain.payment_messages import (
    Command,
    Credit,
    FailAccountCheck,
    FailTransfer,
)
from services.payments.domain.run_file_messages import (
    BankFileSent,
    RecordAccountCheck,
    RecordBankResult,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run_messages import (
    MarkCredited,
)
from services.payments.domain.totals import Totals
from services.payments.files import (
    CREDITED,
    OK,
    Answer,
    AnswerIncomplete,
    FileOf,
    Rendered,
    Renderer,
    read_answer,
)
from services.payments.joining import on
from services.payments.money import pay, run
from services.payments.outside import Outside
from services.payments.parked import families_parked
from services.payments.progress import Job, books_of, payable_lines

BANKS_AT_ONCE: Final = 2  # one is on the wire or in the database while another is worked on

# A row at a time by its key: joined, it may be planned as a walk through the whole run each time.
_CHECKED: Final = """
UPDATE run_line SET account_check = $4 WHERE tahap = $1 AND kind = $2 AND payment = $3
"""
_ANSWERED: Final = """
UPDATE run_line SET answer = $4 WHERE tahap = $1 AND kind = $2 AND payment = $3
"""


class HoldsParked(CorridorError):
    """What was decided of these families' money is parked here; replay it before money is sent."""


@dataclass(slots=True)
class Exchange:
    """Sends a run's files and takes the answers, which may come twice and are taken once."""

    store: Store
    renderer: Renderer
    outside: Outside
    heads: dict[tuple[str, str], int] = field(default_factory=dict)
    """By run, conditionality's head when it was first asked."""
    informed: set[tuple[str, str]] = field(default_factory=set)

    def forget(self, key: tuple[str, str]) -> None:
        """A run (tahap, kind) is over."""
        self.heads.pop(key, None)
        self.informed.discard(key)

    async def check(self, job: Job) -> bool:
        """Have the treasury check the accounts; answers whether that went on."""
        tahap, kind = job.key
        file = check_file_id(tahap, kind)
        day = job.announced.account_check_date
        which = FileOf(tahap, kind, file, None, day)
        sent = job.state.check_file(file)
        if sent is None:
            rendered = await self.renderer.measure(which)
            if rendered is None:
                return False
            send = SendAccountCheck(file, *_figures(rendered))
            async with self.store.transaction(on(day, job.trace)) as unit:
                await run(unit, tahap, kind, send)
            return True
        known = Rendered(sent.first, sent.last, Totals(sent.count, sent.rupiah), sent.sha256)
        body = await self.outside.answer_to(which, known, self.renderer)
        self.renderer.forget(which)
        if body is None:
            return False
        answers = read_answer(which, body)
        passed = await self._apply_checks(job, which, answers)
        failed = Totals(sent.count - passed.count, sent.rupiah - passed.rupiah)
        record = RecordAccountCheck(file, _sha256(body), passed, failed)
        async with self.store.transaction(on(day, job.trace)) as unit:
            await run(unit, tahap, kind, record)
        return True

    async def _apply_checks(self, job: Job, which: FileOf, answers: Mapping[str, Answer]) -> Totals:
        """Write each answer to its line; a failing one is an event. Harmless when repeated."""
        passed, seen = Totals(), 0
        async with ahead(payable_lines(self.store, job.key)) as chunks:
            async for lines in chunks:
                _require_answers(which, lines, answers)
                found = [(row["payment"], answers[row["payment"]]) for row in lines]
                async with self.store.transaction(on(which.day, job.trace)) as unit:
                    await pay(
                        unit, [(p, FailAccountCheck(a.code)) for p, a in found if a.code != OK]
                    )
                    await unit.connection.executemany(_CHECKED, _codes(job, found))
                good = [row["amount"] for row in lines if answers[row["payment"]].code == OK]
                passed += Totals(len(good), sum(good))
                seen += len(lines)
        if seen != len(answers):
            raise AnswerIncomplete(file=which.file, asked=seen, answered=len(answers))
        return passed

    # -- Banks

    async def transfer(self, job: Job) -> bool:
        """A step of each bank that is not done: commit to its file, send it, take its answer."""
        banks = await self.store.pool.fetch(
            """SELECT DISTINCT bank FROM run_line
               WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' AND deferred IS NULL
               ORDER BY bank""",
            *job.key,
        )
        day = job.announced.credit_date
        files = [
            FileOf(*job.key, bank_file_id(*job.key, row["bank"]), row["bank"], day) for row in banks
        ]
        waiting = [which for which in files if job.state.result(which.file) is None]
        if not waiting:
            return await self._credited(job)
        turns = asyncio.Semaphore(BANKS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as at_work:
                banks_at_work = [
                    at_work.create_task(self._in_turn(turns, job, which)) for which in waiting
                ]
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        ends = [each.result() for each in banks_at_work]
        if any(moved for moved, _ in ends):
            return True
        # The other banks go on; one's trouble is told when they have nothing to do.
        for _, trouble in ends:
            if trouble is not None:
                raise trouble
        return False

    async def _in_turn(
        self, turns: asyncio.Semaphore, job: Job, which: FileOf
    ) -> tuple[bool, CorridorError | None]:
        """(whether a bank's file went on, what is in its way)."""
        async with turns:
            try:
                return await self._bank(job, which), None
            except CorridorError as error:
                return False, error

    async def _bank(self, job: Job, which: FileOf) -> bool:
        sent = job.state.bank_file(which.file)
        if sent is None:
            rendered = await self.renderer.measure(which)
            if rendered is None:
                return False
            send = SendBankFile(which.bank or "", which.file, *_figures(rendered))
            async with self.store.transaction(on(which.day, job.trace)) as unit:
                await run(unit, *job.key, send)
            return True
        if not await self._holds_are_known(job):
            return False
        known = Rendered(sent.first, sent.last, Totals(sent.count, sent.rupiah), sent.sha256)
        body = await self.outside.answer_to(which, known, self.renderer)
        self.renderer.forget(which)
        if body is None:
            return False
        answers = read_answer(which, body)
        credited = await self._apply_answers(job, which, answers)
        await self._record(job, sent, _sha256(body), credited)
        return True

    async def _holds_are_known(self, job: Job) -> bool:
        """Whether what conditionality had decided when it was first asked is taken in here."""
        if job.key not in self.informed:
            now = await self.outside.conditionality()
            # Its head moves on while we wait; a hold decided behind this one came after the money.
            if now.relayed < self.heads.setdefault(job.key, now.head):
                return False
            if not (await positions(self.store)).has_consumed(now):
                return False
            self.informed.add(job.key)
        async with self.store.looking() as unit:
            parked = await families_parked(unit, COMMITMENT_TOPIC)
            held_up = await _lines_among(unit, *job.key, parked) if parked else 0
        if held_up:
            raise HoldsParked(families=held_up)
        return True

    async def _apply_answers(
        self, job: Job, which: FileOf, answers: Mapping[str, Answer]
    ) -> Totals:
        credited, seen = Totals(), 0
        mine = payable_lines(self.store, job.key, checked=True, bank=which.bank)
        async with ahead(mine) as chunks:
            async for lines in chunks:
                _require_answers(which, lines, answers)
                found = [(row["payment"], answers[row["payment"]]) for row in lines]
                async with self.store.transaction(on(which.day, job.trace)) as unit:
                    await pay(unit, [(payment, _answered(answer)) for payment, answer in found])
                    await unit.connection.executemany(_ANSWERED, _codes(job, found))
                good = [row["amount"] for row in lines if answers[row["payment"]].code == CREDITED]
                credited += Totals(len(good), sum(good))
                seen += len(lines)
        if seen != len(answers):
            raise AnswerIncomplete(file=which.file, asked=seen, answered=len(answers))
        return credited

    async def _record(self, job: Job, sent: BankFileSent, digest: str, credited: Totals) -> None:
        failed = Totals(sent.count - credited.count, sent.rupiah - credited.rupiah)
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            result = RecordBankResult(sent.file, digest, credited, failed)
            await run(unit, *job.key, result)

    async def _credited(self, job: Job) -> bool:
        """Every bank has answered: say that each payment has its own event for it."""
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            books = await books_of(unit, *job.key)
            mark = MarkCredited(books.get("CREDITED", Totals()), books.get("FAILED", Totals()))
            await run(unit, *job.key, mark)
        return True


async def _lines_among(unit: Transaction, tahap: str, kind: str, families: Collection[str]) -> int:
    """How many of some families have a line in a run."""
    found: int = await unit.connection.fetchval(
        """SELECT count(*) FROM payment_of
           WHERE tahap = $1 AND kind = $2 AND family = ANY($3::uuid[])""",
        tahap,
        kind,
        list(families),
    )
    return found


def _require_answers(
    which: FileOf, lines: Sequence[asyncpg.Record], answers: Mapping[str, Answer]
) -> None:
    for row in lines:
        answer = answers.get(row["payment"])
        if answer is None or (answer.amount is not None and answer.amount != row["amount"]):
            raise AnswerIncomplete(file=which.file, payment=row["payment"])


def _answered(answer: Answer) -> Command:
    if answer.code == CREDITED:
        return Credit(answer.reference, answer.amount or 0)
    return FailTransfer(answer.code, answer.amount or 0)


def _codes(job: Job, found: Sequence[tuple[str, Answer]]) -> list[tuple[str, str, str, str]]:
    return [(*job.key, payment, answer.code) for payment, answer in found]


def _figures(rendered: Rendered) -> tuple[str, str, int, int, str]:
    totals = rendered.totals
    return rendered.first, rendered.last, totals.count, totals.rupiah, rendered.sha256


def _sha256(body: bytes) -> str:
    return sha256(body).hexdigest()
