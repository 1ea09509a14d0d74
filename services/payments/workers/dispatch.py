"""A file is committed as it was measured, with no held family in it: the last moment of a hold."""

from __future__ import annotations

from libs.events.domain.errors import CorridorError
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.payments.domain.run.messages import SendAccountCheck, SendBankFile
from services.payments.domain.shared.totals import Totals
from services.payments.partners.files import FileOf, Rendered
from services.payments.tables.holds import alone_with_run, defer_held, defer_parked
from services.payments.tables.payments import run
from services.payments.tables.run_lines import Job


class FileMoved(CorridorError):
    """Lines have left this file since it was measured; it is measured anew."""


async def commit_file(store: Store, job: Job, which: FileOf, rendered: Rendered) -> None:
    """Commit to a file, before it is sent.

    Where a held family stands in it, or one of whom a decision is parked, its line leaves the run
    instead, and the file is to be measured anew. Raises `FileMoved` where lines left it otherwise,
    by another leader.
    """
    figures = rendered.first, rendered.last, rendered.totals.count, rendered.totals.rupiah
    send: SendAccountCheck | SendBankFile = SendAccountCheck(which.file, *figures, rendered.sha256)
    if which.bank is not None:
        send = SendBankFile(which.bank, which.file, *figures, rendered.sha256)
    async with store.transaction(job.on(which.day)) as unit:
        await alone_with_run(unit, job)
        if await defer_held(unit, job.key, job.day, which.bank):
            return
        if which.bank is not None and await defer_parked(unit, job.key, which.bank):
            return
        if await _stands(unit, which) != rendered.totals:
            raise FileMoved(file=which.file)
        await run(unit, *job.key, send)


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
