"""Two people assign a family to another group: one says it, another lets it be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import AssignGroup, Move, Reporter
from services.registry.domain.family.errors import FamilyNotRegistered, SamePerson
from services.registry.domain.family.events import (
    ChangeApproved,
    ChangeProposed,
    ChangeWithdrawn,
    GroupAssigned,
)
from tests.unit.registry.families import (
    APPROVED_ON,
    CLERK,
    FAMILY_ID,
    MOTHER,
    ROW,
    approve,
    members,
    past,
    register,
    report,
)

SINCE = date(2023, 3, 1)
THERE = AssignGroup(ROW.card_token, "G2", "PD2", SINCE, "group G2", CLERK)
ASSIGNED = GroupAssigned(FAMILY_ID, ROW.card_token, ROW.region, "G2", "PD2", SINCE)
REGISTERED = past(register(), members(MOTHER))
WAITS = (*REGISTERED, *family.decide(THERE, family.fold(REGISTERED)))


def test_a_group_waits_for_a_second_person() -> None:
    [proposed] = given(family, *REGISTERED).when(THERE).events

    assert isinstance(proposed, ChangeProposed)
    assert (proposed.fact, proposed.maker) == (ASSIGNED, "clerk-1")
    assert family.fold(WAITS).group == ROW.group


def test_another_person_lets_it_be_and_it_is_told() -> None:
    then = given(family, *WAITS).when(approve())

    then.then(ChangeApproved(1, "clerk-1", "supervisor-1", APPROVED_ON), ASSIGNED)


def test_nobody_approves_a_group_of_their_own_or_of_nobody() -> None:
    given(family, *WAITS).when(approve(checker="Clerk-1")).then_refused(SamePerson)
    given(family).when(THERE).then_refused(FamilyNotRegistered)


def test_the_same_group_again_is_quiet_and_another_takes_its_place() -> None:
    given(family, *WAITS).when(THERE).then_nothing()
    other = replace(THERE, group="G3", fingerprint="group G3")

    withdrawn, proposed = given(family, *WAITS).when(other).events
    assert withdrawn == ChangeWithdrawn(1, "clerk-1")
    assert isinstance(proposed, ChangeProposed)
    assert isinstance(proposed.fact, GroupAssigned)
    assert proposed.fact.group == "G3"
    mine = replace(other, reporter=Reporter("clerk-2", ""))
    assert len(given(family, *WAITS).when(mine).events) == 1


def test_a_family_that_has_moved_is_assigned_where_it_lives_on_that_day() -> None:
    moved = past(register(), members(MOTHER), report(Move("61.04.01.2001"), "2023-02-01"))

    [proposed] = given(family, *moved).when(THERE).events

    assert isinstance(proposed, ChangeProposed)
    assert isinstance(proposed.fact, GroupAssigned)
    assert proposed.fact.region == "61.04.01.2001"
