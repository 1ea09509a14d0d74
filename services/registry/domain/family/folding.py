"""The fold of a family's events into what is known of it; facts are added, none is overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Protocol, TypeVar

from services.registry.domain.family.changes import change_ended, change_proposed, with_reported
from services.registry.domain.family.events import (
    LISTED,
    ChangeApproved,
    ChangeProposed,
    ChangeRejected,
    ChangeWithdrawn,
    DuplicateMarked,
    Event,
    FamilyDesignated,
    FamilyGraduated,
    FamilyListed,
    FamilyMoved,
    FamilyRegistered,
    FamilyReinstated,
    FamilyReopened,
    FamilyTerminated,
    FamilyUnlisted,
    GraduationPending,
    GroupAssigned,
    LifeFact,
    MemberBorn,
    MemberDied,
    MembersRegistered,
    NikRecorded,
    OrderAnswered,
    PayeeChanged,
    PersonAdjudicated,
    PersonsRegistered,
    PregnancyReported,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
    SchoolChanged,
    TakeBackProposed,
    TakeBackRejected,
    TerminationTakenBack,
)
from services.registry.domain.family.identities import nik_recorded
from services.registry.domain.family.leaving import graduated, pending, reopened, unlisted
from services.registry.domain.family.state import (
    Designation,
    Died,
    Expecting,
    Family,
    Listed,
    Member,
    Moved,
    Paid,
    Payee,
    Schooled,
)
from services.registry.domain.family.terminations import terminated


def evolve(state: Family, event: Event) -> Family:
    """The family after one more event."""
    match event:
        case FamilyListed():
            return _listed(state, event)
        case FamilyDesignated():
            return replace(state, designation=Designation(event.status, event.reason))
        case FamilyGraduated():
            return graduated(state, event)
        case GraduationPending():
            return pending(state, event)
        case ReopeningProposed() | ReopeningWithdrawn() | ReopeningRejected() | FamilyReopened():
            return reopened(state, event)
        case FamilyUnlisted():
            return unlisted(state, event)
        case (
            FamilyTerminated()
            | TakeBackProposed()
            | TakeBackRejected()
            | TerminationTakenBack()
            | FamilyReinstated()
            | OrderAnswered()
        ):
            return terminated(state, event)
        case ChangeProposed():
            return change_proposed(state, event)
        case ChangeApproved() | ChangeRejected() | ChangeWithdrawn():
            return change_ended(state, event)
        case DuplicateMarked():
            return replace(state, duplicates=(*state.duplicates, event.member))
        case FamilyRegistered() | GroupAssigned():
            return _registered(state, event)
        case MembersRegistered():
            return _members_registered(state, event)
        case NikRecorded():
            return with_reported(nik_recorded(state, event), event.fingerprint)
        case PersonsRegistered() | PersonAdjudicated():
            return state  # what is said of persons, families together say
        case _:
            return with_reported(_folded(state, event), event.fingerprint)


def _folded(state: Family, event: LifeFact) -> Family:
    """The family after a life event; every kind has its own row of facts."""
    since, reported = event.effective_on, event.reported_on
    match event:
        case MemberBorn():
            return replace(state, members=(*state.members, _child(event)))
        case MemberDied():
            died = Died(since, reported, event.member)
            return replace(state, deaths=(*state.deaths, died))
        case SchoolChanged():
            schooled = Schooled(since, reported, event.member, event.school_level)
            return replace(state, schools=_in_order(state.schools, schooled))
        case PregnancyReported():
            return replace(state, pregnancies=(*state.pregnancies, *_expecting(event)))
        case FamilyMoved():
            moved = Moved(since, reported, event.region)
            return replace(state, moves=_in_order(state.moves, moved))
        case PayeeChanged():
            payee = Payee(
                event.payee_token,
                event.payee_nik,
                event.bank,
                event.account_no,
                event.account_name,
                event.account_token,
            )
            paid = Paid(since, reported, payee, event.approved_on)
            return replace(state, payees=_in_order(state.payees, paid))


def _registered(state: Family, event: FamilyRegistered | GroupAssigned) -> Family:
    if isinstance(event, GroupAssigned):
        return replace(state, group=event.group)
    row = event.row
    return replace(
        state,
        family=event.family,
        fingerprint=row.fingerprint,
        in_dtks=row.dtks,
        region=row.region,
        payee=Payee(
            row.payee_token,
            row.payee_nik,
            row.bank,
            row.account_no,
            row.account_name,
            row.account_token,
        ),
    )


def _members_registered(state: Family, event: MembersRegistered) -> Family:
    numbered = list(enumerate(event.rows, start=event.first_member))
    members = tuple(
        Member(
            member=number,
            token=row.token,
            fingerprint=row.fingerprint,
            nik_valid=row.nik_valid,
            birth_date=row.birth_date,
            occupation=row.occupation,
            school_level=row.school_level,
            severe_disability=row.severe_disability,
        )
        for number, row in numbered
    )
    pregnancies = tuple(
        Expecting(None, None, number, row.pregnancy_due_date, row.pregnancy_order)
        for number, row in numbered
        if row.pregnancy_due_date is not None
    )
    return replace(
        state,
        members=state.members + members,
        pregnancies=state.pregnancies + pregnancies,
    )


def _child(event: MemberBorn) -> Member:
    return Member(
        member=event.member,
        token=event.token,
        fingerprint=event.fingerprint,
        nik_valid=event.nik_valid,
        birth_date=event.birth_date,
        effective_on=event.effective_on,
        reported_on=event.reported_on,
    )


def _expecting(event: PregnancyReported) -> tuple[Expecting, ...]:
    """The pregnancy's window; without a due date there is none."""
    if event.due_date is None:
        return ()
    dates = event.effective_on, event.reported_on
    return (Expecting(*dates, event.member, event.due_date, event.pregnancy_order),)


def _listed(state: Family, event: FamilyListed) -> Family:
    """A line that is repeated for an earlier tahap does not become the last one again."""
    if event.reopening:  # it comes behind its list, whatever lists have looked at the family since
        return state
    line, last = Listed.of(event), state.listed
    if last is not None and last.order > line.order:
        return state
    if event.outcome != LISTED:
        return replace(state, listed=line)
    # A list that was made anew may find a category where the one before it found none.
    return replace(
        state,
        listed=line,
        waiting=None,
        without_category=tuple(c for c in state.without_category if c.tahap != event.tahap),
        reopenings=tuple(
            reopening for reopening in state.reopenings if reopening.tahap != event.tahap
        ),
    )


class Applied(Protocol):
    """A fact that takes the place of earlier ones of its kind."""

    @property
    def effective_on(self) -> date: ...

    @property
    def reported_on(self) -> date: ...


A = TypeVar("A", bound=Applied)


def _in_order(facts: tuple[A, ...], fact: A) -> tuple[A, ...]:
    # The sort is stable and the newcomer stands last, so equal dates keep the order of arrival.
    return tuple(sorted((*facts, fact), key=lambda f: (f.effective_on, f.reported_on)))
