"""The answers of a family to its commands; pure, so that every one can be given again."""

from __future__ import annotations

from typing import Final

from libs.events.domain.decider import Decider
from services.registry.domain.family.changes import (
    decide_change,
    effect,
    needs_second_person,
    propose,
    propose_once,
    withdraw_change,
)
from services.registry.domain.family.commands import (
    AbandonTakeBack,
    AdjudicatePerson,
    AskTakeBack,
    AssignGroup,
    Birth,
    Command,
    Death,
    DecideChange,
    DecideReopening,
    DecideTakeBack,
    ListFamily,
    MarkDuplicate,
    MarkTerminated,
    Move,
    PayeeChange,
    Pregnancy,
    RecordNik,
    RegisterFamily,
    RegisterMembers,
    RepeatLine,
    ReportLifeEvent,
    ReviewClosing,
    SchoolChange,
    UnlistFamily,
    WithdrawChange,
)
from services.registry.domain.family.errors import (
    CardRegisteredDifferently,
    EvidenceMissing,
    FamilyFull,
    FamilyNotRegistered,
    MemberRegisteredDifferently,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.domain.family.events import (
    DuplicateMarked,
    Event,
    FamilyMoved,
    FamilyRegistered,
    FamilyUnlisted,
    GroupAssigned,
    LifeFact,
    MemberBorn,
    MemberDied,
    MemberRow,
    MembersRegistered,
    NikRecorded,
    PayeeChanged,
    PregnancyReported,
    SchoolChanged,
)
from services.registry.domain.family.folding import evolve
from services.registry.domain.family.identities import check_recorded
from services.registry.domain.family.leaving import back
from services.registry.domain.family.lines import list_family, repeat_line
from services.registry.domain.family.plausible import check_report
from services.registry.domain.family.reopening import decide_reopening, review
from services.registry.domain.family.state import Family
from services.registry.domain.family.terminations import terminate

ENTRIES_MAX: Final = 1_000
"""Members and reports that a family may have: each is read again whenever the family is, and no
family that lives has so many. Without an end one card could hold up everybody's list."""


def decide(command: Command, state: Family) -> list[Event]:
    """The events that the command causes; none where it has nothing to add."""
    match command:
        case ListFamily():
            return list_family(command, state)
        case RepeatLine():
            return repeat_line(command, state)
        case UnlistFamily():
            return unlist(command, state)
        case RegisterFamily():
            return register(command, state)
        case RegisterMembers():
            return register_members(command, state)
        case ReportLifeEvent():
            return report(command, state)
        case RecordNik():
            return record_nik(command, state)
        case AdjudicatePerson() | AssignGroup():
            return propose_once(command, state)
        case MarkDuplicate():
            return mark_duplicate(command, state)
        case ReviewClosing():
            return review(command, state)
        case DecideChange():
            return decide_change(command, state)
        case WithdrawChange():
            return withdraw_change(command, state)
        case DecideReopening():
            return decide_reopening(command, state)
        case MarkTerminated() | AskTakeBack() | DecideTakeBack() | AbandonTakeBack():
            return terminate(command, state)


family: Decider[Command, Family, Event] = Decider(Family(), decide, evolve)


def register(command: RegisterFamily, state: Family) -> list[Event]:
    """The family enters the register, and its group, once; another row for its card is refused."""
    if not state.family:
        return [FamilyRegistered(command.family, command.row), *_assigned(command)]
    if state.fingerprint != command.row.fingerprint:
        raise CardRegisteredDifferently(family=state.family)
    # A family that was registered before groups were told is assigned by sending its row again.
    return [] if state.group else _assigned(command)


def _assigned(command: RegisterFamily) -> list[Event]:
    row = command.row
    if not row.group:
        return []
    return [GroupAssigned(command.family, row.card_token, row.region, row.group, row.facilitator)]


def register_members(command: RegisterMembers, state: Family) -> list[Event]:
    """The rows that are not there yet, numbered on; another row for a person is refused."""
    _require_registered(state)
    there = {member.token: member.fingerprint for member in state.members}
    new: list[MemberRow] = []
    for row in command.rows:
        if row.token not in there:
            there[row.token] = row.fingerprint
            new.append(row)
        elif there[row.token] != row.fingerprint:
            raise MemberRegisteredDifferently(family=state.family)
    if not new:
        return []
    _ensure_room(state, len(new))
    if state.designation is not None:  # until a closing has judged it, the family is a candidate
        return _admissions(command, new, state)
    return effect(MembersRegistered(len(state.members) + 1, tuple(new)), state, command.day)


def _admissions(command: RegisterMembers, rows: list[MemberRow], state: Family) -> list[Event]:
    events: list[Event] = []
    for row in rows:
        if row.fingerprint in state.reported:
            continue
        evidence = command.evidence.get(row.token)
        if not evidence:
            raise EvidenceMissing(family=state.family)
        admitted = MembersRegistered(len(state.members) + 1, (row,))
        proposed = propose(state, admitted, row.fingerprint, command.reporter, evidence)
        events += proposed
        state = family.fold(proposed, state)
    return events


def report(command: ReportLifeEvent, state: Family) -> list[Event]:
    """A life event becomes a dated fact; the same report again is quiet."""
    _require_registered(state)
    if command.fingerprint in state.reported:
        return []
    _ensure_room(state, 1)
    check_report(command, state)
    fact = _fact(command, state)
    if not isinstance(fact, MemberDied) and needs_second_person(command):
        return propose(state, fact, command.fingerprint, command.reporter)
    return effect(fact, state, command.reported_on)


def _fact(command: ReportLifeEvent, state: Family) -> LifeFact:
    dated = command.effective_on, command.reported_on, command.fingerprint
    fact = command.fact
    match fact:
        case Birth():
            return _born(command, fact, state)
        case Death():
            return MemberDied(_member(state, fact.token), *dated)
        case SchoolChange():
            pupil = _member(state, fact.token)
            return SchoolChanged(pupil, *dated, fact.school_level, fact.npsn, fact.nisn)
        case Pregnancy():
            mother = _member(state, fact.token)
            return PregnancyReported(mother, *dated, fact.due_date, fact.pregnancy_order)
        case Move():
            return FamilyMoved(*dated, fact.region)
        case PayeeChange():
            return _payee_changed(command, fact)


def _born(command: ReportLifeEvent, birth: Birth, state: Family) -> MemberBorn:
    if state.holder_of(birth.token) is not None:
        raise PersonAlreadyMember(family=state.family)
    return MemberBorn(
        member=len(state.members) + 1,
        effective_on=birth.effective_on,
        reported_on=command.reported_on,
        fingerprint=command.fingerprint,
        token=birth.token,
        nik=birth.nik,
        name=birth.name,
        nik_valid=birth.nik_valid,
        sex=birth.sex,
        birth_date=birth.birth_date,
    )


def _payee_changed(command: ReportLifeEvent, change: PayeeChange) -> PayeeChanged:
    return PayeeChanged(
        effective_on=command.effective_on,
        reported_on=command.reported_on,
        fingerprint=command.fingerprint,
        payee_token=change.payee_token,
        payee_nik=change.payee_nik,
        bank=change.bank,
        account_no=change.account_no,
        account_name=change.account_name,
        account_token=change.account_token,
    )


def record_nik(command: RecordNik, state: Family) -> list[Event]:
    """The number waits for a second person; the same one again is quiet."""
    _require_registered(state)
    if command.fingerprint in state.reported:
        return []
    fact = NikRecorded(command.member, command.fingerprint, command.token, command.nik)
    check_recorded(fact, state)
    return propose(state, fact, command.fingerprint, command.reporter)


def mark_duplicate(command: MarkDuplicate, state: Family) -> list[Event]:
    """The member is marked, once. Children of later events are never judged by this."""
    _require_registered(state)
    holder = state.holder_of(command.token)
    if holder is None:
        raise PersonUnknown(family=state.family)
    if holder.effective_on is not None or holder.member in state.duplicates:
        return []
    return [DuplicateMarked(holder.member)]


def unlist(command: UnlistFamily, state: Family) -> list[Event]:
    """The family stands as before the cancelled list, once; a termination by two people stays."""
    before = _before(command, state)
    # A termination that was taken back since the list's cut stays so too.
    stays = _is_terminated(state) or _is_terminated(before)
    unlisted = FamilyUnlisted(
        family=state.family,
        tahap=command.tahap,
        revision=command.revision,
        designation=before.designation,
        listed=before.listed,
        departure=state.departure if stays else before.departure,
        waiting=before.waiting,
        without_category=before.without_category,
    )
    # Facts of the family since the cut stay, and count for the next list.
    return [] if evolve(state, unlisted) == state else [unlisted]


def _is_terminated(state: Family) -> bool:
    return state.departure is not None and state.departure.kind == "TERMINATED"


def _before(command: UnlistFamily, state: Family) -> Family:
    """The family as at the cancelled list's cut, but for another tahap that was re-opened since."""
    before = command.before
    for reopening in state.reopenings:
        at_cut = before.reopening(reopening.tahap)
        since = at_cut is None or at_cut.standing != "APPROVED"
        if reopening.standing == "APPROVED" and reopening.tahap != command.tahap and since:
            before = back(before, reopening.tahap)
    return before


def _ensure_room(state: Family, more: int) -> None:
    if len(state.members) + len(state.reported) + more > ENTRIES_MAX:
        raise FamilyFull(family=state.family)


def _require_registered(state: Family) -> None:
    if not state.family:
        raise FamilyNotRegistered


def _member(state: Family, token: str) -> int:
    holder = state.holder_of(token)
    if holder is None:
        raise PersonUnknown(family=state.family)
    return holder.member
