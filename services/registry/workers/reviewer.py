"""Closings without a category, looked at again when a fact is stored behind their list's cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

import structlog

from libs.chassis.regions import region_ranges
from libs.events.consumer.batch_bisection import by_halves, load_by_halves
from libs.events.domain.errors import safe_text
from libs.events.domain.personal import PersonalDay
from libs.events.store.handle import handle_many
from libs.events.store.log import recorded
from libs.events.store.model import Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from libs.privacy.keys import KeyRing
from services.registry.contract import FAMILY, LISTING
from services.registry.domain.family.commands import Command, ReviewClosing
from services.registry.domain.family.events import (
    ChangeApproved,
    Event,
    FamilyReopened,
    FamilyUnlisted,
    LateFact,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)
from services.registry.domain.family.state import Family
from services.registry.domain.listing.state import Listing
from services.registry.policy import RuleSets
from services.registry.tables.identity_rows import lives_on
from services.registry.tables.person_claims import persons_of
from services.registry.workers.ranking import nik_orders

_OPENS_OR_ENDS: Final = (
    *(ReopeningProposed, ReopeningWithdrawn, ReopeningRejected, FamilyReopened),
    FamilyUnlisted,
)
_FACTS: Final = (
    "MembersRegistered",
    "MemberBorn",
    "MemberDied",
    "SchoolChanged",
    "PregnancyReported",
    "FamilyMoved",
    "PayeeChanged",
    "ChangeApproved",
)
_OPENED: Final = """
INSERT INTO reopening_open (family, tahap) SELECT * FROM unnest($1::uuid[], $2::text[])
ON CONFLICT DO NOTHING
"""
_ENDED: Final = """
DELETE FROM reopening_open USING unnest($1::uuid[], $2::text[]) AS u (family, tahap)
WHERE reopening_open.family = u.family AND reopening_open.tahap = u.tahap
"""
_PAGE: Final = f"""
SELECT reopening_open.family::text, tahap FROM reopening_open JOIN identity_family USING (family)
CROSS JOIN LATERAL (SELECT {lives_on("$7")} AS lives_in) AS today
WHERE ($1::text IS NULL OR tahap = $1)
  AND ($2::uuid IS NULL OR (reopening_open.family, tahap) > ($2, $3))
  AND EXISTS (SELECT FROM unnest($4::text[], $5::text[]) AS r (low, high)
              WHERE lives_in COLLATE "C" >= low AND lives_in COLLATE "C" < high)
ORDER BY reopening_open.family, tahap LIMIT $6
"""  # noqa: S608 - of texts that stand here


log = structlog.get_logger("reopening")


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Looks at closings without a category again, in the transaction of what was stored."""

    keys: KeyRing
    rule_sets: RuleSets

    async def review(self, unit: Transaction, outcomes: Iterable[Outcome[Family, Event]]) -> None:
        """Propose, or withdraw, what the facts of handled families now say of such closings.

        A family that cannot be reviewed, as one whose key was destroyed, stops no other: its fact
        is kept, and the log names it.
        """
        families = _without_category(outcomes)

        async def review(streams: Sequence[str]) -> None:
            await self._review(unit, {stream: families[stream] for stream in streams})

        for stream, error in await by_halves(unit, sorted(families), review):
            log.error("closing not reviewed", family=stream, error=safe_text(error))

    async def review_together(
        self, unit: Transaction, outcomes: Iterable[Outcome[Family, Event]]
    ) -> None:
        """The same of all families or none. Raises what one of them cannot be reviewed for."""
        if families := _without_category(outcomes):
            await self._review(unit, families)

    async def _review(self, unit: Transaction, families: Mapping[str, Family]) -> None:
        listings = await _listings(unit, families.values())
        facts = await _facts(unit, list(families))
        states = {state.family: state for state in families.values()}
        orders, closed = await nik_orders(unit, self.keys, states)
        # Whose a person was at the list's cut: what was decided since, changes no closed tahap.
        persons = {
            tahap: await persons_of(unit, states, listing.cut)
            for tahap, listing in listings.items()
        }
        commands: list[tuple[str, Command]] = [
            (
                stream,
                ReviewClosing(
                    self.rule_sets.closing(listings[closing.tahap]),
                    _late(facts.get(stream, ()), listings[closing.tahap]),
                    orders.get(state.family, {}),
                    persons[closing.tahap][state.family],
                ),
            )
            for stream, state in families.items()
            for closing in state.without_category
        ]
        reviewed = await handle_many(unit, FAMILY, commands)
        for outcome in reviewed:
            if outcome.error is not None:
                raise closed.get(outcome.stream_id.removeprefix("family-"), outcome.error)
        await keep_open(unit, reviewed)


def _without_category(outcomes: Iterable[Outcome[Family, Event]]) -> dict[str, Family]:
    return {
        outcome.stream_id: outcome.state
        for outcome in outcomes
        if outcome.events and outcome.state.without_category
    }


async def _listings(unit: Transaction, families: Iterable[Family]) -> dict[str, Listing]:
    tahaps = {closing.tahap for state in families for closing in state.without_category}
    found = await unit.load(LISTING, sorted(f"listing-{tahap}" for tahap in tahaps))
    return {loaded.state.tahap: loaded.state for loaded in found.values()}


async def _facts(
    unit: Transaction, streams: Sequence[str]
) -> dict[str, list[tuple[int, LateFact]]]:
    """(position, fact) of all that was ever recorded of these families, by stream."""
    facts: dict[str, list[tuple[int, LateFact]]] = {}
    makers: dict[str, str] = {}
    opens = await unit.opening(FAMILY, streams)
    for stored in await recorded(unit, streams, _FACTS):
        event = stored.event(FAMILY, opens(stored.stream_id))
        if isinstance(event, ChangeApproved):
            makers[stored.stream_id] = event.maker  # of the fact that follows
            continue
        dates = _day(getattr(event, "effective_on", None)), getattr(event, "reported_on", None)
        maker = makers.pop(stored.stream_id, None)
        # Both of its people recorded it: neither decides on what follows from it.
        for person in (stored.actor,) if maker is None else (maker, stored.actor):
            fact = LateFact(stored.type, *dates, person)
            facts.setdefault(stored.stream_id, []).append((stored.position, fact))
    return facts


def _day(effective_on: date | None) -> PersonalDay | None:
    """The day as a proposal stores it: of a birth as its event does, of all else in clear."""
    if effective_on is None or isinstance(effective_on, PersonalDay):
        return effective_on
    return PersonalDay.in_clear(effective_on)


def _late(facts: Sequence[tuple[int, LateFact]], listing: Listing) -> tuple[LateFact, ...]:
    """The facts that a list could not count: stored behind its cut, or reported after its closing.

    A list that is made anew, of a corrected tahap, has a later cut than the first one had.
    """
    return tuple(
        fact
        for position, fact in facts
        if position > listing.cut
        or (fact.reported_on is not None and fact.reported_on > listing.closing_date)
    )


async def keep_open(unit: Transaction, outcomes: Iterable[Outcome[Family, Event]]) -> None:
    """Note which re-openings wait for a person, in the transaction of their events."""
    waits: dict[tuple[str, str], bool] = {}
    for outcome in outcomes:
        for event in outcome.events:
            if isinstance(event, _OPENS_OR_ENDS):
                waits[event.family, event.tahap] = isinstance(event, ReopeningProposed)
    for statement, opened in ((_OPENED, True), (_ENDED, False)):
        if keys := [key for key, waiting in waits.items() if waiting is opened]:
            families, tahaps = zip(*keys, strict=True)
            await unit.connection.execute(statement, families, tahaps)


async def waiting(
    store: Store,
    tahap: str | None,
    regions: Sequence[str],
    after: tuple[UUID, str] | None,
    limit: int,
) -> list[tuple[str, str, Family | None]]:
    """(family, tahap, state) of at most `limit` re-openings behind one, in order of family and
    tahap; None of one that cannot be read."""
    async with store.looking() as look:
        behind = after or (None, None)
        ranges = region_ranges(regions)
        today = look.context.at.date()
        rows = await look.connection.fetch(_PAGE, tahap, *behind, *ranges, limit, today)
        streams = sorted({f"family-{row['family']}" for row in rows})
        found: Mapping[str, Family] = {
            stream: loaded.state
            for stream, loaded in (await load_by_halves(look, FAMILY, streams)).items()
        }
    return [(row["family"], row["tahap"], found.get(f"family-{row['family']}")) for row in rows]


async def listing_of(unit: Transaction, tahap: str) -> Listing:
    """The tahap's list; one that was never begun where there is none."""
    found = await unit.load(LISTING, [f"listing-{tahap}"])
    return found[f"listing-{tahap}"].state if found else Listing()
