"""The leader's work: a tahap's list, a chunk of families a transaction, and lines sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from libs.events.errors import CorridorError
from libs.events.handle import Loaded, handle, handle_many
from libs.events.model import Context, Outcome
from libs.events.store import Store
from libs.events.transaction import Transaction
from libs.privacy.keys import KeyRing
from libs.privacy.sealing import Sealer
from services.registry import views
from services.registry.contract import FAMILY, LISTING, tally
from services.registry.domain.closing import Closing
from services.registry.domain.family.commands import Command, ListFamily
from services.registry.domain.family.events import Event
from services.registry.domain.family.roster import rank_by_nik, sharing_birth_date
from services.registry.domain.family.state import Family
from services.registry.domain.listing import AdvanceListing, CloseListing, Listing
from services.registry.policy import RuleSets
from services.registry.settings import SERVICE

CHUNK_FAMILIES = 1_000


class ChunkListedMeanwhile(CorridorError):
    """Another leader has listed these families, so these lines are not written."""


@dataclass(frozen=True, slots=True)
class Lister:
    """Makes the lists that were announced, each as of its cut."""

    store: Store
    keys: KeyRing
    rule_sets: RuleSets
    chunk: int = CHUNK_FAMILIES

    async def step(self) -> bool:
        """One chunk of the list that is being made; answers whether there was one."""
        found = await views.next_listing(self.store)
        if found is None:
            return await self._send_again()
        tahap, trace = found
        listing = await self._listing(tahap)
        async with self.store.transaction(_context(listing, trace)) as unit:
            families = await views.families_after(unit, listing.cursor, self.chunk)
            if families:
                await self._advance(unit, listing, families)
            else:
                await handle(unit, LISTING, f"listing-{tahap}", CloseListing(listing.revision))
                await views.end_listing(unit, tahap)
        return True

    async def _listing(self, tahap: str) -> Listing:
        stream_id = f"listing-{tahap}"
        return (await self.store.read(LISTING, [stream_id]))[stream_id].state

    async def _advance(self, unit: Transaction, listing: Listing, families: Sequence[str]) -> None:
        outcomes = await self._list(unit, listing, families, relist=False)
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
        lines = tally(outcomes)
        advance = AdvanceListing(
            revision=listing.revision,
            cursor=families[-1],
            listed=lines.listed,
            graduated=lines.graduated,
            buckets=lines.buckets,
            pending=lines.pending,
        )
        # In the transaction of its lines: a list that was interrupted goes on behind its cursor.
        advanced = await handle(unit, LISTING, f"listing-{listing.tahap}", advance)
        if not advanced.events:
            raise ChunkListedMeanwhile(tahap=listing.tahap)

    async def _list(
        self, unit: Transaction, listing: Listing, families: Sequence[str], *, relist: bool
    ) -> list[Outcome[Family, Event]]:
        """Write the lines of families as they were at the listing's cut."""
        known = await unit.load(FAMILY, [f"family-{family}" for family in families], listing.cut)
        closing = Closing(
            listing.tahap,
            listing.revision,
            listing.months,
            listing.closing_date,
            self.rule_sets.named(listing.policies["rule_set"]),
        )
        orders = await self._nik_orders(unit, known)
        commands: list[tuple[str, Command]] = [
            (f"family-{family}", ListFamily(closing, orders.get(family, {}), relist))
            for family in families
        ]
        return await handle_many(unit, FAMILY, commands, cut=listing.cut, known=known)

    async def _nik_orders(
        self, unit: Transaction, known: Mapping[str, Loaded[Family]]
    ) -> dict[str, dict[int, int]]:
        """The NIK order of those who share a birth date; nobody else's number is opened."""
        sharing = {
            stream_id.removeprefix("family-"): members
            for stream_id, found in known.items()
            if (members := sharing_birth_date(found.at_cut))
        }
        if not sharing:
            return {}
        sealer = Sealer(await self.keys.fetch(list(sharing)))
        return {
            family: rank_by_nik(
                {member: sealer.unseal(family, "nik", nik) for member, nik in niks.items()}
            )
            for family, niks in (await views.sealed_niks(unit, sharing)).items()
        }

    async def _send_again(self) -> bool:
        """The lines of one bucket that somebody asked for again, exactly as they were."""
        asked = await views.next_asked(self.store)
        if asked is None:
            return False
        tahap, bucket = asked
        listing = await self._listing(tahap)
        async with self.store.transaction(_context(listing, None)) as unit:
            cursor = bucket
            while chunk := await views.families_after(unit, cursor, self.chunk):
                families = [family for family in chunk if family.startswith(bucket)]
                await self._list(unit, listing, families, relist=True)
                if len(families) < len(chunk):
                    break
                cursor = chunk[-1]
            await views.sent_again(unit, tahap, bucket)
        return True


def _context(listing: Listing, trace: str | None) -> Context:
    day = listing.closing_date
    return Context(datetime(day.year, day.month, day.day, tzinfo=UTC), f"service:{SERVICE}", trace)
