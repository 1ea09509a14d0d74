"""Two people decide whose a person is whom several families name: they count there alone."""

from __future__ import annotations

import pytest

from libs.events.domain.errors import DomainError
from libs.events.domain.testing import given
from services.registry.domain.evidence import EvidenceMalformed
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    AdjudicatePerson,
    DecideChange,
    ListFamily,
    MarkDuplicate,
    Persons,
    Reporter,
)
from services.registry.domain.family.errors import (
    NothingToAdjudicate,
    PersonUnknown,
    SamePerson,
)
from services.registry.domain.family.events import (
    ChangeApproved,
    ChangeProposed,
    PersonAdjudicated,
    PersonsRegistered,
)
from services.registry.domain.family.lines import paid_by
from tests.unit.registry.families import (
    APPROVED_ON,
    CLERK,
    FAMILY_ID,
    FIRST,
    MOTHER,
    SECOND,
    TODDLER,
    approve,
    judgement,
    line,
    list_at,
    members,
    past,
    person,
    register,
)

ELSEWHERE = Persons(elsewhere=frozenset({2}))
LOST = Persons(elsewhere=frozenset({2}), decided=frozenset({2}))
WON = Persons(decided=frozenset({2}))
JUDGED = past(register(), members(MOTHER, TODDLER), list_at(FIRST))
ON_HOLD = past(register(), members(MOTHER, TODDLER), MarkDuplicate("toddler"), list_at(FIRST))
OURS = AdjudicatePerson(2, "KK-7/2023", "whose 2", ELSEWHERE, CLERK)
WAITS = (*JUDGED, *family.decide(OURS, family.fold(JUDGED)))


def test_a_decision_waits_with_its_evidence_and_nothing_follows_from_it() -> None:
    [proposed] = given(family, *JUDGED).when(OURS).events

    assert isinstance(proposed, ChangeProposed)
    assert proposed.fact == PersonAdjudicated(2, "whose 2", "toddler")
    assert (proposed.maker, proposed.evidence) == ("clerk-1", "KK-7/2023")


def test_another_person_lets_it_be() -> None:
    given(family, *WAITS).when(approve()).then(
        ChangeApproved(1, "clerk-1", "supervisor-1", APPROVED_ON),
        PersonAdjudicated(2, "whose 2", "toddler"),
        PersonsRegistered(FAMILY_ID, "61.03.01.2026", ("toddler",), decided=True),
    )


def test_nobody_decides_alone_whose_a_person_is() -> None:
    alone = DecideChange(1, "APPROVED", "Clerk-1", APPROVED_ON)

    given(family, *WAITS).when(alone).then_refused(SamePerson)


def test_the_same_one_again_is_quiet_while_it_waits_and_may_come_anew_behind_the_decision() -> None:
    again = AdjudicatePerson(2, "KK-7/2023", "whose 2", LOST, Reporter("clerk-2", ""))

    given(family, *WAITS).when(again).then_nothing()
    decided = (*WAITS, *family.decide(approve(), family.fold(WAITS)))
    [proposed] = given(family, *decided).when(again).events

    assert isinstance(proposed, ChangeProposed)
    assert proposed.change == 2


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        (AdjudicatePerson(3, "KK-7/2023", "x", ELSEWHERE, CLERK), PersonUnknown),
        (AdjudicatePerson(2, "KK-7/2023", "x", Persons(), CLERK), NothingToAdjudicate),
        (AdjudicatePerson(2, "KK-7/2023", "x", WON, CLERK), NothingToAdjudicate),
        (AdjudicatePerson(2, "6103014107900001", "x", ELSEWHERE, CLERK), EvidenceMalformed),
    ],
    ids=["nobody", "counts here", "was decided for us", "a number as evidence"],
)
def test_what_there_is_nothing_to_decide_of_is_refused(
    command: AdjudicatePerson, refused: type[DomainError]
) -> None:
    given(family, *JUDGED).when(command).then_refused(refused)


def test_who_has_no_valid_number_cannot_be_adjudicated() -> None:
    ghost = person("ghost", "2020-08-17", nik_valid=False)
    past_of_ghost = past(register(), members(MOTHER, ghost))

    given(family, *past_of_ghost).when(OURS).then_refused(NothingToAdjudicate)


@pytest.mark.parametrize(
    ("persons", "reason"),
    [(Persons(), ""), (ELSEWHERE, "DUPLICATE_NIK"), (LOST, "ADJUDICATED"), (WON, "")],
    ids=["ours", "named first elsewhere", "decided for another", "decided for us"],
)
def test_a_line_says_why_a_member_does_not_count(persons: Persons, reason: str) -> None:
    listed = line(given(family, *JUDGED).when(ListFamily(SECOND, {}, persons)))

    assert [(m.member, m.not_counted) for m in listed.members] == [(2, reason)]


@pytest.mark.parametrize(("persons", "reason"), [(WON, ""), (LOST, "ADJUDICATED")])
def test_a_family_on_hold_is_judged_again_once_two_people_have_decided(
    persons: Persons, reason: str
) -> None:
    then = given(family, *ON_HOLD).when(ListFamily(SECOND, {}, persons))

    assert judgement(then) == ("ELIGIBLE", "")
    assert [(m.member, m.not_counted) for m in line(then).members] == [(2, reason)]


def test_a_family_on_hold_stays_so_while_nobody_has_decided() -> None:
    given(family, *ON_HOLD).when(ListFamily(SECOND, {}, ELSEWHERE)).then_nothing()


def test_a_family_is_not_put_on_hold_for_who_was_decided_before_its_first_closing() -> None:
    marked = past(register(), members(MOTHER, TODDLER), MarkDuplicate("toddler"))

    assert judgement(given(family, *marked).when(ListFamily(FIRST, {}, WON))) == ("ELIGIBLE", "")


def test_who_named_a_person_first_is_decided_of_as_well_where_both_are_on_hold() -> None:
    first = AdjudicatePerson(2, "KK-7/2023", "x", Persons(), CLERK)

    assert given(family, *ON_HOLD).when(first).events


def test_who_is_judged_again_is_looked_at_before_their_line_as_all_who_are_paid() -> None:
    state = family.fold(ON_HOLD)

    assert paid_by(SECOND, state, ELSEWHERE) is None
    assert paid_by(SECOND, state, WON) == state.payee
