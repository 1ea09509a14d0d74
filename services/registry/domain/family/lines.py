"""A family at a final closing: judged once, then listed until it graduates or is terminated.

Who is on hold for a duplicate is judged again once two people have decided whose the person is, and
for a number that is none once two people have recorded it.
A family without a category waits out the term of its rule set before it graduates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from services.registry.domain.closing import Closing, tahap_order
from services.registry.domain.family import roster
from services.registry.domain.family.commands import (
    NOBODY_ELSEWHERE,
    ListFamily,
    Persons,
    RepeatLine,
)
from services.registry.domain.family.errors import DaysLost, ListedLater
from services.registry.domain.family.events import (
    GRADUATED_NATURAL,
    LISTED,
    Event,
    FamilyDesignated,
    FamilyGraduated,
    FamilyListed,
    GraduationPending,
)
from services.registry.domain.family.identities import open_duplicates
from services.registry.domain.family.state import (
    Designation,
    Family,
    Listed,
    Payee,
    known_by,
)

_DUPLICATE: Final = Designation("HOLD", "DUPLICATE_NIK")
_INVALID: Final = Designation("HOLD", "INVALID_NIK")


def list_family(command: ListFamily, state: Family) -> list[Event]:
    """The family's line of the list, with the judgement that comes before it.

    Nothing for a family that was registered after the cut, is not eligible or has left before.
    """
    closing, last = command.closing, state.listed
    family = known_by(state, closing.closing_date)
    if last is not None and tahap_order(last.tahap) > tahap_order(closing.tahap):
        raise ListedLater(tahap=closing.tahap, listed=last.tahap)
    if last is not None and last.tahap == closing.tahap and last.revision >= closing.revision:
        return []
    if not family.family:
        return []
    if family.closed:
        raise DaysLost(family=family.family)
    judged = _standing(family, closing, command.persons)
    if judged != family.designation:
        return _judged(command, family, judged)
    left = family.departure
    if judged.status != "ELIGIBLE" or (left and left.tahap != command.closing.tahap):
        return []
    if left and left.kind == GRADUATED_NATURAL:
        return [_graduated_line(command.closing, family)]
    return _later_closing(command, family)


def paid_by(closing: Closing, state: Family, persons: Persons) -> Payee | None:
    """Who receives the family's money of a list that is made of this state; None where it has no
    line, or no payee who may receive it."""
    family, on, rules = known_by(state, closing.closing_date), closing.closing_date, closing.rules
    left = family.departure
    if not family.family or (left and (left.tahap, left.kind) != (closing.tahap, "TERMINATED")):
        return None
    judged = _standing(family, closing, persons)
    listed = judged.status == "ELIGIBLE" and roster.any_category(family, on, rules)
    if not listed or not roster.payee_valid(family, on, rules):
        return None
    return roster.payee(family, on, rules)


def may_be_listed(family: Family) -> bool:
    """True of a family that is in the programme, or was never judged."""
    judged = family.designation
    eligible = judged is None or judged.status == "ELIGIBLE"
    return bool(family.family) and eligible and family.departure is None


def repeat_line(command: RepeatLine, state: Family) -> list[Event]:
    """The line once more; nothing where its list was taken back from the family since."""
    line, last = command.line, state.listed
    standing = last is not None and last.order >= Listed.of(line).order
    return [line] if standing else []


def _standing(family: Family, closing: Closing, persons: Persons) -> Designation:
    """The judgement that holds at a closing: an earlier one, but for a family on hold for what two
    people have settled since."""
    earlier = family.designation
    if earlier is None or _settled(earlier, family, persons):
        return judge(family, closing, persons)
    return earlier


def _settled(judged: Designation, family: Family, persons: Persons) -> bool:
    """True of a family on hold whose members' numbers, and whose those are, is decided by now.

    A death decides nothing: who died without a number keeps the family on hold until it is said.
    """
    if judged == _INVALID:
        return all(member.nik_valid for member in family.members)
    return judged == _DUPLICATE and not open_duplicates(family, persons)


def _judged(command: ListFamily, family: Family, judged: Designation) -> list[Event]:
    closing = command.closing
    designated = FamilyDesignated(
        family=family.family,
        tahap=closing.tahap,
        status=judged.status,
        reason=judged.reason,
        region=roster.region(family, closing.closing_date),
        closing_date=closing.closing_date,
        rule_set=closing.rules.id,
    )
    if judged.status != "ELIGIBLE":
        return [designated]
    return [designated, listed_line(closing, family, command.nik_order, command.persons)]


def _later_closing(command: ListFamily, family: Family) -> list[Event]:
    closing = command.closing
    if roster.any_category(family, closing.closing_date, closing.rules):
        return [listed_line(closing, family, command.nik_order, command.persons)]
    graduates_from = _graduates_from(closing, family)
    if graduates_from is not None and closing.closing_date < graduates_from:
        return [_pending(closing, family, graduates_from)]
    graduated = FamilyGraduated(
        family=family.family,
        tahap=closing.tahap,
        kind="NATURAL",
        region=roster.region(family, closing.closing_date),
        closing_date=closing.closing_date,
        rule_set=closing.rules.id,
        term_ends_on=closing.term_ends_on,
    )
    return [graduated, _graduated_line(closing, family)]


def _graduates_from(closing: Closing, family: Family) -> date | None:
    """The end of the term of the first closing in a row without a category; None without one."""
    waiting = family.waiting
    if waiting is not None and waiting.tahap != closing.tahap:
        return waiting.graduates_from
    return closing.term_ends_on


def _pending(closing: Closing, family: Family, graduates_from: date) -> GraduationPending:
    return GraduationPending(
        family=family.family,
        tahap=closing.tahap,
        revision=closing.revision,
        region=roster.region(family, closing.closing_date),
        closing_date=closing.closing_date,
        rule_set=closing.rules.id,
        graduates_from=graduates_from,
        term_ends_on=closing.term_ends_on or graduates_from,
    )


def judge(family: Family, closing: Closing, persons: Persons) -> Designation:
    """The judgement of the family as known by the closing; the first ground decides."""
    on, rules = closing.closing_date, closing.rules
    alive = [member for member in family.members if roster.living(family, member, on)]
    if not family.in_dtks:
        return Designation("INELIGIBLE", "NOT_IN_DTKS")
    if any(member.occupation in rules.excluded_occupations for member in alive):
        return Designation("INELIGIBLE", "EXCLUDED_OCCUPATION")
    if not all(member.nik_valid for member in alive):
        return _INVALID
    if open_duplicates(family, persons):
        return _DUPLICATE
    if not roster.any_category(family, on, rules):
        return Designation("INELIGIBLE", "NO_COMPONENT")
    return Designation("ELIGIBLE", "")


def listed_line(
    closing: Closing,
    family: Family,
    nik_order: Mapping[int, int],
    persons: Persons = NOBODY_ELSEWHERE,
    reopening: int = 0,
) -> FamilyListed:
    """The line of a family that holds a category; `reopening` numbers one behind its list."""
    on = closing.closing_date
    payee = roster.payee(family, on, closing.rules)
    return FamilyListed(
        tahap=closing.tahap,
        months=closing.months,
        rule_set=closing.rules.id,
        revision=closing.revision,
        family=family.family,
        outcome=LISTED,
        region=roster.region(family, on),
        payee_valid=roster.payee_valid(family, on, closing.rules),
        bank=payee.bank,
        account_no=payee.account_no,
        account_name=payee.account_name,
        payee_nik=payee.nik,
        members=roster.roster_members(family, closing, nik_order, persons),
        reopening=reopening,
    )


def _graduated_line(closing: Closing, family: Family) -> FamilyListed:
    return FamilyListed(
        tahap=closing.tahap,
        months=closing.months,
        rule_set=closing.rules.id,
        revision=closing.revision,
        family=family.family,
        outcome=GRADUATED_NATURAL,
        region=roster.region(family, closing.closing_date),
        payee_valid=False,
        bank=None,
        account_no=None,
        account_name=None,
        payee_nik=None,
        members=(),
    )
