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

from libs.events.domain.list_proof import Buckets
from libs.events.store.handle import handle
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Backoff
from services.payments.contract import COMMITMENT_TOPIC, SERVICE, TAHAP
from services.payments.domain.shared.ids import REGULAR
from services.payments.domain.tahap.decider import DEFERRED_FAMILIES_MAX
from services.payments.domain.tahap.messages import RequestBuckets
from services.payments.domain.tahap.state import TahapState
from services.payments.tables.holds import families_parked, held_on_list
from services.payments.tables.list_lines import (
    buckets_of,
    incomplete,
)
from services.payments.tables.open_lists import Half, halves_of, seen, withheld_more
from services.payments.workers.ready_lists import ListMaker

JOINER: Final = "joiner"
ATTEMPTS_MAX: Final = 3  # to have a bucket sent again; then a person must look at it

log = structlog.get_logger("joiner")


@dataclass(slots=True)
class Joiner:
    """Makes a tahap's regular list ready once its lines agree with their owners' proofs."""

    store: Store
    lists: ListMaker
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
        ready = await self.lists.ready(unit, state, REGULAR, None, missing)
        ready = replace(ready, withheld=withheld)
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
