"""A late fact about a closing without a category: proposed, decided by another person, listed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from libs.events.domain.personal import PersonalDay
from libs.events.domain.testing import Given, given
from services.registry.domain.closing import Closing
from services.registry.domain.family import family
from services.registry.domain.family.commands import (
    Birth,
    Command,
    Death,
    DecideReopening,
    MarkTerminated,
    PayeeChange,
    ReportLifeEvent,
    ReviewClosing,
)
from services.registry.domain.family.errors import (
    ListNotFrozen,
    NoSuchReopening,
    NotInProgramme,
    ReopeningDecided,
    SamePerson,
)
from services.registry.domain.family.events import (
    Decision,
    Event,
    FamilyGraduated,
    FamilyListed,
    FamilyReopened,
    GraduationPending,
    LateFact,
    ReopeningProposed,
    ReopeningRejected,
    ReopeningWithdrawn,
)
from services.registry.domain.family.state import Family, Waiting
from tests.unit.registry.families import (
    FAMILY_ID,
    FIRST,
    MOTHER,
    RULES,
    SECOND,
    TODDLER,
    birth,
    list_at,
    members,
    past,
    register,
    report,
)

TERM = replace(RULES, natural_graduation_term_days=90)  # from 30 June to 28 September
CLOSING = replace(SECOND, rules=TERM)
THIRD = Closing("2023-3", 1, ("2023-07", "2023-08", "2023-09"), date(2023, 9, 15), TERM)
WAITING = (
    register(),
    members(MOTHER, TODDLER),
    report(Death("toddler"), "2023-04-15"),
    list_at(FIRST),
    list_at(CLOSING),
)
BORN_IN_MAY = report(birth("baby", "2023-05-05"), "2023-05-05", "2023-07-12")


def late(*reports: ReportLifeEvent, by: str = "budi") -> tuple[LateFact, ...]:
    names = {Birth: "MemberBorn", Death: "MemberDied", PayeeChange: "PayeeChanged"}
    return tuple(
        LateFact(
            names[type(each.fact)], PersonalDay.in_clear(each.effective_on), each.reported_on, by
        )
        for each in reports
    )


def reviewed(
    *reports: ReportLifeEvent, closing: Closing = CLOSING, by: str = "budi"
) -> ReviewClosing:
    """Look at a closing again, knowing these reports since."""
    return ReviewClosing(closing, late(*reports, by=by))


def decided(
    decision: Decision = "APPROVED", checker: str = "sari", frozen: bool = True
) -> DecideReopening:
    return DecideReopening("2023-2", decision, checker, frozen)


def after(*commands: Command) -> Given[Command, Family, Event]:
    """A family that waits since the second closing, of which these things were asked since."""
    return given(family, *past(*WAITING, *commands))


def proposals(events: Sequence[Event]) -> list[ReopeningProposed]:
    return [event for event in events if isinstance(event, ReopeningProposed)]


PROPOSED = (BORN_IN_MAY, reviewed(BORN_IN_MAY))

# -- Proposed


def test_a_birth_before_the_closing_that_is_reported_behind_it_is_proposed() -> None:
    found = after(BORN_IN_MAY).when(reviewed(BORN_IN_MAY))

    [proposed] = proposals(found.events)
    assert (proposed.tahap, proposed.reopening) == ("2023-2", 1)
    assert proposed.late == late(BORN_IN_MAY)
    assert proposed.line.outcome == "LISTED"
    assert [(m.member, m.months, m.closing) for m in proposed.line.members] == [
        (3, ((), ("EARLY_CHILD",), ("EARLY_CHILD",)), ("EARLY_CHILD",))
    ]
    assert found.state.departure is None
    assert found.state.waiting == Waiting("2023-2", date(2023, 9, 28))


def test_the_same_facts_again_propose_nothing_more() -> None:
    after(*PROPOSED).when(reviewed(BORN_IN_MAY)).then_nothing()


@pytest.mark.parametrize(
    ("reported_on", "proposes"),
    [("2023-07-01", True), ("2023-09-28", True), ("2023-09-29", False)],
)
def test_the_last_day_of_the_term_is_within_it(reported_on: str, proposes: bool) -> None:
    born = report(birth("baby", "2023-05-05"), "2023-05-05", reported_on)

    found = after(born).when(reviewed(born))

    assert bool(proposals(found.events)) is proposes


def test_a_term_runs_over_a_leap_day() -> None:
    term = replace(TERM, natural_graduation_term_days=15)
    closing = replace(SECOND, tahap="2024-1", closing_date=date(2024, 2, 15), rules=term)
    for reported_on, proposes in (("2024-03-01", True), ("2024-03-02", False)):
        born = report(birth("baby", "2024-01-05"), "2024-01-05", reported_on)
        waits = past(*WAITING[:-1], list_at(closing), born)

        found = given(family, *waits).when(reviewed(born, closing=closing))

        assert bool(proposals(found.events)) is proposes


def test_what_is_true_only_after_the_closing_proposes_nothing() -> None:
    born = report(birth("baby", "2023-07-01"), "2023-07-01", "2023-07-12")

    after(born).when(reviewed(born)).then_nothing()


def test_each_closing_that_found_no_category_is_proposed_by_itself() -> None:
    in_both = report(birth("baby", "2023-05-05"), "2023-05-05", "2023-09-20")
    in_third = report(birth("baby", "2023-08-05"), "2023-08-05", "2023-09-20")
    for born, tahaps in ((in_both, ["2023-2", "2023-3"]), (in_third, ["2023-3"])):
        asked = [reviewed(born), reviewed(born, closing=THIRD)]
        happened = past(*WAITING, list_at(THIRD), born, *asked)

        assert [each.tahap for each in proposals(happened)] == tahaps


def test_a_newer_fact_takes_the_place_of_the_proposal_and_names_both_recorders() -> None:
    payee = report(PayeeChange("mother", "nik", "BRI", "no", "name"), "2023-06-01", "2023-07-20")
    both = ReviewClosing(CLOSING, late(BORN_IN_MAY) + late(payee, by="tini"))

    found = after(*PROPOSED, payee).when(both)

    [proposed] = proposals(found.events)
    assert proposed.reopening == 2
    assert proposed.line.bank == "BRI"
    assert [each.recorded_by for each in proposed.late] == ["budi", "tini"]


def test_a_proposal_that_loses_its_ground_is_withdrawn() -> None:
    died = report(Death("baby"), "2023-06-20", "2023-07-25")

    found = after(*PROPOSED, died).when(reviewed(BORN_IN_MAY, died))

    found.then(ReopeningWithdrawn(FAMILY_ID, "2023-2", 1))
    assert found.state.reopening("2023-2") is None


def test_without_a_term_nothing_is_proposed() -> None:
    at_once = past(*WAITING[:-1], list_at(SECOND), BORN_IN_MAY)

    given(family, *at_once).when(reviewed(BORN_IN_MAY, closing=SECOND)).then_nothing()


def test_a_graduated_family_is_proposed_within_the_term_of_its_last_closing() -> None:
    graduates = replace(THIRD, closing_date=date(2023, 9, 30))
    born = report(birth("baby", "2023-09-05"), "2023-09-05", "2023-12-29")
    happened = past(*WAITING, list_at(graduates), born)
    assert FamilyGraduated in {type(event) for event in happened}

    found = given(family, *happened).when(reviewed(born, closing=graduates))

    assert [each.tahap for each in proposals(found.events)] == ["2023-3"]


def test_a_terminated_family_is_not_proposed() -> None:
    terminated = after(MarkTerminated("2023-1", "effect"), BORN_IN_MAY)

    terminated.when(reviewed(BORN_IN_MAY)).then_nothing()


# -- Decided


def test_an_approved_family_is_back_and_has_its_line() -> None:
    proposed = after(*PROPOSED)
    found = proposed.when(decided())

    reopened, listed = found.events
    assert reopened == FamilyReopened(FAMILY_ID, "2023-2", 1, "61.03.01.2026", "sari")
    assert isinstance(listed, FamilyListed)
    assert listed == proposals(past(*WAITING, *PROPOSED))[0].line
    assert (listed.tahap, listed.revision, listed.reopening) == ("2023-2", 1, 1)
    assert (found.state.waiting, found.state.without_category) == (None, ())
    assert found.state.listed is not None
    assert found.state.listed.outcome == "GRADUATION_PENDING"  # that of the list itself


def test_a_graduated_family_that_is_approved_is_listed_at_the_next_closing() -> None:
    graduates = replace(THIRD, closing_date=date(2023, 9, 30))
    born = report(birth("baby", "2023-05-05"), "2023-05-05", "2023-09-28")
    fourth = replace(SECOND, tahap="2023-4", closing_date=date(2023, 12, 31), rules=TERM)
    # Reported in time, and stored behind the third list's cut.
    happened = past(*WAITING, list_at(graduates), born, reviewed(born), decided())

    [only] = given(family, *happened).when(list_at(fourth)).events

    assert isinstance(only, FamilyListed)
    assert (only.tahap, only.outcome) == ("2023-4", "LISTED")


def test_what_it_waits_for_begins_behind_the_tahap_that_was_reopened() -> None:
    born = report(birth("baby", "2023-05-05"), "2023-05-05", "2023-09-20")
    died = report(Death("baby"), "2023-08-01", "2023-09-20")
    asked = reviewed(born, died)
    happened = past(*WAITING, list_at(THIRD), born, died, asked, decided())

    state = family.fold(happened, family.initial)

    assert state.waiting == Waiting("2023-3", date(2023, 12, 14))


def test_who_recorded_a_fact_does_not_approve_what_follows_from_it() -> None:
    after(*PROPOSED).when(decided(checker="budi")).then_refused(SamePerson)
    after(*PROPOSED).when(decided("REJECTED", checker="budi")).then_refused(SamePerson)


def test_approving_twice_changes_nothing() -> None:
    after(*PROPOSED, decided()).when(decided()).then_nothing()
    after(*PROPOSED, decided()).when(decided(checker="rina")).then_nothing()
    after(*PROPOSED, decided()).when(reviewed(BORN_IN_MAY)).then_nothing()


def test_a_rejected_family_stays_as_it_is_until_a_newer_fact_asks_again() -> None:
    rejected = after(*PROPOSED, decided("REJECTED"))
    after(*PROPOSED).when(decided("REJECTED")).then(
        ReopeningRejected(FAMILY_ID, "2023-2", 1, "sari")
    )
    rejected.when(decided("REJECTED")).then_nothing()
    rejected.when(reviewed(BORN_IN_MAY)).then_nothing()

    twin = report(birth("twin", "2023-05-05"), "2023-05-05", "2023-08-01")
    order = {3: 0, 4: 1}
    again = ReviewClosing(CLOSING, late(BORN_IN_MAY, twin), order)
    found = after(*PROPOSED, decided("REJECTED"), twin).when(again)

    assert [each.reopening for each in proposals(found.events)] == [2]


def test_a_decision_is_not_reversed() -> None:
    after(*PROPOSED, decided()).when(decided("REJECTED")).then_refused(ReopeningDecided)
    after(*PROPOSED, decided("REJECTED")).when(decided()).then_refused(ReopeningDecided)


def test_nothing_is_decided_that_was_not_proposed() -> None:
    after().when(decided()).then_refused(NoSuchReopening)


def test_a_reopening_waits_until_the_list_is_frozen() -> None:
    after(*PROPOSED).when(decided(frozen=False)).then_refused(ListNotFrozen)
    after(*PROPOSED).when(decided("REJECTED", frozen=False)).then(
        ReopeningRejected(FAMILY_ID, "2023-2", 1, "sari")
    )


def test_a_family_that_was_terminated_meanwhile_is_not_reopened() -> None:
    after(*PROPOSED, MarkTerminated("2023-1", "effect")).when(decided()).then_refused(
        NotInProgramme
    )


def test_a_closing_within_the_term_lists_the_family_and_the_proposal_still_waits() -> None:
    found = after(*PROPOSED).when(list_at(THIRD))

    [only] = found.events
    assert isinstance(only, FamilyListed)
    assert only.tahap == "2023-3"
    waiting = found.state.reopening("2023-2")
    assert waiting is not None
    assert waiting.standing == "WAITING"


def test_a_list_that_is_made_anew_finds_the_category_itself() -> None:
    anew = replace(CLOSING, revision=2, closing_date=date(2023, 7, 31))

    found = after(*PROPOSED).when(list_at(anew))

    assert not [event for event in found.events if isinstance(event, GraduationPending)]
    assert found.state.reopening("2023-2") is None
