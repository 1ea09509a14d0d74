"""The leader's work: a tahap's list, a chunk of families a transaction, and lines sent again.

A family that cannot be listed is found by halves and withheld by name, and so are those that share
an account or a payee; all others are listed. A tahap whose list fails rests, and holds up no other
one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog

from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import (
    ConcurrencyConflict,
    CorridorError,
    EventTooLarge,
    UnknownEvent,
    safe_text,
)
from libs.events.store.handle import handle, handle_many
from libs.events.store.model import Context, Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.events.workers.backoff import Attempt, Backoff
from libs.privacy.errors import KeyDestroyed, PrivacyError
from libs.privacy.keys import KeyRing
from services.registry.contract import ERASURE, FAMILY, LISTING, SERVICE, tally
from services.registry.domain.closing import Closing
from services.registry.domain.erasure import is_decided
from services.registry.domain.family.commands import (
    NOBODY_ELSEWHERE,
    Command,
    ListFamily,
    RepeatLine,
)
from services.registry.domain.family.errors import DaysLost, ListedLater
from services.registry.domain.family.events import Event
from services.registry.domain.family.lines import may_be_listed
from services.registry.domain.family.state import Family
from services.registry.domain.listing.messages import AdvanceListing, CloseListing, Withheld
from services.registry.domain.listing.state import ERASED, KEY_DESTROYED, Listing
from services.registry.policy import RuleSets
from services.registry.tables import identity_rows
from services.registry.tables.erasures import erased_among
from services.registry.tables.left_on_lists import left_among
from services.registry.tables.payees import unknown_among
from services.registry.tables.person_claims import persons_of
from services.registry.workers.job_progress import LISTER
from services.registry.workers.ranking import nik_orders
from services.registry.workers.reviewer import Reviewer
from services.registry.workers.shared_payees import SharedPayees
from services.registry.workers.unlister import NOBODY

CHUNK_FAMILIES = 1_000
CANNOT_BE_LISTED: Final = "CANNOT_BE_LISTED"
NEVER_A_FAMILYS_OWN: Final = (ListedLater, ConcurrencyConflict)
"""A list out of its order is refused whole; a family that moved meanwhile is listed next time."""
ALSO_A_FAMILYS_OWN: Final = (UnknownEvent,)
"""An event that nobody can read holds up its family alone; a release too old fails at thousands."""

log = structlog.get_logger("lister")


class ChunkListedMeanwhile(CorridorError):
    """Another leader has listed these families, so these lines are not written."""


@dataclass(slots=True)
class Lister:
    """Makes the lists that were announced, each as of its cut."""

    store: Store
    keys: KeyRing
    payees: SharedPayees
    rule_sets: RuleSets
    chunk: int = CHUNK_FAMILIES
    backoff: Backoff = field(init=False)
    completed: str = NOBODY
    """The family up to which accounts from before there were tokens have theirs, or fail."""

    def __post_init__(self) -> None:
        self.backoff = Backoff(self.store, LISTER)

    async def step(self) -> bool:
        """One chunk of each list that is being made, or one bucket of each that was asked for
        again; answers whether there was any."""
        items: dict[str, Attempt] = {
            tahap: partial(self._next_chunk, tahap, trace)
            for tahap, trace in await identity_rows.open_listings(self.store)
        }
        for tahap, bucket in await identity_rows.asked_again(self.store):
            items[f"{tahap} {bucket}"] = partial(self._send_again, tahap, bucket)
        return await self.backoff.turn(items)

    async def _next_chunk(self, tahap: str, trace: str | None) -> bool:
        listing = await self._listing(tahap)
        async with self.store.transaction(
            Context.on_day(SERVICE, listing.closing_date, trace)
        ) as unit:
            # Who shares is asked of all families at once, so all have their tokens first.
            if completed := await self.payees.complete(unit, self.completed):
                self.completed = completed
                return True
            families = await identity_rows.families_after(unit, listing.cursor, self.chunk)
            if families:
                await self._advance(unit, listing, families)
            else:
                self.completed = NOBODY
                await handle(unit, LISTING, f"listing-{tahap}", CloseListing(listing.revision))
                await identity_rows.end_listing(unit, tahap)
        return True

    async def _listing(self, tahap: str) -> Listing:
        stream_id = f"listing-{tahap}"
        return (await self.store.read(LISTING, [stream_id]))[stream_id].state

    async def _advance(self, unit: Transaction, listing: Listing, families: Sequence[str]) -> None:
        closing = self.rule_sets.closing(listing)
        erased = await erased_among(unit, families)
        left = await left_among(unit, families) - erased
        left |= await unknown_among(unit, families) - erased
        others = [family for family in families if family not in left | erased]
        shared = await self.payees.among(unit, listing, others)
        ready = [family for family in others if family not in shared]
        outcomes, withheld = await self._list(unit, closing, listing.cut, ready)
        withheld += tuple(Withheld(family, CANNOT_BE_LISTED) for family in sorted(left))
        withheld += tuple(Withheld(family, reason) for family, reason in sorted(shared.items()))
        missed = await _erased_behind(unit, listing.cut, erased) if erased else ()
        withheld += tuple(Withheld(family, ERASED) for family in missed)
        lines = tally(outcomes)
        advance = AdvanceListing(
            revision=listing.revision,
            cursor=families[-1],
            listed=lines.listed,
            graduated=lines.graduated,
            buckets=lines.buckets,
            pending=lines.pending,
            withheld=withheld,
        )
        # In the transaction of its lines: a list that was interrupted goes on behind its cursor.
        advanced = await handle(unit, LISTING, f"listing-{listing.tahap}", advance)
        if not advanced.events:
            raise ChunkListedMeanwhile(tahap=listing.tahap)

    async def _list(
        self, unit: Transaction, closing: Closing, cut: int, families: Sequence[str]
    ) -> tuple[list[Outcome[Family, Event]], tuple[Withheld, ...]]:
        """Write the lines of families as they were at the list's cut; who cannot have one."""
        reviewer = Reviewer(self.keys, self.rule_sets)
        written: list[Outcome[Family, Event]] = []

        async def write(some: Sequence[str]) -> None:
            outcomes = await self._written(unit, closing, cut, some)
            # A fact that was stored between the cut and now met a family that did not wait yet.
            await reviewer.review_together(unit, outcomes)
            written.extend(outcomes)

        refused = await by_halves(unit, families, write, NEVER_A_FAMILYS_OWN, ALSO_A_FAMILYS_OWN)
        for family, error in refused:
            log.error("family withheld", tahap=closing.tahap, family=family, error=safe_text(error))
        return written, tuple(Withheld(family, _reason(error)) for family, error in refused)

    async def _written(
        self, unit: Transaction, closing: Closing, cut: int, families: Sequence[str]
    ) -> list[Outcome[Family, Event]]:
        """The outcomes of these families' lines. Raises what one of them is refused for."""
        loaded = await unit.load(FAMILY, [f"family-{family}" for family in families], cut)
        states = {
            stream_id.removeprefix("family-"): found.at_cut for stream_id, found in loaded.items()
        }
        orders, closed = await nik_orders(unit, self.keys, states)
        persons = await persons_of(unit, states, cut)
        commands: list[tuple[str, Command]] = [
            (
                f"family-{family}",
                ListFamily(closing, orders.get(family, {}), persons.get(family, NOBODY_ELSEWHERE)),
            )
            for family in families
        ]
        outcomes = await handle_many(unit, FAMILY, commands, cut=cut, preloaded=loaded)
        for family, outcome in zip(families, outcomes, strict=True):
            if outcome.error is not None:
                raise closed.get(family, outcome.error)
        return outcomes

    async def _send_again(self, tahap: str, bucket: str) -> bool:
        """The lines of one bucket that somebody asked for again, as they are stored.

        Nothing of them is made anew: since then a key may be gone, or a later list begun.
        """
        listing = await self._listing(tahap)
        async with self.store.transaction(Context.on_day(SERVICE, listing.closing_date)) as unit:
            cursor = bucket
            while chunk := await identity_rows.families_after(unit, cursor, self.chunk):
                mine = [family for family in chunk if family.startswith(bucket)]
                stored = await identity_rows.stored_lines(unit, tahap, listing.revision, mine)
                repeats = [(stream, RepeatLine(line)) for stream, line in stored]
                for outcome in await handle_many(unit, FAMILY, repeats):
                    if outcome.error is not None:
                        raise outcome.error
                if len(mine) < len(chunk):
                    break
                cursor = chunk[-1]
            await identity_rows.sent_again(unit, tahap, bucket)
        return True


async def _erased_behind(unit: Transaction, cut: int, families: Collection[str]) -> list[str]:
    """Those of erased families that a list would have held, had they not been erased behind its
    cut; who was erased before it has left, as others do."""
    streams = [ERASURE.stream(family) for family in sorted(families)]
    decided = {
        stream.removeprefix("erasure-")
        for stream, found in (await unit.load(ERASURE, streams, cut)).items()
        if is_decided(found.at_cut)
    }
    missed = [f"family-{family}" for family in sorted(set(families) - decided)]
    families_then = await unit.load(FAMILY, missed, cut)
    return [
        stream.removeprefix("family-")
        for stream, found in sorted(families_then.items())
        if may_be_listed(found.at_cut)
    ]


def _reason(error: Exception) -> str:
    """The code that is told to others: no key opens what the family sealed, its line is larger
    than the bus carries, or making it fails with an error that the log names."""
    match error:
        case KeyDestroyed() | DaysLost():
            return KEY_DESTROYED
        case PrivacyError():
            return "KEY_MISSING"
        case EventTooLarge():
            return "LINE_TOO_LARGE"
        case _:
            return CANNOT_BE_LISTED
