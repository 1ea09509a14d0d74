"""The erasure of one family, as a stream `erasure-{family}`: proposed, approved, carried out.

Two people decide it. From the approval on the family has left and is told nothing of; its key is
destroyed once no money of it is under way, and that nothing brings back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from libs.events.domain.decider import Decider
from libs.events.domain.errors import DomainError
from libs.events.domain.persons import same_person
from services.registry.domain.evidence import check_evidence
from services.registry.domain.family.errors import SamePerson
from services.registry.domain.listing.decider import NothingProposed

KEY_WAS_DESTROYED: Final = "KEY_WAS_DESTROYED"
"""The ground of an erasure that a restored log has lost: the family's destroyed key tells of it."""

# -- Commands


@dataclass(frozen=True, slots=True)
class ProposeErasure:
    """The maker's proposal, on a legal ground; it replaces what was proposed before.

    `evidence` is the number of a document, never what it says.
    """

    family: str
    ground: str
    evidence: str
    maker: str


@dataclass(frozen=True, slots=True)
class ApproveErasure:
    """Another person's approval; `under_way` is what payments says of the family's money.

    (tahap, code of why) of each payment that is not settled.
    """

    checker: str
    under_way: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CarryOut:
    """Note that the family's key is destroyed."""


@dataclass(frozen=True, slots=True)
class EraseAgain:
    """Note an erasure that the log has lost, of a family whose key is found destroyed."""

    family: str


Command: TypeAlias = ProposeErasure | ApproveErasure | CarryOut | EraseAgain

# -- Events


@dataclass(frozen=True, slots=True)
class ErasureProposed:
    """Somebody proposes to erase a family; nothing follows from it."""

    family: str
    ground: str
    evidence: str
    maker: str


@dataclass(frozen=True, slots=True)
class ErasureApproved:
    """Two people erase a family: it has left, and nothing more is sent to it.

    `ground` is a code. Maker and checker are empty where a restored log had lost the erasure.
    """

    family: str
    ground: str
    maker: str
    checker: str


@dataclass(frozen=True, slots=True)
class FamilyErased:
    """The family's key is destroyed: what was sealed of it nobody can read any more."""

    family: str


Event: TypeAlias = ErasureProposed | ErasureApproved | FamilyErased

# -- State


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Nobody has proposed to erase the family."""


@dataclass(frozen=True, slots=True)
class Erased:
    """The family is erased."""

    approved: ErasureApproved


Erasure: TypeAlias = NotAsked | ErasureProposed | ErasureApproved | Erased
"""The last step of a family's erasure."""


def is_decided(state: Erasure) -> bool:
    """True from the approval on: the family has left."""
    return isinstance(state, ErasureApproved | Erased)


class MoneyUnderWay(DomainError):
    """Money of the family is under way; the family is erased once that is settled."""


# -- Rules


def decide(command: Command, state: Erasure) -> list[Event]:
    """Events of a command; none where it was already done."""
    match command:
        case ProposeErasure():
            return _propose(command, state)
        case ApproveErasure():
            return _approve(command, state)
        case CarryOut():
            return [FamilyErased(state.family)] if isinstance(state, ErasureApproved) else []
        case EraseAgain():
            return _again(command, state)


def _propose(command: ProposeErasure, state: Erasure) -> list[Event]:
    check_evidence(command.evidence)
    proposed = ErasureProposed(command.family, command.ground, command.evidence, command.maker)
    return [] if is_decided(state) or state == proposed else [proposed]


def _approve(command: ApproveErasure, state: Erasure) -> list[Event]:
    match state:
        case NotAsked():
            raise NothingProposed
        case ErasureProposed(maker=maker) if same_person(maker, command.checker):
            raise SamePerson
        case ErasureProposed():
            for tahap, why in command.under_way:
                raise MoneyUnderWay(tahap=tahap, why=why, payments=len(command.under_way))
            return [ErasureApproved(state.family, state.ground, state.maker, command.checker)]
        case ErasureApproved() | Erased():
            return []


def _again(command: EraseAgain, state: Erasure) -> list[Event]:
    match state:
        case Erased():
            return []
        case ErasureApproved():
            return [FamilyErased(state.family)]
        case _:
            approved = ErasureApproved(command.family, KEY_WAS_DESTROYED, "", "")
            return [approved, FamilyErased(command.family)]


def evolve(state: Erasure, event: Event) -> Erasure:
    """The state after an event."""
    match event:
        case ErasureProposed() | ErasureApproved():
            return event
        case FamilyErased():
            approved = state if isinstance(state, ErasureApproved) else None
            return Erased(approved or ErasureApproved(event.family, KEY_WAS_DESTROYED, "", ""))


erasure: Decider[Command, Erasure, Event] = Decider(NotAsked(), decide, evolve)
