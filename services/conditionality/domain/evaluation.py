"""One tahap's evaluation: announced, listed, closed with proof of what was evaluated, frozen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from libs.events.decider import Decider
from libs.events.errors import DomainError
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    Cut,
    SchoolMonthly,
    Source,
)

BucketsJson: TypeAlias = dict[str, tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule set asks of families and what follows, word for word, and where it comes from.

    `services` names what members of a category attend; a category without one goes to school.
    `failures_to_investigation` is None where failures in a row are not counted. `cut_percent` is
    by how much a failed cycle lowers the benefit; None where its money is held instead.
    """

    attendance_percent_min: int
    services: dict[str, str]
    failures_to_investigation: int | None
    sources: tuple[Source, ...]
    cut_percent: int | None = None

    @classmethod
    def of(cls, policy: CommitmentPolicy) -> Terms:
        """What a policy says to those who explain a result by it."""
        rules, sanction = policy.duties.items(), policy.sanction
        return cls(
            attendance_percent_min=policy.attendance_percent_min,
            services={name: r.service for name, r in rules if not isinstance(r, SchoolMonthly)},
            failures_to_investigation=sanction.failures_to_investigation,
            sources=policy.sources,
            cut_percent=sanction.percent if isinstance(sanction, Cut) else None,
        )


# -- Commands -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnnounceEvaluation:
    """A closing is announced: these months (YYYY-MM) are to be judged by this rule set."""

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    rule_set: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class NoteList:
    """The roster is complete in this revision and lists so many families to evaluate."""

    tahap: str
    roster_revision: int
    listed: int


@dataclass(frozen=True, slots=True)
class CloseEvaluation:
    """Every listed family is accounted for: evaluated, or named in `parked`.

    No evaluation comes of those: their line is parked, or they were terminated since.
    `buckets` proves the evaluated lines: {first byte of the family id, hex: (count, hash sum)}
    over the latest `CycleEvaluated` of each family.
    """

    tahap: str
    evaluated: int
    parked: tuple[str, ...]
    buckets: BucketsJson


@dataclass(frozen=True, slots=True)
class NoteFreeze:
    """The tahap's list is frozen but for these deferred families."""

    tahap: str
    deferred: tuple[str, ...]


Command: TypeAlias = AnnounceEvaluation | NoteList | CloseEvaluation | NoteFreeze


# -- Events ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EvaluationAnnounced:
    """Evaluation of a tahap may begin; the rule set says by which policy. Published."""

    tahap: str
    months: tuple[str, ...]
    closing_date: date
    rule_set: str
    terms: Terms | None = None


@dataclass(frozen=True, slots=True)
class EvaluationListed:
    """How many families a revision of the roster lists to evaluate."""

    tahap: str
    roster_revision: int
    listed: int


@dataclass(frozen=True, slots=True)
class EvaluationClosed:
    """Every listed family is accounted for; published. A re-decided family makes a new revision."""

    tahap: str
    revision: int
    evaluated: int
    parked: tuple[str, ...]
    buckets: BucketsJson


@dataclass(frozen=True, slots=True)
class EvaluationFrozen:
    """From here on a changed result of a family on the list is a proposed correction."""

    tahap: str
    deferred: tuple[str, ...]


Event: TypeAlias = EvaluationAnnounced | EvaluationListed | EvaluationClosed | EvaluationFrozen


# -- State ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is known of a tahap's evaluation; announcement and list may come in either order.

    `closed_roster` is the roster revision that `closed` accounts for.
    """

    announced: EvaluationAnnounced | None = None
    listed: EvaluationListed | None = None
    closed: EvaluationClosed | None = None
    closed_roster: int = 0
    frozen: EvaluationFrozen | None = None

    @property
    def is_closed(self) -> bool:
        """Whether every family of the latest roster is accounted for."""
        return self.closed is not None and self.closed_roster == self.roster_revision

    @property
    def roster_revision(self) -> int:
        """The latest roster known, 0 before the first."""
        return self.listed.roster_revision if self.listed else 0

    def is_frozen_for(self, family: str) -> bool:
        """Whether a changed result of this family needs a person's approval."""
        return self.frozen is not None and family not in self.frozen.deferred


def evolve(state: Evaluation, event: Event) -> Evaluation:
    """The evaluation after one event."""
    match event:
        case EvaluationAnnounced():
            return replace(state, announced=event)
        case EvaluationListed():
            return replace(state, listed=event)
        case EvaluationClosed():
            return replace(state, closed=event, closed_roster=state.roster_revision)
        case EvaluationFrozen():
            return replace(state, frozen=event)


# -- Rules ----------------------------------------------------------------------------------------


class AnnouncementDiffers(DomainError):
    """The tahap was announced before with other months, another closing date or rule set."""


class ListDiffers(DomainError):
    """This revision of the roster was complete before with another count."""


class EvaluationNotOpen(DomainError):
    """The evaluation can not close before both announcement and list are known."""


class EvaluationIncomplete(DomainError):
    """Evaluated and parked families do not add up to the listed ones."""


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
    )
    if closed == last and state.is_closed:
        return []
    return [replace(closed, revision=last.revision + 1) if last else closed]


def freeze(command: NoteFreeze, state: Evaluation) -> list[Event]:
    """A list is frozen once."""
    if state.frozen is not None:
        return []
    return [EvaluationFrozen(command.tahap, tuple(sorted(command.deferred)))]


def decide(command: Command, state: Evaluation) -> list[Event]:
    """What a command leaves behind on a tahap's evaluation."""
    match command:
        case AnnounceEvaluation():
            return announce(command, state)
        case NoteList():
            return note_list(command, state)
        case CloseEvaluation():
            return close(command, state)
        case NoteFreeze():
            return freeze(command, state)


evaluation: Decider[Command, Evaluation, Event] = Decider(Evaluation(), decide, evolve)
