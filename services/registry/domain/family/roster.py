"""A family on a day: who lives in it, holds a category, receives the money, and where.

Every function takes the family as known by the closing (`known_by`) and the day in question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Final

from services.registry.domain.closing import Closing, RuleSet, completed_years, month_end
from services.registry.domain.family.commands import Persons
from services.registry.domain.family.errors import NikOrderMissing
from services.registry.domain.family.events import Category, RosterMember, SchoolLevel
from services.registry.domain.family.identities import not_counted
from services.registry.domain.family.state import Expecting, Family, Member, Paid, Payee

# The order of categories wherever several stand together; it also settles equal worth.
CATEGORIES: Final[tuple[Category, ...]] = (
    "PREGNANT",
    "EARLY_CHILD",
    "SEVERE_DISABILITY",
    "ELDERLY",
    "SMA",
    "SMP",
    "SD",
)


def region(family: Family, on: date) -> str:
    """The region code of the family's village."""
    for moved in reversed(family.moves):
        if moved.effective_on <= on:
            return moved.region
    return family.region


def payee(family: Family, on: date, rules: RuleSet) -> Payee:
    """Who receives the money, and on which account; the one before while a change cools off."""
    for changed in reversed(family.payees):
        if changed.effective_on <= on and _cooled_off(changed, on, rules.payee_cooling_off_days):
            return changed.payee
    return family.payee


def _cooled_off(changed: Paid, on: date, days: int) -> bool:
    # Without a term the day of the approval decides nothing: a rehearsal approves years later.
    since = max(changed.reported_on, changed.approved_on or changed.reported_on)
    return not days or (on - since).days >= days


def payee_valid(family: Family, on: date, rules: RuleSet) -> bool:
    """True if the payee is a living member of the age that may receive the money."""
    member = family.holder_of(payee(family, on, rules).token)
    return (
        member is not None
        and living(family, member, on)
        and completed_years(member.birth_date, on) >= rules.payee_from_years
    )


def living(family: Family, member: Member, on: date) -> bool:
    """True if the member is born, reported into the family and not dead."""
    if member.birth_date > on or (member.effective_on is not None and member.effective_on > on):
        return False
    return not any(
        died.member == member.member and died.effective_on <= on for died in family.deaths
    )


def school_level(family: Family, member: Member, on: date) -> SchoolLevel | None:
    """Where the member is enrolled; None is nowhere."""
    for schooled in reversed(family.schools):
        if schooled.member == member.member and schooled.effective_on <= on:
            return schooled.school_level
    return member.school_level


def pregnant(family: Family, member: Member, on: date, rules: RuleSet) -> bool:
    """True if any pregnancy's window is open; a birth does not close it, a later one adds one."""
    return any(
        pregnancy.member == member.member and _window_open(pregnancy, on, rules)
        for pregnancy in family.pregnancies
    )


def _window_open(pregnancy: Expecting, on: date, rules: RuleSet) -> bool:
    if pregnancy.effective_on is not None and pregnancy.effective_on > on:
        return False
    if rules.pregnancy_order_max is not None:
        order = pregnancy.order
        if order is None or not 1 <= order <= rules.pregnancy_order_max:
            return False
    # A difference of two days always exists; a day some months off the calendar's ends does not.
    days = (on - pregnancy.due_date).days
    return -rules.pregnancy_days_before <= days <= rules.pregnancy_days_after


def categories(family: Family, member: Member, on: date, rules: RuleSet) -> tuple[Category, ...]:
    """Every category that the member holds, in the order of CATEGORIES; none for the dead."""
    if not living(family, member, on):
        return ()
    held: list[Category] = []
    age = completed_years(member.birth_date, on)
    level = school_level(family, member, on)
    if family.pregnancies and pregnant(family, member, on, rules):
        held.append("PREGNANT")
    if level is None and age < rules.early_child_below_years:
        held.append("EARLY_CHILD")
    if member.severe_disability:
        held.append("SEVERE_DISABILITY")
    if age >= rules.elderly_from_years:
        held.append("ELDERLY")
    if level is not None and rules.school_from_years <= age <= rules.school_to_years:
        held.append(level)
    return tuple(held)


def any_category(family: Family, on: date, rules: RuleSet) -> bool:
    """True if anybody in the family holds a category."""
    return any(categories(family, member, on, rules) for member in family.members)


def roster_members(
    family: Family, closing: Closing, nik_order: Mapping[int, int], persons: Persons
) -> tuple[RosterMember, ...]:
    """The members of a line: who holds a category at a month's end or at the closing.

    Raises `NikOrderMissing` where two of them share a birth date and `nik_order` does not rank
    them.
    """
    month_ends = [month_end(month) for month in closing.months]
    standing: list[tuple[Member, tuple[tuple[Category, ...], ...], tuple[Category, ...]]] = []
    for member in family.members:
        months = tuple([categories(family, member, on, closing.rules) for on in month_ends])
        last = categories(family, member, closing.closing_date, closing.rules)
        if last or any(months):
            standing.append((member, months, last))
    rank = _seniority([member for member, _, _ in standing], nik_order)
    return tuple(
        RosterMember(
            *(member.member, member.token, rank[member.member], months, last),
            not_counted(member, persons),
        )
        for member, months, last in standing
    )


def _seniority(members: list[Member], nik_order: Mapping[int, int]) -> dict[int, int]:
    """Members' ranks, youngest first, then by NIK."""
    births = Counter(member.birth_date for member in members)
    unranked = [m.member for m in members if births[m.birth_date] > 1 and m.member not in nik_order]
    if unranked:
        raise NikOrderMissing(members=unranked)
    youngest_first = sorted(
        members, key=lambda m: (-m.birth_date.toordinal(), nik_order.get(m.member, 0))
    )
    return {member.member: rank for rank, member in enumerate(youngest_first)}


def sharing_birth_date(family: Family) -> tuple[int, ...]:
    """The members whose NIKs must be ranked before the family is listed; mostly nobody."""
    births = Counter(member.birth_date for member in family.members)
    return tuple(m.member for m in family.members if births[m.birth_date] > 1)


def rank_by_nik(niks: Mapping[int, str]) -> dict[int, int]:
    """The `nik_order` of members from their numbers in clear; for the edge, which may see them."""
    return {member: rank for rank, member in enumerate(sorted(niks, key=lambda m: niks[m]))}
