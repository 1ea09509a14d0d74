"""A group of families: joined by assignment, left with the programme, arranged by people."""

from __future__ import annotations

from libs.events.domain.testing import given
from services.p2k2.domain.group import (
    AddFamilies,
    ArrangeGroup,
    FamiliesJoined,
    FamiliesLeft,
    GroupArranged,
    GroupUnknown,
    RemoveFamilies,
    group,
    size_warning,
)
from services.p2k2.domain.session import NoteUnfit

NAME, VILLAGE, FACILITATOR = "G6103012026-1", "61.03.01.2026", "PD610301"
JOINED = FamiliesJoined(NAME, VILLAGE, FACILITATOR, ("a", "b"))


def add(*families: str, facilitator: str = FACILITATOR) -> AddFamilies:
    """Families of the village belong to the group now."""
    return AddFamilies(NAME, VILLAGE, facilitator, families)


def test_families_join() -> None:
    then = given(group).when(add("b", "a"))

    then.then(FamiliesJoined(NAME, VILLAGE, FACILITATOR, ("b", "a")))
    assert then.state.families == ("a", "b")


def test_only_who_is_new_joins() -> None:
    given(group, JOINED).when(add("a", "c")).then(
        FamiliesJoined(NAME, VILLAGE, FACILITATOR, ("c",))
    )


def test_who_is_there_joins_no_second_time() -> None:
    given(group, JOINED).when(add("a", "b")).then_nothing()


def test_another_facilitator_takes_over() -> None:
    then = given(group, JOINED).when(add("a", facilitator="PD2"))

    then.then(FamiliesJoined(NAME, VILLAGE, "PD2", ()))
    assert (then.state.facilitator, then.state.families) == ("PD2", ("a", "b"))


def test_a_family_leaves_and_may_come_back() -> None:
    left = FamiliesLeft(NAME, ("a",), "GRADUATED")

    given(group, JOINED).when(RemoveFamilies(("a", "z"), "GRADUATED")).then(left)
    given(group, JOINED, left).when(add("a")).then(
        FamiliesJoined(NAME, VILLAGE, FACILITATOR, ("a",))
    )


def test_who_is_not_there_leaves_nothing() -> None:
    given(group, JOINED).when(RemoveFamilies(("z",), "TERMINATED")).then_nothing()


def test_people_say_where_and_when_a_group_meets() -> None:
    arrange, arranged = ArrangeGroup("Balai desa", "First Friday"), GroupArranged
    said = arranged(NAME, "Balai desa", "First Friday")

    given(group, JOINED).when(arrange).then(said)
    given(group, JOINED, said).when(arrange).then_nothing()
    given(group).when(arrange).then_refused(GroupUnknown)
    given(group, JOINED).when(ArrangeGroup("<b>", "")).then_refused(NoteUnfit)


def test_a_group_outside_its_sizes_is_warned_of() -> None:
    sizes = {families: size_warning(families, 15, 40) for families in (14, 15, 40, 41)}

    assert sizes == {14: "TOO_SMALL", 15: "", 40: "", 41: "TOO_LARGE"}
