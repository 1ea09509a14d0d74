"""The rules by which two people hold one family's money, and let it go again.

That a hold comes too late for money which is already with a bank is not this stream's to know: the
door asks the runs, in the transaction of the approval.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from libs.events.domain.decider import Decider
from libs.events.domain.persons import same_person
from services.payments.domain.administrative_hold.messages import (
    AdministrativeHoldEnded,
    AdministrativeHoldEndProposed,
    AdministrativeHoldPlaced,
    AdministrativeHoldProposed,
    ApproveHold,
    ApproveHoldEnd,
    Command,
    Event,
    HoldKind,
    HoldTerms,
    ProposeHold,
    ProposeHoldEnd,
)
from services.payments.domain.shared.errors import Malformed, NotHeld, NothingProposed, SamePerson
from services.payments.domain.shared.ids import checked_tahap
from services.payments.domain.tahap.guards import REASON

EVIDENCE: Final = re.compile(r"(?!.*[0-9]{9})[A-Za-z0-9][A-Za-z0-9./_-]{2,63}")
"""A document's number. Nine digits in a row could be those of a person or of an account."""


@dataclass(frozen=True, slots=True)
class AdministrativeHold:
    """A family's hold: its terms, and what is proposed and not decided yet.

    `terms` are those in force, None where the family is not held; `number` counts its holds.
    """

    family: str = ""
    number: int = 0
    terms: HoldTerms | None = None
    proposal: AdministrativeHoldProposed | None = None
    end: AdministrativeHoldEndProposed | None = None
    last: AdministrativeHoldPlaced | AdministrativeHoldEnded | None = None


# -- Rules


def propose(command: ProposeHold, state: AdministrativeHold) -> Sequence[Event]:
    """Propose terms; those that are in force already, or proposed by the same person, are quiet."""
    terms = _checked(command.terms)
    proposed = AdministrativeHoldProposed(command.family, terms, command.maker)
    return [] if state.proposal == proposed or state.terms == terms else [proposed]


def approve(command: ApproveHold, state: AdministrativeHold) -> Sequence[Event]:
    """Hold the family on the proposed terms; approving it again changes nothing."""
    proposal = state.proposal
    if proposal is None:
        return _quiet_again(command.checker, state, AdministrativeHoldPlaced)
    if same_person(proposal.maker, command.checker):
        raise SamePerson(person=command.checker)
    terms = proposal.terms
    return [
        AdministrativeHoldPlaced(
            family=state.family,
            number=state.number + 1,
            kind=terms.kind,
            reason=terms.reason,
            from_tahap=terms.from_tahap,
            last_day=terms.last_day,
            maker=proposal.maker,
            checker=command.checker,
        )
    ]


def propose_end(command: ProposeHoldEnd, state: AdministrativeHold) -> Sequence[Event]:
    """Propose that the family is held no more."""
    if state.terms is None:
        raise NotHeld(family=state.family)
    proposed = AdministrativeHoldEndProposed(state.family, _code(command.reason), command.maker)
    return [] if state.end == proposed else [proposed]


def approve_end(command: ApproveHoldEnd, state: AdministrativeHold) -> Sequence[Event]:
    """End the hold; approving it again changes nothing."""
    end = state.end
    if end is None:
        return _quiet_again(command.checker, state, AdministrativeHoldEnded)
    if same_person(end.maker, command.checker):
        raise SamePerson(person=command.checker)
    return [
        AdministrativeHoldEnded(state.family, state.number, end.reason, end.maker, command.checker)
    ]


def _quiet_again(
    checker: str,
    state: AdministrativeHold,
    kind: type[AdministrativeHoldPlaced | AdministrativeHoldEnded],
) -> Sequence[Event]:
    """Nothing where this person decided just that, else a refusal."""
    if isinstance(state.last, kind) and same_person(state.last.checker, checker):
        return []
    raise NothingProposed(family=state.family)


def _checked(terms: HoldTerms) -> HoldTerms:
    _code(terms.reason)
    if not EVIDENCE.fullmatch(terms.evidence):
        raise Malformed(field="evidence")  # never its value: it may hold what it must not
    if terms.from_tahap:
        checked_tahap(terms.from_tahap)
    if terms.kind is HoldKind.EXCLUSION and terms.last_day is not None:
        raise Malformed(field="last_day", kind=terms.kind)
    return terms


def _code(reason: str) -> str:
    if not REASON.fullmatch(reason):
        raise Malformed(field="reason")
    return reason


# -- The decider


def evolve(state: AdministrativeHold, event: Event) -> AdministrativeHold:
    """The state after an event; of what is proposed, only the latest waits."""
    match event:
        case AdministrativeHoldProposed():
            return replace(state, family=event.family, proposal=event, end=None)
        case AdministrativeHoldPlaced():
            terms = state.proposal.terms if state.proposal else None
            return replace(
                state, number=event.number, terms=terms, proposal=None, end=None, last=event
            )
        case AdministrativeHoldEndProposed():
            return replace(state, proposal=None, end=event)
        case AdministrativeHoldEnded():
            return replace(state, terms=None, end=None, last=event)


def decide(command: Command, state: AdministrativeHold) -> Sequence[Event]:
    """Events of a command; none where it was already done."""
    match command:
        case ProposeHold():
            return propose(command, state)
        case ApproveHold():
            return approve(command, state)
        case ProposeHoldEnd():
            return propose_end(command, state)
        case ApproveHoldEnd():
            return approve_end(command, state)


administrative_hold: Final[Decider[Command, AdministrativeHold, Event]] = Decider(
    AdministrativeHold(), decide, evolve
)
