"""A list that can be frozen: its hash, what it comes to, how it differs from the one before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from libs.events.domain.errors import safe_text
from libs.events.store.transaction import Transaction
from libs.events.workers.prefetch import prefetch
from libs.privacy.keys import KeyRing
from services.payments.domain.entitlement import (
    BenefitTable,
    Circumstances,
    Entitlement,
    Member,
    cut_of,
    entitlement,
)
from services.payments.domain.list_diff import DiffDigest, Standing
from services.payments.domain.listing import LISTED, ListLine, list_digest
from services.payments.domain.shared.errors import Malformed, StepNotReached, UnverifiedBenefit
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.messages import MarkListReady
from services.payments.domain.tahap.state import TahapState
from services.payments.policy import Policies
from services.payments.tables.list_lines import LINES_A_CHUNK, ListedLine
from services.payments.tables.open_lists import withheld_of
from services.payments.workers.list_comparison import (
    Comparison,
    FrozenBefore,
    beside,
    last_frozen,
    shared_of,
    standing_of,
    unfrozen_of,
)

NEVER_A_FAMILYS_OWN: Final = (UnverifiedBenefit, Malformed)
"""A table that may not pay, or knows no such tahap, is at fault itself."""

log = structlog.get_logger("joiner")


def table_of(policies: Policies, state: TahapState) -> BenefitTable:
    """The benefit table that an announced tahap is paid by.

    One that the announcement overrides counts as verified: two people have decided so by name.
    """
    announced = state.announced
    if announced is None:
        raise StepNotReached(step="ClosingAnnounced")
    table = policies.benefit(announced.policies["rule_set"])
    if announced.override is not None and announced.override.table == table.id:
        return replace(table, verified=True)
    return table


def entitlement_of(line: ListedLine, table: BenefitTable) -> Entitlement:
    """Rupiah that a listed family is entitled to, and what its evaluation cuts of it."""
    members = [
        Member(m.member, m.seniority, m.closing) for m in line.roster.members if not m.not_counted
    ]
    where = Circumstances(int(line.roster.tahap.rsplit("-", 1)[1]), line.roster.region[:2])
    owed = entitlement(members, table, where)
    return replace(owed, cut=cut_of(owed.amount, line.cut_percent, line.evaluated or 0))


def listed_line(line: ListedLine, table: BenefitTable) -> ListLine:
    """The family as it stands on the list that people approve."""
    due = entitlement_of(line, table) if line.outcome == LISTED else Entitlement((), 0, ())
    return ListLine(
        family=line.family,
        outcome=line.outcome,
        region=line.roster.region,
        components=due.components,
        amount=due.amount,
        payee_valid=line.roster.payee_valid,
        source=line.source,
        cut=due.cut,
    )


@dataclass(frozen=True, slots=True)
class ListMaker:
    """Reads a list that is to be frozen beside the last one that was."""

    policies: Policies
    keys: KeyRing
    chunk: int = LINES_A_CHUNK

    async def ready(
        self,
        unit: Transaction,
        state: TahapState,
        kind: str,
        among: Sequence[str] | None,
        missing: Collection[str],
    ) -> MarkListReady:
        """The hash over the complete lines of a run's list, what they come to, and their
        differences.

        A family whose entitlement cannot be computed is missing by name, and keeps nobody else
        out.
        """
        table = table_of(self.policies, state)
        digest, cut, without = list_digest(state.tahap, kind, table.id), 0, set(missing)
        before, comparison = await self._before(unit, state, kind)
        chunks = beside(unit, state.tahap, among, sorted(missing), before, self.chunk)
        async with prefetch(chunks) as ranges:
            async for found in ranges:
                due: dict[str, int] = {}
                for complete in found.now:
                    line = _line_or_none(complete, table)
                    if line is None:
                        without.add(complete.family)
                        continue
                    digest.add(line)
                    cut += line.cut.rupiah
                    if line.outcome == LISTED:
                        due[line.family] = line.amount
                if before and comparison:
                    now = [standing_of(x, due[x.family]) for x in found.now if x.family in due]
                    await comparison.add(now, _then(found.then, before.table), found.upto)
        totals = digest.totals
        figures = digest.hash(), totals.count, totals.rupiah
        ready = MarkListReady(*figures, tuple(sorted(without)), kind, cut)
        return replace(ready, diff=await comparison.end(unit) if comparison else None)

    async def _before(
        self, unit: Transaction, state: TahapState, kind: str
    ) -> tuple[FrozenBefore | None, Comparison | None]:
        frozen = await last_frozen(unit, state.tahap)
        if frozen is None:
            return None, None
        before = FrozenBefore(frozen, table_of(self.policies, frozen), unfrozen_of(frozen))
        withheld = await withheld_of(unit, state.tahap) if kind == REGULAR else {}
        digest = DiffDigest(state.tahap, kind, frozen.tahap)
        return before, Comparison(self.keys, digest, shared_of(withheld))


def _then(lines: Sequence[ListedLine], table: BenefitTable) -> list[Standing]:
    """Families as the last frozen list has them; who cannot be entitled any more had nothing."""
    due = [(line, _line_or_none(line, table)) for line in lines if line.outcome == LISTED]
    return [standing_of(line, found.amount if found else 0) for line, found in due]


def _line_or_none(complete: ListedLine, table: BenefitTable) -> ListLine | None:
    try:
        return listed_line(complete, table)
    except Exception as error:
        if isinstance(error, NEVER_A_FAMILYS_OWN):
            raise
        tahap, family = complete.roster.tahap, complete.family
        log.warning("family not entitled", tahap=tahap, family=family, error=safe_text(error))
        return None
