"""Records of who reads: what each says, and how many look-ups a day has."""

from __future__ import annotations

from datetime import date

import pytest

from libs.chassis.reads import (
    FAMILIES_AN_EVENT_MAX,
    READS,
    FamiliesRead,
    IdentitiesLookedUp,
    LookUp,
    LookUpLimitReached,
    NoteRead,
    stream_of,
)
from libs.events.domain.testing import given

DAY = date(2026, 11, 30)
ONE = IdentitiesLookedUp("POST /identities/lookup", "COMPLAINT", 7, ("f1",))


def look_up(asked: int, *families: str) -> LookUp:
    return LookUp("POST /identities/lookup", "COMPLAINT", asked, families, limit=10)


def test_a_read_names_the_families_and_never_counts() -> None:
    read = NoteRead("GET /entitlements", {"tahap": "2023-1"}, ["f1", "f2"])
    noted = FamiliesRead("GET /entitlements", {"tahap": "2023-1"}, ("f1", "f2"))

    then = given(READS.decider, ONE).when(read).then(noted)

    assert then.state.looked_up == 7


def test_many_families_are_named_by_several_events() -> None:
    many = [f"f{number}" for number in range(FAMILIES_AN_EVENT_MAX + 1)]

    noted = given(READS.decider).when(NoteRead("GET /tahap", {}, many)).events

    assert [len(event.families) for event in noted] == [FAMILIES_AN_EVENT_MAX, 1]


def test_a_look_up_says_what_for_how_many_and_who_was_told() -> None:
    noted = IdentitiesLookedUp("POST /identities/lookup", "COMPLAINT", 3, ("f1",))

    then = given(READS.decider, ONE).when(look_up(3, "f1")).then(noted)

    assert then.state.looked_up == 10


def test_a_look_up_beyond_the_days_limit_is_refused_whole() -> None:
    given(READS.decider, ONE).when(look_up(4, "f1")).then_refused(LookUpLimitReached)


@pytest.mark.parametrize("other", ["Officer-1", " OFFICER-1", "\uff4ffficer-1"])
def test_one_person_has_one_stream_a_day_however_the_name_is_typed(other: str) -> None:
    assert stream_of(other, DAY) == stream_of("officer-1", DAY)
    assert stream_of("officer-2", DAY) != stream_of("officer-1", DAY)
    assert stream_of("officer-1", DAY) < stream_of("officer-1", date(2026, 12, 1))


def test_a_name_stands_in_no_streams_id() -> None:
    assert "6103014107900001" not in stream_of("6103014107900001", DAY)
