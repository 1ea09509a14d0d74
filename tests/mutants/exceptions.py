"""Rules of exceptions and of duties beside a category's own, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_RULES: Final = "tests/unit/conditionality/test_exceptions.py"
_DOORS: Final = "tests/integration/conditionality/test_exceptions.py"
_MOVED: Final = "tests/integration/attacks/test_an_exception_moved_to_another_region.py"
_SERVICE: Final = "services/conditionality"

EXCEPTIONS: Final = (
    Mutant(
        "facility-reports-the-groups-session",
        "a health facility's file says that a payee was at the group's session",
        (
            Change(
                f"{_SERVICE}/domain/person.py",
                "    if record.service == MEETING:\n",
                "    if not record.service:\n",
            ),
        ),
        "tests/unit/conditionality/test_person.py"
        "::test_a_health_facility_does_not_report_the_groups_session",
        "tests/unit/conditionality/test_person.py::test_visits_are_recorded",
    ),
    Mutant(
        "exception-by-one-person",
        "somebody approves the exception that they proposed",
        (
            Change(
                f"{_SERVICE}/domain/exceptions.py",
                "    if same_person(proposed.maker, command.checker):\n",
                "    if not proposed.maker:\n",
            ),
        ),
        f"{_RULES}::test_nobody_decides_on_their_own_proposal",
        f"{_RULES}::test_an_exception_holds_once_another_person_approved_it",
    ),
    Mutant(
        "exception-that-counted-is-taken-back",
        "an exception by which a cycle was judged is corrected or withdrawn",
        (
            Change(
                f"{_SERVICE}/domain/exceptions.py",
                "    if counted_to is None or terms == state.terms:\n",
                "    if counted_to != state or terms == state.terms:\n",
            ),
        ),
        f"{_RULES}::test_what_has_counted_is_neither_withdrawn_nor_corrected",
        f"{_RULES}::test_what_has_counted_is_ended_early_behind_that",
    ),
    Mutant(
        "exception-excuses-what-was-done",
        "a duty that was done does not count, and blocked money stays blocked",
        (
            Change(
                f"{_SERVICE}/domain/duties.py",
                'if duty.outcome != "PASSED" and (found',
                "if (found",
            ),
        ),
        f"{_RULES}::test_a_duty_that_was_done_counts_as_done",
        f"{_RULES}::test_only_the_months_in_which_it_holds_are_excused",
    ),
    Mutant(
        "exception-makers-approve-what-follows",
        "whoever made an exception approves the correction that follows from it",
        (
            Change(
                f"{_SERVICE}/workers/judging.py",
                "{*cause.recorded_by, *held.people}",
                "{*cause.recorded_by}",
            ),
        ),
        f"{_DOORS}::test_a_late_fact_under_an_exception_names_who_made_it_too",
        f"{_DOORS}::test_an_area_is_excused_once_another_person_approved_it",
    ),
    Mutant(
        "exception-moved-unseen",
        "who sees only the place of an exception lets it be of another region",
        (
            Change(
                f"{_SERVICE}/http/exceptions.py",
                "    if not await _seen(unit, asker, [found.state]):\n",
                "    if not found.state.exception:\n",
            ),
        ),
        f"{_MOVED}::test_a_reader_of_the_old_place_learns_of_no_family_elsewhere",
        f"{_MOVED}::test_who_sees_both_places_decides",
    ),
)
