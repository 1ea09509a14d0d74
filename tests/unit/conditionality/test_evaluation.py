from dataclasses import replace
from datetime import date

from libs.events.domain.list_proof import Buckets
from libs.events.domain.testing import given
from services.conditionality.domain.evaluation.decider import (
    AnnouncementDiffers,
    EvaluationIncomplete,
    EvaluationNotOpen,
    ListDiffers,
    ProofDiffers,
    evaluation,
)
from services.conditionality.domain.evaluation.messages import (
    AnnounceEvaluation,
    CancelEvaluation,
    CloseEvaluation,
    EvaluationAnnounced,
    EvaluationCancelled,
    EvaluationClosed,
    EvaluationFrozen,
    EvaluationListed,
    NoteFreeze,
    NoteList,
    Terms,
)
from services.conditionality.domain.evaluation.state import Evaluation
from tests.unit.conditionality.kit import FAMILY, MONTHS, POLICY

PARKED = "a1b2c3d4-0000-4000-8000-000000000001"
ANNOUNCE = AnnounceEvaluation("2023-1", MONTHS, date(2023, 3, 31), "2021-2024")
ANNOUNCED = EvaluationAnnounced("2023-1", MONTHS, date(2023, 3, 31), "2021-2024")
LISTED = EvaluationListed("2023-1", roster_revision=1, listed=2)
PROOF = Buckets.of([(FAMILY, b"line")]).to_json()
CLOSE = CloseEvaluation("2023-1", evaluated=1, parked=(PARKED,), buckets=PROOF)
CLOSED = EvaluationClosed("2023-1", 1, evaluated=1, parked=(PARKED,), buckets=PROOF)
FROZEN = EvaluationFrozen("2023-1", deferred=(PARKED,))


# -- Announced and listed -------------------------------------------------------------------------


def test_a_closing_is_announced_with_its_months_and_rules() -> None:
    given(evaluation).when(ANNOUNCE).then(ANNOUNCED)


def test_an_announcement_again_is_quiet() -> None:
    given(evaluation, ANNOUNCED).when(ANNOUNCE).then_nothing()


def test_an_announcement_that_changes_the_rules_is_refused() -> None:
    given(evaluation, ANNOUNCED).when(replace(ANNOUNCE, rule_set="2017-cash")).then_refused(
        AnnouncementDiffers
    )


def test_the_terms_are_kept_as_they_were_when_they_were_first_announced() -> None:
    terms = Terms.of(POLICY)
    first = replace(ANNOUNCED, terms=terms)

    given(evaluation).when(replace(ANNOUNCE, terms=terms)).then(first)
    given(evaluation, first).when(ANNOUNCE).then_nothing()


def test_the_terms_say_what_a_policy_says() -> None:
    terms = Terms.of(POLICY)

    assert terms.attendance_percent_min == 85
    assert terms.failures_to_investigation == 3
    assert terms.services["EARLY_CHILD"] == "WEIGHING"
    assert "SD" not in terms.services


def test_a_list_may_be_known_before_its_announcement() -> None:
    given(evaluation).when(NoteList("2023-1", 1, 2)).then(LISTED)
    given(evaluation, LISTED).when(ANNOUNCE).then(ANNOUNCED)


def test_a_list_again_is_quiet() -> None:
    given(evaluation, ANNOUNCED, LISTED).when(NoteList("2023-1", 1, 2)).then_nothing()


def test_the_same_list_with_another_count_is_refused() -> None:
    given(evaluation, ANNOUNCED, LISTED).when(NoteList("2023-1", 1, 3)).then_refused(ListDiffers)


def test_a_newer_list_takes_the_place_of_the_older() -> None:
    newer = EvaluationListed("2023-1", roster_revision=2, listed=3)

    given(evaluation, ANNOUNCED, LISTED).when(NoteList("2023-1", 2, 3)).then(newer)
    given(evaluation, ANNOUNCED, LISTED, newer).when(NoteList("2023-1", 1, 2)).then_nothing()


# -- Closed ---------------------------------------------------------------------------------------


def test_an_evaluation_closes_when_all_are_evaluated_or_parked() -> None:
    then = given(evaluation, ANNOUNCED, LISTED).when(CLOSE)

    then.then(CLOSED)
    assert then.state.is_closed


def test_closing_again_with_the_same_proof_is_quiet() -> None:
    given(evaluation, ANNOUNCED, LISTED, CLOSED).when(CLOSE).then_nothing()


def test_a_family_decided_anew_makes_a_new_proof() -> None:
    redecided = Buckets.of([(FAMILY, b"another line")]).to_json()

    given(evaluation, ANNOUNCED, LISTED, CLOSED).when(replace(CLOSE, buckets=redecided)).then(
        replace(CLOSED, revision=2, buckets=redecided)
    )


def test_a_parked_family_that_was_replayed_makes_a_new_proof() -> None:
    proof = Buckets.of([(FAMILY, b"line"), (PARKED, b"line")]).to_json()

    given(evaluation, ANNOUNCED, LISTED, CLOSED).when(
        CloseEvaluation("2023-1", evaluated=2, parked=(), buckets=proof)
    ).then(EvaluationClosed("2023-1", 2, evaluated=2, parked=(), buckets=proof))


def test_a_newer_list_is_closed_even_with_the_same_proof() -> None:
    newer = EvaluationListed("2023-1", roster_revision=2, listed=2)
    reopened = given(evaluation, ANNOUNCED, LISTED, CLOSED, newer)

    assert not reopened.state.is_closed
    reopened.when(CLOSE).then(replace(CLOSED, revision=2, roster_revision=2))


def test_parked_families_and_buckets_stand_in_order() -> None:
    proof = {"a1": (1, "0" * 16), "3f": (1, "0" * 16)}
    listed = EvaluationListed("2023-1", roster_revision=1, listed=4)

    [closed] = (
        given(evaluation, ANNOUNCED, listed)
        .when(CloseEvaluation("2023-1", evaluated=2, parked=("b", "a"), buckets=proof))
        .events
    )

    assert isinstance(closed, EvaluationClosed)
    assert closed.parked == ("a", "b")
    assert list(closed.buckets) == ["3f", "a1"]


def test_an_evaluation_does_not_close_while_somebody_is_missing() -> None:
    given(evaluation, ANNOUNCED, LISTED).when(replace(CLOSE, parked=())).then_refused(
        EvaluationIncomplete
    )


def test_an_evaluation_does_not_close_before_it_is_announced_and_listed() -> None:
    given(evaluation, ANNOUNCED).when(CLOSE).then_refused(EvaluationNotOpen)
    given(evaluation, LISTED).when(CLOSE).then_refused(EvaluationNotOpen)


def test_a_proof_with_another_number_of_lines_is_refused() -> None:
    given(evaluation, ANNOUNCED, LISTED).when(replace(CLOSE, buckets={})).then_refused(ProofDiffers)


# -- Frozen ---------------------------------------------------------------------------------------


def test_a_freeze_is_noted_once() -> None:
    frozen = given(evaluation, ANNOUNCED, LISTED, CLOSED)

    frozen.when(NoteFreeze("2023-1", (PARKED,))).then(FROZEN)
    given(evaluation, ANNOUNCED, LISTED, CLOSED, FROZEN).when(
        NoteFreeze("2023-1", (PARKED,))
    ).then_nothing()


def test_after_the_freeze_no_new_proof_is_given() -> None:
    redecided = Buckets.of([(FAMILY, b"another line")]).to_json()

    given(evaluation, ANNOUNCED, LISTED, CLOSED, FROZEN).when(
        replace(CLOSE, buckets=redecided)
    ).then_nothing()


def test_a_list_is_frozen_for_all_but_the_deferred() -> None:
    frozen = evaluation.fold([ANNOUNCED, LISTED, CLOSED, FROZEN])

    assert frozen.is_frozen_for(FAMILY)
    assert not frozen.is_frozen_for(PARKED)
    assert not Evaluation().is_frozen_for(FAMILY)


# -- Cancelling -----------------------------------------------------------------------------------

CANCEL = CancelEvaluation("2023-1", 1)
CANCELLED = EvaluationCancelled("2023-1", 1)


def test_a_tahap_is_cancelled_once_and_as_it_never_was() -> None:
    given(evaluation, ANNOUNCED, LISTED, CLOSED).when(CANCEL).then(CANCELLED)
    given(evaluation, ANNOUNCED, CANCELLED).when(CANCEL).then_nothing()
    given(evaluation).when(CANCEL).then(CANCELLED)


def test_a_cancelled_roster_that_ends_late_is_not_noted() -> None:
    late = NoteList("2023-1", 1, 2)

    given(evaluation, ANNOUNCED, CANCELLED).when(late).then_nothing()


def test_a_tahap_that_is_announced_anew_is_closed_as_the_next_revision() -> None:
    again = EvaluationListed("2023-1", roster_revision=2, listed=2)
    anew = given(evaluation, ANNOUNCED, LISTED, CLOSED, CANCELLED, ANNOUNCED, again)

    anew.when(CLOSE).then(replace(CLOSED, revision=2, roster_revision=2))
