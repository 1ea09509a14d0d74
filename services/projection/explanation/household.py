"""A family as it was known at a closing: facts reported by then, and stored by the list's cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from services.projection.explanation.answer import Fact, Known, Reference
from services.projection.explanation.facts import (
    FACTS,
    FamilyMoved,
    FamilyRegistered,
    MemberBorn,
    MemberDied,
    MembersRegistered,
    PayeeChanged,
    PregnancyReported,
    SchoolChanged,
)
from services.projection.explanation.messages import Published

REGISTRY = "registry"
B = TypeVar("B")


def of_kind(messages: Iterable[Published[Any]], kind: type[B]) -> Iterator[Published[B]]:
    """The messages of one kind."""
    return (message for message in messages if isinstance(message.body, kind))


def reference(message: Published[Any]) -> Reference:
    """Where a message stands."""
    return Reference(message.service, message.position, type(message.body).__name__)


@dataclass(frozen=True, slots=True)
class Household:
    """The facts of a family that could be known, each answer as of the closing date."""

    facts: tuple[Published[Any], ...]
    on: date

    @classmethod
    def at(
        cls, messages: Iterable[Published[Any]], horizon: Known, reported_by: date | None = None
    ) -> Household:
        """The facts within a horizon: nothing reported later, nothing stored behind the cut.

        `reported_by` is the closing date, unless a late fact re-opened the closing.
        """
        last_day = reported_by or horizon.closing_date
        within = [
            message
            for message in messages
            if isinstance(message.body, FACTS)
            and (horizon.cut is None or message.position <= horizon.cut)
            and getattr(message.body, "reported_on", last_day) <= last_day
        ]
        return cls(
            tuple(sorted(within, key=lambda message: message.position)), horizon.closing_date
        )

    @property
    def registered(self) -> Fact | None:
        """That the family stands in the register."""
        for registered in of_kind(self.facts, FamilyRegistered):
            return Fact("dtks", "Y" if registered.body.dtks else "N", reference(registered))
        return None

    def region(self) -> Fact | None:
        """Where the family lived."""
        for move in reversed(self._applied(FamilyMoved)):
            body = move.body
            return Fact(
                "region",
                body.region,
                reference(move),
                effective_on=body.effective_on,
                reported_on=body.reported_on,
            )
        for registered in of_kind(self.facts, FamilyRegistered):
            return Fact("region", registered.body.region, reference(registered))
        return None

    def payee(self) -> Fact | None:
        """Who received the money: a member's number, or nobody of the family (empty)."""
        for change in reversed(self._applied(PayeeChanged)):
            body = change.body
            return Fact(
                "payee",
                "" if body.payee is None else str(body.payee),
                reference(change),
                body.payee,
                body.effective_on,
                body.reported_on,
            )
        for card in of_kind(self.facts, MembersRegistered):
            if card.body.payee is not None:
                number = card.body.payee
                return Fact("payee", str(number), reference(card), number)
        return None

    def births(self) -> dict[int, Fact]:
        """The years around the birth of every member who was born by then."""
        births: dict[int, Fact] = {}
        for card in of_kind(self.facts, MembersRegistered):
            for row in card.body.members:
                births[row.member] = Fact("born", row.born, reference(card), row.member)
        for born in of_kind(self.facts, MemberBorn):
            body, at = born.body, reference(born)
            births[body.member] = Fact("born", body.born, at, body.member, None, body.reported_on)
        return births

    def death(self, member: int) -> Fact | None:
        """That the member had died."""
        for died in self._applied(MemberDied):
            if died.body.member == member:
                return _of_member("died", "Y", died)
        return None

    def school(self, member: int) -> Fact | None:
        """The member's school level, empty for none; None where nothing was ever said of it."""
        for change in reversed(self._applied(SchoolChanged)):
            if change.body.member == member:
                return _of_member("school_level", change.body.school_level or "", change)
        for card in of_kind(self.facts, MembersRegistered):
            for row in card.body.members:
                if row.member == member:
                    level = row.school_level or ""
                    return Fact("school_level", level, reference(card), member)
        return None

    def disability(self, member: int) -> Fact | None:
        """That the member lives with a severe disability."""
        for card in of_kind(self.facts, MembersRegistered):
            for row in card.body.members:
                if row.member == member and row.severe_disability:
                    return Fact("severe_disability", "Y", reference(card), member)
        return None

    def pregnancy(self, member: int) -> Fact | None:
        """That the member expects or has borne a child, as it was last reported."""
        for reported in reversed(self._applied(PregnancyReported)):
            if reported.body.member == member:
                return _of_member("pregnant", "Y", reported) if reported.body.pregnant else None
        for card in of_kind(self.facts, MembersRegistered):
            for row in card.body.members:
                if row.member == member and row.pregnant:
                    return Fact("pregnant", "Y", reference(card), member)
        return None

    def living(self) -> list[int]:
        """The members who were born and not dead."""
        return [member for member in sorted(self.births()) if self.death(member) is None]

    def _applied(self, kind: type[B]) -> Sequence[Published[B]]:
        """Facts of one kind that were true by then, in the order in which they apply."""
        dated: list[tuple[Any, Published[B]]] = []
        for message in of_kind(self.facts, kind):
            body: Any = message.body
            if body.effective_on <= self.on:
                dated.append(((body.effective_on, body.reported_on, message.position), message))
        return [message for _, message in sorted(dated, key=lambda pair: pair[0])]


def _of_member(name: str, value: str, message: Published[Any]) -> Fact:
    body = message.body
    dates = body.effective_on, body.reported_on
    return Fact(name, value, reference(message), body.member, *dates)
