"""The leader's work on a cancelled tahap: its list is taken back, and the next list is begun.

The latest of several lists is taken back first. Families are taken in the order of their ids, a
chunk a transaction with the cursor, so that who takes over goes on behind it. Each stands again as
it stood at the list's cut; facts that were reported since stay. A family that cannot be taken back
is found by halves and left on the list (tables/left_on_lists.py); it holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import (
    ConcurrencyConflict,
    CorridorError,
    UnknownEvent,
    safe_text,
)
from libs.events.store.handle import Loaded, handle, handle_many
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Attempt, Backoff
from services.registry.contract import FAMILY, LISTING, SERVICE
from services.registry.contract.read import ClosingAnnounced
from services.registry.domain.closing import RuleSet
from services.registry.domain.family.commands import Command, UnlistFamily
from services.registry.domain.listing.messages import CancelListing, StartListing
from services.registry.policy import RuleSets
from services.registry.tables import list_queue
from services.registry.tables.identity_rows import families_after, open_listing
from services.registry.tables.left_on_lists import (
    Left,
    leave,
    leave_no_more,
    left_among,
    left_on,
    lists_left_on,
)
from services.registry.tables.list_queue import Unlisting
from services.registry.workers.job_progress import UNLISTER
from services.registry.workers.reviewer import keep_open

CHUNK_FAMILIES = 1_000
NOBODY: Final = "00000000-0000-0000-0000-000000000000"
"""Sorts before every family, and is none."""

log = structlog.get_logger("unlister")


class FamiliesLeft(CorridorError):
    """Families could not be taken back from a cancelled list; the log names each, and why."""


async def start_list(
    unit: Transaction, closing: ClosingAnnounced, rules: RuleSet, trace: str | None
) -> None:
    """Begin a tahap's list from everything that is stored by now."""
    start = StartListing(
        tahap=closing.tahap,
        revision=closing.revision,
        months=closing.months,
        closing_date=closing.closing_date,
        policies=closing.policies,
        cut=await unit.head(),
        rules=rules,
    )
    outcome = await handle(unit, LISTING, f"listing-{closing.tahap}", start)
    if outcome.state.open:
        await open_listing(unit, closing.tahap, trace)


async def cancel_list(unit: Transaction, tahap: str, revision: int, trace: str | None) -> None:
    """End the list of a cancelled tahap, or of one that waits for its turn."""
    await list_queue.leave_line(unit, tahap)
    outcome = await handle(unit, LISTING, f"listing-{tahap}", CancelListing(revision))
    if outcome.events:
        await list_queue.begin_unlisting(unit, tahap, trace)


@dataclass(slots=True)
class Unlister:
    """Takes cancelled lists back, and begins the list whose turn it is then."""

    store: Store
    rule_sets: RuleSets
    chunk: int = CHUNK_FAMILIES
    backoff: Backoff = field(init=False)

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, UNLISTER)

    async def step(self) -> bool:
        """One chunk of a cancelled list, or the next list; answers whether there was any."""
        items: dict[str, Attempt] = {
            f"{tahap} left": partial(self._take_back_left, tahap)
            for tahap in await lists_left_on(self.store)
        }
        if cancelled := await list_queue.next_unlisting(self.store):
            items[cancelled.tahap] = partial(self._take_back, cancelled)
        elif await list_queue.anyone_next(self.store):
            items["next"] = self._begin_next
        return await self.backoff.turn(items)

    async def _take_back(self, cancelled: Unlisting) -> bool:
        stream = f"listing-{cancelled.tahap}"
        listing = (await self.store.read(LISTING, [stream]))[stream].state
        async with self.store.transaction(
            Context.on_day(SERVICE, listing.closing_date, cancelled.trace)
        ) as unit:
            families = await families_after(unit, cancelled.cursor, self.chunk)
            if families and cancelled.cursor < listing.cursor:
                # Whoever is left on another list is taken back from the latest one first.
                waiting = await left_among(unit, families)
                listed = [
                    Left(f, listing.revision, listing.cut) for f in families if f not in waiting
                ]
                refused = await self._unlist(unit, listing.tahap, listed)
                await leave(unit, listing, sorted({*waiting, *refused}))
                await list_queue.move_unlisting(unit, cancelled.tahap, families[-1])
            else:
                await list_queue.end_unlisting(unit, cancelled.tahap)
        return True

    async def _take_back_left(self, tahap: str) -> bool:
        """Try the families that are left on a list again. Raises `FamiliesLeft` where any stay."""
        remaining, cursor = 0, NOBODY
        while True:
            async with self.store.transaction(_own_context()) as unit:
                if not (left := await left_on(unit, tahap, cursor, self.chunk)):
                    break
                still = set(await self._unlist(unit, tahap, left))
                back = [family.family for family in left if family.family not in still]
                await leave_no_more(unit, tahap, back)
            remaining, cursor = remaining + len(still), left[-1].family
        if remaining:
            raise FamiliesLeft(tahap=tahap, families=remaining)
        return True

    async def _unlist(self, unit: Transaction, tahap: str, families: Sequence[Left]) -> list[str]:
        """Take families back from a list; answers those that cannot be."""

        async def take_back(some: Sequence[Left]) -> None:
            for (revision, cut), of_list in groupby(some, lambda family: family[1:]):
                ids = [family.family for family in of_list]
                await _take_back_at(unit, tahap, revision, cut, ids)

        whose = (ConcurrencyConflict,), (UnknownEvent,)
        refused = await by_halves(unit, families, take_back, *whose)
        for left, error in refused:
            log.error("family left", tahap=tahap, family=left.family, error=safe_text(error))
        return [left.family for left, _ in refused]

    async def _begin_next(self) -> bool:
        async with self.store.transaction(_own_context()) as unit:
            waiting = await list_queue.next_in_line(unit)
            if waiting is None:
                return False
            closing = waiting.announcement
            rules = self.rule_sets.named(closing.policies["rule_set"])
            await start_list(unit, closing, rules, waiting.trace)
            await list_queue.leave_line(unit, closing.tahap)
        return True


async def _take_back_at(
    unit: Transaction, tahap: str, revision: int, cut: int, families: Sequence[str]
) -> None:
    """Have families stand as at a list's cut. Raises what one of them is refused for."""
    found = await unit.load(FAMILY, [f"family-{family}" for family in families], cut)
    commands: list[tuple[str, Command]] = [
        (stream, UnlistFamily(tahap, revision, loaded.at_cut))
        for stream, loaded in sorted(found.items())
    ]
    now = {
        stream: Loaded(loaded.version, loaded.state, loaded.state)
        for stream, loaded in found.items()
    }
    outcomes = await handle_many(unit, FAMILY, commands, preloaded=now)
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error
    await keep_open(unit, outcomes)


def _own_context() -> Context:
    return Context(datetime.now(UTC), f"service:{SERVICE}")
