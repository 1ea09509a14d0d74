"""Words in which the registry's tests speak: people, families, what is reported, closings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from libs.events.domain.personal import PersonalDay
from libs.events.domain.testing import Given, Then, given
from services.registry.domain.closing import Closing
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Birth,
    Command,
    DecideChange,
    LifeEvent,
    ListFamily,
    RegisterFamily,
    RegisterMembers,
    Reporter,
    ReportLifeEvent,
)
from services.registry.domain.family.events import (
    Category,
    ChangeProposed,
    Event,
    FamilyDesignated,
    FamilyListed,
    FamilyRow,
    MemberRow,
)
from services.registry.domain.family.state import Family
from services.registry.policy import load_rule_sets

FAMILY_ID = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
RULES = load_rule_sets().named("2021-2024")
CLERK = Reporter("clerk-1", "job-1")
APPROVED_ON = date(2023, 2, 15)
FIRST = Closing("2023-1", 1, ("2023-01", "2023-02", "2023-03"), date(2023, 3, 31), RULES)
SECOND = Closing("2023-2", 1, ("2023-04", "2023-05", "2023-06"), date(2023, 6, 30), RULES)

ROW = FamilyRow(
    fingerprint="row-1",
    card_token="card-1",
    card="sealed-card",
    dtks_id="sealed-dtks",
    dtks=True,
    decile=1,
    region="61.03.01.2026",
    address="sealed-address",
    payee_token="mother",
    payee_nik="sealed-mother",
    bank="BNI",
    account_no="sealed-account",
    account_name="sealed-name",
    facilitator="PD610301",
    group="G6103012026-1",
)


def day(text: str) -> date:
    return date.fromisoformat(text)


def life_day(text: str) -> PersonalDay:
    """A day of a birth or a pregnancy, stored in clear as it was before days were sealed."""
    return PersonalDay.in_clear(day(text))


def register(**changes: Any) -> RegisterFamily:
    return RegisterFamily(FAMILY_ID, replace(ROW, **changes))


def person(token: str, born: str, **changes: Any) -> MemberRow:
    """A member of no category by itself, unless the birth date makes it one."""
    row = MemberRow(
        token=token,
        fingerprint=f"row of {token}",
        nik=f"sealed-{token}",
        name=f"sealed-name-{token}",
        nik_valid=True,
        sex="F",
        birth_date=life_day(born),
        relationship="OTHER",
        occupation=None,
        school_level=None,
        npsn=None,
        nisn=None,
        severe_disability=False,
        pregnancy_due_date=None,
        pregnancy_order=None,
    )
    return replace(row, **changes)


MOTHER = person("mother", "1990-05-05")
TODDLER = person("toddler", "2020-08-17")


def members(*rows: MemberRow) -> RegisterMembers:
    return RegisterMembers(rows, CLERK, date(2023, 1, 1))


def report(
    fact: LifeEvent, since: str, known: str | None = None, fingerprint: str | None = None
) -> ReportLifeEvent:
    """A life event that is true `since` and known from the same day on, unless told."""
    named = fingerprint or f"{fact} {since} {known}"
    if isinstance(fact, Birth):
        fact = replace(fact, effective_on=life_day(since))
    reported_on = day(known or since)
    return ReportLifeEvent(day(since), reported_on, named, fact, reported_on, RULES, CLERK)


def birth(token: str, born: str, nik_valid: bool = True) -> Birth:
    sealed, on = (f"sealed-{token}", f"sealed-name-{token}"), life_day(born)
    return Birth(token, *sealed, nik_valid, "F", on, on)


def past(*commands: Command) -> tuple[Event, ...]:
    """The past of a family of which these things were asked, one after another.

    Whatever waits for a second person is approved at once.
    """
    state, happened = family.initial, list[Event]()
    for command in commands:
        events = decided(command, state)
        state = family.fold(events, state)
        happened += events
    return tuple(happened)


def decided(command: Command, state: Family) -> list[Event]:
    """The events of a command, and the approval of each change that it proposes."""
    events = [*family.decide(command, state)]
    for change in [event.change for event in events if isinstance(event, ChangeProposed)]:
        events += family.decide(approve(change), family.fold(events, state))
    return events


def approve(change: int = 1, checker: str = "supervisor-1") -> DecideChange:
    """Another person lets a change be."""
    return DecideChange(change, "APPROVED", checker, APPROVED_ON)


def given_family(*rows: MemberRow, **changes: Any) -> Given[Command, Family, Event]:
    """A registered family of these members, with changes to its own row."""
    return given(family, *past(register(**changes), members(*rows)))


def given_past(*commands: Command) -> Given[Command, Family, Event]:
    """A registered family of mother and toddler of which these things were asked."""
    return given(family, *past(register(), members(MOTHER, TODDLER), *commands))


def list_at(closing: Closing, nik_order: Mapping[int, int] | None = None) -> ListFamily:
    return ListFamily(closing, nik_order or {})


def judgement(then: Then[Family, Event]) -> tuple[str, str]:
    """The family's judgement, and its reason."""
    [designated] = [event for event in then.events if isinstance(event, FamilyDesignated)]
    return designated.status, designated.reason


def line(then: Then[Family, Event]) -> FamilyListed:
    """The family's line of the list."""
    [listed] = [event for event in then.events if isinstance(event, FamilyListed)]
    return listed


def at_closing(then: Then[Family, Event]) -> dict[int, tuple[Category, ...]]:
    """The categories at the closing, by member."""
    return {member.member: member.closing for member in line(then).members}


def at_month_ends(then: Then[Family, Event]) -> dict[int, tuple[tuple[Category, ...], ...]]:
    """The categories at each month's end, by member."""
    return {member.member: member.months for member in line(then).members}
