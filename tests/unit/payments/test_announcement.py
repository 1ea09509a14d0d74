from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from libs.chassis import forms
from libs.events.domain.errors import DomainError
from libs.events.domain.testing import given
from services.payments import policy
from services.payments.domain.shared.errors import (
    AnnouncedAlready,
    AnnouncementRefused,
    NotAfterOtherTahap,
    NothingProposed,
    PositionAheadOfLog,
    RuleSetNotRun,
    SamePerson,
    StaleHash,
    UnverifiedBenefit,
)
from services.payments.domain.tahap.decider import tahap
from services.payments.domain.tahap.messages import (
    Benefit,
    Circumstances,
    ListReady,
    OtherTahap,
    Override,
    ProposalWithdrawn,
    ServiceAnswer,
    Terms,
    WithdrawProposal,
)
from tests.unit.payments.kit import (
    AFTER,
    ALONE,
    ANNOUNCED,
    ANSWERS,
    APPROVE,
    HASH,
    OTHER_HASH,
    PROPOSE,
    PROPOSED,
    RULE_SET,
    TAHAP,
    TERMS,
)

READY = ListReady(TAHAP, "REGULAR", HASH, 3, 3_000_000, ())
LATER_CREDIT = replace(TERMS, credit_date=date(2023, 4, 21))


def refusal(terms: Terms, circumstances: Circumstances = ALONE) -> DomainError:
    """Why terms are refused at their proposal."""
    proposal = replace(PROPOSE, terms=terms, circumstances=circumstances)
    refused = given(tahap).when(proposal).refusal
    assert refused is not None
    return refused


# -- Proposing


def test_terms_are_proposed_and_nothing_is_announced() -> None:
    given(tahap).when(PROPOSE).then(PROPOSED)


def test_the_same_proposal_again_changes_nothing() -> None:
    given(tahap, PROPOSED).when(PROPOSE).then_nothing()


def test_another_proposal_takes_the_place_of_the_one_that_waits() -> None:
    other = replace(PROPOSE, terms=LATER_CREDIT, maker="somebody")

    given(tahap, PROPOSED).when(other).then(replace(PROPOSED, terms=LATER_CREDIT, maker="somebody"))


def test_the_terms_that_are_announced_already_are_quiet_and_others_are_refused() -> None:
    announced = given(tahap, PROPOSED, ANNOUNCED, READY)

    announced.when(replace(PROPOSE, maker="somebody")).then_nothing()
    announced.when(replace(PROPOSE, terms=LATER_CREDIT)).then_refused(AnnouncedAlready)


def test_a_text_that_was_mended_since_makes_no_other_announcement() -> None:
    benefit = Benefit.of(policy.load().benefits[RULE_SET])
    announced = replace(ANNOUNCED, benefit=benefit)
    mended = replace(TERMS, benefit=replace(benefit, references=()))

    given(tahap, announced).when(replace(PROPOSE, terms=mended)).then_nothing()


def test_a_proposal_is_withdrawn_and_the_tahap_is_as_it_never_was() -> None:
    withdrawal = WithdrawProposal("maker")

    given(tahap, PROPOSED).when(withdrawal).then(ProposalWithdrawn(TAHAP, "maker"))
    given(tahap, PROPOSED, ProposalWithdrawn(TAHAP, "maker")).when(PROPOSE).then(PROPOSED)
    given(tahap, PROPOSED, ANNOUNCED).when(withdrawal).then_nothing()


# -- Approving


def test_another_person_announces_what_was_proposed_after_what_they_saw() -> None:
    seen = {"registry": 4100, "conditionality": 5000}

    given(tahap, PROPOSED).when(replace(APPROVE, after=seen)).then(replace(ANNOUNCED, after=seen))


def test_approving_again_changes_nothing() -> None:
    given(tahap, PROPOSED, ANNOUNCED).when(APPROVE).then_nothing()
    given(tahap, PROPOSED, ANNOUNCED).when(replace(APPROVE, checker="third")).then_nothing()


def test_nobody_announces_what_they_proposed() -> None:
    own = replace(APPROVE, checker="maker")

    given(tahap, PROPOSED).when(own).then_refused(SamePerson)
    given(tahap, PROPOSED, ANNOUNCED).when(own).then_refused(SamePerson)


@pytest.mark.parametrize("changed", [LATER_CREDIT, replace(TERMS, months=("2023-01",))])
def test_a_proposal_that_was_changed_since_is_not_announced(changed: Terms) -> None:
    given(tahap, replace(PROPOSED, terms=changed)).when(APPROVE).then_refused(StaleHash)


def test_nothing_is_announced_that_nobody_proposed() -> None:
    given(tahap).when(APPROVE).then_refused(NothingProposed)
    given(tahap, PROPOSED, ProposalWithdrawn(TAHAP, "maker")).when(APPROVE).then_refused(
        NothingProposed
    )
    other = replace(APPROVE, hash=OTHER_HASH)
    given(tahap, PROPOSED, ANNOUNCED).when(other).then_refused(NothingProposed)


def test_an_approval_is_held_against_what_stands_by_then() -> None:
    meanwhile = replace(ALONE, others=(OtherTahap("2023-2", ("2023-04",)),))

    given(tahap, PROPOSED).when(replace(APPROVE, circumstances=meanwhile)).then_refused(
        NotAfterOtherTahap
    )


# -- Terms by themselves


@pytest.mark.parametrize("name", ["tahap 1", "2023-0", "2023-10", "٢٠٢٣-1", "2006-1", "2101-1"])
def test_a_name_that_no_tahap_has_is_refused(name: str) -> None:
    error = refusal(replace(TERMS, tahap=name))

    assert isinstance(error, AnnouncementRefused)
    assert error.facts["field"] == "tahap"
    assert not forms.TAHAP.fullmatch(name), "no service's door takes it"


@pytest.mark.parametrize(
    "months",
    [
        (),
        ("2023-02", "2023-01"),
        ("2023-01", "2023-01"),
        ("2023-01", "2023-03"),
        ("2022-12", "2023-01"),
        ("2024-01", "2024-02", "2024-03"),
        ("0000-01",),
        ("2023-00",),
        ("2023-13",),
        ("٢٠٢٣-٠٥",),
    ],
)
def test_months_that_do_not_follow_one_another_in_the_year_of_the_name_are_refused(
    months: tuple[str, ...],
) -> None:
    error = refusal(replace(TERMS, months=months))

    assert isinstance(error, AnnouncementRefused)
    assert error.facts["field"] == "months"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("closing_date", date(2023, 2, 28)),
        ("closing_date", date(2023, 6, 30)),
        ("account_check_date", date(2023, 3, 30)),
        ("credit_date", date(2023, 4, 4)),
        ("credit_date", date(2024, 4, 20)),
    ],
)
def test_a_date_out_of_order_or_far_away_is_refused_by_name(name: str, day: date) -> None:
    changed: dict[str, Any] = {name: day}
    error = refusal(replace(TERMS, **changed))

    assert isinstance(error, AnnouncementRefused)
    assert error.facts["field"] == name


def test_closing_check_and_credit_may_fall_on_one_day() -> None:
    day = TERMS.closing_date
    at_once = replace(TERMS, account_check_date=day, credit_date=day)

    assert given(tahap).when(replace(PROPOSE, terms=at_once)).events


def test_the_last_tahap_of_a_year_may_close_in_the_next_one() -> None:
    last = Terms(
        "2023-4",
        ("2023-10", "2023-11", "2023-12"),
        date(2024, 1, 5),
        date(2024, 1, 10),
        date(2024, 1, 25),
        {"rule_set": RULE_SET},
    )

    assert given(tahap).when(replace(PROPOSE, terms=last)).events


# -- Terms beside other tahaps


@pytest.mark.parametrize(
    ("other", "field"),
    [
        (OtherTahap("2023-2", ("2023-04",)), "tahap"),
        (OtherTahap("2022-4", ("2022-12", "2023-01")), "months"),
        (OtherTahap("2024-1", ("2024-01",)), "tahap"),
        (OtherTahap("2022-9", ("2023-05",)), "months"),
    ],
)
def test_a_tahap_comes_after_every_other_one(other: OtherTahap, field: str) -> None:
    error = refusal(TERMS, replace(ALONE, others=(other,)))

    assert isinstance(error, NotAfterOtherTahap)
    assert (error.facts["field"], error.facts["other"]) == (field, other.tahap)


def test_a_tahap_behind_the_others_is_proposed() -> None:
    before = replace(ALONE, others=(OtherTahap("2022-4", ("2022-11", "2022-12")),))

    assert given(tahap).when(replace(PROPOSE, circumstances=before)).events


# -- What the services say


@pytest.mark.parametrize(
    ("rule_sets", "why"),
    [({}, "is unknown there"), ({RULE_SET: "nobody has read the law"}, "nobody has read the law")],
)
def test_a_rule_set_that_a_service_does_not_run_is_refused_by_name(
    rule_sets: dict[str, str | None], why: str
) -> None:
    other = ServiceAnswer("conditionality", 5120, rule_sets)
    error = refusal(TERMS, Circumstances(answers=(ANSWERS[0], other)))

    assert isinstance(error, RuleSetNotRun)
    assert error.facts == {"service": "conditionality", "rule_set": RULE_SET, "reason": why}


@pytest.mark.parametrize("position", [4181, 10**12, 2**62, -1])
def test_a_position_that_a_log_has_not_reached_is_neither_proposed_nor_approved(
    position: int,
) -> None:
    ahead = {"registry": position}

    for decision in (
        given(tahap).when(replace(PROPOSE, after=ahead)),
        given(tahap, PROPOSED).when(replace(APPROVE, after=ahead)),
    ):
        error = decision.then_refused(PositionAheadOfLog).refusal
        assert error is not None
        assert error.facts["field"] == "after.registry"


def test_a_service_that_nothing_is_announced_to_has_no_position() -> None:
    given(tahap).when(replace(PROPOSE, after=AFTER | {"registri": 5})).then_refused(
        AnnouncementRefused
    )


# -- The benefit table

WEAK = replace(Benefit.of(policy.load().benefits[RULE_SET]), id="weak", verified=False)
OVERRIDE = Override("weak", "letter of the ministry", "maker")


def test_a_table_without_a_verified_source_is_refused() -> None:
    assert isinstance(refusal(replace(TERMS, benefit=WEAK)), UnverifiedBenefit)


def test_a_person_can_override_it_by_name_and_that_is_published() -> None:
    overridden = replace(TERMS, benefit=WEAK, override=OVERRIDE)
    proposed = replace(PROPOSED, terms=overridden)
    approval = replace(APPROVE, hash=proposed.hash)

    given(tahap).when(replace(PROPOSE, terms=overridden)).then(proposed)
    given(tahap, proposed).when(approval).then(replace(ANNOUNCED, benefit=WEAK, override=OVERRIDE))


def test_an_override_of_another_table_is_refused() -> None:
    other = replace(TERMS, benefit=WEAK, override=replace(OVERRIDE, table="2018"))

    assert isinstance(refusal(other), AnnouncementRefused)
