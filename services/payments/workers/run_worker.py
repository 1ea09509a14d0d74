"""The leader's second work: take each frozen list through its documents and files to the banks.

A step is seconds of work; what was committed is never done again, and what the outside
was asked before a crash is asked again under the same id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import asyncpg

from libs.events.store.handle import handle
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from libs.events.workers.prefetch import prefetch
from services.payments.contract import RUN, TAHAP
from services.payments.domain.payment.messages import Instruct, TakeOut
from services.payments.domain.run.messages import DeferredLine, OpenRun, Reconcile
from services.payments.domain.run.state import RunState, RunStep
from services.payments.domain.shared.totals import Totals
from services.payments.domain.tahap.messages import CloseTahap, MarkRunReconciled
from services.payments.partners.answers import OK
from services.payments.policy import Policies
from services.payments.tables.deferrals import reserve, take_out
from services.payments.tables.holds import alone_with_run, defer_held, lapsing
from services.payments.tables.list_lines import NOBODY
from services.payments.tables.payments import PaymentCommands, books_wait, pay_by_halves, run
from services.payments.tables.run_lines import PAYER, Job, books_of, move, payable_lines, run_item
from services.payments.workers.dues import frozen_chunks
from services.payments.workers.entitle import entitle_chunk, mark_entitled
from services.payments.workers.partner_exchange import Exchange
from services.payments.workers.ready_lists import table_of
from services.payments.workers.set_aside_retry import SetAsideRetry

INSTRUCT: Final = "INSTRUCT"
CANNOT_BE_INSTRUCTED: Final = "CANNOT_BE_INSTRUCTED"
CHUNKS_A_STEP: Final = 40  # then another run has its turn


@dataclass(slots=True)
class Payer:
    """Takes every open run one step further at a time."""

    store: Store
    policies: Policies
    exchange: Exchange
    chunks_a_step: int = CHUNKS_A_STEP
    backoff: Backoff = field(init=False)
    set_aside_retry: SetAsideRetry = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, PAYER)
        self.set_aside_retry = SetAsideRetry(self.store)

    async def step(self) -> bool:
        """One step of each run that can take one, and a try of each payment that was set aside;
        answers whether there was any.

        A run in trouble rests, says so, and keeps no other one waiting.
        """
        rows = await self.store.pool.fetch("SELECT * FROM run_open ORDER BY tahap, kind")
        runs = {run_item(row["tahap"], row["kind"]): partial(self._try, row) for row in rows}
        await self.exchange.forget_all_but(runs)
        moved = await self.set_aside_retry.step()
        return await self.backoff.turn(runs) or moved

    async def _try(self, row: asyncpg.Record) -> bool:
        job = await self._job(row)
        return job is not None and await self._further(job)

    async def _job(self, row: asyncpg.Record) -> Job | None:
        stream, paid_by = TAHAP.stream(row["tahap"]), RUN.stream(row["tahap"], row["kind"])
        async with self.store.looking() as look:
            tahap = (await look.load(TAHAP, [stream]))[stream].state
            found = (await look.load(RUN, [paid_by])).get(paid_by)
        paid, state = tahap.list_of(row["kind"]), found.state if found else RunState()
        if tahap.announced is None or paid is None or paid.frozen is None:
            return None
        at = row["trace"], row["step"], row["cursor"]
        return Job(tahap, tahap.announced, paid, state, *at)

    async def _further(self, job: Job) -> bool:
        match job.state.next_step:
            case RunStep.OPEN:
                return await self._open(job)
            case RunStep.ENTITLE:
                return await self._entitle(job)
            case RunStep.CHECK_ACCOUNTS:
                return await self.exchange.check(job)
            case RunStep.ORDER:
                return await self._defer_held(job)  # two people decide on the others
            case RunStep.RELEASE_FUNDS:
                return await self._release_funds(job)
            case RunStep.PAY if job.step != f"{INSTRUCT}-DONE":
                return await self._instruct(job)
            case RunStep.PAY:
                return await self.exchange.transfer(job)
            case RunStep.RECONCILE | RunStep.DONE:
                return await self._reconcile(job)

    # -- Entitlement

    async def _open(self, job: Job) -> bool:
        frozen = job.paid.frozen
        if frozen is None:
            return False
        async with self.store.transaction(job.on(job.announced.closing_date)) as unit:
            await alone_with_run(unit, job)
            command = OpenRun(*job.key, frozen.hash, frozen.count, frozen.rupiah, frozen.cut)
            await run(unit, *job.key, command)
        return True

    async def _entitle(self, job: Job) -> bool:
        """Entitle the next families, all of a small run; a chunk while the next one is read."""
        table = table_of(self.policies, job.tahap)
        day, left = job.announced.closing_date, self.chunks_a_step
        async with prefetch(frozen_chunks(self.store, job, table)) as chunks:
            async for chunk in chunks:
                async with self.store.transaction(job.on(day)) as unit:
                    await alone_with_run(unit, job)
                    job = await entitle_chunk(unit, job, chunk)
                if not (left := left - 1):
                    return True
        async with self.store.transaction(job.on(day)) as unit:
            await alone_with_run(unit, job)
            await mark_entitled(unit, job, table)
        return True

    # -- Order, funds, instructions

    async def _defer_held(self, job: Job) -> bool:
        """Have nobody ordered who is held; whether anybody was."""
        async with self.store.transaction(job.on(job.announced.credit_date)) as unit:
            await alone_with_run(unit, job)
            return await defer_held(unit, job.key, job.day)

    async def _release_funds(self, job: Job) -> bool:
        order = job.state.order
        if order is None:
            return False
        return await self.exchange.release_funds(job, order)

    async def _instruct(self, job: Job) -> bool:
        """Instruct the next payments whose account passed, as `_entitle` goes about it."""
        if job.state.order is None:
            return False
        order, day = job.state.order.order, job.announced.credit_date
        left = self.chunks_a_step
        after = job.cursor if job.step == INSTRUCT else NOBODY
        async with prefetch(payable_lines(self.store, job.key, after, checked=True)) as chunks:
            async for lines in chunks:
                async with self.store.transaction(job.on(day)) as unit:
                    await alone_with_run(unit, job)
                    await _instructed(unit, job, order, lines)
                    job = await move(unit, job, INSTRUCT, lines[-1]["payment"])
                if not (left := left - 1):
                    return True
        async with self.store.transaction(job.on(day)) as unit:
            await alone_with_run(unit, job)
            await move(unit, job, f"{INSTRUCT}-DONE", "")
        return True

    # -- The books

    async def _reconcile(self, job: Job) -> bool:
        """Close the run's books, then the tahap, unless somebody deferred may still be paid."""
        stream = TAHAP.stream(job.announced.tahap)
        async with self.store.transaction(job.on(job.announced.credit_date)) as unit:
            await alone_with_run(unit, job)
            if await books_wait(unit, job.key):
                return False
            books = await books_of(unit, job)
            deferred = books.get("DEFERRED", Totals())
            instructed = books.get("INSTRUCTED", Totals()) - deferred
            credited = books.get("CREDITED", Totals())
            failed = books.get("FAILED", Totals())
            unknown = instructed - credited - failed
            close = Reconcile(instructed, credited, failed, unknown, deferred)
            await run(unit, *job.key, close)
            settled = await handle(unit, TAHAP, stream, MarkRunReconciled(job.paid.kind))
            lapsed = await lapsing(unit, settled.state)
            everybody = len(lapsed) == len(settled.state.outstanding)
            if everybody and all(x.settled for x in settled.state.lists):
                await handle(unit, TAHAP, stream, CloseTahap(tuple(lapsed)))
            await unit.connection.execute(
                "DELETE FROM run_open WHERE tahap = $1 AND kind = $2", *job.key
            )
        await self.exchange.late_answers(job)
        await self.exchange.forget(job.key)
        return True


async def _instructed(
    unit: Transaction, job: Job, order: str, lines: Sequence[asyncpg.Record]
) -> None:
    """Instruct a chunk of payments; one that cannot be leaves the run by name.

    Its rupiah stay on the programme's account, until the payment takes both and they go back.
    """
    # Whoever leaves, leaves in this transaction.
    await reserve(unit, job.key)
    instruct = {row["payment"]: Instruct(order, row["bank"], OK) for row in lines}
    commands = [
        PaymentCommands(job.key, payment, (command,)) for payment, command in instruct.items()
    ]
    refused = {item.payment for item, _ in await pay_by_halves(unit, commands)}
    left = [
        DeferredLine(
            row["payment"], row["family"], row["bank"], row["amount"], CANNOT_BE_INSTRUCTED
        )
        for row in lines
        if row["payment"] in refused
    ]
    await take_out(
        unit,
        job.key,
        left,
        lambda line, ordered: (instruct[line.payment], TakeOut(line.reason, ordered)),
    )
