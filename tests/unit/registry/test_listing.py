"""The list of a tahap: begun at a cut, advanced by chunks, closed with its buckets."""

from dataclasses import replace
from datetime import date
from typing import Final

import pytest

from libs.events.domain.list_proof import Buckets
from libs.events.domain.testing import Given, given
from services.registry.domain.listing.decider import (
    AnotherListing,
    CountsDisagree,
    ListingClosedBefore,
    ListingStillOpen,
    NothingProposed,
    RevisionOutOfOrder,
    SamePerson,
    TooManyWithheld,
    listing,
)
from services.registry.domain.listing.messages import (
    AdvanceListing,
    ApproveWithheld,
    CancelListing,
    CloseListing,
    Command,
    Event,
    FamiliesWithheld,
    ListClosed,
    ListingAdvanced,
    ListingCancelled,
    ListingFrozen,
    ListingStarted,
    ProposeWithheld,
    StartListing,
    Withheld,
    WithheldAccepted,
    WithheldProposed,
)
from services.registry.domain.listing.state import WITHHELD_MAX, Listing

START = StartListing(
    tahap="2023-1",
    revision=1,
    months=("2023-01", "2023-02", "2023-03"),
    closing_date=date(2023, 3, 31),
    policies={"rule_set": "2021-2024"},
    cut=4182,
)
STARTED = ListingStarted(
    tahap="2023-1",
    revision=1,
    months=("2023-01", "2023-02", "2023-03"),
    closing_date=date(2023, 3, 31),
    policies={"rule_set": "2021-2024"},
    cut=4182,
)
ONE, TWO = Buckets.of([("3f0c", b"one")]), Buckets.of([("3fff", b"two"), ("a000", b"three")])
FIRST_CHUNK = AdvanceListing(1, "3f0c", listed=1, graduated=0, buckets=ONE)
SECOND_CHUNK = AdvanceListing(1, "a000", listed=1, graduated=1, buckets=TWO)
FIRST_COUNTED = ListingAdvanced(1, "3f0c", listed=1, graduated=0, buckets=ONE.to_json())
SECOND_COUNTED = ListingAdvanced(1, "a000", listed=1, graduated=1, buckets=TWO.to_json())
CLOSED = ListClosed(
    tahap="2023-1",
    revision=1,
    cut=4182,
    listed=2,
    graduated=1,
    buckets=ONE.merge(TWO).to_json(),
)


def test_a_list_starts_at_its_cut() -> None:
    given(listing).when(START).then(STARTED)


def test_starting_again_keeps_the_first_cut() -> None:
    again = given(listing, STARTED).when(replace(START, cut=9999)).then_nothing()

    assert again.state.cut == 4182


def test_another_start_of_the_same_list_is_refused() -> None:
    another = replace(START, closing_date=date(2023, 3, 30))

    given(listing, STARTED).when(another).then_refused(AnotherListing)


def test_a_chunk_is_counted_and_moves_the_cursor() -> None:
    counted = given(listing, STARTED).when(FIRST_CHUNK).then(FIRST_COUNTED)

    assert counted.state.cursor == "3f0c"


def test_a_chunk_without_lines_still_moves_the_cursor() -> None:
    nobody = AdvanceListing(1, "05", listed=0, graduated=0, buckets=Buckets())

    given(listing, STARTED).when(nobody).then(ListingAdvanced(1, "05", 0, 0, {}))


def test_a_chunk_that_was_counted_before_is_not_counted_again() -> None:
    given(listing, STARTED, FIRST_COUNTED).when(FIRST_CHUNK).then_nothing()
    given(listing, STARTED, FIRST_COUNTED, SECOND_COUNTED).when(FIRST_CHUNK).then_nothing()
    given(listing, STARTED, FIRST_COUNTED, SECOND_COUNTED, CLOSED).when(SECOND_CHUNK).then_nothing()


def test_who_waits_for_graduation_is_counted_apart() -> None:
    chunk = AdvanceListing(1, "a000", listed=2, graduated=0, buckets=TWO, pending=1)

    counted = given(listing, STARTED).when(chunk)
    counted.then(ListingAdvanced(1, "a000", 2, 0, TWO.to_json(), pending=1))
    closed = given(listing, STARTED, *counted.events).when(CloseListing(1))

    closed.then(ListClosed("2023-1", 1, 4182, 2, 0, TWO.to_json(), pending=1))


def test_a_chunk_whose_lines_do_not_add_up_is_refused() -> None:
    given(listing, STARTED).when(replace(FIRST_CHUNK, listed=2)).then_refused(CountsDisagree)


def test_a_chunk_of_a_list_that_never_started_is_refused() -> None:
    given(listing).when(FIRST_CHUNK).then_refused(RevisionOutOfOrder)
    given(listing).when(replace(FIRST_CHUNK, revision=0)).then_refused(RevisionOutOfOrder)


def test_a_chunk_of_another_revision_is_refused() -> None:
    given(listing, STARTED).when(replace(FIRST_CHUNK, revision=2)).then_refused(RevisionOutOfOrder)


def test_a_closed_list_takes_no_more_lines() -> None:
    closed = given(listing, STARTED, FIRST_COUNTED, CLOSED)

    closed.when(SECOND_CHUNK).then_refused(ListingClosedBefore)


def test_closing_says_what_the_list_came_to() -> None:
    given(listing, STARTED, FIRST_COUNTED, SECOND_COUNTED).when(CloseListing(1)).then(CLOSED)


def test_an_empty_list_can_be_closed() -> None:
    given(listing, STARTED).when(CloseListing(1)).then(ListClosed("2023-1", 1, 4182, 0, 0, {}))


def test_closing_twice_changes_nothing() -> None:
    given(listing, STARTED, CLOSED).when(CloseListing(1)).then_nothing()


def test_a_list_that_never_started_can_not_be_closed() -> None:
    given(listing).when(CloseListing(0)).then_refused(RevisionOutOfOrder)


def test_the_next_revision_starts_from_nothing_at_its_own_cut() -> None:
    again = replace(START, revision=2, cut=5000)

    started = given(listing, STARTED, FIRST_COUNTED, CLOSED).when(again)

    started.then(replace(STARTED, revision=2, cut=5000))
    assert (started.state.cursor, started.state.listed, started.state.open) == ("", 0, True)


def test_the_next_revision_waits_until_the_list_is_closed() -> None:
    again = replace(START, revision=2)

    given(listing, STARTED, FIRST_COUNTED).when(again).then_refused(ListingStillOpen)


def test_revisions_do_not_go_back_and_may_leave_out_one_that_was_cancelled_in_line() -> None:
    second = replace(STARTED, revision=2)

    given(listing).when(replace(START, revision=2)).then(second)
    given(listing, second, replace(CLOSED, revision=2)).when(START).then_refused(RevisionOutOfOrder)


# -- Withheld by thousands


def chunk(cursor: str, count: int, reason: str = "CANNOT_BE_LISTED") -> AdvanceListing:
    """A chunk of families, none of whom can be listed."""
    families = tuple(Withheld(f"{cursor}-{n}", reason) for n in range(count))
    return AdvanceListing(1, cursor, 0, 0, Buckets(), withheld=families)


def advanced(*commands: Command) -> Given[Command, Listing, Event]:
    """A list that has begun, and of which these things were asked."""
    happened: list[Event] = [STARTED]
    for command in commands:
        happened += given(listing, *happened).when(command).events
    return given(listing, *happened)


FULL: Final = chunk("a", WITHHELD_MAX)
PROPOSAL: Final = ProposeWithheld(1_500, "maker")
APPROVAL: Final = ApproveWithheld(1_500, "checker")


def test_destroyed_keys_rest_no_list_and_those_beyond_a_thousand_are_told_apart() -> None:
    listed = advanced(chunk("a", 900, "KEY_DESTROYED"))

    [moved, beyond] = listed.when(chunk("b", 300, "KEY_DESTROYED")).events
    assert isinstance(moved, ListingAdvanced)
    assert isinstance(beyond, FamiliesWithheld)
    assert [each.family for each in moved.withheld] == [f"b-{n}" for n in range(100)]
    assert [each.family for each in beyond.withheld] == [f"b-{n}" for n in range(100, 300)]
    assert advanced(chunk("a", 900), chunk("b", 300, "KEY_DESTROYED")).state.mendable == 900


def test_the_end_of_a_list_names_a_thousand_and_counts_the_others() -> None:
    gone = advanced(*(chunk(cursor, 900, "KEY_DESTROYED") for cursor in "abc"))

    [closed] = gone.when(CloseListing(1)).events
    assert isinstance(closed, ListClosed)
    assert (len(closed.withheld), closed.withheld_more) == (1_000, 1_700)


def test_families_that_somebody_could_mend_rest_a_list_beyond_a_thousand() -> None:
    one_more = chunk("b", 1)

    advanced(FULL).when(one_more).then_refused(TooManyWithheld)
    assert advanced(FULL).when(chunk("b", 1, "KEY_DESTROYED")).events
    assert advanced(FULL).when(chunk("b", 0)).events


@pytest.mark.parametrize("reason", ["SHARED_ACCOUNT", "SHARED_PAYEE", "ERASED"])
def test_what_lies_with_families_alone_rests_no_list(reason: str) -> None:
    assert advanced(FULL, chunk("b", WITHHELD_MAX, reason)).state.mendable == WITHHELD_MAX


def test_two_people_let_a_list_go_on_up_to_a_number() -> None:
    proposed = WithheldProposed("2023-1", 1, 1_500, "maker")
    accepted = WithheldAccepted("2023-1", 1, 1_500, "maker", "checker")

    advanced(FULL).when(PROPOSAL).then(proposed)
    advanced(FULL, PROPOSAL).when(APPROVAL).then(accepted)
    assert advanced(FULL, PROPOSAL, APPROVAL).when(chunk("b", 500)).events
    advanced(FULL, PROPOSAL, APPROVAL).when(chunk("b", 501)).then_refused(TooManyWithheld)
    advanced(FULL, PROPOSAL).when(chunk("b", 1)).then_refused(TooManyWithheld)


def test_nobody_accepts_what_they_proposed_or_another_number() -> None:
    waits = advanced(FULL, PROPOSAL)

    waits.when(replace(APPROVAL, checker="maker")).then_refused(SamePerson)
    waits.when(replace(APPROVAL, most=2_000)).then_refused(NothingProposed)
    advanced(FULL).when(APPROVAL).then_refused(NothingProposed)


def test_accepting_again_is_quiet_and_the_next_list_begins_with_nothing_accepted() -> None:
    accepted = advanced(FULL, PROPOSAL, APPROVAL)

    accepted.when(APPROVAL).then_nothing()
    accepted.when(PROPOSAL).then_nothing()
    advanced(FULL, PROPOSAL).when(PROPOSAL).then_nothing()
    again = advanced(FULL, PROPOSAL, APPROVAL, CancelListing(1), replace(START, revision=2))
    assert again.state.withheld_max == WITHHELD_MAX


def test_of_a_list_that_is_closed_nothing_is_accepted() -> None:
    closed = advanced(CloseListing(1))

    closed.when(PROPOSAL).then_refused(ListingClosedBefore)
    closed.when(APPROVAL).then_refused(ListingClosedBefore)


# -- Cancelling

CANCEL = CancelListing(1)
CANCELLED = ListingCancelled(STARTED.tahap, 1)


def test_a_list_is_cancelled_once_whether_it_is_complete_or_not() -> None:
    given(listing, STARTED).when(CANCEL).then(CANCELLED)
    given(listing, STARTED, CLOSED).when(CANCEL).then(CANCELLED)
    given(listing, STARTED, CANCELLED).when(CANCEL).then_nothing()
    given(listing).when(CANCEL).then_nothing()


def test_a_cancelled_list_takes_no_line_and_does_not_close() -> None:
    cancelled = given(listing, STARTED, CANCELLED)

    assert not cancelled.state.open
    cancelled.when(CloseListing(1)).then_nothing()


def test_a_cancelled_list_is_frozen_no_more_so_no_family_is_reopened_beside_it() -> None:
    frozen = ListingFrozen(STARTED.tahap)

    assert given(listing, STARTED, CLOSED, frozen).state.frozen
    assert not given(listing, STARTED, CLOSED, frozen, CANCELLED).state.frozen


def test_behind_a_cancelled_list_the_next_revision_starts() -> None:
    again = replace(STARTED, revision=2)

    given(listing, STARTED, CANCELLED).when(replace(START, revision=2)).then(again)
