"""Check-in by a token that is scanned at a session: which tokens count, and when.

A token is shown and sent within minutes, or it stands on a list that was downloaded before: then it
is scanned on the session's day, where there may be no network, and sent some days later.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from libs.events.domain.errors import DomainError
from services.p2k2.domain.days import Span, day_of


class CheckInForged(DomainError):
    """The token is none of this service, or was changed."""


class CheckInOutOfTime(DomainError):
    """The token was scanned, or is sent, outside of its time."""


class CheckInOfAnotherSession(DomainError):
    """The token is of another session."""


class CheckInOfAnotherFamily(DomainError):
    """The token is another family's."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """The content of a token: a session, a family by a name that it has there alone, and when it
    may be scanned. `listed` ones may be sent later."""

    session: str
    who: str
    listed: bool
    span: Span


def span_of(on: date, now: datetime, minutes: int, *, listed: bool) -> Span:
    """The time of a token that is made now. Raises `CheckInOutOfTime` where it would have none."""
    day = day_of(on)
    span = day if listed else Span(now, now + timedelta(minutes=minutes))
    if now >= day.ends or not (listed or day.holds(now)):
        raise CheckInOutOfTime(on=on)
    return span


@dataclass(frozen=True, slots=True)
class Scanning:
    """A token's scan: where, of whom, when, and when that is sent."""

    session: str
    who: str
    on: date
    scanned_at: datetime
    sent_at: datetime


def ensure_counts(ticket: Ticket, scanning: Scanning, days: int) -> None:
    """Refuse a token of another session or family, or out of its time; one of a list is sent
    at most so many days after it ends."""
    if ticket.session != scanning.session:
        raise CheckInOfAnotherSession(session=scanning.session)
    if ticket.who != scanning.who:
        raise CheckInOfAnotherFamily(session=scanning.session)
    sent_by = ticket.span.ends + timedelta(days=days if ticket.listed else 0)
    scanned, sent = scanning.scanned_at, scanning.sent_at
    within = ticket.span.holds(scanned) and day_of(scanning.on).holds(scanned)
    if not within or not scanned <= sent < sent_by:
        raise CheckInOutOfTime(session=scanning.session)
