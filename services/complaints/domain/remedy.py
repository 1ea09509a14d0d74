"""Appeals and orders: a case asks other services to pause something or to set it right."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError, NotFound
from libs.events.domain.persons import same_person

Effect: TypeAlias = Literal["HOLD", "CUT", "TERMINATION"]
"""An appeal is against money held back, money cut, or the end of participation."""
Ordered: TypeAlias = Literal[
    "REEVALUATE_CYCLE",
    "TAKE_BACK_TERMINATION",
    "RECHECK_ACCOUNT",
    "REPAIR_PAYMENT",
    "UPDATE_DATA",
]
AppealOutcome: TypeAlias = Literal["UPHELD", "REJECTED", "WITHDRAWN"]
Answer: TypeAlias = Literal["PROPOSED", "DONE", "REFUSED", "NOT_YET_SUPPORTED"]

ANSWERED_BY: Final = {"REEVALUATE_CYCLE": "conditionality", "TAKE_BACK_TERMINATION": "registry"}
"""The service that carries out each order; what is not here is not yet supported by any."""
REFUSES_APPEAL: Final = frozenset({"OUTSIDE_REGIONS", "ANOTHER_IS_OPEN", "APPEALED_TOO_OFTEN"})
"""The reasons by which conditionality takes an appeal for none; by others it only pauses nothing.
"""
_ORDERS: Final = uuid5(NAMESPACE_URL, "urn:pkh:complaints:order")


class AppealDiffers(DomainError):
    """The case appeals against something else already."""


class NoSuchAppeal(NotFound):
    """The case does not appeal against anything."""


class AppealRefused(DomainError):
    """The appeal was refused by conditionality, so that nobody decides on it."""


class AppealAlreadyDecided(DomainError):
    """The appeal was decided otherwise, and a decision is not reversed."""


class SamePerson(DomainError):
    """A second person must decide, not the one who opened the appeal."""


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenAppeal:
    """The case of a family appeals against what followed from a tahap's cycle.

    `regions` are those of the person's token; whoever knows where the family lives asks for them.
    """

    case: str
    family: str
    tahap: str
    effect: Effect
    received_on: date
    person: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DecideAppeal:
    """A person, who has these regions, decides the appeal of a case on a day."""

    case: str
    outcome: AppealOutcome
    person: str
    on: date
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AskFor:
    """A person, who has these regions, asks another service for something, about a family and, for
    a cycle, its tahap."""

    case: str
    ordered: Ordered
    family: str
    tahap: str | None
    person: str
    on: date
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoteAnswer:
    """A service has answered an order."""

    case: str
    order: str
    service: str
    outcome: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NotePause:
    """Conditionality pauses what the appeal is against; or not, for a `reason`."""

    case: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class NoteRefusal:
    """Conditionality takes a decision, by its number, for none, for a reason."""

    case: str
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class NoteEnd:
    """Nothing waits for the appeal at conditionality any more."""

    case: str
    outcome: str


Command: TypeAlias = (
    OpenAppeal | DecideAppeal | AskFor | NoteAnswer | NotePause | NoteRefusal | NoteEnd
)


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AppealOpened:
    """A family's case appeals against an effect of a tahap's cycle."""

    case: str
    family: str
    tahap: str
    effect: Effect
    received_on: date
    opened_by: str
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppealDecided:
    """Two people have ended an appeal: who opened it, and who decided.

    `decision` counts the decisions on it: one that was refused is followed by another.
    """

    case: str
    family: str
    tahap: str
    effect: Effect
    outcome: AppealOutcome
    decided_on: date
    decided_by: str
    regions: tuple[str, ...] = ()
    decision: int = 1


@dataclass(frozen=True, slots=True)
class OrderRequested:
    """A case asks another service for something, which decides by its own rules and answers on its
    own topic. None of `asked_by` may decide there on what follows; `regions` are those of the last
    of them, in one of which the family must live."""

    order: str
    case: str
    ordered: Ordered
    family: str
    asked_on: date
    tahap: str | None = None
    asked_by: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerNoted:
    """A service has answered an order of the case."""

    case: str
    order: str
    outcome: Answer
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PauseNoted:
    """Conditionality pauses what the appeal is against; where there is a `reason`, it does not."""

    case: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefusalNoted:
    """Conditionality took a decision on the appeal for none; somebody else may decide, unless it
    took the appeal for none as well."""

    case: str
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class EndNoted:
    """Nothing waits for the appeal at conditionality any more."""

    case: str
    outcome: str


Event: TypeAlias = (
    AppealOpened
    | AppealDecided
    | OrderRequested
    | AnswerNoted
    | PauseNoted
    | RefusalNoted
    | EndNoted
)


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal as it stands; `not_paused` says why nothing waits, `ended` how its pause ended,
    `refused` why its last decision was none; `decisions` counts them."""

    opened: AppealOpened
    decided: AppealDecided | None = None
    pauses: bool | None = None
    not_paused: str = ""
    ended: str = ""
    refused: str = ""
    decisions: int = 0

    @property
    def refused_because(self) -> str:
        """Why the appeal itself is none; empty of one that two people decide."""
        return self.not_paused if self.not_paused in REFUSES_APPEAL else ""


@dataclass(frozen=True, slots=True)
class Order:
    """An order and its latest answer."""

    requested: OrderRequested
    outcome: Answer | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The appeal and the orders of a case."""

    appeal: Appeal | None = None
    orders: tuple[Order, ...] = ()


def evolve(state: Remedy, event: Event) -> Remedy:
    """The remedy after one event."""
    match event:
        case AppealOpened():
            return replace(state, appeal=Appeal(event))
        case OrderRequested():
            return replace(state, orders=(*state.orders, Order(event)))
        case AnswerNoted():
            return replace(state, orders=tuple(_answered(o, event) for o in state.orders))
        case AppealDecided() | PauseNoted() | RefusalNoted() | EndNoted():
            return replace(state, appeal=state.appeal and _moved(state.appeal, event))


def _moved(appeal: Appeal, event: AppealDecided | PauseNoted | RefusalNoted | EndNoted) -> Appeal:
    match event:
        case AppealDecided():
            return replace(appeal, decided=event, refused="", decisions=event.decision)
        case RefusalNoted():
            return replace(appeal, decided=None, refused=event.reason)
        case PauseNoted():
            return replace(appeal, pauses=not event.reason, not_paused=event.reason)
        case EndNoted():
            return replace(appeal, pauses=False, ended=event.outcome)


def _answered(order: Order, event: AnswerNoted) -> Order:
    if order.requested.order != event.order:
        return order
    return replace(order, outcome=event.outcome, reason=event.reason)


# -- Rules ----------------------------------------------------------------------------------------


def open_appeal(command: OpenAppeal, state: Remedy) -> list[Event]:
    """A case appeals once, against one thing; the same again is quiet."""
    if state.appeal is not None:
        opened = state.appeal.opened
        if (opened.tahap, opened.effect) != (command.tahap, command.effect):
            raise AppealDiffers(tahap=opened.tahap, effect=opened.effect)
        return []
    appeal = command.case, command.family, command.tahap, command.effect
    return [AppealOpened(*appeal, command.received_on, command.person, command.regions)]


def decide_appeal(command: DecideAppeal, state: Remedy) -> list[Event]:
    """Another person than who opened it decides; upheld, it orders its cycle decided again.

    Nobody decides on an appeal that was refused: the family would read that it was right, and
    nothing would come of it.
    """
    if state.appeal is None:
        raise NoSuchAppeal
    opened, decided = state.appeal.opened, state.appeal.decided
    if same_person(command.person, opened.opened_by):
        raise SamePerson
    if state.appeal.refused_because:
        raise AppealRefused(reason=state.appeal.refused_because)
    if decided is not None:
        if decided.outcome != command.outcome:
            raise AppealAlreadyDecided(outcome=decided.outcome)
        return []
    appeal = opened.case, opened.family, opened.tahap, opened.effect
    decided_by = command.on, command.person, command.regions
    ended = AppealDecided(*appeal, command.outcome, *decided_by, state.appeal.decisions + 1)
    if command.outcome != "UPHELD":
        return [ended]
    people = opened.opened_by, command.person
    by = command.person, command.on, command.regions
    again = AskFor(opened.case, "REEVALUATE_CYCLE", opened.family, opened.tahap, *by)
    return [ended, _request(again, people, state)]


def ask_for(command: AskFor, state: Remedy) -> list[Event]:
    """The order goes out, and where no service carries it out that is its answer.

    While one of the same is neither done nor refused, it is quiet.
    """
    same = command.ordered, command.tahap
    for order in state.orders:
        waits = order.outcome in {None, "PROPOSED"}
        if waits and (order.requested.ordered, order.requested.tahap) == same:
            return []
    asked = _request(command, (command.person,), state)
    if command.ordered in ANSWERED_BY:
        return [asked]
    return [asked, AnswerNoted(command.case, asked.order, "NOT_YET_SUPPORTED")]


def _request(asked: AskFor, people: tuple[str, ...], state: Remedy) -> OrderRequested:
    order = str(uuid5(_ORDERS, f"{asked.case}|{len(state.orders) + 1}"))
    what = order, asked.case, asked.ordered, asked.family, asked.on, asked.tahap
    return OrderRequested(*what, people, asked.regions)


def note_answer(command: NoteAnswer, state: Remedy) -> list[Event]:
    """The answer stands on the case, if the service is the one that carries such orders out."""
    for order in state.orders:
        asked = order.requested.order == command.order
        if asked and ANSWERED_BY.get(order.requested.ordered) == command.service:
            if (order.outcome, order.reason) == (command.outcome, command.reason):
                return []
            answer = command.outcome, command.reason
            return [AnswerNoted(command.case, command.order, *answer)]
    return []


def note_pause(command: NotePause, state: Remedy) -> list[Event]:
    """The word of conditionality on the pause stands on the case, once.

    A decision that was quicker than the refusal of its appeal is none.
    """
    appeal = state.appeal
    if appeal is None or appeal.pauses is not None:
        return []
    noted = PauseNoted(command.case, command.reason)
    if appeal.decided is None or command.reason not in REFUSES_APPEAL:
        return [noted]
    return [noted, RefusalNoted(command.case, appeal.decisions, command.reason)]


def note_refusal(command: NoteRefusal, state: Remedy) -> list[Event]:
    """A decision that conditionality takes for none is none here, too; an older one is over."""
    appeal = state.appeal
    if appeal is None or appeal.decided is None or appeal.decisions != command.decision:
        return []
    return [RefusalNoted(command.case, command.decision, command.reason)]


def note_end(command: NoteEnd, state: Remedy) -> list[Event]:
    """The end of the pause stands on the case, once."""
    if state.appeal is None or state.appeal.ended:
        return []
    return [EndNoted(command.case, command.outcome)]


def decide(command: Command, state: Remedy) -> list[Event]:
    """The events that a command causes on what a case asks of others."""
    match command:
        case OpenAppeal():
            return open_appeal(command, state)
        case DecideAppeal():
            return decide_appeal(command, state)
        case AskFor():
            return ask_for(command, state)
        case NoteAnswer():
            return note_answer(command, state)
        case NotePause():
            return note_pause(command, state)
        case NoteRefusal():
            return note_refusal(command, state)
        case NoteEnd():
            return note_end(command, state)


remedy: Final[Decider[Command, Remedy, Event]] = Decider(Remedy(), decide, evolve)
