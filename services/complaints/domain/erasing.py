"""Erasure of what was said on a case: nobody reads its names, contacts and words again.

The reporter asks for it, two people of the office do, retention is over, or two people had the
family erased. The key of the case is destroyed then; the case, its dates and its steps stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from libs.events.domain.errors import DomainError, NotFound
from libs.events.domain.persons import same_person

Ground: TypeAlias = Literal["REPORTER", "OFFICE", "RETENTION", "FAMILY"]


class CaseIsErased(DomainError):
    """The words on the case are erased; nothing is said on it any more."""


class ErasureProposedAlready(DomainError):
    """Another erasure of the case waits for its decision."""


class NoErasureProposed(NotFound):
    """Nobody has proposed to erase what was said on the case."""


class ErasureBySamePerson(DomainError):
    """A second person must decide on an erasure, not the one who proposed it."""


@dataclass(frozen=True, slots=True)
class ProposeErasure:
    """One person of the office proposes it; `evidence` is the number of the request's document."""

    evidence: str
    by: str


@dataclass(frozen=True, slots=True)
class DecideErasure:
    """Another person has it erased, or not."""

    approved: bool
    by: str


@dataclass(frozen=True, slots=True)
class EraseCase:
    """Erase what was said, on a ground that needs no second person of the office."""

    ground: Literal["REPORTER", "RETENTION", "FAMILY"]


Command: TypeAlias = ProposeErasure | DecideErasure | EraseCase


@dataclass(frozen=True, slots=True)
class CaseErasureProposed:
    """Somebody has proposed to erase what was said on the case."""

    case: str
    evidence: str
    by: str


@dataclass(frozen=True, slots=True)
class CaseErasureRejected:
    """The words on the case stay."""

    case: str
    by: str


@dataclass(frozen=True, slots=True)
class CaseErased:
    """The words on the case are erased; `by` is the second person, where two have decided."""

    case: str
    ground: Ground
    by: str = ""


Event: TypeAlias = CaseErasureProposed | CaseErasureRejected | CaseErased


@dataclass(frozen=True, slots=True)
class Erasure:
    """The erasure that was proposed, and the ground on which it was done; "" until then."""

    proposed: CaseErasureProposed | None = None
    done: Ground | Literal[""] = ""


NOT_ERASED: Final = Erasure()


def propose(command: ProposeErasure, case: str, erasure: Erasure) -> list[Event]:
    """One erasure waits at a time; the same again is quiet."""
    if erasure.done:
        raise CaseIsErased(case=case)
    proposed = CaseErasureProposed(case, command.evidence, command.by)
    if erasure.proposed is not None:
        if erasure.proposed == proposed:
            return []
        raise ErasureProposedAlready(case=case)
    return [proposed]


def decide(command: DecideErasure, case: str, erasure: Erasure) -> list[Event]:
    """A second person decides once."""
    proposed = erasure.proposed
    if erasure.done:
        raise CaseIsErased(case=case)
    if proposed is None:
        raise NoErasureProposed()
    if same_person(command.by, proposed.by):
        raise ErasureBySamePerson(case=case)
    if command.approved:
        return [CaseErased(case, "OFFICE", command.by)]
    return [CaseErasureRejected(case, command.by)]


def evolve(erasure: Erasure, event: Event) -> Erasure:
    """The erasure after one event."""
    match event:
        case CaseErasureProposed():
            return Erasure(event)
        case CaseErasureRejected():
            return Erasure()
        case CaseErased(ground=ground):
            return Erasure(None, ground)
