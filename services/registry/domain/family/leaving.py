"""Waiting, graduation and re-opening, and how they change what is known of a family."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from services.registry.domain.closing import tahap_order
from services.registry.domain.family.events import (
    GRADUATED_NATURAL,
    GRADUATION_PENDING,
    FamilyGraduated,
    FamilyReopened,
    FamilyUnlisted,
    GraduationPending,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)
from services.registry.domain.family.state import (
    Departure,
    Designation,
    Family,
    Listed,
    Reopening,
    Waiting,
    WithoutCategory,
)

ReopeningEvent: TypeAlias = (
    ReopeningProposed | ReopeningWithdrawn | ReopeningRejected | FamilyReopened
)


def pending(state: Family, event: GraduationPending) -> Family:
    """The family without a category waits; the first closing in a row says until when."""
    waiting = state.waiting
    if waiting is None or waiting.tahap == event.tahap:
        waiting = Waiting(event.tahap, event.graduates_from)
    closing = WithoutCategory(event.tahap, event.closing_date, event.term_ends_on)
    return replace(
        state,
        listed=Listed(event.tahap, event.revision, GRADUATION_PENDING),
        waiting=waiting,
        without_category=_with_closing(state, closing),
    )


def graduated(state: Family, event: FamilyGraduated) -> Family:
    """The family has left; within the term a late fact may bring it back."""
    gone = replace(state, departure=Departure(GRADUATED_NATURAL, event.tahap), waiting=None)
    if event.term_ends_on is None:
        return gone
    closing = WithoutCategory(event.tahap, event.closing_date, event.term_ends_on)
    return replace(gone, without_category=_with_closing(state, closing))


def _with_closing(state: Family, closing: WithoutCategory) -> tuple[WithoutCategory, ...]:
    others = (other for other in state.without_category if other.tahap != closing.tahap)
    return (*others, closing)


def reopened(state: Family, event: ReopeningEvent) -> Family:
    """The family after a step of a tahap's re-opening; only an approval brings it back."""
    others = tuple(other for other in state.reopenings if other.tahap != event.tahap)
    proposal = state.reopening(event.tahap)
    match event:
        case ReopeningProposed():
            proposed = Reopening(event.reopening, event.tahap, event.late, event.line)
            return replace(state, reopenings=(*others, proposed), proposals=event.reopening)
        case ReopeningWithdrawn():
            return replace(state, reopenings=others)
        case ReopeningRejected() if proposal is not None:
            return replace(state, reopenings=(*others, proposal._replace(standing="REJECTED")))
        case FamilyReopened() if proposal is not None:
            approved = replace(state, reopenings=(*others, proposal._replace(standing="APPROVED")))
            return back(approved, event.tahap)
        case _:
            return state


def back(state: Family, tahap: str) -> Family:
    """The family in the programme again: it held a category at this tahap, and has not left."""
    left = state.departure
    without = tuple(closing for closing in state.without_category if closing.tahap != tahap)
    return replace(
        state,
        departure=None if left and left.kind == GRADUATED_NATURAL else left,
        waiting=_waiting_behind(state, tahap),
        without_category=without,
    )


def _waiting_behind(state: Family, tahap: str) -> Waiting | None:
    """The wait that is left once this tahap is no closing without a category any more."""
    waiting = state.waiting
    if waiting is None or tahap_order(waiting.tahap) > tahap_order(tahap):
        return waiting
    later = [c for c in state.without_category if tahap_order(c.tahap) > tahap_order(tahap)]
    first = min(later, key=lambda closing: tahap_order(closing.tahap), default=None)
    return Waiting(first.tahap, first.term_ends_on) if first else None


def unlisted(state: Family, event: FamilyUnlisted) -> Family:
    """The family as before a cancelled list; what was proposed to re-open of it is void."""
    return replace(
        state,
        designation=Designation(*event.designation) if event.designation else None,
        listed=Listed(*event.listed) if event.listed else None,
        departure=Departure(*event.departure) if event.departure else None,
        waiting=Waiting(*event.waiting) if event.waiting else None,
        without_category=tuple(WithoutCategory(*closing) for closing in event.without_category),
        reopenings=tuple(
            reopening for reopening in state.reopenings if reopening.tahap != event.tahap
        ),
    )
