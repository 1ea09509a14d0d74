"""From a frozen list to entitlements: persons claimed, doubles withheld, holds carried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from libs.events.domain.errors import safe_text
from libs.events.store.transaction import Transaction
from services.payments.contract import PAYMENT
from services.payments.domain.entitlement import BenefitTable
from services.payments.domain.listing import LISTED, list_digest
from services.payments.domain.payment.decider import carried
from services.payments.domain.payment.messages import (
    Command,
    Defer,
    FailAccountCheck,
    KeepForAppeal,
    Return,
    ReturnReason,
)
from services.payments.domain.payment.state import Deferred, Unentitled
from services.payments.domain.run.messages import DeferredLine, MarkEntitled
from services.payments.domain.shared.errors import Contradiction
from services.payments.domain.shared.ids import REGULAR, paid_person, payment_id
from services.payments.domain.shared.totals import Totals
from services.payments.partners.answers import ACCOUNT_NOT_FOUND
from services.payments.partners.files import BANKS
from services.payments.tables.appeals import kept_by_appeals
from services.payments.tables.deferrals import reserve, take_out
from services.payments.tables.holds import defer_held, held_among
from services.payments.tables.list_lines import NotAsApproved, all_complete_lines
from services.payments.tables.payments import (
    NotVoidYet,
    PaymentCommands,
    done_by_halves,
    not_void_yet,
    pay,
    pay_or_set_aside,
    place_payments,
    run,
)
from services.payments.tables.run_lines import Job, move
from services.payments.workers.dues import ENTITLE, Chunk, Due
from services.payments.workers.ready_lists import listed_line

CANNOT_BE_ENTITLED: Final = "CANNOT_BE_ENTITLED"

_LINE: Final = ("tahap", "kind", "payment", "family", "bank", "amount", "cut", "payable")
_ENTITLED: Final = """
SELECT payment::text, bank, amount, cut FROM run_line
WHERE tahap = $1 AND kind = $2 AND payment = ANY($3::uuid[])
"""
_UNPLACED: Final = """
INSERT INTO payment_of (tahap, family, kind) SELECT $1, family, 'REGULAR'
FROM unnest($2::uuid[]) AS u (family) ORDER BY family ON CONFLICT DO NOTHING
"""

log = structlog.get_logger("payer")


async def entitle_chunk(unit: Transaction, job: Job, chunk: Chunk) -> Job:
    """Entitle a chunk of families: their claims, payments and the cursor in one transaction.

    A family that cannot be entitled leaves the run by name, and keeps nobody else waiting.
    """
    due = chunk.due
    held = await held_among(unit, job.key[0], job.day, [owed.entitle.family for owed in due])
    # Whoever leaves, leaves in this transaction.
    await reserve(unit, job.key)
    # Who is not paid keeps nobody else from being paid.
    due = [replace(x, persons=()) if x.entitle.family in held else x for x in due]
    entitle = partial(_entitle, unit, job)
    refused = await done_by_halves(unit, due, entitle)
    await _leave_out(unit, job, refused)
    if held:
        await defer_held(unit, job.key, job.day)
    await _graduate(unit, job, chunk.graduated)
    return await move(unit, job, ENTITLE, chunk.last)


async def mark_entitled(unit: Transaction, job: Job, table: BenefitTable) -> None:
    """Say what all entitlements of a run come to. Raises `NotAsApproved` and `LineAltered`."""
    await _require_approved(unit, job, table)
    await run(unit, *job.key, await _entitled(unit, *job.key))


async def _require_approved(unit: Transaction, job: Job, table: BenefitTable) -> None:
    """The lines come to the hash that two people approved, and each family is entitled by its own.

    Whoever reaches the tables could have changed either since then.
    """
    tahap, kind = job.key
    frozen = job.paid.frozen
    digest = list_digest(tahap, kind, table.id)
    without = [deferral.family for deferral in frozen.deferred] if frozen else []
    async for lines in all_complete_lines(unit, tahap, job.paid.families or None, without):
        payments = {payment_id(tahap, line.family, kind): line for line in lines}
        rows = await unit.connection.fetch(_ENTITLED, tahap, kind, list(payments))
        entitled = {row["payment"]: tuple(row)[1:] for row in rows}
        for payment, line in payments.items():
            approved = listed_line(line, table)
            digest.add(approved)
            cut = approved.cut.rupiah
            owed = line.roster.bank or "", approved.amount - cut, cut
            if line.outcome == LISTED and entitled.get(payment) != owed:
                raise NotAsApproved(tahap=tahap, kind=kind, payment=payment)
    if frozen is None or digest.hash() != frozen.hash:
        raise NotAsApproved(tahap=tahap, kind=kind, hash=digest.hash())


async def _entitle(unit: Transaction, job: Job, due: Sequence[Due]) -> None:
    tahap, kind = job.key
    doubled = await _claimed_elsewhere(unit, job, due)
    commands: list[tuple[str, Command]] = []
    rows: list[tuple[object, ...]] = []
    for owed in due:
        payment, entitle, duplicate = owed.payment, owed.entitle, owed.payment in doubled
        commands.append(
            (payment, replace(entitle, duplicate_person=True) if duplicate else entitle)
        )
        ordered, cut = entitle.amount - entitle.cut.rupiah, entitle.cut.rupiah
        payable = entitle.payee_valid and ordered > 0 and not duplicate
        if payable and owed.bank not in BANKS:
            # No partner could be asked about it, and one such line refuses a whole file.
            commands.append((payment, FailAccountCheck(ACCOUNT_NOT_FOUND)))
            payable = False
        line = tahap, kind, payment, entitle.family, owed.bank, ordered, cut, payable
        rows.append(line)
    await pay(unit, commands)
    await unit.connection.copy_records_to_table("run_line", records=rows, columns=_LINE)
    before = await place_payments(unit, tahap, kind, [owed.entitle.family for owed in due])
    if kind != REGULAR:
        await _carry(unit, {before[owed.entitle.family]: owed.payment for owed in due})


async def _leave_out(unit: Transaction, job: Job, refused: Sequence[tuple[Due, Exception]]) -> None:
    """Take families out of a run that cannot be entitled; their rupiah stand on its lines."""
    if not refused:
        return
    tahap, kind = job.key
    rows: list[tuple[object, ...]] = []
    lines: list[DeferredLine] = []
    for due, error in refused:
        family, cut = due.entitle.family, due.entitle.cut.rupiah
        ordered = due.entitle.amount - cut
        log.error("family not entitled", tahap=tahap, family=family, error=safe_text(error))
        rows.append((tahap, kind, due.payment, family, due.bank, ordered, cut, True))
        lines.append(DeferredLine(due.payment, family, due.bank, ordered, CANNOT_BE_ENTITLED))
    await unit.connection.copy_records_to_table("run_line", records=rows, columns=_LINE)
    # Whoever takes the tahap back finds a family's lines by this row. Money that is on an earlier
    # payment stays there, with all that was decided of it.
    await unit.connection.execute(_UNPLACED, tahap, [line.family for line in lines])
    await take_out(
        unit, job.key, lines, lambda line, _: (Defer(tahap, line.family, kind, line.reason),)
    )


async def _carry(unit: Transaction, payments: Mapping[str, str]) -> None:
    """Decisions on the deferred payments are said to those that take their place."""
    for deferred in await not_void_yet(unit, payments):
        raise NotVoidYet(payment=deferred)
    after = {PAYMENT.stream(deferred): payment for deferred, payment in payments.items()}
    loaded = await unit.load(PAYMENT, sorted(after))
    for found in loaded.values():
        # One that was set aside may not be known to be deferred yet: two would be paid.
        if not isinstance(found.state, Unentitled | Deferred):
            of = found.state.terms.payment
            raise Contradiction(payment=of, transfer=found.state.transfer)
    commands = [
        (after[stream], command)
        for stream, found in loaded.items()
        for command in carried(found.state.hold)
    ]
    await pay(unit, commands)


async def _graduate(unit: Transaction, job: Job, families: Sequence[str]) -> None:
    """Blocked money of a family without a category left goes back to the treasury.

    While a case of it appeals it stays, and goes back at the end of that if it is blocked still.
    """
    if not families:
        return
    tahap = job.announced.tahap
    appealing = await kept_by_appeals(unit, families, tahap)
    rows = await unit.connection.fetch(
        "SELECT tahap, family::text, kind FROM payment_of WHERE family = ANY($1::uuid[])",
        families,
    )

    def what_follows(family: str) -> Command:
        if family in appealing:
            return KeepForAppeal(tahap, appealing[family])
        return Return(tahap, ReturnReason.GRADUATED_NATURAL)

    await pay_or_set_aside(
        unit,
        [
            PaymentCommands(
                (row["tahap"], row["kind"]),
                payment_id(row["tahap"], row["family"], row["kind"]),
                (what_follows(row["family"]),),
            )
            for row in rows
        ],
    )


async def _claimed_elsewhere(unit: Transaction, job: Job, due: Sequence[Due]) -> set[str]:
    """The payments one of whose persons is paid by another one in this tahap."""
    tahap, kind = job.key
    wanted: dict[str, str] = {}
    held: list[tuple[str, str]] = []
    name = paid_person(tahap, kind, "")[0]
    for owed in due:
        for person in owed.persons:
            token = paid_person(tahap, kind, person, job.announced.revision)[1]
            wanted.setdefault(token, PAYMENT.stream(owed.payment))
            held.append((token, owed.payment))
    if not wanted:
        return set()
    owners = await unit.claim(name, wanted)
    doubled = {(payment, owners[token]) for token, payment in held} - {
        (owed.payment, PAYMENT.stream(owed.payment)) for owed in due
    }
    taken_over = await _taken_over(unit, job, due) if doubled else set()
    return {payment for payment, owner in doubled - taken_over}


async def _taken_over(unit: Transaction, job: Job, due: Sequence[Due]) -> set[tuple[str, str]]:
    """(payment, stream) of the family's own payments in earlier runs that were deferred.

    Such a payment is never made, and whoever was to be paid by it is paid by the one in its place.
    """
    tahap, kinds = job.announced.tahap, [payment_list.kind for payment_list in job.tahap.lists]
    places = {
        PAYMENT.stream(payment_id(tahap, owed.entitle.family, kind)): owed.payment
        for owed in due
        for kind in kinds[: kinds.index(job.paid.kind)]
    }
    loaded = await unit.load(PAYMENT, sorted(places))
    return {
        (places[stream], stream)
        for stream, found in loaded.items()
        if isinstance(found.state, Deferred)
    }


async def _entitled(unit: Transaction, tahap: str, kind: str) -> MarkEntitled:
    row = await unit.connection.fetchrow(
        """SELECT count(*) AS lines, coalesce(sum(amount + cut), 0)::bigint AS rupiah,
                  coalesce(sum(cut), 0)::bigint AS cut,
                  count(*) FILTER (WHERE payable AND deferred IS NULL) AS payable,
                  coalesce(sum(amount) FILTER (WHERE payable AND deferred IS NULL), 0)::bigint
                      AS payable_rupiah
           FROM run_line WHERE tahap = $1 AND kind = $2""",
        tahap,
        kind,
    )
    if row is None:
        return MarkEntitled(Totals(), Totals())
    return MarkEntitled(
        Totals(row["lines"], row["rupiah"]),
        Totals(row["payable"], row["payable_rupiah"]),
        row["cut"],
    )
