"""Files out and answers in: the treasury's account check and its funds, and the banks' credits.

Each partner's part of a run is an item of its own: one that is silent, refuses or answers what was
not agreed is tried again later, and holds up neither the other banks nor other runs. A word that
cannot be a partner's own stops its part until a person has judged it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from libs.events.workers.prefetch import prefetch
from services.payments.contract import RUN
from services.payments.domain.payment.messages import (
    Command,
    Credit,
    FailAccountCheck,
    FailTransfer,
)
from services.payments.domain.run.messages import (
    AccountCheckSent,
    BankFileSent,
    MarkCredited,
    PaymentOrdered,
    RecordAccountCheck,
    RecordBankResult,
    RecordFundsRelease,
    ReportIncident,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run.state import totals_of
from services.payments.domain.shared.ids import file_id
from services.payments.domain.shared.totals import Totals
from services.payments.partners.answers import (
    TREASURY,
    Answer,
    AnswerIncomplete,
    PartnerIncident,
    Verdict,
    read_answer,
    require_closed,
    require_judged,
)
from services.payments.partners.client import Outside
from services.payments.partners.files import FileOf, LinesClosed, Rendered, Renderer
from services.payments.partners.in_flight import InFlight
from services.payments.partners.upstream import Upstream
from services.payments.tables.deferrals import take_out, withdraw
from services.payments.tables.holds import alone_with_run, defer_held, defer_parked
from services.payments.tables.list_lines import LINES_A_CHUNK, NotAsApproved
from services.payments.tables.payments import PaymentCommands, books_wait, pay_or_set_aside, run
from services.payments.tables.run_lines import (
    EXCHANGE,
    Job,
    RunMovedMeanwhile,
    books_of,
    payable_lines,
    run_item,
)
from services.payments.tables.unanswered import keep_late_answers, keep_unanswered

BANKS_AT_ONCE: Final = 2  # one is on the wire or in the database while another is worked on
DRAWN_BYTES: Final = 16
"""Of the end of a file's id. In base 32 it never looks like a person's number."""

# A row at a time by its key: joined, it may be planned as a walk through the whole run each time.
_CHECKED: Final = """
UPDATE run_line SET account_check = $4 WHERE tahap = $1 AND kind = $2 AND payment = $3
"""
_ANSWERED: Final = """
UPDATE run_line SET answer = $4 WHERE tahap = $1 AND kind = $2 AND payment = $3
"""


class FileMoved(CorridorError):
    """Lines have left this file since it was measured; it is measured anew."""


@dataclass(slots=True)
class Exchange:
    """Sends a run's files and takes the answers, which may come twice and are taken once."""

    store: Store
    renderer: Renderer
    outside: Outside
    in_flight: InFlight = field(default_factory=InFlight)
    upstream: Upstream = field(init=False)
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.upstream = Upstream(self.store, self.outside)
        self.backoff = Backoff(self.store, EXCHANGE, raised=(NotAsApproved,))

    async def forget(self, key: tuple[str, str]) -> None:
        """A run (tahap, kind) is over."""
        self.upstream.forget(key)
        await self.backoff.forget(lambda item: item.startswith(f"{run_item(*key)} "))

    async def forget_all_but(self, runs: Collection[str]) -> None:
        """Only these runs, by their items, are open; others may have ended with their tahap."""
        await self.backoff.forget(lambda item: item.rpartition(" ")[0] not in runs)

    async def _attempt(self, job: Job, partner: str, step: Callable[[], Awaitable[bool]]) -> bool:
        """A step with a partner, unless its part of the run rests; answers whether it went on."""
        return await self.backoff.attempt(
            f"{run_item(*job.key)} {partner}", partial(self._unless_incident, job, partner, step)
        )

    async def _unless_incident(
        self, job: Job, partner: str, step: Callable[[], Awaitable[bool]]
    ) -> bool:
        require_judged(job.state, partner)
        try:
            return await step()
        except PartnerIncident as incident:
            async with self.store.transaction(job.on(job.day)) as unit:
                await alone_with_run(unit, job)
                await run(unit, *job.key, ReportIncident(partner, str(incident)))
            raise

    # -- The treasury

    async def check(self, job: Job) -> bool:
        """Have the treasury check the accounts; answers whether that went on."""
        return await self._attempt(job, TREASURY, partial(self._check, job))

    async def _check(self, job: Job) -> bool:
        which = _file(job, None)
        file, sent = which.file, job.state.check_file(which.file)
        if sent is None:
            return await self._commit(job, which)
        body = await self._answer(job, which, sent)
        if body is None:
            return False
        answers = read_answer(which, _rendered(sent), body)
        await self._require_whole(job, which, answers)
        let_go = job.state.left_unanswered
        asked = {payment: answer for payment, answer in answers.items() if payment not in let_go}
        still_open = [p for p, answer in asked.items() if answer.verdict is Verdict.OPEN]
        if still_open:
            async with self.store.transaction(job.on(which.day)) as unit:
                await alone_with_run(unit, job)
                await keep_unanswered(unit, job.key, still_open, let_go)
        require_closed(which, asked)
        passed = await self._apply_checks(job, which, answers)
        failed = totals_of(sent) - job.state.unanswered - passed
        record = RecordAccountCheck(file, sha256(body).hexdigest(), passed, failed)
        async with self.store.transaction(job.on(which.day)) as unit:
            await alone_with_run(unit, job)
            await run(unit, *job.key, record)
            await keep_unanswered(unit, job.key, (), let_go)
            await keep_late_answers(unit, job.key, _late(job, answers))
        return True

    async def late_answers(self, job: Job) -> None:
        """Look once more what the treasury says of the lines that were let go without an answer.

        Nothing follows from it: the supplementary run that pays them asks for itself.
        """
        if job.state.left_unanswered:
            await self._attempt(job, TREASURY, partial(self._late_answers, job))

    async def _late_answers(self, job: Job) -> bool:
        for sent in job.state.checks:
            which = FileOf(*job.key, sent.file, None, job.announced.account_check_date)
            rendered = _rendered(sent)
            ask = partial(self.outside.answer_known, which, rendered)
            body = await self.in_flight.ended(which.file, ask)
            words = _late(job, read_answer(which, rendered, body)) if body is not None else {}
            async with self.store.transaction(job.on(which.day)) as unit:
                await keep_late_answers(unit, job.key, words)
        return True

    async def _apply_checks(self, job: Job, which: FileOf, answers: Mapping[str, Answer]) -> Totals:
        """Write each answer to its line; a failing one is an event. Harmless when repeated."""
        passed = Totals()
        async with prefetch(payable_lines(self.store, job.key)) as chunks:
            async for lines in chunks:
                found = [(row["payment"], answers[row["payment"]]) for row in lines]
                failing = [
                    PaymentCommands(job.key, p, (FailAccountCheck(a.word),))
                    for p, a in found
                    if a.verdict is Verdict.NO
                ]
                async with self.store.transaction(job.on(which.day)) as unit:
                    await alone_with_run(unit, job)
                    await _nobody_left(unit, job)
                    await pay_or_set_aside(unit, failing)
                    await unit.connection.executemany(_CHECKED, _words(job, found))
                good = [x["amount"] for x in lines if answers[x["payment"]].verdict is Verdict.YES]
                passed += Totals(len(good), sum(good))
        return passed

    async def release_funds(self, job: Job, order: PaymentOrdered) -> bool:
        """Have the treasury release what is ordered; answers whether it has."""
        release = partial(self._release_funds, job, order)
        return await self._attempt(job, TREASURY, release)

    async def _release_funds(self, job: Job, order: PaymentOrdered) -> bool:
        ask = partial(self.outside.release_funds, order)
        number = await self.in_flight.ended(order.order, ask)
        if number is None:
            return False
        async with self.store.transaction(job.on(job.announced.credit_date)) as unit:
            await alone_with_run(unit, job)
            figures = order.hash, order.count, order.rupiah
            await run(unit, *job.key, RecordFundsRelease(order.order, number, *figures))
        return True

    # -- Files

    async def _commit(self, job: Job, which: FileOf) -> bool:
        """Commit to a file before it is sent; lines that cannot be opened leave the run first."""
        try:
            rendered = await self.renderer.measure(which)
        except LinesClosed as closed:
            again = any(void.file == which.file for void in job.state.withdrawn)
            async with self.store.transaction(job.on(which.day)) as unit:
                await alone_with_run(unit, job)
                if again:
                    await withdraw(unit, job.key, which.file, closed.lines)
                else:
                    await take_out(unit, job.key, closed.lines)
            return True
        if rendered is None:
            return False
        await self._commit_rendered(job, which, rendered)
        return True

    async def _commit_rendered(self, job: Job, which: FileOf, rendered: Rendered) -> None:
        """Commit to a file as it was measured: the last moment of a hold.

        Where a held family stands in it, or one of whom a decision is parked, its line leaves the
        run instead, and the file is to be measured anew. Raises `FileMoved` where lines left it
        otherwise, by another leader.
        """
        async with self.store.transaction(job.on(which.day)) as unit:
            await alone_with_run(unit, job)
            if await defer_held(unit, job.key, job.day, which.bank):
                return
            if which.bank is not None and await defer_parked(unit, job.key, which.bank):
                return
            if await _stands(unit, which) != rendered.totals:
                raise FileMoved(file=which.file)
            await run(unit, *job.key, _sending(which, rendered))

    async def _answer(
        self, job: Job, which: FileOf, sent: AccountCheckSent | BankFileSent
    ) -> bytes | None:
        """The partner's answer to a file, None while it is at work.

        Where the partner never took the file, and it can no longer be rendered as it was committed,
        it is withdrawn without the lines that are closed, and committed anew by the next step.
        """
        ask = partial(self.outside.answer_to, which, _rendered(sent), self.renderer)
        try:
            body = await self.in_flight.ended(which.file, ask)
        except LinesClosed as closed:
            async with self.store.transaction(job.on(which.day)) as unit:
                await alone_with_run(unit, job)
                await withdraw(unit, job.key, which.file, closed.lines)
            return None
        if body is not None:
            self.renderer.forget(which)
        return body

    async def _require_whole(self, job: Job, which: FileOf, answers: Mapping[str, Answer]) -> None:
        """Raise `AnswerIncomplete` unless exactly a file's lines are answered, each as it was sent.

        All of them, before any counts: of an answer that is not whole, nothing is taken. Lines that
        were let go without an answer stand in the check's file as before.
        """
        let_go = job.state.left_unanswered & answers.keys() if which.bank is None else set()
        asked = job.state.unanswered.count if which.bank is None else 0
        if len(let_go) != asked:
            raise AnswerIncomplete(file=which.file, let_go=asked, answered=len(let_go))
        mine = payable_lines(self.store, job.key, checked=bool(which.bank), bank=which.bank)
        async with prefetch(mine) as chunks:
            async for lines in chunks:
                asked += len(lines)
                for row in lines:
                    answer = answers.get(row["payment"])
                    if answer is None or answer.amount not in (None, row["amount"]):
                        raise AnswerIncomplete(file=which.file, payment=row["payment"])
        if asked != len(answers):
            raise AnswerIncomplete(file=which.file, asked=asked, answered=len(answers))

    # -- Banks

    async def transfer(self, job: Job) -> bool:
        """A step of each bank that is not done: commit to its file, send it, take its answer."""
        banks = await self.store.pool.fetch(
            """SELECT DISTINCT bank FROM run_line
               WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' AND deferred IS NULL
               ORDER BY bank""",
            *job.key,
        )
        files = [_file(job, row["bank"]) for row in banks]
        waiting = [which for which in files if not job.state.answered_whole(which.file)]
        if not waiting:
            return await self._credited(job)
        turns, refused = asyncio.Semaphore(BANKS_AT_ONCE), list[NotAsApproved]()
        try:
            async with asyncio.TaskGroup() as at_work:
                banks_at_work = [
                    at_work.create_task(self._in_turn(turns, refused, job, which))
                    for which in waiting
                ]
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        if refused:
            raise refused[0]
        return any(task.result() for task in banks_at_work)

    async def _in_turn(
        self, turns: asyncio.Semaphore, refused: list[NotAsApproved], job: Job, which: FileOf
    ) -> bool:
        async with turns:
            try:
                return await self._attempt(
                    job, which.bank or TREASURY, partial(self._bank, job, which)
                )
            except NotAsApproved as error:  # the others have their turn all the same
                refused.append(error)
                return False

    async def _bank(self, job: Job, which: FileOf) -> bool:
        sent = job.state.bank_file(which.file)
        if sent is None:
            # What is decided and not known here by now is known or parked when the file is made.
            if not await self.upstream.holds_are_consumed(job):
                return False
            return await self._commit(job, which)
        body = await self._answer(job, which, sent)
        if body is None:
            return False
        answers = read_answer(which, _rendered(sent), body)
        await self.book(job, which, sha256(body).hexdigest(), answers)
        require_closed(which, answers)
        return True

    async def book(
        self, job: Job, which: FileOf, evidence: str, answers: Mapping[str, Answer]
    ) -> None:
        """Book what a bank says of its file: each payment's event and ledger row, then the run's.

        `evidence` is the SHA-256 of the answer's bytes. Lines that are open stay as they are.
        Harmless when repeated; raises `AnswerIncomplete` before anything is booked.
        """
        await self._require_whole(job, which, answers)
        closed = [(p, a) for p, a in answers.items() if a.verdict is not Verdict.OPEN]
        for first in range(0, len(closed), LINES_A_CHUNK):
            chunk = closed[first : first + LINES_A_CHUNK]
            async with self.store.transaction(job.on(which.day)) as unit:
                # The money has moved: what a payment does not take is kept, never dropped.
                await pay_or_set_aside(
                    unit, [PaymentCommands(job.key, p, (_answered(a),)) for p, a in chunk]
                )
                await unit.connection.executemany(_ANSWERED, _words(job, chunk))
        credited, failed = (
            [a.amount or 0 for _, a in closed if a.verdict is verdict]
            for verdict in (Verdict.YES, Verdict.NO)
        )
        figures = Totals(len(credited), sum(credited)), Totals(len(failed), sum(failed))
        async with self.store.transaction(job.on(which.day)) as unit:
            await run(unit, *job.key, RecordBankResult(which.file, evidence, *figures))

    async def _credited(self, job: Job) -> bool:
        """Every bank has answered: say that each payment has its own event for it."""
        async with self.store.transaction(job.on(job.announced.credit_date)) as unit:
            await alone_with_run(unit, job)
            if await books_wait(unit, job.key):
                return False
            books = await books_of(unit, job)
            mark = MarkCredited(books.get("CREDITED", Totals()), books.get("FAILED", Totals()))
            await run(unit, *job.key, mark)
        return True


def _sending(which: FileOf, rendered: Rendered) -> SendAccountCheck | SendBankFile:
    totals = rendered.totals
    figures = rendered.first, rendered.last, totals.count, totals.rupiah, rendered.sha256
    if which.bank is None:
        return SendAccountCheck(which.file, *figures)
    return SendBankFile(which.bank, which.file, *figures)


async def _stands(unit: Transaction, which: FileOf) -> Totals:
    """The count and rupiah that the lines of a file come to now."""
    row = await unit.connection.fetchrow(
        """SELECT count(*) AS count, coalesce(sum(amount), 0)::bigint AS rupiah FROM run_line
           WHERE tahap = $1 AND kind = $2 AND payable AND deferred IS NULL
             AND ($3::text IS NULL OR (bank = $3 AND account_check = 'OK'))""",
        which.tahap,
        which.kind,
        which.bank,
    )
    return Totals(**row) if row else Totals()


async def _nobody_left(unit: Transaction, job: Job) -> None:
    """Raise `RunMovedMeanwhile` where two people have let lines of the check go since we looked."""
    stream = RUN.stream(*job.key)
    state = (await unit.load(RUN, [stream]))[stream].state
    if state.unanswered != job.state.unanswered:
        raise RunMovedMeanwhile(tahap=job.announced.tahap, kind=job.paid.kind)


def _late(job: Job, answers: Mapping[str, Answer]) -> dict[str, str]:
    """The treasury's words about lines that were let go, where it has said yes or no since."""
    let_go = job.state.left_unanswered & answers.keys()
    return {
        payment: answers[payment].word
        for payment in let_go
        if answers[payment].verdict is not Verdict.OPEN
    }


def _rendered(sent: AccountCheckSent | BankFileSent) -> Rendered:
    return Rendered(sent.first, sent.last, totals_of(sent), sent.sha256)


def _file(job: Job, bank: str | None) -> FileOf:
    """The file of a run to a bank, or to the treasury: under its id once it was committed, else
    under a new one, which nobody can know before we ask for it."""
    day = job.announced.account_check_date if bank is None else job.announced.credit_date
    drawn = base64.b32encode(token_bytes(DRAWN_BYTES)).decode().rstrip("=")
    new = file_id(*job.key, bank, job.announced.revision, drawn)
    return FileOf(*job.key, job.state.file_of(bank) or new, bank, day)


def _answered(answer: Answer) -> Command:
    if answer.verdict is Verdict.YES:
        return Credit(answer.reference, answer.amount or 0)
    return FailTransfer(answer.word, answer.amount or 0)


def _words(job: Job, found: Sequence[tuple[str, Answer]]) -> list[tuple[str, str, str, str]]:
    return [(*job.key, payment, answer.word) for payment, answer in found]
