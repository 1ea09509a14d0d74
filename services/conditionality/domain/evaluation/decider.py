"""Rules of a tahap's evaluation: announced, listed, closed with proof of its cycles, frozen."""

from __future__ import annotations

from dataclasses import replace

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from services.conditionality.domain.evaluation.messages import (
    AnnounceEvaluation,
    CancelEvaluation,
    CloseEvaluation,
    Command,
    EvaluationAnnounced,
    EvaluationCancelled,
    EvaluationClosed,
    EvaluationFrozen,
    EvaluationListed,
    Event,
    NoteFreeze,
    NoteList,
)
from services.conditionality.domain.evaluation.state import Evaluation, evolve


class AnnouncementDiffers(DomainError):
    """The tahap was announced before with other months, another closing date or rule set."""


class ListDiffers(DomainError):
    """This revision of the roster was complete before with another count."""


class EvaluationNotOpen(DomainError):
    """The evaluation cannot close before both announcement and list are known."""


class EvaluationIncomplete(DomainError):
    """Evaluated and parked families together are not all listed families."""


class ProofDiffers(DomainError):
    """The buckets do not hold as many lines as families were evaluated."""


def announce(command: AnnounceEvaluation, state: Evaluation) -> list[Event]:
    """A tahap is announced once; what was announced does not change under its families."""
    announced = EvaluationAnnounced(
        command.tahap, command.months, command.closing_date, command.rule_set, command.terms
    )
    if state.announced is None:
        return [announced]
    # The terms follow from the rule set; what they said when it was first announced stays.
    if state.announced != replace(announced, terms=state.announced.terms):
        raise AnnouncementDiffers(tahap=command.tahap)
    return []


def note_list(command: NoteList, state: Evaluation) -> list[Event]:
    """A newer roster takes the place of the older; an older one that comes late is quiet."""
    if command.roster_revision < state.roster_revision:
        return []
    if command.roster_revision <= state.cancelled:
        return []
    listed = EvaluationListed(command.tahap, command.roster_revision, command.listed)
    if state.listed is None or command.roster_revision > state.roster_revision:
        return [listed]
    if state.listed != listed:
        raise ListDiffers(tahap=command.tahap, roster_revision=command.roster_revision)
    return []


def close(command: CloseEvaluation, state: Evaluation) -> list[Event]:
    """Closes when everyone is accounted for, and again whenever the proof has changed since.

    After the freeze the proof has served its purpose, and corrections no longer change the list.
    """
    if state.announced is None or state.listed is None:
        raise EvaluationNotOpen(tahap=command.tahap)
    if state.frozen is not None:
        return []
    if command.evaluated + len(command.parked) != state.listed.listed:
        raise EvaluationIncomplete(
            tahap=command.tahap,
            listed=state.listed.listed,
            evaluated=command.evaluated,
            parked=len(command.parked),
        )
    if sum(count for count, _ in command.buckets.values()) != command.evaluated:
        raise ProofDiffers(tahap=command.tahap, evaluated=command.evaluated)
    last = state.closed
    closed = EvaluationClosed(
        tahap=command.tahap,
        revision=last.revision if last else 1,
        evaluated=command.evaluated,
        parked=tuple(sorted(command.parked)),
        buckets=dict(sorted(command.buckets.items())),
        roster_revision=state.roster_revision,
    )
    if closed == last and state.is_closed:
        return []
    return [replace(closed, revision=last.revision + 1) if last else closed]


def freeze(command: NoteFreeze, state: Evaluation) -> list[Event]:
    """A list is frozen once."""
    if state.frozen is not None:
        return []
    return [EvaluationFrozen(command.tahap, tuple(sorted(command.deferred)))]


def cancel(command: CancelEvaluation, state: Evaluation) -> list[Event]:
    """A revision of a tahap is cancelled once."""
    if command.revision <= state.cancelled:
        return []
    return [EvaluationCancelled(command.tahap, command.revision)]


def decide(command: Command, state: Evaluation) -> list[Event]:
    """The events that a command causes on a tahap's evaluation."""
    match command:
        case AnnounceEvaluation():
            return announce(command, state)
        case NoteList():
            return note_list(command, state)
        case CloseEvaluation():
            return close(command, state)
        case NoteFreeze():
            return freeze(command, state)
        case CancelEvaluation():
            return cancel(command, state)


evaluation: Decider[Command, Evaluation, Event] = Decider(Evaluation(), decide, evolve)
