"""A case: one complaint of somebody about the programme, whichever way it came in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError, NotFound
from libs.events.domain.persons import same_person
from services.complaints.domain import erasing, handling
from services.complaints.domain.deadlines import Break, Ladder, Level, Turn
from services.complaints.domain.erasing import (
    NOT_ERASED,
    CaseErased,
    CaseErasureProposed,
    CaseErasureRejected,
    CaseIsErased,
    DecideErasure,
    EraseCase,
    Erasure,
    ProposeErasure,
)
from services.complaints.domain.handling import (
    AnswerQuestion,
    AskReporter,
    AssignCase,
    AttachFile,
    Attachment,
    CaseAssigned,
    CaseClosed,
    CaseLinked,
    CasePaused,
    CaseRated,
    CaseReopened,
    CaseResumed,
    CaseUnlinked,
    CloseCase,
    Entry,
    FileAttached,
    LinkCase,
    NoteCase,
    RateCase,
    ReopenCase,
    Statement,
    StatementTaken,
    UnlinkCase,
    WordsAdded,
)
from services.complaints.domain.working_days import HolidaysUnknown

# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReceiveCase:
    """A complaint has come in; `region` is what it is about, `family` whose it is, where known.

    `due_on` is the last day on which `level` answers in time; None while a decree is missing.
    `reference` is its number in the file that it came in, `statement` the words of its reporter.
    """

    case: str
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None
    anonymous: bool
    family: str | None
    reference: str = ""
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class AdvanceTo:
    """A business date has come: whoever's term is over by then has the case no more."""

    on: date
    ladder: Ladder


@dataclass(frozen=True, slots=True)
class DateTerm:
    """A decree may have come out: a term that had no last day has one if it can be counted now."""

    ladder: Ladder


@dataclass(frozen=True, slots=True)
class ResolveCase:
    """The level that has the case resolved it on a day.

    `reply` is what the reporter is told, sealed; `by` the subject who resolves it, "" in a file;
    `beside` the case that is resolved, where this one is linked to it.
    """

    on: date
    resolution: str
    reply: str = ""
    by: str = ""
    beside: str = ""


Command: TypeAlias = (
    ReceiveCase | AdvanceTo | DateTerm | ResolveCase | handling.Command | erasing.Command
)


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseReceived:
    """A complaint has become a case; its fields are those of `ReceiveCase`."""

    case: str
    category: str
    channel: str
    region: str
    level: Level
    received_on: date
    due_on: date | None = None
    anonymous: bool = False
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFiled:
    """The case has come in by a file, under a number of its own there."""

    case: str
    reference: str


@dataclass(frozen=True, slots=True)
class CaseEscalated:
    """A level has received the case on a day, as the one below did not resolve it in its term."""

    case: str
    level: Level
    on: date
    due_on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseDated:
    """The decree that was missing has come: the level that has the case has until `due_on`."""

    case: str
    level: Level
    due_on: date
    family: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResolved:
    """A level has resolved the case on a day."""

    case: str
    level: Level
    on: date
    resolution: str
    family: str | None = None


Event: TypeAlias = (
    CaseReceived
    | CaseFiled
    | CaseEscalated
    | CaseDated
    | CaseResolved
    | handling.Event
    | erasing.Event
)


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands; `received` is None until there is one.

    `turns` are the levels that have had it; the last one has it. `paused`
    says since when the reporter is waited for, and until when; `linked` since when another case
    stands for it.
    """

    received: CaseReceived | None = None
    turns: tuple[Turn, ...] = ()
    resolved: CaseResolved | None = None
    reference: str = ""
    statement: Statement | None = None
    assigned: str = ""
    paused: CasePaused | None = None
    closed_on: date | None = None
    linked: CaseLinked | None = None
    entries: tuple[Entry, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    rating: int = 0
    erasure: Erasure = NOT_ERASED

    @property
    def ended_on(self) -> date | None:
        """The day on which it was closed, or resolved where nobody closed it; None while open."""
        if self.resolved is None:
            return None
        return self.closed_on or self.resolved.on

    @property
    def complaint(self) -> CaseReceived:
        """The complaint that it began with. Raises `CaseUnknown` until there is one."""
        if self.received is None:
            raise CaseUnknown()
        return self.received

    @property
    def level(self) -> Level | None:
        """The level that has the case, or resolved it."""
        if self.turns:
            return self.turns[-1].level
        return None if self.received is None else self.received.level


def evolve(state: Case, event: Event) -> Case:
    """The case after one event."""
    match event:
        case CaseReceived(level=level, received_on=on, due_on=due_on):
            return Case(event, (Turn(level, on, due_on),))
        case CaseFiled(reference=reference):
            return replace(state, reference=reference)
        case CaseEscalated(level=level, on=on, due_on=due_on):
            return replace(state, turns=(*state.turns, Turn(level, on, due_on)))
        case CaseDated(due_on=due_on):
            return replace(state, turns=_until(state.turns, due_on))
        case CaseResolved():
            return replace(state, resolved=event, paused=None)
        case CaseReopened(level=level, on=on, due_on=due_on):
            turns = (*state.turns, Turn(level, on, due_on))
            return replace(state, turns=turns, resolved=None, closed_on=None)
        case CaseResumed(on=on, due_on=due_on):
            turns = _until(state.turns, due_on, _break(state.paused, on))
            return replace(state, turns=turns, paused=None)
        case CaseUnlinked(on=on, due_on=due_on):
            turns = _until(state.turns, due_on, _break(state.linked, on))
            return replace(state, turns=turns, linked=None)
        case CaseErasureProposed() | CaseErasureRejected() | CaseErased():
            return replace(state, erasure=erasing.evolve(state.erasure, event))
        case _:
            return _worked_on(state, event)


def _worked_on(state: Case, event: handling.Event) -> Case:
    match event:
        case StatementTaken(statement=statement):
            text = Entry("TEXT", state.complaint.received_on, statement.words)
            entries = (text,) if statement.words else ()
            return replace(state, statement=statement, entries=entries)
        case CaseAssigned(to=to):
            return replace(state, assigned=to)
        case WordsAdded(entry=entry):
            return replace(state, entries=(*state.entries, entry))
        case FileAttached(attachment=attachment):
            return replace(state, attachments=(*state.attachments, attachment))
        case CasePaused():
            return replace(state, paused=event)
        case CaseClosed(on=on):
            return replace(state, closed_on=on)
        case CaseLinked():
            return replace(state, linked=event, paused=None)
        case CaseRated(rating=rating):
            return replace(state, rating=rating)
        case _:
            return state


def _until(
    turns: tuple[Turn, ...], due_on: date | None, breaks: tuple[Break, ...] = ()
) -> tuple[Turn, ...]:
    """The turns with another end of the last one's term, after breaks in it."""
    if not turns:
        return turns
    last = turns[-1]
    return (*turns[:-1], last._replace(due_on=due_on, breaks=(*last.breaks, *breaks)))


def _break(began: CasePaused | CaseLinked | None, until: date) -> tuple[Break, ...]:
    return () if began is None else (Break(began.on, until),)


# -- Rules ----------------------------------------------------------------------------------------


class CaseUnknown(NotFound):
    """There is no case of this id."""


class CaseReceivedDifferently(DomainError):
    """Another case has this id."""


class CaseResolvedDifferently(DomainError):
    """The case was resolved otherwise, or on another day."""


class ResolvedBeforeReceived(DomainError):
    """A case is not resolved before the day on which it is received."""


class CaseAboutThemselves(DomainError):
    """Nobody works on a case that is about themselves."""


class CaseIsResolved(DomainError):
    """The case is resolved already."""


class CaseNotResolved(DomainError):
    """The case is still open."""


class CaseNotClosed(DomainError):
    """The case is not closed yet."""


class CaseIsPaused(DomainError):
    """The case waits for an answer of its reporter already."""


class CaseNotPaused(DomainError):
    """Nobody has asked the reporter anything."""


class CaseIsLinked(DomainError):
    """Another case stands for this one; un-link it first."""


class CaseNotLinked(DomainError):
    """No other case stands for this one."""


class LinkedToItself(DomainError):
    """A case does not stand for itself."""


class ReopenedTooLate(DomainError):
    """The term within which a case is opened again is over."""


class AttachmentNotAllowed(DomainError):
    """Files of this type are not taken, or not of this size."""


ONE_DAY: Final = timedelta(days=1)


def decide(command: Command, state: Case) -> list[Event]:
    """The events that a command leaves."""
    match command:
        case ReceiveCase():
            return receive(command, state)
        case AdvanceTo():
            return advance(command, state)
        case DateTerm():
            return date_term(command, state)
        case ResolveCase():
            return resolve(command, state)
        case RateCase():
            return rate(command, state)
        case ProposeErasure() | DecideErasure() | EraseCase():
            return erase(command, state)
        case _:
            return work(command, state)


def receive(command: ReceiveCase, state: Case) -> list[Event]:
    """A case is received once; the same again is quiet.

    Words are sealed anew each time, so they make no other case; nor does a decree that came since.
    """
    received = CaseReceived(
        command.case,
        command.category,
        command.channel,
        command.region,
        command.level,
        command.received_on,
        command.due_on,
        command.anonymous,
        command.family,
    )
    if state.received is None:
        events: list[Event] = [received]
        if command.reference:
            events.append(CaseFiled(command.case, command.reference))
        if command.statement is not None:
            events.append(StatementTaken(command.case, command.statement))
        return events
    again = replace(received, due_on=state.received.due_on)
    if (state.received, state.reference) == (again, command.reference):
        return []
    raise CaseReceivedDifferently(case=command.case)


def advance(command: AdvanceTo, state: Case) -> list[Event]:
    """Every level that receives the case by then is an event; nobody receives a resolved one.

    A reporter who was asked and did not answer in time is waited for no longer. A level keeps the
    case where the next one's term cannot be counted yet. Raises `HolidaysUnknown` where that is
    all there is to do.
    """
    if not state.turns or state.resolved is not None or state.linked is not None:
        return []
    received, turn, events = state.complaint, state.turns[-1], list[Event]()
    if state.paused is not None:
        until = state.paused.due_on
        if until is None or command.on <= until:
            return []
        turn = command.ladder.stood_still(turn, state.paused.on, until + ONE_DAY)
        events.append(CaseResumed(received.case, until + ONE_DAY, turn.due_on, received.family))
    try:
        for level, on, due_on, _ in command.ladder.next_turns(turn, command.on):
            if due_on is not None:
                events.append(CaseEscalated(received.case, level, on, due_on, received.family))
    except HolidaysUnknown:
        if not events:
            raise
    return events


def date_term(command: DateTerm, state: Case) -> list[Event]:
    """A term that runs has a last day as soon as it can be counted; quiet where it has one, or
    where the decree is still missing."""
    if not state.turns or state.resolved or state.linked or state.paused:
        return []
    turn = state.turns[-1]
    if turn.due_on is not None or (due_on := command.ladder.due_day(turn)) is None:
        return []
    return [CaseDated(state.complaint.case, turn.level, due_on, state.complaint.family)]


def resolve(command: ResolveCase, state: Case) -> list[Event]:
    """The level that has the case resolves it once; the same again is quiet."""
    received, resolved = _of(state, command.by), state.resolved
    if resolved is not None:
        if (resolved.on, resolved.resolution) == (command.on, command.resolution):
            return []
        raise CaseResolvedDifferently(case=received.case)
    if command.on < received.received_on:
        raise ResolvedBeforeReceived(case=received.case)
    if state.linked is not None and state.linked.to != command.beside:
        raise CaseIsLinked(case=received.case, to=state.linked.to)
    if command.reply:
        _sayable(state)
    level = state.level or received.level
    events: list[Event] = [
        CaseResolved(received.case, level, command.on, command.resolution, received.family)
    ]
    if command.reply:
        events.append(WordsAdded(received.case, Entry("REPLY", command.on, command.reply)))
    return events


def rate(command: RateCase, state: Case) -> list[Event]:
    """The last rating of a closed case counts."""
    received = state.complaint
    if state.closed_on is None:
        raise CaseNotClosed(case=received.case)
    if state.rating == command.rating:
        return []
    return [CaseRated(received.case, command.on, command.rating)]


def work(
    command: AssignCase
    | NoteCase
    | AttachFile
    | AskReporter
    | AnswerQuestion
    | CloseCase
    | ReopenCase
    | LinkCase
    | UnlinkCase,
    state: Case,
) -> list[Event]:
    """The events of what somebody does on a case that is not about themselves."""
    received = _of(state, command.by)
    if not isinstance(command, AssignCase | CloseCase | LinkCase | UnlinkCase):
        _sayable(state)
    match command:
        case AssignCase():
            return assign(command, state)
        case NoteCase():
            return [WordsAdded(received.case, Entry("NOTE", command.on, command.words))]
        case AttachFile():
            return attach(command, state)
        case AskReporter():
            return ask(command, state)
        case AnswerQuestion():
            return answer(command, state)
        case CloseCase():
            return close(command, state)
        case ReopenCase():
            return reopen(command, state)
        case LinkCase():
            return link(command, state)
        case UnlinkCase():
            return unlink(command, state)


def assign(command: AssignCase, state: Case) -> list[Event]:
    """An open case is one person's work, and never that of whom it is about."""
    received = _open(state)
    _of(state, command.to)
    if same_person(command.to, state.assigned):
        return []
    return [CaseAssigned(received.case, command.to)]


def attach(command: AttachFile, state: Case) -> list[Event]:
    """A file of a type and size that the list allows belongs to the case."""
    received, attachment = state.complaint, command.attachment
    most = command.allowed.get(attachment.media_type)
    if most is None or attachment.size > most:
        raise AttachmentNotAllowed(allowed=sorted(command.allowed))
    return [FileAttached(received.case, command.on, attachment)]


def ask(command: AskReporter, state: Case) -> list[Event]:
    """The reporter is asked one thing at a time."""
    received = _open(state)
    if state.paused is not None:
        raise CaseIsPaused(case=received.case)
    return [
        CasePaused(received.case, command.on, command.until, received.family),
        WordsAdded(received.case, Entry("QUESTION", command.on, command.words)),
    ]


def answer(command: AnswerQuestion, state: Case) -> list[Event]:
    """An answer to what was asked has the term run on."""
    received = _open(state)
    if state.paused is None:
        raise CaseNotPaused(case=received.case)
    return [
        WordsAdded(received.case, Entry("ANSWER", command.on, command.words)),
        _resumed(state, state.paused, command.on, command.ladder),
    ]


def close(command: CloseCase, state: Case) -> list[Event]:
    """A resolved case is closed once."""
    received = state.complaint
    if state.resolved is None:
        raise CaseNotResolved(case=received.case)
    if state.closed_on is not None:
        return []
    return [CaseClosed(received.case, command.on, received.family)]


def reopen(command: ReopenCase, state: Case) -> list[Event]:
    """A case that ended lately is open again, at the level that had resolved it, in a new term."""
    received, resolved = state.complaint, state.resolved
    if resolved is None:
        raise CaseNotResolved(case=received.case)
    if command.on > (state.closed_on or resolved.on) + timedelta(days=command.days):
        raise ReopenedTooLate(case=received.case, days=command.days)
    turn = command.ladder.accepted(resolved.level, command.on)
    return [CaseReopened(received.case, turn.level, command.on, turn.due_on, received.family)]


def link(command: LinkCase, state: Case) -> list[Event]:
    """An open case stands still while another one stands for it."""
    received = state.complaint
    if state.linked is not None and state.linked.to == command.to:
        return []
    _open(state)
    if command.to == received.case:
        raise LinkedToItself(case=received.case)
    return [CaseLinked(received.case, command.to, command.on, received.family)]


def unlink(command: UnlinkCase, state: Case) -> list[Event]:
    """The working days that were left when the case was linked are left again."""
    received, linked = state.complaint, state.linked
    if linked is None:
        raise CaseNotLinked(case=received.case)
    if state.resolved is not None:
        raise CaseIsResolved(case=received.case)
    due_on = _left_again(state, linked.on, command.on, command.ladder)
    return [CaseUnlinked(received.case, linked.to, command.on, due_on, received.family)]


def erase(command: ProposeErasure | DecideErasure | EraseCase, state: Case) -> list[Event]:
    """Words on a case that has ended are erased once; those of an erased family at any time.

    While a case is open it is needed: nobody who stole a receipt has a complaint forgotten.
    """
    received = state.complaint if isinstance(command, EraseCase) else _of(state, command.by)
    of_family = isinstance(command, EraseCase) and command.ground == "FAMILY"
    if state.resolved is None and not of_family:
        raise CaseNotResolved(case=received.case)
    match command:
        case ProposeErasure():
            return [*erasing.propose(command, received.case, state.erasure)]
        case DecideErasure():
            return [*erasing.decide(command, received.case, state.erasure)]
        case EraseCase(ground=ground):
            return [] if state.erasure.done else [CaseErased(received.case, ground)]


def _sayable(state: Case) -> None:
    if state.erasure.done:
        raise CaseIsErased(case=state.complaint.case)


def _resumed(state: Case, paused: CasePaused, on: date, ladder: Ladder) -> CaseResumed:
    received = state.complaint
    due_on = _left_again(state, paused.on, on, ladder)
    return CaseResumed(received.case, on, due_on, received.family)


def _left_again(state: Case, since: date, on: date, ladder: Ladder) -> date | None:
    """The last day of a term that has not run since a day and runs on from another."""
    return ladder.stood_still(state.turns[-1], since, on).due_on if state.turns else None


def _of(state: Case, somebody: str) -> CaseReceived:
    """The receipt of a case that is not about this person."""
    received = state.complaint
    about = "" if state.statement is None else state.statement.about
    if about and same_person(somebody, about):
        raise CaseAboutThemselves(case=received.case)
    return received


def _open(state: Case) -> CaseReceived:
    received = state.complaint
    if state.resolved is not None:
        raise CaseIsResolved(case=received.case)
    if state.linked is not None:
        raise CaseIsLinked(case=received.case, to=state.linked.to)
    return received


case: Final[Decider[Command, Case, Event]] = Decider(Case(), decide, evolve)
