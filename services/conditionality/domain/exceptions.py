"""Exceptions from duties: for an area or a family, for a reason and some days, by two people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from services.conditionality.domain.commitment.corrections import SamePerson
from services.conditionality.domain.commitment.events import Decision
from services.conditionality.domain.duties import Excuse


@dataclass(frozen=True, slots=True)
class ExceptionTerms:
    """The reason of an exception, its days (both included), and of whom it is.

    Either `region` is set, a dotted code whose villages it covers, or `family`.
    """

    reason: str
    first_day: date
    last_day: date
    region: str = ""
    family: str = ""


class ReasonUnknown(DomainError):
    """The policy of the exception's first day has no such reason."""


class EndsBeforeItBegins(DomainError):
    """The last day of an exception is not before its first."""


class TermTooLong(DomainError):
    """The policy does not let an exception for this reason go on for so many days."""


class ExceptionCounted(DomainError):
    """The exception has counted in a cycle: its end alone can be moved, and not before that."""


class ExceptionOver(DomainError):
    """The exception was withdrawn, or was refused before it ever held."""


class NothingInForce(DomainError):
    """The exception does not hold: nobody has approved it, or it was withdrawn."""


class NothingProposed(DomainError):
    """There is no proposal to approve."""


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProposeException:
    """The terms that its maker wants: the first ones, or others in their place.

    `terms` is None to withdraw it. `excuses` are the reasons of the policy in force on its first
    day; `counted_to` is the last month (YYYY-MM) of the cycles in which it has counted.
    """

    exception: str
    terms: ExceptionTerms | None
    maker: str
    excuses: Mapping[str, Excuse]
    counted_to: str | None = None


@dataclass(frozen=True, slots=True)
class DecideException:
    """Another person lets the waiting proposal hold, or not."""

    decision: Decision
    checker: str
    counted_to: str | None = None


Command: TypeAlias = ProposeException | DecideException

# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExceptionProposed:
    """Somebody wants these terms, or (None) none any more; nothing holds by it."""

    exception: str
    terms: ExceptionTerms | None
    maker: str


@dataclass(frozen=True, slots=True)
class ExceptionDecided:
    """Another person has decided: where APPROVED, the terms hold from now on, or none any more."""

    exception: str
    decision: Decision
    terms: ExceptionTerms | None
    maker: str
    checker: str


Event: TypeAlias = ExceptionProposed | ExceptionDecided

# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DutyException:
    """An exception: its terms in force, what is proposed and not decided, who decided last.

    `people` are those who proposed or approved what has held.
    """

    exception: str = ""
    terms: ExceptionTerms | None = None
    proposed: ExceptionProposed | None = None
    decided: ExceptionDecided | None = None
    people: tuple[str, ...] = ()

    @property
    def state(self) -> Literal["PROPOSED", "CHANGE_PROPOSED", "HOLDS", "WITHDRAWN", "REFUSED"]:
        """The state in a word; an exception whose last day has passed HOLDS for its own days."""
        if self.proposed is not None:
            return "CHANGE_PROPOSED" if self.terms else "PROPOSED"
        if self.terms is not None:
            return "HOLDS"
        refused = self.decided is not None and self.decided.decision == "REJECTED"
        return "REFUSED" if refused else "WITHDRAWN"


def evolve(state: DutyException, event: Event) -> DutyException:
    """The exception after one event."""
    match event:
        case ExceptionProposed():
            return replace(state, exception=event.exception, proposed=event)
        case ExceptionDecided(decision="REJECTED"):
            return replace(state, proposed=None, decided=event)
        case ExceptionDecided():
            people = tuple(sorted({*state.people, event.maker, event.checker}))
            return replace(state, terms=event.terms, proposed=None, decided=event, people=people)


# -- Rules ----------------------------------------------------------------------------------------


def propose(command: ProposeException, state: DutyException) -> Sequence[Event]:
    """The proposal takes the place of one that waits; the same again is quiet."""
    if state.exception and state.terms is None and state.proposed is None:
        raise ExceptionOver(exception=command.exception)
    if command.terms is not None:
        _check_terms(command.terms, command.excuses)
    _check_counted(command.terms, command.counted_to, state)
    proposed = ExceptionProposed(command.exception, command.terms, command.maker)
    stands = state.exception and state.proposed is None and state.terms == command.terms
    return [] if state.proposed == proposed or stands else [proposed]


def _check_terms(terms: ExceptionTerms, excuses: Mapping[str, Excuse]) -> None:
    excuse = excuses.get(terms.reason)
    if excuse is None:
        raise ReasonUnknown(reason=terms.reason)
    if terms.last_day < terms.first_day:
        raise EndsBeforeItBegins(first_day=terms.first_day, last_day=terms.last_day)
    days = (terms.last_day - terms.first_day).days + 1
    if days > excuse.days_max:
        raise TermTooLong(reason=terms.reason, days=days, days_max=excuse.days_max)


def _check_counted(
    terms: ExceptionTerms | None, counted_to: str | None, state: DutyException
) -> None:
    """Refuse to change what has counted: of such an exception the end alone can be moved."""
    if counted_to is None or terms == state.terms:
        return
    same = terms and state.terms and terms == replace(state.terms, last_day=terms.last_day)
    if not terms or not same or f"{terms.last_day:%Y-%m}" < counted_to:
        raise ExceptionCounted(exception=state.exception, counted_to=counted_to)


def decide_exception(command: DecideException, state: DutyException) -> Sequence[Event]:
    """The proposal holds or is refused, by somebody who did not make it; twice is quiet."""
    proposed, last = state.proposed, state.decided
    if proposed is None:
        again = last is not None and last.decision == command.decision
        if last is not None and again and same_person(last.checker, command.checker):
            return []
        raise NothingProposed(exception=state.exception)
    if same_person(proposed.maker, command.checker):
        raise SamePerson(exception=state.exception)
    if command.decision == "APPROVED":
        _check_counted(proposed.terms, command.counted_to, state)
    made_by = proposed.maker, command.checker
    return [ExceptionDecided(state.exception, command.decision, proposed.terms, *made_by)]


def decide(command: Command, state: DutyException) -> Sequence[Event]:
    """Events of a command; none where it was already done."""
    match command:
        case ProposeException():
            return propose(command, state)
        case DecideException():
            return decide_exception(command, state)


duty_exception: Decider[Command, DutyException, Event] = Decider(DutyException(), decide, evolve)
