"""The leader's second work: take each frozen list through its documents and files to the banks.

A step is one transaction's worth; what was committed is never done again, and what the outside
was asked before a crash is asked again under the same id.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from time import monotonic
from typing import Final

import asyncpg

from libs.events.errors import CorridorError, safe_text
from libs.events.handle import handle
from libs.events.positions import positions
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC, PAYMENT, RUN, TAHAP
from services.payments.domain.entitlement import BenefitTable
from services.payments.domain.ids import (
    REGULAR,
    bank_file_id,
    check_file_id,
    order_id,
    paid_person,
    payment_id,
    payment_stream,
    run_stream,
    tahap_stream,
)
from services.payments.domain.listing import LISTED, OrderLine, order_digest
from services.payments.domain.payment import carried
from services.payments.domain.payment_messages import (
    Command,
    Credit,
    Entitle,
    FailAccountCheck,
    FailTransfer,
    Instruct,
    Return,
    ReturnReason,
)
from services.payments.domain.run_messages import (
    BankFileSent,
    MarkCredited,
    MarkEntitled,
    OpenRun,
    Reconcile,
    RecordAccountCheck,
    RecordBankResult,
    RecordFundsRelease,
    SendAccountCheck,
    SendBankFile,
)
from services.payments.domain.run_state import RunState
from services.payments.domain.tahap_messages import CloseTahap, ClosingAnnounced, MarkRunReconciled
from services.payments.domain.tahap_state import PaymentList, TahapState
from services.payments.domain.totals import Totals
from services.payments.files import (
    ACCOUNT_NOT_FOUND,
    BANKS,
    CREDITED,
    OK,
    Answer,
    AnswerIncomplete,
    FileOf,
    Rendered,
    Renderer,
    read_answer,
)
from services.payments.joining import entitlement_of, on
from services.payments.lists import (
    LINES_A_CHUNK,
    NOBODY,
    ListedLine,
    complete_lines,
    families_parked,
)
from services.payments.money import pay, place_payments, run
from services.payments.outside import Outside
from services.payments.policy import Policies


class HoldsParked(CorridorError):
    """What was decided of these families' money is parked here; replay it before money is sent."""


ENTITLE: Final = "ENTITLE"
INSTRUCT: Final = "INSTRUCT"
TROUBLE_PAUSE_S: Final = 0.5
BOOKED: Final = ("INSTRUCTED", "CREDITED", "FAILED")


@dataclass(frozen=True, slots=True)
class Job:
    """A run on its way, with what its steps need to know."""

    tahap: TahapState
    announced: ClosingAnnounced
    paid: PaymentList
    state: RunState
    trace: str | None
    step: str
    cursor: str

    @property
    def key(self) -> tuple[str, str]:
        """(tahap, kind) of the run."""
        return self.announced.tahap, self.paid.kind


class Rests:
    """Who is in trouble and rests before it tries again; so nobody is asked without a pause."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, CorridorError]] = {}

    def rest(self, name: str, error: CorridorError) -> None:
        """Let something rest, because of an error."""
        self._until[name] = monotonic() + TROUBLE_PAUSE_S, error

    def of(self, name: str) -> CorridorError | None:
        """The error because of which something rests; None where it does not."""
        until, error = self._until.get(name, (0.0, None))
        return error if monotonic() < until else None


@dataclass(slots=True)
class Payer:
    """Takes every open run one step further at a time."""

    store: Store
    policies: Policies
    renderer: Renderer
    outside: Outside
    heads: dict[tuple[str, str], int] = field(default_factory=dict)
    """By run, conditionality's head when it was first asked."""
    informed: set[tuple[str, str]] = field(default_factory=set)
    rests: Rests = field(default_factory=Rests)

    async def step(self) -> bool:
        """One step of each run that can take one; answers whether there was any.

        A run in trouble rests and keeps no other one waiting; its trouble is raised only where
        nothing else is to be done.
        """
        rows = await self.store.pool.fetch("SELECT * FROM run_open ORDER BY tahap, kind")
        moved, trouble = False, None
        for row in rows:
            name = run_stream(row["tahap"], row["kind"])
            error = self.rests.of(name)
            if error is None:
                error, went = await self._try(row)
                moved |= went
            trouble = trouble or error
        if trouble is not None and not moved:
            raise trouble
        return moved

    async def _try(self, row: asyncpg.Record) -> tuple[CorridorError | None, bool]:
        """(what stopped the run, whether it went on)."""
        try:
            job = await self._job(row)
            went = job is not None and await self._further(job)
        except CorridorError as error:
            self.rests.rest(run_stream(row["tahap"], row["kind"]), error)
            await self._say(row, safe_text(error))
            return error, False
        if row["trouble"] is not None:
            await self._say(row, None)
        return None, went

    async def _say(self, row: asyncpg.Record, trouble: str | None) -> None:
        """Let whoever looks at the run see why it stands where it stands."""
        await self.store.pool.execute(
            "UPDATE run_open SET trouble = $3 WHERE tahap = $1 AND kind = $2",
            row["tahap"],
            row["kind"],
            trouble,
        )

    async def _job(self, row: asyncpg.Record) -> Job | None:
        stream = tahap_stream(row["tahap"])
        tahap = (await self.store.read(TAHAP, [stream]))[stream].state
        paid = tahap.list_of(row["kind"])
        if tahap.announced is None or paid is None or paid.frozen is None:
            return None
        found = await self.store.read(RUN, [run_stream(row["tahap"], row["kind"])])
        state = next((loaded.state for loaded in found.values()), RunState())
        at = row["trace"], row["step"], row["cursor"]
        return Job(tahap, tahap.announced, paid, state, *at)

    async def _further(self, job: Job) -> bool:
        state = job.state
        if state.opened is None:
            return await self._open(job)
        if state.entitled is None:
            return await self._entitle(job)
        if not state.check_complete:
            return await self._check(job)
        if state.passed.count == 0:
            return await self._reconcile(job)
        if state.order is None:
            return False  # two people decide on it
        if state.funds is None:
            return await self._release_funds(job)
        if job.step != f"{INSTRUCT}-DONE":
            return await self._instruct(job)
        if state.transfers is None:
            return await self._transfer(job)
        return await self._reconcile(job)

    # -- Entitlement

    async def _open(self, job: Job) -> bool:
        frozen = job.paid.frozen
        if frozen is None:
            return False
        async with self.store.transaction(on(job.announced.closing_date, job.trace)) as unit:
            command = OpenRun(*job.key, frozen.hash, frozen.count, frozen.rupiah)
            await run(unit, *job.key, command)
        return True

    async def _entitle(self, job: Job) -> bool:
        """A chunk of the frozen list; its claims, payments and cursor in one transaction."""
        frozen = job.paid.frozen
        without = [each.family for each in frozen.deferred] if frozen else []
        among = job.paid.families or None
        async with self.store.transaction(on(job.announced.closing_date, job.trace)) as unit:
            after = job.cursor if job.step == ENTITLE else NOBODY
            lines = await complete_lines(
                unit, job.announced.tahap, after=after, among=among, without=without
            )
            if lines:
                table = self.policies.benefit(job.announced.policies["rule_set"])
                listed = [line for line in lines if line.outcome == LISTED]
                await self._entitle_lines(unit, job, listed, table)
                await self._graduate(unit, job, [x for x in lines if x.outcome != LISTED])
                await _move(unit, job, ENTITLE, lines[-1].family)
            else:
                await run(unit, *job.key, await _entitled(unit, *job.key))
        return True

    async def _entitle_lines(
        self, unit: Transaction, job: Job, lines: Sequence[ListedLine], table: BenefitTable
    ) -> None:
        tahap, kind = job.key
        due = {line.family: entitlement_of(line, table) for line in lines}
        payments = {line.family: payment_id(tahap, line.family, kind) for line in lines}
        doubled = await _claimed_elsewhere(
            unit,
            tahap,
            kind,
            {
                payments[line.family]: [
                    m.token for m in line.roster.members if m.member in due[line.family].counted
                ]
                for line in lines
                if line.roster.payee_valid
            },
        )
        commands: list[tuple[str, Command]] = []
        rows: list[tuple[object, ...]] = []
        for line in lines:
            payment, owed, roster = payments[line.family], due[line.family], line.roster
            duplicate = payment in doubled
            entitle = Entitle(
                tahap=tahap,
                family=line.family,
                kind=kind,
                region=roster.region,
                components=owed.components,
                amount=owed.amount,
                payee_valid=roster.payee_valid,
                benefit_policy=table.id,
                duplicate_person=duplicate,
            )
            commands.append((payment, entitle))
            payable = roster.payee_valid and owed.amount > 0 and not duplicate
            bank = roster.bank or ""
            if payable and bank not in BANKS:
                # No partner could be asked about it, and one such line refuses a whole file.
                commands.append((payment, FailAccountCheck(ACCOUNT_NOT_FOUND)))
                payable = False
            rows.append((tahap, kind, payment, line.family, bank, owed.amount, payable))
        await pay(unit, commands)
        await _keep_lines(unit, rows)
        await place_payments(unit, tahap, kind, list(payments))
        if kind != REGULAR:
            await self._carry(unit, tahap, payments)

    async def _carry(self, unit: Transaction, tahap: str, payments: Mapping[str, str]) -> None:
        """What was decided of the deferred payments is said to those that take their place."""
        regular = {payment_stream(payment_id(tahap, f)): p for f, p in payments.items()}
        loaded = await unit.load(PAYMENT, sorted(regular))
        commands = [
            (regular[stream], command)
            for stream, found in loaded.items()
            for command in carried(found.state)
        ]
        await pay(unit, commands)

    async def _graduate(self, unit: Transaction, job: Job, lines: Sequence[ListedLine]) -> None:
        """What is blocked of a family without a category left goes back to the treasury."""
        rows = await unit.connection.fetch(
            "SELECT tahap, family::text, kind FROM payment_of WHERE family = ANY($1::uuid[])",
            [line.family for line in lines],
        )
        back = Return(job.announced.tahap, ReturnReason.GRADUATED_NATURAL)
        await pay(
            unit, [(payment_id(row["tahap"], row["family"], row["kind"]), back) for row in rows]
        )

    # -- Account check

    async def _check(self, job: Job) -> bool:
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
        after = NOBODY
        while lines := await self._lines(job, after):
            _require_answers(which, lines, answers)
            after, seen = lines[-1]["payment"], seen + len(lines)
            async with self.store.transaction(on(which.day, job.trace)) as unit:
                await pay(
                    unit,
                    [
                        (row["payment"], FailAccountCheck(answers[row["payment"]].code))
                        for row in lines
                        if answers[row["payment"]].code != OK
                    ],
                )
                await unit.connection.executemany(
                    """UPDATE run_line SET account_check = $4
                       WHERE tahap = $1 AND kind = $2 AND payment = $3""",
                    [(*job.key, row["payment"], answers[row["payment"]].code) for row in lines],
                )
            good = [row["amount"] for row in lines if answers[row["payment"]].code == OK]
            passed += Totals(len(good), sum(good))
        if seen != len(answers):
            raise AnswerIncomplete(file=which.file, asked=seen, answered=len(answers))
        return passed

    async def _lines(self, job: Job, after: str, bank: str | None = None) -> list[asyncpg.Record]:
        """The next payable lines of a run, or those whose account passed at one bank."""
        return await self.store.pool.fetch(
            """SELECT payment::text, bank, amount FROM run_line
               WHERE tahap = $1 AND kind = $2 AND payable AND payment > $3
                 AND ($4::text IS NULL OR (bank = $4 AND account_check = 'OK'))
               ORDER BY run_line.payment LIMIT $5""",
            *job.key,
            after,
            bank,
            LINES_A_CHUNK,
        )

    # -- Order, funds, instructions

    async def _release_funds(self, job: Job) -> bool:
        order = job.state.order
        if order is None:
            return False
        figures = order.count, order.rupiah
        number = await self.outside.release_funds(order.order, *figures, order.hash)
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            released = RecordFundsRelease(order.order, number, order.hash, *figures)
            await run(unit, *job.key, released)
        return True

    async def _instruct(self, job: Job) -> bool:
        order = order_id(*job.key)
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            after = job.cursor if job.step == INSTRUCT else NOBODY
            rows = await unit.connection.fetch(
                """SELECT payment::text, bank FROM run_line
                   WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' AND payment > $3
                   ORDER BY run_line.payment LIMIT $4""",
                *job.key,
                after,
                LINES_A_CHUNK,
            )
            await pay(unit, [(r["payment"], Instruct(order, r["bank"], OK)) for r in rows])
            if rows:
                await _move(unit, job, INSTRUCT, rows[-1]["payment"])
            else:
                await _move(unit, job, f"{INSTRUCT}-DONE", "")
        return True

    # -- Banks

    async def _transfer(self, job: Job) -> bool:
        """The first bank that is not done yet: commit to its file, send it, take its answer."""
        banks = await self.store.pool.fetch(
            """SELECT DISTINCT bank FROM run_line
               WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' ORDER BY bank""",
            *job.key,
        )
        moved, waiting = False, False
        trouble: CorridorError | None = None
        for row in banks:
            which = FileOf(
                *job.key,
                bank_file_id(*job.key, row["bank"]),
                row["bank"],
                job.announced.credit_date,
            )
            if job.state.result(which.file) is not None:
                continue
            waiting = True
            try:
                moved |= await self._bank(job, which)
            except CorridorError as error:
                # The other banks go on; this one's trouble is told when they have nothing to do.
                trouble = trouble or error
        if trouble is not None and not moved:
            raise trouble
        if waiting:
            return moved
        return await self._credited(job)

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
            held_up = await lines_among(unit, *job.key, parked) if parked else 0
        if held_up:
            raise HoldsParked(families=held_up)
        return True

    async def _apply_answers(
        self, job: Job, which: FileOf, answers: Mapping[str, Answer]
    ) -> Totals:
        credited, seen = Totals(), 0
        after = NOBODY
        while lines := await self._lines(job, after, which.bank):
            _require_answers(which, lines, answers)
            after, seen = lines[-1]["payment"], seen + len(lines)
            async with self.store.transaction(on(which.day, job.trace)) as unit:
                await pay(
                    unit, [(row["payment"], _answered(answers[row["payment"]])) for row in lines]
                )
                await unit.connection.executemany(
                    """UPDATE run_line SET answer = $4
                       WHERE tahap = $1 AND kind = $2 AND payment = $3""",
                    [(*job.key, row["payment"], answers[row["payment"]].code) for row in lines],
                )
            good = [row["amount"] for row in lines if answers[row["payment"]].code == CREDITED]
            credited += Totals(len(good), sum(good))
        if seen != len(answers):
            raise AnswerIncomplete(file=which.file, asked=seen, answered=len(answers))
        return credited

    async def _record(self, job: Job, sent: BankFileSent, digest: str, credited: Totals) -> None:
        failed = Totals(sent.count - credited.count, sent.rupiah - credited.rupiah)
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            result = RecordBankResult(sent.file, digest, credited, failed)
            await run(unit, *job.key, result)

    # -- The books

    async def _credited(self, job: Job) -> bool:
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            books = await _books(unit, *job.key)
            mark = MarkCredited(books.get("CREDITED", Totals()), books.get("FAILED", Totals()))
            await run(unit, *job.key, mark)
        return True

    async def _reconcile(self, job: Job) -> bool:
        """Close the run's books, then the tahap, unless somebody deferred is still unpaid."""
        stream = tahap_stream(job.announced.tahap)
        async with self.store.transaction(on(job.announced.credit_date, job.trace)) as unit:
            books = await _books(unit, *job.key)
            instructed = books.get("INSTRUCTED", Totals())
            credited = books.get("CREDITED", Totals())
            failed = books.get("FAILED", Totals())
            unknown = Totals(
                instructed.count - credited.count - failed.count,
                instructed.rupiah - credited.rupiah - failed.rupiah,
            )
            await run(unit, *job.key, Reconcile(instructed, credited, failed, unknown))
            settled = await handle(unit, TAHAP, stream, MarkRunReconciled(job.paid.kind))
            if not settled.state.outstanding and all(x.settled for x in settled.state.lists):
                await handle(unit, TAHAP, stream, CloseTahap())
            await unit.connection.execute(
                "DELETE FROM run_open WHERE tahap = $1 AND kind = $2", *job.key
            )
        self.heads.pop(job.key, None)
        self.informed.discard(job.key)
        return True


# -- What the steps share -------------------------------------------------------------------------


async def order_of(unit: Transaction, tahap: str, kind: str) -> tuple[str, Totals]:
    """(hash, totals) of the payments whose accounts passed: what an order is approved by."""
    digest = order_digest(tahap, kind)
    async for row in unit.connection.cursor(
        """SELECT payment::text, bank, amount FROM run_line
           WHERE tahap = $1 AND kind = $2 AND account_check = 'OK' ORDER BY run_line.payment""",
        tahap,
        kind,
    ):
        digest.add(OrderLine(row["payment"], row["bank"], row["amount"]))
    return digest.hash(), digest.totals


async def lines_among(unit: Transaction, tahap: str, kind: str, families: Collection[str]) -> int:
    """How many of some families have a line in a run."""
    found: int = await unit.connection.fetchval(
        """SELECT count(*) FROM payment_of
           WHERE tahap = $1 AND kind = $2 AND family = ANY($3::uuid[])""",
        tahap,
        kind,
        list(families),
    )
    return found


async def _claimed_elsewhere(
    unit: Transaction, tahap: str, kind: str, persons: Mapping[str, Sequence[str]]
) -> set[str]:
    """The payments one of whose persons is paid by another one in this tahap."""
    wanted: dict[str, str] = {}
    held: list[tuple[str, str]] = []
    name = paid_person(tahap, kind, "")[0]
    for payment, tokens in persons.items():
        for person in tokens:
            token = paid_person(tahap, kind, person)[1]
            wanted.setdefault(token, payment_stream(payment))
            held.append((token, payment))
    if not wanted:
        return set()
    owners = await unit.claim(name, wanted)
    return {payment for token, payment in held if owners[token] != payment_stream(payment)}


async def _keep_lines(unit: Transaction, rows: Sequence[tuple[object, ...]]) -> None:
    await unit.connection.executemany(
        """INSERT INTO run_line (tahap, kind, payment, family, bank, amount, payable)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        rows,
    )


async def _entitled(unit: Transaction, tahap: str, kind: str) -> MarkEntitled:
    row = await unit.connection.fetchrow(
        """SELECT count(*) AS lines, coalesce(sum(amount), 0)::bigint AS rupiah,
                  count(*) FILTER (WHERE payable) AS payable,
                  coalesce(sum(amount) FILTER (WHERE payable), 0)::bigint AS payable_rupiah
           FROM run_line WHERE tahap = $1 AND kind = $2""",
        tahap,
        kind,
    )
    if row is None:
        return MarkEntitled(Totals(), Totals())
    return MarkEntitled(
        Totals(row["lines"], row["rupiah"]), Totals(row["payable"], row["payable_rupiah"])
    )


async def _books(unit: Transaction, tahap: str, kind: str) -> dict[str, Totals]:
    """What the ledger says of a run's payments, by movement."""
    # Each id is made from the line alone: made with the ledger's own name, every line would be
    # held against every row.
    rows = await unit.connection.fetch(
        """SELECT movement AS name, count(*) AS count, sum(ledger.amount)::bigint AS rupiah
           FROM run_line CROSS JOIN unnest($3::text[]) AS movement
           JOIN ledger ON ledger.id = run_line.payment::text || ':' || movement
           WHERE run_line.tahap = $1 AND run_line.kind = $2 GROUP BY movement""",
        tahap,
        kind,
        BOOKED,
    )
    return {row["name"]: Totals(row["count"], row["rupiah"]) for row in rows}


async def _move(unit: Transaction, job: Job, step: str, cursor: str) -> None:
    await unit.connection.execute(
        "UPDATE run_open SET step = $3, cursor = $4 WHERE tahap = $1 AND kind = $2",
        *job.key,
        step,
        cursor,
    )


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


def _figures(rendered: Rendered) -> tuple[str, str, int, int, str]:
    totals = rendered.totals
    return rendered.first, rendered.last, totals.count, totals.rupiah, rendered.sha256


def _sha256(body: bytes) -> str:
    return sha256(body).hexdigest()
