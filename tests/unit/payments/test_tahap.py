from dataclasses import replace

import pytest

from libs.events.domain.testing import given
from services.payments.domain.list_diff import ListDiff
from services.payments.domain.shared.errors import (
    Contradiction,
    DiffNotAcknowledged,
    Malformed,
    NothingProposed,
    SamePerson,
    StaleHash,
    StepNotReached,
)
from services.payments.domain.tahap.decider import tahap
from services.payments.domain.tahap.messages import (
    ApproveFreeze,
    BucketRequested,
    Command,
    FreezeProposed,
    ListFrozen,
    ListReady,
    MarkListReady,
    ProposeFreeze,
    RequestBuckets,
)
from tests.unit.payments.kit import ANNOUNCED, HASH, OTHER_HASH, TAHAP, frozen

MARK = MarkListReady(HASH, 3, 3_000_000)
READY = ListReady(TAHAP, "REGULAR", HASH, 3, 3_000_000, ())
READY_AGAIN = replace(READY, hash=OTHER_HASH, rupiah=2_900_000)
PROPOSE = ProposeFreeze("maker", HASH)
PROPOSED = FreezeProposed(TAHAP, "REGULAR", HASH, "maker", ())
APPROVE = ApproveFreeze("checker", HASH)
FROZEN = frozen()

# -- Before the announcement


@pytest.mark.parametrize("command", [MARK, PROPOSE, APPROVE, RequestBuckets("topic", ("3f",), 1)])
def test_nothing_happens_to_a_tahap_that_is_not_announced(command: Command) -> None:
    given(tahap).when(command).then_refused(StepNotReached)


# -- Asking for buckets

ROSTER = "pkh.registry.roster.v1"


def test_buckets_that_differ_are_asked_for() -> None:
    given(tahap, ANNOUNCED).when(RequestBuckets(ROSTER, ("3f", "a8"), 1)).then(
        BucketRequested(TAHAP, ROSTER, ("3f", "a8"), 1)
    )


def test_an_attempt_asks_once_and_the_next_one_again() -> None:
    asked = given(tahap, ANNOUNCED, BucketRequested(TAHAP, ROSTER, ("3f",), 2))

    asked.when(RequestBuckets(ROSTER, ("3f",), 2)).then_nothing()
    asked.when(RequestBuckets(ROSTER, ("3f",), 1)).then_nothing()
    asked.when(RequestBuckets(ROSTER, ("3f",), 3)).then(BucketRequested(TAHAP, ROSTER, ("3f",), 3))


def test_each_topic_is_asked_by_itself() -> None:
    commitment = "pkh.conditionality.commitment.v1"
    of_roster, of_commitment = (
        BucketRequested(TAHAP, topic, ("3f",), 2) for topic in (ROSTER, commitment)
    )

    assert given(tahap, ANNOUNCED, of_roster).when(RequestBuckets(commitment, ("3f",), 1)).events
    both = given(tahap, ANNOUNCED, of_roster, of_commitment)
    both.when(RequestBuckets(ROSTER, ("3f",), 2)).then_nothing()
    both.when(RequestBuckets(commitment, ("3f",), 2)).then_nothing()


def test_asking_for_no_bucket_is_refused() -> None:
    given(tahap, ANNOUNCED).when(RequestBuckets(ROSTER, (), 1)).then_refused(Malformed)


# -- The list is ready


def test_a_joined_list_is_ready() -> None:
    given(tahap, ANNOUNCED).when(MARK).then(READY)


def test_the_same_list_again_changes_nothing() -> None:
    given(tahap, ANNOUNCED, READY).when(MARK).then_nothing()
    given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN).when(MARK).then_nothing()


def test_a_revised_list_takes_its_place_before_the_freeze() -> None:
    revised = MarkListReady(OTHER_HASH, 3, 2_900_000)

    given(tahap, ANNOUNCED, READY).when(revised).then(READY_AGAIN)


def test_a_revised_list_after_the_freeze_is_refused() -> None:
    revised = MarkListReady(OTHER_HASH, 3, 2_900_000)

    given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN).when(revised).then_refused(Contradiction)


@pytest.mark.parametrize("totals", [(-1, 0), (1, -1), (0, 1)])
def test_totals_that_no_list_can_have_are_refused(totals: tuple[int, int]) -> None:
    given(tahap, ANNOUNCED).when(MarkListReady(HASH, *totals)).then_refused(Malformed)


def test_a_list_of_a_run_that_was_not_opened_is_refused() -> None:
    stray = MarkListReady(HASH, 1, 1, kind="SUPPLEMENTARY-1")

    given(tahap, ANNOUNCED).when(stray).then_refused(StepNotReached)


# -- Its differences from the last frozen list

DIFF = ListDiff("2022-4", OTHER_HASH, {"ACCOUNT": 2}, 0, 0)
SEEN = OTHER_HASH
DIFFERS = replace(READY, diff=DIFF)
PROPOSED_SEEN = replace(PROPOSED, diff=SEEN)


def test_a_list_says_how_it_differs_from_the_last_frozen_one() -> None:
    given(tahap, ANNOUNCED).when(replace(MARK, diff=DIFF)).then(DIFFERS)


def test_both_people_name_the_differences_that_they_have_seen() -> None:
    proposed = given(tahap, ANNOUNCED, DIFFERS).when(replace(PROPOSE, diff=SEEN))
    proposed.then(PROPOSED_SEEN)

    approved = given(tahap, ANNOUNCED, DIFFERS, PROPOSED_SEEN).when(replace(APPROVE, diff=SEEN))
    approved.then(replace(FROZEN, diff=SEEN))


@pytest.mark.parametrize("diff", ["", HASH], ids=["missing", "stale"])
def test_who_has_not_seen_the_differences_neither_proposes_nor_approves(diff: str) -> None:
    proposed = given(tahap, ANNOUNCED, DIFFERS).when(replace(PROPOSE, diff=diff))
    proposed.then_refused(DiffNotAcknowledged)
    approved = given(tahap, ANNOUNCED, DIFFERS, PROPOSED_SEEN).when(replace(APPROVE, diff=diff))
    approved.then_refused(DiffNotAcknowledged)


def test_other_differences_void_a_proposal() -> None:
    others = replace(MARK, diff=replace(DIFF, hash=HASH))
    moved = given(tahap, ANNOUNCED, DIFFERS, PROPOSED_SEEN).when(others)

    approval = replace(APPROVE, diff=SEEN)
    given(tahap, ANNOUNCED, DIFFERS, PROPOSED_SEEN, *moved.events).when(approval).then_refused(
        NothingProposed
    )


def test_where_nothing_differs_nobody_names_anything() -> None:
    same = replace(READY, diff=replace(DIFF, families={}))

    given(tahap, ANNOUNCED, same).when(PROPOSE).then(PROPOSED)
    given(tahap, ANNOUNCED, same, PROPOSED).when(APPROVE).then(FROZEN)


# -- Proposing the freeze


def test_a_maker_proposes_to_freeze() -> None:
    given(tahap, ANNOUNCED, READY).when(PROPOSE).then(PROPOSED)


def test_the_same_proposal_again_changes_nothing() -> None:
    given(tahap, ANNOUNCED, READY, PROPOSED).when(PROPOSE).then_nothing()
    given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN).when(PROPOSE).then_nothing()


def test_another_makers_proposal_takes_its_place() -> None:
    given(tahap, ANNOUNCED, READY, PROPOSED).when(ProposeFreeze("other", HASH)).then(
        replace(PROPOSED, maker="other")
    )


def test_a_list_that_is_not_ready_is_not_proposed() -> None:
    given(tahap, ANNOUNCED).when(PROPOSE).then_refused(StepNotReached)


def test_another_hash_than_the_one_that_stands_is_not_proposed() -> None:
    given(tahap, ANNOUNCED, READY).when(ProposeFreeze("maker", OTHER_HASH)).then_refused(StaleHash)


def test_a_frozen_list_is_not_proposed_by_somebody_else() -> None:
    late = ProposeFreeze("other", HASH)

    given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN).when(late).then_refused(Contradiction)


# -- Approving the freeze


def test_a_second_person_freezes_the_list() -> None:
    given(tahap, ANNOUNCED, READY, PROPOSED).when(APPROVE).then(
        ListFrozen(TAHAP, HASH, 3, 3_000_000, (), "maker", "checker")
    )


def test_approving_again_changes_nothing_whoever_of_the_checkers_does() -> None:
    done = given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN)

    done.when(APPROVE).then_nothing()
    done.when(ApproveFreeze("another checker", HASH)).then_nothing()


def test_the_maker_does_not_approve_before_or_after() -> None:
    own = ApproveFreeze("maker", HASH)

    given(tahap, ANNOUNCED, READY, PROPOSED).when(own).then_refused(SamePerson)
    given(tahap, ANNOUNCED, READY, PROPOSED, FROZEN).when(own).then_refused(SamePerson)


def test_a_hash_that_was_not_proposed_is_not_approved() -> None:
    stale = ApproveFreeze("checker", OTHER_HASH)

    given(tahap, ANNOUNCED, READY, PROPOSED).when(stale).then_refused(StaleHash)


def test_a_proposal_falls_with_the_list_that_it_was_made_for() -> None:
    revised = given(tahap, ANNOUNCED, READY, PROPOSED, READY_AGAIN)

    revised.when(APPROVE).then_refused(NothingProposed)
    revised.when(ApproveFreeze("checker", OTHER_HASH)).then_refused(NothingProposed)


def test_nothing_is_approved_that_nobody_proposed() -> None:
    given(tahap, ANNOUNCED, READY).when(APPROVE).then_refused(NothingProposed)
    given(tahap, ANNOUNCED).when(APPROVE).then_refused(StepNotReached)
