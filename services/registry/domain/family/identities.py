"""Identity numbers of members, and which of them let a person count for money.

A person counts whose number is known, and whom no other family has: the first that named them,
or the one that two people decided for. A member without a valid number is on file and does not
count until it is recorded.
"""

from __future__ import annotations

from dataclasses import replace

from services.registry.domain.family.commands import AdjudicatePerson, Persons
from services.registry.domain.family.errors import (
    MemberRegisteredDifferently,
    NothingToAdjudicate,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.domain.family.events import NikRecorded, PersonAdjudicated
from services.registry.domain.family.list_events import NotCounted
from services.registry.domain.family.state import Family, Member


def not_counted(member: Member, persons: Persons) -> NotCounted:
    """The reason why a member does not count for money; empty for one who does."""
    if not member.nik_valid:
        return "INVALID_NIK"
    if member.member not in persons.elsewhere:
        return ""
    return "ADJUDICATED" if member.member in persons.decided else "DUPLICATE_NIK"


def open_duplicates(state: Family, persons: Persons) -> frozenset[int]:
    """The members on two cards of the first closing of whom nobody has decided whose they are."""
    return frozenset(state.duplicates) - persons.decided


def check_recorded(fact: NikRecorded, state: Family) -> None:
    """Raises where nobody has this number within the family, or somebody has one already."""
    if _member(state, fact.member).nik_valid:
        raise MemberRegisteredDifferently(family=state.family)
    if state.holder_of(fact.token) is not None:
        raise PersonAlreadyMember(family=state.family)


def adjudicated(command: AdjudicatePerson, state: Family) -> PersonAdjudicated:
    """The decision that the member is this family's. Raises where there is nothing to decide."""
    found = _member(state, command.member)
    disputed = command.persons.elsewhere | open_duplicates(state, command.persons)
    if not found.nik_valid or found.member not in disputed:
        raise NothingToAdjudicate(family=state.family)
    return PersonAdjudicated(found.member, command.fingerprint, found.token)


def _member(state: Family, number: int) -> Member:
    found = next((member for member in state.members if member.member == number), None)
    if found is None:
        raise PersonUnknown(family=state.family)
    return found


def nik_recorded(state: Family, event: NikRecorded) -> Family:
    """The family whose member is a person whom others can tell of."""
    return replace(
        state,
        members=tuple(
            member._replace(token=event.token, nik_valid=True)
            if member.member == event.member
            else member
            for member in state.members
        ),
    )
