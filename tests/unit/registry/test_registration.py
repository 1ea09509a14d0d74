from dataclasses import replace

from libs.events.domain.testing import given
from services.registry.domain.family import family
from services.registry.domain.family.commands import Death, MarkDuplicate, well_formed_nik
from services.registry.domain.family.errors import (
    CardRegisteredDifferently,
    FamilyFull,
    FamilyNotRegistered,
    MemberRegisteredDifferently,
    PersonUnknown,
)
from services.registry.domain.family.events import (
    DuplicateMarked,
    FamilyRegistered,
    GroupAssigned,
    MemberDied,
    MembersRegistered,
    PersonsRegistered,
)
from services.registry.domain.family.rules import ENTRIES_MAX
from tests.unit.registry.families import (
    FAMILY_ID,
    MOTHER,
    ROW,
    TODDLER,
    birth,
    day,
    given_past,
    members,
    past,
    person,
    register,
    report,
)

ASSIGNED = GroupAssigned(FAMILY_ID, ROW.card_token, ROW.region, ROW.group, ROW.facilitator)


def test_a_candidate_family_is_registered() -> None:
    given(family).when(register()).then(FamilyRegistered(FAMILY_ID, ROW), ASSIGNED)


def test_a_family_of_no_group_is_assigned_to_none() -> None:
    alone = replace(ROW, group="", facilitator="")

    given(family).when(register(group="", facilitator="")).then(FamilyRegistered(FAMILY_ID, alone))


def test_a_family_from_before_groups_were_told_is_assigned_when_its_row_comes_again() -> None:
    given(family, FamilyRegistered(FAMILY_ID, ROW)).when(register()).then(ASSIGNED)


def test_the_same_row_again_changes_nothing() -> None:
    given(family, *past(register())).when(register()).then_nothing()


def test_another_row_for_the_same_card_is_refused() -> None:
    another = register(fingerprint="row-2", bank="BRI")

    given(family, *past(register())).when(another).then_refused(CardRegisteredDifferently)


def test_members_are_numbered_in_the_order_of_their_rows() -> None:
    given(family, *past(register())).when(members(MOTHER, TODDLER)).then(
        MembersRegistered(1, (MOTHER, TODDLER)),
        PersonsRegistered(FAMILY_ID, ROW.region, ("mother", "toddler")),
    )


def test_members_wait_for_their_family() -> None:
    given(family).when(members(MOTHER)).then_refused(FamilyNotRegistered)


def test_the_same_members_again_change_nothing() -> None:
    given_past().when(members(MOTHER, TODDLER)).then_nothing()


def test_only_the_members_who_are_new_are_added_and_numbered_on() -> None:
    father = person("father", "1988-01-01")

    given_past().when(members(MOTHER, father)).then(
        MembersRegistered(3, (father,)), PersonsRegistered(FAMILY_ID, ROW.region, ("father",))
    )


def test_a_member_who_came_later_is_found_under_the_number_that_was_given() -> None:
    later = members(person("father", "1988-01-01"))
    died = report(Death("father"), "2023-02-01", "2023-02-01", "f")

    given_past(later).when(died).then(MemberDied(3, day("2023-02-01"), day("2023-02-01"), "f"))


def test_a_row_that_stands_twice_in_one_command_is_one_member() -> None:
    given(family, *past(register())).when(members(MOTHER, MOTHER)).then(
        MembersRegistered(1, (MOTHER,)), PersonsRegistered(FAMILY_ID, ROW.region, ("mother",))
    )


def test_another_row_for_a_member_is_refused() -> None:
    another = replace(MOTHER, fingerprint="other", occupation="ASN")

    given_past().when(members(another)).then_refused(MemberRegisteredDifferently)


def test_a_refusal_tells_no_personal_data() -> None:
    another = replace(MOTHER, fingerprint="other")

    refusal = given_past().when(members(another)).refusal

    assert refusal is not None
    assert refusal.facts == {"family": FAMILY_ID}


def test_a_number_on_another_card_marks_its_holder() -> None:
    given_past().when(MarkDuplicate("toddler")).then(DuplicateMarked(2))


def test_marking_twice_changes_nothing() -> None:
    mark = MarkDuplicate("toddler")

    given_past(mark).when(mark).then_nothing()


def test_marking_a_stranger_is_refused() -> None:
    given_past().when(MarkDuplicate("stranger")).then_refused(PersonUnknown)


def test_a_child_of_a_later_event_is_never_marked() -> None:
    born = report(birth("baby", "2023-01-13"), "2023-01-13")

    given_past(born).when(MarkDuplicate("baby")).then_nothing()


def test_a_number_is_sixteen_digits_and_nothing_else() -> None:
    assert well_formed_nik("6103014903800001")
    assert not well_formed_nik("610301490380001")
    assert not well_formed_nik("61030149038000012")
    assert not well_formed_nik("0003200303800ABC")
    assert not well_formed_nik("")
    assert not well_formed_nik("٦١٠٣٠١٤٩٠٣٨٠٠٠٠١")  # digits elsewhere, not here


def test_a_card_for_thousands_is_refused_before_it_holds_up_a_list() -> None:
    crowd = [replace(TODDLER, token=f"t{n}", fingerprint=f"t{n}") for n in range(ENTRIES_MAX)]
    full = past(register(), members(*crowd))

    given(family, *full).when(members(MOTHER)).then_refused(FamilyFull)
    given(family, *full).when(report(Death("t0"), "2023-05-01")).then_refused(FamilyFull)
    given(family, *full).when(members(crowd[0])).then_nothing()
