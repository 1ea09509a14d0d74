"""Persons by token, and the family that had each of them first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from libs.events.store.model import Outcome
from libs.events.store.transaction import Transaction
from services.registry.domain.family.events import Event, PersonsRegistered
from services.registry.domain.family.state import Family

PERSON: Final = "person"
_FIRST: Final = "SELECT token, stream_id FROM claims WHERE kind = $1 AND token = ANY($2)"


async def claim_persons(unit: Transaction, outcomes: Iterable[Outcome[Family, Event]]) -> None:
    """Keep who is a family's first, in the transaction of the events: a claim never changes."""
    wanted: dict[str, str] = {}
    for outcome in outcomes:
        for event in outcome.events:
            if isinstance(event, PersonsRegistered):
                for token in event.persons:
                    wanted.setdefault(token, outcome.stream_id)
    if wanted:
        await unit.claim(PERSON, wanted)


async def members_elsewhere(
    unit: Transaction, families: Mapping[str, Family]
) -> dict[str, frozenset[int]]:
    """The members of each family whom another family had before, by number.

    A family as of a cut has its claims from before the cut, and they stand against later ones: the
    answer is the same tomorrow.
    """
    tokens = [member.token for state in families.values() for member in state.members]
    rows = await unit.connection.fetch(_FIRST, PERSON, tokens)
    first: dict[str, str] = {row["token"]: row["stream_id"] for row in rows}
    return {
        family: frozenset(
            member.member for member in state.members if first.get(member.token, own) != own
        )
        for family, state in families.items()
        if (own := f"family-{family}")
    }
