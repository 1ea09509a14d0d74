"""The leader's first work: prove that a tahap's list is whole, and say what it comes to.

Batches only count. Whether everything is there is judged here, after they have committed: two
that finish at once would each see the other's lines missing, and nobody would say so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import structlog

from libs.events.domain.errors import safe_text
from libs.events.domain.list_proof import Buckets
from libs.events.store.handle import handle
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from libs.events.workers.prefetch import prefetch
from services.payments.contract import COMMITMENT_TOPIC, SERVICE, TAHAP
from services.payments.domain.entitlement import (
    BenefitTable,
    Circumstances,
    Entitlement,
    Member,
    cut_of,
    entitlement,
)
from services.payments.domain.listing import LISTED, ListLine, list_digest
from services.payments.domain.shared.errors import Malformed, StepNotReached, UnverifiedBenefit
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.decider import DEFERRED_FAMILIES_MAX
from services.payments.domain.tahap.messages import MarkListReady, RequestBuckets
from services.payments.domain.tahap.state import TahapState
from services.payments.policy import Policies
from services.payments.tables.holds import families_parked, held_on_list
from services.payments.tables.list_lines import (
    ListedLine,
    all_complete_lines,
    buckets_of,
    incomplete,
)
from services.payments.tables.open_lists import Half, halves_of, seen, withheld_more

JOINER: Final = "joiner"
ATTEMPTS_MAX: Final = 3  # to have a bucket sent again; then a person must look at it
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


async def ready_list(
    unit: Transaction,
    state: TahapState,
    table: BenefitTable,
    kind: str,
    among: Sequence[str] | None,
    missing: Sequence[str],
    withheld: int = 0,
) -> MarkListReady:
    """The hash over the complete lines of a run's list, and what they come to: it can be frozen.

    A family whose entitlement cannot be computed is missing by name, and keeps nobody else out.
    """
    digest, cut, without = list_digest(state.tahap, kind, table.id), 0, set(missing)
    async with prefetch(all_complete_lines(unit, state.tahap, among, missing)) as chunks:
        async for lines in chunks:
            for complete in lines:
                line = _line_or_none(complete, table)
                if line is None:
                    without.add(complete.family)
                    continue
                digest.add(line)
                cut += line.cut.rupiah
    totals = digest.totals
    figures = digest.hash(), totals.count, totals.rupiah
    return MarkListReady(*figures, tuple(sorted(without)), kind, cut, withheld)


def _line_or_none(complete: ListedLine, table: BenefitTable) -> ListLine | None:
    try:
        return listed_line(complete, table)
    except Exception as error:
        if isinstance(error, NEVER_A_FAMILYS_OWN):
            raise
        tahap, family = complete.roster.tahap, complete.family
        log.warning("family not entitled", tahap=tahap, family=family, error=safe_text(error))
        return None


@dataclass(slots=True)
class Joiner:
    """Makes a tahap's regular list ready once its lines agree with their owners' proofs."""

    store: Store
    policies: Policies
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, JOINER)

    async def step(self) -> bool:
        """Look at each open list; answers whether one has moved on."""
        rows = await self.store.pool.fetch("SELECT tahap, seen FROM list_open ORDER BY tahap")
        looks = {row["tahap"]: partial(self._look, row["tahap"], row["seen"]) for row in rows}
        return await self.backoff.turn(looks)

    async def _look(self, tahap: str, before: str) -> bool:
        stream = TAHAP.stream(tahap)
        state = (await self.store.read(TAHAP, [stream]))[stream].state
        if state.announced is None:
            return False
        async with self.store.transaction(
            Context.on_day(SERVICE, state.announced.closing_date)
        ) as unit:
            halves = await halves_of(unit, tahap)
            held = await held_on_list(
                unit, tahap, state.announced.credit_date, DEFERRED_FAMILIES_MAX
            )
            now = seen(halves, held)
            if now == before or not all(half.arrived for half in halves):
                return False
            agree = [await self._agrees(unit, state, half) for half in halves]
            proved = all(agree) and await self._ready(unit, state, halves, held)
            await unit.connection.execute(
                "UPDATE list_open SET seen = $2, proved = $3 WHERE tahap = $1", tahap, now, proved
            )
        return True

    async def _ready(
        self,
        unit: Transaction,
        state: TahapState,
        halves: Sequence[Half],
        held: Collection[str],
    ) -> bool:
        """Say that the list can be frozen without those who are missing; False for too many."""
        missing = await missing_from(unit, state.tahap, halves)
        # Beyond what one event can name, who is held leaves the run when it is entitled.
        room = max(DEFERRED_FAMILIES_MAX - len(missing), 0)
        missing |= set(sorted(set(held) - missing)[:room])
        if len(missing) > DEFERRED_FAMILIES_MAX:
            log.error("too many families are missing", tahap=state.tahap, families=len(missing))
            return False
        withheld = sum(half.proof.withheld_more for half in halves if half.proof)
        if withheld != len(await withheld_more(unit, state.tahap)):
            log.error("withheld families are not named", tahap=state.tahap, families=withheld)
            return False
        table = table_of(self.policies, state)
        ready = await ready_list(unit, state, table, REGULAR, None, sorted(missing), withheld)
        await handle(unit, TAHAP, TAHAP.stream(state.tahap), ready)
        return True

    async def _agrees(self, unit: Transaction, state: TahapState, half: Half) -> bool:
        """True if the lines are those that were counted; what differs is asked for again.

        A line that is newer than the proof is no fault: its owner will prove it anew.
        """
        topic, proof = half.topic, half.proof
        have = await buckets_of(unit, state.tahap, topic, without=half.parked)
        have = have.merge(Buckets.of(half.parked.items()))
        differing = have.differing(proof.buckets) if proof else []
        if proof is None or not differing:
            return proof is not None
        last = state.last_asked(topic)
        attempts = last.attempt if last else 0
        if (attempts or proof.position >= half.counted.newest) and attempts < ATTEMPTS_MAX:
            ask = RequestBuckets(topic, tuple(differing), attempts + 1)
            await handle(unit, TAHAP, TAHAP.stream(state.tahap), ask)
        return False


async def missing_from(unit: Transaction, tahap: str, halves: Sequence[Half]) -> set[str]:
    """Families that can only be deferred: withheld by registry, parked by either, or with an effect
    that is parked."""
    parked = {family for half in halves for family in half.parked}
    proofs = [half.proof for half in halves if half.proof]
    elsewhere = {family for proof in proofs for family in (*proof.parked, *proof.withheld)}
    held_back = await families_parked(unit, COMMITMENT_TOPIC)
    return parked | elsewhere | set(await incomplete(unit, tahap, held_back))
