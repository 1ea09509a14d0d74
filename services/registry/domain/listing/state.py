"""The state of a tahap's list: how far it is, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from libs.events.domain.list_proof import Buckets, BucketsJson
from services.registry.domain.closing import RuleSet
from services.registry.domain.listing.messages import (
    Event,
    FamiliesWithheld,
    ListClosed,
    ListingAdvanced,
    ListingCancelled,
    ListingFrozen,
    ListingStarted,
    Withheld,
    WithheldAccepted,
    WithheldProposed,
)

WITHHELD_MAX: Final = 1_000
"""Of a list, for reasons that need not be their own. Beyond it the keys or the release are to blame
rather than the families: the list rests until that is mended, or two people accept more of them."""
KEY_DESTROYED: Final = "KEY_DESTROYED"
ERASED: Final = "ERASED"
SHARED_ACCOUNT: Final = "SHARED_ACCOUNT"
SHARED_PAYEE: Final = "SHARED_PAYEE"
THEIR_OWN: Final = (KEY_DESTROYED, ERASED, SHARED_ACCOUNT, SHARED_PAYEE)
"""The reasons that lie with the families alone: they hold up no list, however many there are."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The latest list of a tahap; `revision` 0 is none yet, an empty cursor is the beginning.

    `withheld` are the first families that are, `withheld_more` counts the others; `mendable` of all
    of them are for a reason that need not be their own, and at most `withheld_max` may be.
    """

    tahap: str = ""
    revision: int = 0
    months: tuple[str, ...] = ()
    closing_date: date = date.min
    policies: Mapping[str, str] = field(default_factory=dict)
    cut: int = 0
    cursor: str = ""
    listed: int = 0
    graduated: int = 0
    buckets: BucketsJson = field(default_factory=dict)
    closed: bool = False
    cancelled: bool = False
    pending: int = 0
    withheld: tuple[Withheld, ...] = ()
    frozen: bool = False
    rules: RuleSet | None = None
    withheld_more: int = 0
    mendable: int = 0
    withheld_max: int = WITHHELD_MAX
    proposal: WithheldProposed | None = None

    @property
    def open(self) -> bool:
        """True if lines are still missing."""
        return self.revision > 0 and not self.closed and not self.cancelled


def evolve(state: Listing, event: Event) -> Listing:
    """The list after one more event."""
    match event:
        case ListingStarted():
            return Listing(
                tahap=event.tahap,
                revision=event.revision,
                months=event.months,
                closing_date=event.closing_date,
                policies=event.policies,
                cut=event.cut,
                rules=event.rules,
            )
        case ListingAdvanced():
            before, chunk = Buckets.from_json(state.buckets), Buckets.from_json(event.buckets)
            return replace(
                state,
                cursor=event.cursor,
                listed=state.listed + event.listed,
                graduated=state.graduated + event.graduated,
                buckets=before.merge(chunk).to_json(),
                pending=state.pending + event.pending,
                withheld=state.withheld + event.withheld,
                mendable=state.mendable + mendable_of(event.withheld),
            )
        case FamiliesWithheld():
            return replace(
                state,
                withheld_more=state.withheld_more + len(event.withheld),
                mendable=state.mendable + mendable_of(event.withheld),
            )
        case WithheldProposed():
            return replace(state, proposal=event)
        case WithheldAccepted():
            return replace(state, withheld_max=event.most, proposal=None)
        case ListClosed():
            return replace(state, closed=True)
        case ListingFrozen():
            return replace(state, frozen=True)
        case ListingCancelled():
            return replace(state, cancelled=True, frozen=False)


def mendable_of(withheld: Sequence[Withheld]) -> int:
    """The number of families that are withheld for a reason that need not be their own."""
    return sum(family.reason not in THEIR_OWN for family in withheld)
