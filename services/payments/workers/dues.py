"""The families of a frozen list: what each is due, and the persons whose money it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

from libs.events.store.postgres import Store
from services.payments.domain.entitlement import BenefitTable, NotCounted
from services.payments.domain.listing import LISTED
from services.payments.domain.payment.messages import Entitle
from services.payments.domain.shared.ids import payment_id
from services.payments.tables.list_lines import NOBODY, ListedLine, complete_lines
from services.payments.tables.run_lines import Job
from services.payments.workers.ready_lists import entitlement_of

ENTITLE: Final = "ENTITLE"


@dataclass(frozen=True, slots=True)
class Due:
    """The amount of one listed family, and the tokens of the persons whom it counts."""

    payment: str
    bank: str
    persons: tuple[str, ...]
    entitle: Entitle


@dataclass(frozen=True, slots=True)
class Chunk:
    """The next families of a frozen list: what is due, who has graduated, who comes last."""

    due: Sequence[Due]
    graduated: Sequence[str]
    last: str


async def frozen_chunks(store: Store, job: Job, table: BenefitTable) -> AsyncGenerator[Chunk, None]:
    """The families of a frozen list that are not entitled yet, in order, a chunk at a time."""
    frozen = job.paid.frozen
    without = [deferral.family for deferral in frozen.deferred] if frozen else []
    after = job.cursor if job.step == ENTITLE else NOBODY
    among = job.paid.families or None
    while True:
        async with store.looking() as unit:
            lines = await complete_lines(
                unit, job.announced.tahap, after=after, among=among, without=without
            )
        if not lines:
            return
        after = lines[-1].family
        due = [_due(job.paid.kind, line, table) for line in lines if line.outcome == LISTED]
        yield Chunk(due, [line.family for line in lines if line.outcome != LISTED], after)


def _due(kind: str, line: ListedLine, table: BenefitTable) -> Due:
    roster, owed = line.roster, entitlement_of(line, table)
    counted = [m.token for m in roster.members if m.member in owed.members]
    entitle = Entitle(
        tahap=roster.tahap,
        family=line.family,
        kind=kind,
        region=roster.region,
        components=owed.components,
        amount=owed.amount,
        payee_valid=roster.payee_valid,
        benefit_policy=table.id,
        counted=owed.counted,
        cut=owed.cut,
        duplicate_person=False,  # known once its persons are claimed
        source=line.source,
        not_counted=tuple(
            NotCounted(m.member, m.not_counted)
            for m in roster.members
            if m.closing and m.not_counted
        ),
    )
    payment = payment_id(roster.tahap, line.family, kind)
    # Who is not paid keeps nobody else from being paid.
    persons = tuple(counted) if roster.payee_valid else ()
    return Due(payment, roster.bank or "", persons, entitle)
