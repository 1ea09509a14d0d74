"""Identity numbers of members, and which of them let a person count for money.

A person counts whose number is known, and whom no other family had before. A member without a
valid number is on file and does not count until it is recorded.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from services.registry.domain.family.errors import (
    MemberRegisteredDifferently,
    PersonAlreadyMember,
    PersonUnknown,
)
from services.registry.domain.family.events import NikRecorded
from services.registry.domain.family.list_events import NotCounted
from services.registry.domain.family.state import Family, Member


def not_counted(member: Member, elsewhere: Collection[int]) -> NotCounted:
    """The reason why a member does not count for money; empty for one who does.

    `elsewhere` are the members whom another family had before.
    """
    if not member.nik_valid:
        return "INVALID_NIK"
    return "DUPLICATE_NIK" if member.member in elsewhere else ""


def check_recorded(fact: NikRecorded, state: Family) -> None:
    """Raises where nobody has this number within the family, or somebody has one already."""
    found = next((member for member in state.members if member.member == fact.member), None)
    if found is None:
        raise PersonUnknown(family=state.family)
    if found.nik_valid:
        raise MemberRegisteredDifferently(family=state.family)
    if state.holder_of(fact.token) is not None:
        raise PersonAlreadyMember(family=state.family)


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
