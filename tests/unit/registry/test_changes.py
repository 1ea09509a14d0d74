"""Changes that move money up or elsewhere wait for a second person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from libs.events.domain.testing import given
from services.registry.domain.closing import PolicyKind
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Death,
    DecideChange,
    LifeEvent,
    Move,
    PayeeChange,
    Pregnancy,
    Reporter,
    ReportLifeEvent,
    SchoolChange,
    WithdrawChange,
)
from services.registry.domain.family.errors import (
    EvidenceMissing,
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
    MemberBorn,
    MembersRegistered,
    PayeeChanged,
    PersonsRegistered,
)
from tests.unit.registry.families import (
    APPROVED_ON,
    CLERK,
    FAMILY_ID,
    FIRST,
    MOTHER,
    RULES,
    SECOND,
    TODDLER,
    approve,
    birth,
    day,
    life_day,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

AUNT = PayeeChange("aunt", "sealed-aunt", "BRI", "sealed-account-2", "sealed-name-2", "account-2")
TO_AUNT = report(AUNT, "2023-02-01", "2023-02-09", "to-aunt")
UNCLE = person("uncle", "1980-01-01", severe_disability=True)
JUDGED = (register(), members(MOTHER, TODDLER), list_at(FIRST))
BABY = birth("baby", "2023-02-01")


def waiting(*commands: ReportLifeEvent) -> tuple[Event, ...]:
    """A family of mother and toddler of which these reports wait."""
    happened = list(past(register(), members(MOTHER, TODDLER)))
    for command in commands:
        happened += family.decide(command, family.fold(happened))
    return tuple(happened)


def with_policy(command: ReportLifeEvent, *kinds: PolicyKind) -> ReportLifeEvent:
    return replace(command, rules=replace(RULES, second_person_for=frozenset(kinds)))


def kinds(events: Sequence[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


# -- Proposed -------------------------------------------------------------------------------------


def test_a_change_of_payee_waits_and_the_list_pays_as_before() -> None:
    result = given(family, *waiting(TO_AUNT)).when(list_at(FIRST))

    assert (line(result).bank, line(result).account_no) == ("BNI", "sealed-account")


def test_an_approved_change_of_payee_is_what_the_list_pays() -> None:
    events = given(family, *waiting(TO_AUNT)).when(approve()).events

    assert events[0] == ChangeApproved(1, "clerk-1", "supervisor-1", APPROVED_ON)
    [_, changed] = events
    assert isinstance(changed, PayeeChanged)
    assert changed.approved_on == APPROVED_ON
    result = given(family, *waiting(TO_AUNT), *events).when(list_at(FIRST))
    assert (line(result).bank, line(result).account_no) == ("BRI", "sealed-account-2")


@pytest.mark.parametrize(
    ("fact", "kind"),
    [
        (BABY, "BIRTH"),
        (Pregnancy("mother", life_day("2023-09-01"), 1), "PREGNANCY"),
        (SchoolChange("toddler", "SD"), "SCHOOL_CHANGE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_policy_says_what_else_waits(fact: LifeEvent, kind: PolicyKind) -> None:
    reported = report(fact, "2023-02-01", "2023-02-09")
    family_of_two = given(family, *waiting())

    assert ChangeProposed not in kinds(family_of_two.when(reported).events)
    assert kinds(family_of_two.when(with_policy(reported, kind)).events) == [ChangeProposed]


def test_a_death_lowers_what_is_paid_and_counts_at_once() -> None:
    reported = with_policy(
        report(Death("mother"), "2023-02-01"), "BIRTH", "PREGNANCY", "SCHOOL_CHANGE"
    )

    assert ChangeProposed not in kinds(given(family, *waiting()).when(reported).events)


def test_a_move_out_of_the_reporters_regions_has_no_effect_until_it_is_confirmed() -> None:
    away = replace(report(Move("11.01.01.2001"), "2023-02-01"), away=True)

    result = given(family, *waiting(away)).when(list_at(FIRST))

    assert line(result).region == "61.03.01.2026"
    confirmed = given(family, *waiting(away)).when(approve()).events
    assert kinds(confirmed) == [ChangeApproved, FamilyMoved]


def test_a_member_of_a_judged_family_is_admitted_by_a_document_and_a_second_person() -> None:
    judged = given(family, *past(*JUDGED))
    row = members(UNCLE)

    judged.when(row).then_refused(EvidenceMissing)
    proposed = judged.when(replace(row, evidence={"uncle": "BA-12/2023"})).events
    assert kinds(proposed) == [ChangeProposed]
    admitted = given(family, *past(*JUDGED), *proposed).when(approve()).events
    assert kinds(admitted) == [ChangeApproved, MembersRegistered, PersonsRegistered]
    later = family.fold([*past(*JUDGED), *proposed, *admitted])
    assert [member.token for member in later.members] == ["mother", "toddler", "uncle"]


def test_members_of_a_candidate_are_registered_at_once() -> None:
    events = given(family, *past(register())).when(members(MOTHER, TODDLER)).events

    assert kinds(events) == [MembersRegistered, PersonsRegistered]


def test_the_same_row_again_is_quiet_while_it_waits_and_after_it_was_decided() -> None:
    rejected = ChangeRejected(1, "supervisor-1")

    given(family, *waiting(TO_AUNT)).when(TO_AUNT).then_nothing()
    given(family, *waiting(TO_AUNT), rejected).when(TO_AUNT).then_nothing()
    given(family, *past(register(), members(MOTHER, TODDLER), TO_AUNT)).when(TO_AUNT).then_nothing()


def test_another_row_of_the_same_maker_about_the_same_day_takes_its_place() -> None:
    mended = report(replace(AUNT, account_no="sealed-3"), "2023-02-01", "2023-02-10", "mended")

    events = given(family, *waiting(TO_AUNT)).when(mended).events

    assert kinds(events) == [ChangeWithdrawn, ChangeProposed]
    assert [each.change for each in family.fold([*waiting(TO_AUNT), *events]).changes] == [2]


def test_another_makers_row_waits_beside_it() -> None:
    other = replace(
        report(AUNT, "2023-02-01", "2023-02-10", "other"), reporter=Reporter("clerk-2", "job-2")
    )

    state = family.fold(waiting(TO_AUNT, other))

    assert [each.maker for each in state.changes] == ["clerk-1", "clerk-2"]


# -- Decided --------------------------------------------------------------------------------------


@pytest.mark.parametrize("checker", ["clerk-1", "Clerk-1", "CLERK-1 "])
def test_nobody_approves_or_rejects_what_they_proposed(checker: str) -> None:
    for decision in ("APPROVED", "REJECTED"):
        command = DecideChange(1, decision, checker, APPROVED_ON)
        given(family, *waiting(TO_AUNT)).when(command).then_refused(SamePerson)


def test_a_rejected_change_leaves_the_family_as_it_was() -> None:
    command = DecideChange(1, "REJECTED", "supervisor-1", APPROVED_ON)

    given(family, *waiting(TO_AUNT)).when(command).then(ChangeRejected(1, "supervisor-1"))
    state = family.fold([*waiting(TO_AUNT), ChangeRejected(1, "supervisor-1")])
    assert (state.changes, state.payees) == ((), ())


def test_what_does_not_wait_is_not_decided() -> None:
    given(family, *waiting()).when(approve()).then_refused(NoSuchChange)
    rejected = ChangeRejected(1, "supervisor-1")
    given(family, *waiting(TO_AUNT), rejected).when(approve()).then_refused(NoSuchChange)


def test_a_maker_takes_a_change_back_and_may_propose_it_again() -> None:
    withdrawn = ChangeWithdrawn(1, "clerk-1")

    given(family, *waiting(TO_AUNT)).when(WithdrawChange(1, "clerk-1")).then(withdrawn)
    given(family, *waiting(TO_AUNT)).when(WithdrawChange(1, "clerk-2")).then_refused(NotTheMaker)
    again = given(family, *waiting(TO_AUNT), withdrawn).when(TO_AUNT).events
    assert kinds(again) == [ChangeProposed]


def test_who_was_born_to_two_reporters_is_a_member_once() -> None:
    first = with_policy(report(BABY, "2023-02-01", "2023-02-09", "f-1"), "BIRTH")
    second = replace(first, fingerprint="f-2", reporter=Reporter("clerk-2", "job-2"))
    two = waiting(first, second)
    born = family.decide(approve(1), family.fold(two))

    assert kinds(born) == [ChangeApproved, MemberBorn, PersonsRegistered]
    given(family, *two, *born).when(approve(2)).then_refused(PersonAlreadyMember)


def test_a_child_gets_the_number_that_is_free_at_the_approval() -> None:
    waits = with_policy(report(BABY, "2023-02-01"), "BIRTH")
    other = report(birth("twin", "2023-02-01"), "2023-02-01", "2023-02-09", "twin")
    happened = [*waiting(waits, other)]

    [_, born, _] = family.decide(approve(), family.fold(happened))

    assert isinstance(born, MemberBorn)
    assert born.member == 4


# -- A term before the first list -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("approved_on", "bank"), [("2023-03-18", "BNI"), ("2023-03-17", "BRI"), ("2023-01-01", "BRI")]
)
def test_a_new_account_cools_off_before_a_list_uses_it(approved_on: str, bank: str) -> None:
    rules = replace(RULES, payee_cooling_off_days=14)
    command = DecideChange(1, "APPROVED", "supervisor-1", day(approved_on))
    happened = [*waiting(TO_AUNT)]
    happened += family.decide(command, family.fold(happened))

    result = given(family, *happened).when(list_at(replace(FIRST, rules=rules)))

    assert line(result).bank == bank


def test_without_a_term_an_approval_of_a_later_year_counts() -> None:
    command = DecideChange(1, "APPROVED", "supervisor-1", date(2026, 11, 30))
    happened = [*waiting(TO_AUNT)]
    happened += family.decide(command, family.fold(happened))

    assert line(given(family, *happened).when(list_at(SECOND))).bank == "BRI"


def test_a_proposal_names_who_made_it_and_the_import_it_came_with() -> None:
    [proposed] = given(family, *waiting()).when(TO_AUNT).events

    assert isinstance(proposed, ChangeProposed)
    assert (proposed.change, proposed.maker, proposed.batch) == (1, CLERK.person, CLERK.batch)
    assert FAMILY_ID not in repr(proposed)
