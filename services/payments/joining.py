"""The leader's first work: prove that a tahap's list is whole, and say what it comes to.

Batches only count. Whether everything is there is judged here, after they have committed: two
that finish at once would each see the other's lines missing, and nobody would say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from libs.events.buckets import Buckets
from libs.events.handle import handle
from libs.events.model import Context
from libs.events.store import Store
from libs.events.transaction import Transaction
from services.payments.contract import COMMITMENT_TOPIC, ROSTER_TOPIC, SERVICE, TAHAP
from services.payments.domain.entitlement import (
    BenefitTable,
    Circumstances,
    Entitlement,
    Member,
    entitlement,
)
from services.payments.domain.ids import REGULAR, tahap_stream
from services.payments.domain.listing import LISTED, ListLine, list_digest
from services.payments.domain.tahap_messages import MarkListReady, RequestBuckets
from services.payments.domain.tahap_state import TahapState
from services.payments.lists import (
    ListedLine,
    Proof,
    all_complete_lines,
    buckets_of,
    counted,
    parked_lines,
    proof_of,
)
from services.payments.policy import Policies

TOPICS = (ROSTER_TOPIC, COMMITMENT_TOPIC)


def on(day: date, trace: str | None = None) -> Context:
    """The context of the service's own work that counts for a day."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Context(at, f"service:{SERVICE}", trace)


def entitlement_of(line: ListedLine, table: BenefitTable) -> Entitlement:
    """What a listed family is entitled to."""
    members = [Member(m.member, m.seniority, m.closing) for m in line.roster.members]
    where = Circumstances(int(line.roster.tahap.rsplit("-", 1)[1]), line.roster.region[:2])
    return entitlement(members, table, where)


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
    )


async def mark_ready(
    unit: Transaction,
    state: TahapState,
    table: BenefitTable,
    kind: str,
    among: Sequence[str] | None,
    missing: Sequence[str],
) -> MarkListReady:
    """Hash the complete lines of a run's list and say that it can be frozen."""
    digest = list_digest(state.tahap, kind, table.id)
    async for line in all_complete_lines(unit, state.tahap, among, missing):
        digest.add(listed_line(line, table))
    totals = digest.totals
    ready = MarkListReady(digest.hash(), totals.count, totals.rupiah, tuple(sorted(missing)), kind)
    await handle(unit, TAHAP, tahap_stream(state.tahap), ready)
    return ready


@dataclass(frozen=True, slots=True)
class Joiner:
    """Makes a tahap's regular list ready once its lines agree with their owners' proofs."""

    store: Store
    policies: Policies

    async def step(self) -> bool:
        """Look at each open list; answers whether one has moved on."""
        rows = await self.store.pool.fetch("SELECT tahap, seen FROM list_open ORDER BY tahap")
        moved = False
        for row in rows:
            moved |= await self._look(row["tahap"], row["seen"])
        return moved

    async def _look(self, tahap: str, before: str) -> bool:
        stream = tahap_stream(tahap)
        state = (await self.store.read(TAHAP, [stream]))[stream].state
        if state.announced is None:
            return False
        async with self.store.transaction(on(state.announced.closing_date)) as unit:
            proofs = [await proof_of(unit, tahap, topic) for topic in TOPICS]
            counts = [await counted(unit, tahap, topic) for topic in TOPICS]
            parked = [await parked_lines(unit, tahap, topic) for topic in TOPICS]
            seen = _seen(proofs, counts, parked)
            arrived = all(
                proof is not None and lines + len(held) >= proof.lines
                for proof, (lines, _), held in zip(proofs, counts, parked, strict=True)
            )
            if seen == before or not arrived:
                return False
            roster, evaluation = proofs
            if roster is None or evaluation is None:
                return False
            agrees = await self._agrees(unit, state, ROSTER_TOPIC, roster, parked[0])
            agrees &= await self._agrees(unit, state, COMMITMENT_TOPIC, evaluation, parked[1])
            if agrees:
                missing = {*parked[0], *parked[1], *evaluation.parked}
                table = self.policies.benefit(state.announced.policies["rule_set"])
                await mark_ready(unit, state, table, REGULAR, None, sorted(missing))
            await unit.connection.execute(
                "UPDATE list_open SET seen = $2 WHERE tahap = $1", tahap, seen
            )
        return True

    async def _agrees(
        self,
        unit: Transaction,
        state: TahapState,
        topic: str,
        proof: Proof,
        parked: dict[str, bytes],
    ) -> bool:
        """Whether the lines are those that were counted; what differs is asked for again."""
        have = (await buckets_of(unit, state.tahap, topic)).merge(Buckets.of(parked.items()))
        differing = have.differing(proof.buckets)
        if not differing:
            return True
        last = state.last_asked(topic)
        attempt = last.attempt + 1 if last else 1
        ask = RequestBuckets(topic, tuple(differing), attempt)
        await handle(unit, TAHAP, tahap_stream(state.tahap), ask)
        return False


def _seen(
    proofs: Sequence[Proof | None],
    counts: Sequence[tuple[int, int]],
    parked: Sequence[dict[str, bytes]],
) -> str:
    """What a look has seen: the next one has nothing to do while this stays the same."""
    return " ".join(
        f"{proof.revision if proof else 0}/{changes}/{len(held)}"
        for proof, (_, changes), held in zip(proofs, counts, parked, strict=True)
    )
