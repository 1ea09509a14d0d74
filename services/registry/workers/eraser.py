"""The leader's work on erasures: keys are destroyed once no money is under way, and stay destroyed.

The log and the keys stand in two databases, each of which may be restored from a backup. So each
is held against the other, at the start and then again and again: a key that is there again is
destroyed again, and an erasure that the log has lost is written again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Final

import structlog

from libs.events.domain.errors import CorridorError
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.workers.backoff import Attempt, Backoff
from libs.privacy.keys import KeyRing
from services.registry.contract import FAMILY, SERVICE
from services.registry.domain.erasure import CarryOut, Command, EraseAgain
from services.registry.domain.family import roster
from services.registry.partners.payments import Payments
from services.registry.tables.erasures import carried_out, due, step

ERASER: Final = "eraser"
ERASURE: Final = "erasure"
"""The items of the work: one that waits does not make the service unready."""
COMPARED_S: Final = 10.0  # with a ring's own 45 s an erasure is through everywhere within 60

log = structlog.get_logger("eraser")


class MoneyIsUnderWay(CorridorError):
    """A file with the family's money was committed while its erasure was approved."""


@dataclass(slots=True)
class Eraser:
    """Destroys the keys of erased families; `keys` runs under the eraser's own role."""

    store: Store
    keys: KeyRing
    payments: Payments
    clock: Callable[[], float] = time.monotonic
    backoff: Backoff = field(init=False)
    _compare_at: float = 0.0

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, ERASURE)
        self._compare_at = self.clock()

    async def step(self) -> bool:
        """A step of each erasure that is due; answers whether any went on."""
        items: dict[str, Attempt] = {
            family: partial(self._carry_out, family) for family in await due(self.store)
        }
        moved = await self.backoff.turn(items)
        if self.clock() >= self._compare_at:
            moved |= await self.compare()
            self._compare_at = self.clock() + COMPARED_S
        return moved

    async def _carry_out(self, family: str) -> bool:
        money = await self.payments.money_of(family)
        if not money.stopped:
            return False  # the message is on its way
        if money.under_way:
            raise MoneyIsUnderWay(family=family, payments=len(money.under_way))
        # A crash behind it is no harm: it is destroyed once more.
        await self.keys.destroy(family)
        await self._note(family, CarryOut())
        return True

    async def compare(self) -> bool:
        """Hold the log and the keys against each other; answers whether either had lost any."""
        erased, destroyed = await carried_out(self.store), await self.keys.destroyed()
        again = [family for family in sorted(erased - destroyed) if await self.keys.destroy(family)]
        lost = sorted(destroyed - erased)
        registered = await self.store.read(FAMILY, [f"family-{family}" for family in lost])
        for family in lost:
            if f"family-{family}" in registered:
                await self._note(family, EraseAgain(family))
        if again or registered:
            log.warning("erased again", keys=len(again), families=len(registered))
        return bool(again or registered)

    async def _note(self, family: str, command: Command) -> None:
        async with self.store.transaction(Context(datetime.now(UTC), f"service:{SERVICE}")) as unit:
            found = await unit.load(FAMILY, [f"family-{family}"])
            region = roster.region(found[f"family-{family}"].state, date.max)
            await step(unit, family, region, command)
