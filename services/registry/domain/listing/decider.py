"""The list of one tahap, as a stream `listing-{tahap}`: how far it is, and what it came to.

The lines themselves stand in the families' streams; the list keeps their counts and buckets.
Families are listed in the order of their ids, a chunk at a time, and each chunk's lines are
appended in one transaction with the `AdvanceListing` that counts them: so a list that was
interrupted goes on behind its cursor and no line is counted twice.
"""

from __future__ import annotations

from typing import Final

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from services.registry.domain.listing.messages import (
    AdvanceListing,
    ApproveWithheld,
    CancelListing,
    CloseListing,
    Command,
    Event,
    FamiliesWithheld,
    ListClosed,
    ListingAdvanced,
    ListingCancelled,
    ListingFrozen,
    ListingStarted,
    NoteFreeze,
    ProposeWithheld,
    StartListing,
    WithheldAccepted,
    WithheldProposed,
)
from services.registry.domain.listing.state import Listing, evolve, mendable_of

NAMED_MAX: Final = 1_000
"""Withheld families that the end of a list names; messages before it name the others."""


class AnotherListing(DomainError):
    """This revision of the tahap's list was started before, on other terms."""


class ListingStillOpen(DomainError):
    """The tahap's earlier list must be closed before its next one starts."""


class RevisionOutOfOrder(DomainError):
    """A tahap's lists are numbered one after another, and only the latest goes on."""


class ListingClosedBefore(DomainError):
    """A closed list takes no more lines."""


class CountsDisagree(DomainError):
    """A chunk's buckets hold as many lines as were listed and graduated."""


class TooManyWithheld(DomainError):
    """So many families cannot be listed that the fault is hardly theirs; mend it, or accept it."""


class NothingProposed(DomainError):
    """There is no proposal of this number to approve."""


class SamePerson(DomainError):
    """Maker and checker must be two people."""


def decide(command: Command, state: Listing) -> list[Event]:
    """The events that the command causes; none where it repeats what the list already holds."""
    match command:
        case StartListing():
            return start(command, state)
        case AdvanceListing():
            return advance(command, state)
        case ProposeWithheld():
            return propose_withheld(command, state)
        case ApproveWithheld():
            return approve_withheld(command, state)
        case CloseListing():
            return close(command, state)
        case NoteFreeze():
            return [ListingFrozen(state.tahap)] if state.closed and not state.frozen else []
        case CancelListing():
            return cancel(command, state)


def start(command: StartListing, state: Listing) -> list[Event]:
    """The list starts; the same start again keeps the first one's cut, whatever the head is now."""
    if command.revision == state.revision and not state.cancelled:
        if _terms(command) != _terms(state):
            raise AnotherListing(tahap=command.tahap, revision=command.revision)
        return []
    if state.open:
        raise ListingStillOpen(tahap=state.tahap, revision=state.revision)
    if command.revision < state.revision:
        raise RevisionOutOfOrder(tahap=command.tahap, revision=command.revision)
    return [
        ListingStarted(
            tahap=command.tahap,
            revision=command.revision,
            months=command.months,
            closing_date=command.closing_date,
            policies=command.policies,
            cut=command.cut,
            rules=command.rules,
        )
    ]


def advance(command: AdvanceListing, state: Listing) -> list[Event]:
    """The chunk is counted, unless the cursor is already there or beyond.

    The reason of who is withheld decides whether their number rests the list.
    """
    _require_latest(command.revision, state)
    if command.cursor <= state.cursor:
        return []
    if state.closed or state.cancelled:
        raise ListingClosedBefore(tahap=state.tahap, revision=state.revision)
    if command.listed + command.graduated != command.buckets.line_count:
        raise CountsDisagree(tahap=state.tahap, lines=command.buckets.line_count)
    mendable = state.mendable + mendable_of(command.withheld)
    if mendable > state.withheld_max and mendable_of(command.withheld):
        most = state.withheld_max
        raise TooManyWithheld(tahap=state.tahap, withheld=mendable, most=most)
    room = NAMED_MAX - len(state.withheld)
    named, more = command.withheld[:room], command.withheld[room:]
    beyond = [FamiliesWithheld(state.tahap, state.revision, more)] if more else []
    return [
        ListingAdvanced(
            revision=command.revision,
            cursor=command.cursor,
            listed=command.listed,
            graduated=command.graduated,
            buckets=command.buckets.to_json(),
            pending=command.pending,
            withheld=named,
        ),
        *beyond,
    ]


def propose_withheld(command: ProposeWithheld, state: Listing) -> list[Event]:
    """Let a number wait for another person's approval; one that is accepted already is quiet."""
    _require_open(state)
    if command.most <= state.withheld_max:
        return []
    proposed = WithheldProposed(state.tahap, state.revision, command.most, command.maker)
    return [] if state.proposal == proposed else [proposed]


def approve_withheld(command: ApproveWithheld, state: Listing) -> list[Event]:
    """Accept the number that another person proposed, of this list alone; again it is quiet."""
    _require_open(state)
    proposal = state.proposal
    if proposal is None and command.most == state.withheld_max:
        return []
    if proposal is None or proposal.most != command.most:
        raise NothingProposed(tahap=state.tahap, most=command.most)
    if same_person(proposal.maker, command.checker):
        raise SamePerson
    people = proposal.maker, command.checker
    return [WithheldAccepted(state.tahap, state.revision, proposal.most, *people)]


def close(command: CloseListing, state: Listing) -> list[Event]:
    """The list is closed, once."""
    _require_latest(command.revision, state)
    if state.closed or state.cancelled:
        return []
    return [
        ListClosed(
            tahap=state.tahap,
            revision=state.revision,
            cut=state.cut,
            listed=state.listed,
            graduated=state.graduated,
            buckets=state.buckets,
            pending=state.pending,
            withheld=state.withheld,
            withheld_more=state.withheld_more,
        )
    ]


def cancel(command: CancelListing, state: Listing) -> list[Event]:
    """The list ends, once; one that was never started has nothing to end."""
    if command.revision != state.revision or state.cancelled:
        return []
    return [ListingCancelled(state.tahap, state.revision)]


def _terms(listing: StartListing | Listing) -> tuple[object, ...]:
    """The terms on which two starts of one list must agree."""
    return listing.tahap, listing.months, listing.closing_date, dict(listing.policies)


def _require_open(state: Listing) -> None:
    if not state.open:
        raise ListingClosedBefore(tahap=state.tahap, revision=state.revision)


def _require_latest(revision: int, state: Listing) -> None:
    if revision != state.revision or revision == 0:
        raise RevisionOutOfOrder(tahap=state.tahap, revision=revision)


listing: Decider[Command, Listing, Event] = Decider(Listing(), decide, evolve)
