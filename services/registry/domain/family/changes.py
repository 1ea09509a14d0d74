"""Changes that move money up or elsewhere: one person proposes them, another lets them be.

Approved, a change is a fact as any other: a list counts it by its `reported_on` where the approval
stands at or before the list's cut, and the next list otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from libs.events.domain.persons import same_person
from services.registry.domain.evidence import check_evidence
from services.registry.domain.family import roster
from services.registry.domain.family.commands import (
    AdjudicatePerson,
    AssignGroup,
    Birth,
    DecideChange,
    Move,
    PayeeChange,
    Pregnancy,
    Reporter,
    ReportLifeEvent,
    SchoolChange,
    WithdrawChange,
)
from services.registry.domain.family.errors import (
    FamilyNotRegistered,
    MemberRegisteredDifferently,
    NoSuchChange,
    NotTheMaker,
    PersonAlreadyMember,
    SamePerson,
)
from services.registry.domain.family.events import (
    ChangeApproved,
    ChangeProposed,
    ChangeRejected,
    ChangeWithdrawn,
    Event,
    FamilyMoved,
    GroupAssigned,
    LifeFact,
    MemberBorn,
    MembersRegistered,
    NikRecorded,
    PayeeChanged,
    PersonAdjudicated,
    PersonsRegistered,
    PregnancyReported,
    ProposedFact,
    SchoolChanged,
)
from services.registry.domain.family.identities import adjudicated, check_recorded
from services.registry.domain.family.state import Family

# -- Proposed


def needs_second_person(command: ReportLifeEvent) -> bool:
    """True where what is reported counts once another person has approved it."""
    match command.fact:
        case PayeeChange():
            return True
        case Move():
            return command.away
        case Birth():
            return "BIRTH" in command.rules.second_person_for
        case Pregnancy():
            return "PREGNANCY" in command.rules.second_person_for
        case SchoolChange():
            return "SCHOOL_CHANGE" in command.rules.second_person_for
        case _:
            return False  # a death lowers what is paid


def propose(
    state: Family, fact: ProposedFact, fingerprint: str, reporter: Reporter, evidence: str = ""
) -> list[Event]:
    """The change waits. Another row of the same maker about the same thing takes its place."""
    corrected: list[Event] = [
        ChangeWithdrawn(waiting.change, waiting.maker)
        for waiting in state.changes
        if _subject(waiting.fact) == _subject(fact) and same_person(waiting.maker, reporter.person)
    ]
    proposed = ChangeProposed(
        change=state.changes_proposed + 1,
        maker=reporter.person,
        batch=reporter.batch,
        fingerprint=fingerprint,
        evidence=evidence,
        receiver=fact.region if isinstance(fact, FamilyMoved) else None,
        payee_changed=fact if isinstance(fact, PayeeChanged) else None,
        member_born=fact if isinstance(fact, MemberBorn) else None,
        members_registered=fact if isinstance(fact, MembersRegistered) else None,
        school_changed=fact if isinstance(fact, SchoolChanged) else None,
        pregnancy_reported=fact if isinstance(fact, PregnancyReported) else None,
        family_moved=fact if isinstance(fact, FamilyMoved) else None,
        nik_recorded=fact if isinstance(fact, NikRecorded) else None,
        person_adjudicated=fact if isinstance(fact, PersonAdjudicated) else None,
        group_assigned=fact if isinstance(fact, GroupAssigned) else None,
    )
    return [*corrected, proposed]


def propose_once(command: AdjudicatePerson | AssignGroup, state: Family) -> list[Event]:
    """Whose a person is, or a family's group, waits for a second person; meanwhile the same again
    is quiet.

    Decided, it may be proposed anew, whichever way it went: another family may have the person
    since.
    """
    evidence = command.evidence if isinstance(command, AdjudicatePerson) else ""
    fact = _decided_on(command, state)
    if any(waiting.fingerprint == command.fingerprint for waiting in state.changes):
        return []
    return propose(state, fact, command.fingerprint, command.reporter, evidence)


def _decided_on(command: AdjudicatePerson | AssignGroup, state: Family) -> ProposedFact:
    if isinstance(command, AdjudicatePerson):
        check_evidence(command.evidence)
        return adjudicated(command, state)
    if not state.family:
        raise FamilyNotRegistered
    since, region = command.since, roster.region(state, command.since)
    group = command.group, command.facilitator
    return GroupAssigned(state.family, command.card, region, *group, since)


def _subject(fact: ProposedFact) -> tuple[str, date | None, str | int]:
    """The subject of a fact: its kind, the day that it is true from, the person."""
    match fact:
        case MemberBorn():
            return "MemberBorn", None, fact.token
        case MembersRegistered():
            return "MembersRegistered", None, fact.rows[0].token
        case SchoolChanged() | PregnancyReported():
            return type(fact).__name__, fact.effective_on, fact.member
        case NikRecorded() | PersonAdjudicated():
            return type(fact).__name__, None, fact.member
        case GroupAssigned():
            return "GroupAssigned", fact.since, ""
        case PayeeChanged() | FamilyMoved():
            return type(fact).__name__, fact.effective_on, ""


# -- Decided


def decide_change(command: DecideChange, state: Family) -> list[Event]:
    """Approved, the change is a fact of the family; rejected, nothing follows."""
    proposal = _waiting(state, command.change)
    if same_person(proposal.maker, command.checker):
        raise SamePerson(change=command.change)
    if command.decision == "REJECTED":
        return [ChangeRejected(command.change, command.checker)]
    people = proposal.maker, command.checker
    approved = ChangeApproved(command.change, *people, command.decided_on)
    return [
        approved,
        *effect(_as_of(command.decided_on, proposal.fact, state), state, command.decided_on),
    ]


def withdraw_change(command: WithdrawChange, state: Family) -> list[Event]:
    """The change waits no longer, and may be proposed again."""
    proposal = _waiting(state, command.change)
    if not same_person(proposal.maker, command.maker):
        raise NotTheMaker(change=command.change)
    return [ChangeWithdrawn(command.change, command.maker)]


def effect(fact: LifeFact | ProposedFact, state: Family, day: date) -> list[Event]:
    """A fact with what others are told of whom it adds to the family, where that lives on a day."""
    match fact:
        case MemberBorn() | NikRecorded() | PersonAdjudicated():
            tokens: tuple[str, ...] = (fact.token,)
        case MembersRegistered():
            tokens = tuple(row.token for row in fact.rows)
        case _:
            return [fact]
    decided = isinstance(fact, PersonAdjudicated)
    return [fact, PersonsRegistered(state.family, roster.region(state, day), tokens, decided)]


def _as_of(day: date, fact: ProposedFact, state: Family) -> ProposedFact:
    """The fact as it stands on the day of its approval: since the proposal others may have come."""
    free = len(state.members) + 1
    match fact:
        case MemberBorn():
            if state.holder_of(fact.token) is not None:
                raise PersonAlreadyMember(family=state.family)
            return replace(fact, member=free)
        case MembersRegistered():
            if state.holder_of(fact.rows[0].token) is not None:
                raise MemberRegisteredDifferently(family=state.family)
            return replace(fact, first_member=free)
        case NikRecorded():
            check_recorded(fact, state)
            return fact
        case PayeeChanged():
            return replace(fact, approved_on=day)
        case _:
            return fact


def _waiting(state: Family, change: int) -> ChangeProposed:
    found = state.waiting_change(change)
    if found is None:
        raise NoSuchChange(change=change)
    return found


# -- The fold


def change_proposed(state: Family, event: ChangeProposed) -> Family:
    """The family with one more change that waits; its row again is quiet."""
    waiting = replace(state, changes=(*state.changes, event), changes_proposed=event.change)
    return with_reported(waiting, event.fingerprint)


def change_ended(state: Family, event: ChangeApproved | ChangeRejected | ChangeWithdrawn) -> Family:
    """The family without a change that waited; one that was taken back may come again."""
    others = tuple(waiting for waiting in state.changes if waiting.change != event.change)
    if not isinstance(event, ChangeWithdrawn):
        return replace(state, changes=others)
    back = {waiting.fingerprint for waiting in state.changes if waiting.change == event.change}
    reported = tuple(row for row in state.reported if row not in back)
    return replace(state, changes=others, reported=reported)


def with_reported(state: Family, fingerprint: str) -> Family:
    """The family that knows a row, so that the same row again is quiet."""
    if fingerprint in state.reported:
        return state
    return replace(state, reported=(*state.reported, fingerprint))
