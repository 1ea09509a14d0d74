"""Persons are compared as persons, however an issuer let them type their name."""

from __future__ import annotations

import pytest

from libs.events.domain.persons import same_person


@pytest.mark.parametrize("other", ["mal-1", "Mal-1", "MAL-1", "mal-1 ", " mal-1", "ｍal-1"])
def test_a_name_in_another_case_width_or_with_room_is_the_same_person(other: str) -> None:
    assert same_person("mal-1", other)


def test_names_of_other_scripts_are_compared_without_their_case() -> None:
    assert same_person("ame\u0301lie", "AM\u00c9LIE")
    assert same_person("stra\u00dfe", "STRASSE")


@pytest.mark.parametrize("other", ["mal-2", "mal1", "ma l-1", "", "mal-11"])
def test_another_name_is_another_person(other: str) -> None:
    assert not same_person("mal-1", other)


def test_one_of_several_is_enough_and_nobody_is_one_of_none() -> None:
    assert same_person("Mal-1", "ana", "mal-1")
    assert not same_person("mal-1")
