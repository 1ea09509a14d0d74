"""Who has no valid number is on file, and counts for money once two people have said it."""

from __future__ import annotations

import pytest

from libs.events.domain.errors import DomainError
from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Death,
    ListFamily,
    MarkDuplicate,
    Persons,
    RecordNik,
)
from services.registry.domain.family.errors import (
    MemberRegisteredDifferently,
    PersonAlreadyMember,
    PersonUnknown,
    SamePerson,
)
from services.registry.domain.family.events import (
    ChangeApproved,
    ChangeProposed,
    NikRecorded,
    PersonsRegistered,
)
from tests.unit.registry.families import (
    APPROVED_ON,
    CLERK,
    FAMILY_ID,
    FIRST,
    MOTHER,
    ROW,
    SECOND,
    TODDLER,
    approve,
    birth,
    judgement,
    line,
    list_at,
    members,
    past,
    person,
    register,
    report,
)

GHOST = report(birth("row-of-ghost", "2023-04-02", nik_valid=False), "2023-04-02", "2023-04-05")
SAID = RecordNik(3, "ghost", "sealed-ghost", "said", CLERK)
JUDGED = (register(), members(MOTHER, TODDLER), list_at(FIRST))
WITH_GHOST = past(*JUDGED, GHOST)
RECORDED = NikRecorded(3, "said", "ghost", "sealed-ghost")


def test_a_member_without_a_number_is_listed_with_all_duties_and_does_not_count() -> None:
    listed = line(given(family, *WITH_GHOST).when(list_at(SECOND)))

    counted = {member.member: (member.closing, member.not_counted) for member in listed.members}
    assert counted == {2: (("EARLY_CHILD",), ""), 3: (("EARLY_CHILD",), "INVALID_NIK")}
    assert listed.members[1].months[-1] == ("EARLY_CHILD",)


def test_who_was_in_another_family_before_is_listed_and_does_not_count() -> None:
    born = report(birth("baby", "2023-04-02"), "2023-04-02", "2023-04-05")
    elsewhere = Persons(elsewhere=frozenset({3}))
    listed = line(given(family, *past(*JUDGED, born)).when(ListFamily(SECOND, {}, elsewhere)))

    assert [(m.member, m.not_counted) for m in listed.members] == [(2, ""), (3, "DUPLICATE_NIK")]


def test_a_family_of_such_members_alone_stays_and_does_not_graduate() -> None:
    died = report(Death("toddler"), "2023-06-01")
    listed = line(given(family, *past(*JUDGED, GHOST, died)).when(list_at(SECOND)))

    assert listed.outcome == "LISTED"
    assert {m.not_counted for m in listed.members if m.closing} == {"INVALID_NIK"}


def test_a_number_waits_for_another_person_and_counts_once_it_is_let_be() -> None:
    waits = given(family, *WITH_GHOST).when(SAID)
    [proposed] = waits.events
    assert isinstance(proposed, ChangeProposed)
    assert proposed.fact == RECORDED
    then = given(family, *WITH_GHOST, proposed)

    then.when(approve()).then(
        ChangeApproved(1, CLERK.person, "supervisor-1", APPROVED_ON),
        RECORDED,
        PersonsRegistered(FAMILY_ID, ROW.region, ("ghost",)),
    )
    before = line(then.when(list_at(SECOND)))
    after = line(given(family, *WITH_GHOST, proposed, RECORDED).when(list_at(SECOND)))
    assert [(m.token, m.not_counted) for m in before.members][1] == ("row-of-ghost", "INVALID_NIK")
    assert [(m.token, m.not_counted) for m in after.members][1] == ("ghost", "")


def test_who_said_a_number_does_not_let_it_be() -> None:
    given(family, *past(*JUDGED, GHOST), *family.decide(SAID, family.fold(WITH_GHOST))).when(
        approve(checker=CLERK.person.upper())
    ).then_refused(SamePerson)


def test_the_same_number_again_is_quiet() -> None:
    given(family, *WITH_GHOST, *family.decide(SAID, family.fold(WITH_GHOST))).when(
        SAID
    ).then_nothing()
    given(family, *past(*JUDGED, GHOST, SAID)).when(SAID).then_nothing()


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (RecordNik(2, "other", "sealed", "x", CLERK), MemberRegisteredDifferently),
        (RecordNik(4, "other", "sealed", "x", CLERK), PersonUnknown),
        (RecordNik(3, "toddler", "sealed", "x", CLERK), PersonAlreadyMember),
    ],
    ids=["has a number", "nobody", "a number of a member"],
)
def test_a_number_is_refused(said: RecordNik, refusal: type[DomainError]) -> None:
    given(family, *WITH_GHOST).when(said).then_refused(refusal)


def test_a_number_that_somebody_has_by_the_day_of_approval_is_refused_then() -> None:
    sibling = report(birth("ghost", "2023-04-02"), "2023-04-02", "2023-04-06")
    waits = (*WITH_GHOST, *family.decide(SAID, family.fold(WITH_GHOST)))
    born = family.decide(sibling, family.fold(waits))

    given(family, *waits, *born).when(approve()).then_refused(PersonAlreadyMember)


# -- A family that is on hold for such a member


ODD = person("row-of-ghost", "1985-01-01", nik_valid=False)
ON_HOLD = past(register(), members(TODDLER, ODD), list_at(FIRST))
MENDED = (*ON_HOLD, NikRecorded(2, "said", "ghost", "sealed-ghost"))


def test_a_family_on_hold_is_judged_again_once_the_number_is_recorded() -> None:
    then = given(family, *MENDED).when(list_at(SECOND))

    assert judgement(then) == ("ELIGIBLE", "")
    assert [(m.member, m.not_counted) for m in line(then).members] == [(1, "")]


def test_a_family_on_hold_stays_so_while_a_number_only_waits_or_another_is_missing() -> None:
    waits = family.decide(RecordNik(2, "ghost", "sealed", "said", CLERK), family.fold(ON_HOLD))
    born = family.decide(
        report(birth("baby", "2023-04-02", nik_valid=False), "2023-04-02"), family.fold(MENDED)
    )

    given(family, *ON_HOLD, *waits).when(list_at(SECOND)).then_nothing()
    given(family, *MENDED, *born).when(list_at(SECOND)).then_nothing()


def test_who_dies_without_a_number_leaves_the_family_on_hold() -> None:
    died = family.decide(report(Death("row-of-ghost"), "2023-05-01"), family.fold(ON_HOLD))

    given(family, *ON_HOLD, *died).when(list_at(SECOND)).then_nothing()


def test_a_number_of_another_family_s_card_holds_the_family_all_the_same() -> None:
    marked = family.decide(MarkDuplicate("ghost"), family.fold(MENDED))

    assert judgement(given(family, *MENDED, *marked).when(list_at(SECOND))) == (
        "HOLD",
        "DUPLICATE_NIK",
    )
