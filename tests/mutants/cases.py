"""Cases and their terms: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

DEADLINES: Final = "services/complaints/domain/deadlines.py"
SWEEPER: Final = "services/complaints/workers/sweeper.py"
UNIT: Final = "tests/unit/complaints"
SWEEPS: Final = "tests/integration/complaints/test_sweeps.py"
HANDLED: Final = "tests/integration/complaints/test_handling.py"
GUESSED: Final = "tests/integration/attacks/test_receipt_guessed.py"
SHOWN: Final = "tests/integration/complaints/test_cases.py"
PASSED_ON: Final = f"{SWEEPS}::test_who_let_a_term_pass_has_a_case_no_more_and_others_are_told"

CASES: Final = (
    Mutant(
        "open-data-of-a-single-case",
        "everybody is told a count however small it is",
        (
            Change(
                "services/complaints/tables/open_data.py",
                "GROUP BY 1, 2, 3, 4 HAVING count(*) >= $5\n",
                "GROUP BY 1, 2, 3, 4 HAVING $5::int IS NOT NULL\n",
            ),
        ),
        "tests/integration/complaints/test_open_data.py"
        "::test_a_count_under_five_is_nowhere_told_and_follows_from_no_sum",
        "tests/integration/complaints/test_open_data.py::test_a_month_that_is_not_over_is_not_told",
    ),
    Mutant(
        "a-case-climbs-on-a-free-day",
        "the next level receives a case on a day on which nobody works",
        (
            Change(
                DEADLINES,
                "            on = self.working.after(due_on)\n",
                "            on = date.fromordinal(due_on.toordinal() + 1)\n",
            ),
        ),
        f"{UNIT}/test_deadlines.py"
        "::test_on_free_days_between_the_old_level_still_has_it_and_is_late",
        f"{UNIT}/test_deadlines.py::test_the_next_level_receives_it_on_the_next_working_day",
    ),
    Mutant(
        "a-year-by-guess",
        "terms are counted over days that nobody has decreed",
        (
            Change(
                "services/complaints/domain/working_days.py",
                "            raise HolidaysUnknown(year=day.year)\n",
                "            return day.weekday() < SATURDAY\n",
            ),
        ),
        f"{UNIT}/test_deadlines.py::test_a_term_over_days_that_no_decree_names_is_refused_by_year[on1]",
        f"{UNIT}/test_deadlines.py::test_the_working_days_from_a_day_on_are_counted",
    ),
    Mutant(
        "a-missing-decree-turns-citizens-away",
        "a complaint is refused because the decree of the next year is not out yet",
        (
            Change(
                DEADLINES,
                "            if self.working.may_be_decreed(unknown.year):\n",
                "            if unknown.year < 0:\n",
            ),
        ),
        f"{UNIT}/test_deadlines.py"
        "::test_a_term_beyond_the_last_decree_is_accepted_and_one_before_the_first_is_not",
        f"{UNIT}/test_deadlines.py::test_the_working_days_from_a_day_on_are_counted",
    ),
    Mutant(
        "a-resolved-case-climbs",
        "a case that was resolved is received by the next level",
        (
            Change(
                "services/complaints/domain/case.py",
                "not state.turns or state.resolved is not None or state.linked",
                "not state.turns or state.linked",
            ),
        ),
        f"{UNIT}/test_case.py"
        "::test_nobody_receives_a_case_that_is_resolved_or_unknown_or_without_terms",
        f"{UNIT}/test_case.py::test_whoever_s_term_is_over_has_the_case_no_more",
    ),
    Mutant(
        "swept-for-tomorrow",
        "somebody ends every term by a sweep for a day to come",
        (
            Change(
                "services/complaints/http/sweeps.py",
                "    if body.on > max(policies.days_of(context.at).values()):\n"
                "        raise SweepInFuture(on=body.on)\n",
                "",
            ),
        ),
        f"{SWEEPS}::test_a_day_that_has_not_begun_or_that_nobody_decreed_is_refused[2099-01-01-sweep-in-future]",
        PASSED_ON,
    ),
    Mutant(
        "one-bad-case-holds-up-all",
        "a case that cannot be read ends the sweep of all others",
        (
            Change(
                SWEEPER,
                "        refused = await by_halves(unit, cases, work, (ConcurrencyConflict,))\n",
                "        await work(cases)\n        refused: list[tuple[str, Exception]] = []\n",
            ),
        ),
        f"{SWEEPS}::test_a_case_that_cannot_be_read_holds_up_nobody_and_is_taken_once_it_can",
        PASSED_ON,
    ),
    Mutant(
        "complaints-of-anywhere",
        "whoever sends a file makes cases of every region",
        (
            Change(
                "services/complaints/http/csv_commands.py",
                '    _ensure(sender.may_see(region), "region_code", Mistake.REGION_NOT_YOURS)\n',
                "",
            ),
        ),
        "tests/integration/complaints/test_filed_cases.py"
        "::test_a_complaint_of_another_region_is_neither_taken_nor_shown",
        "tests/integration/complaints/test_filed_cases.py"
        "::test_a_complaint_is_taken_once_and_names_nobody",
    ),
    Mutant(
        "a-decision-about-themselves",
        "the person who is complained about decides the case",
        (
            Change(
                "services/complaints/domain/case.py",
                "    if about and same_person(somebody, about):\n",
                "    if about and somebody == about.upper():\n",
            ),
        ),
        f"{UNIT}/test_handling.py::test_nobody_works_on_a_case_about_themselves[ResolveCase]",
        f"{UNIT}/test_handling.py::test_a_case_is_resolved_with_a_reply",
    ),
    Mutant(
        "a-case-of-the-office-above",
        "a district resolves a case that the regency has",
        (
            Change(
                "services/complaints/http/handling.py",
                "may_see(area_of(state.level, state.complaint.region)):\n",
                "may_see(state.complaint.region):\n",
            ),
        ),
        f"{HANDLED}::test_a_case_that_has_passed_on_is_seen_below_and_resolved_by_whoever_has_it",
        f"{HANDLED}::test_a_case_goes_from_its_assignment_to_its_end",
    ),
    Mutant(
        "a-pin-guessed-for-ever",
        "PINs of a receipt number are guessed without an end",
        (
            Change(
                "services/complaints/http/following.py",
                "figures.lock) > figures.guesses:",
                "figures.lock) > 10**PIN_DIGITS:",
            ),
            Change(
                "services/complaints/http/following.py",
                "    CaseKeysOf,\n    WordsTooLong,",
                "    PIN_DIGITS,\n    CaseKeysOf,\n    WordsTooLong,",
            ),
        ),
        f"{GUESSED}::test_a_pin_is_guessed_five_times_and_no_more",
        f"{GUESSED}::test_the_right_pin_gives_back_what_guesses_took",
    ),
    Mutant(
        "a-number-told-by-the-clock",
        "a number that nobody has is answered without the work of unwrapping a key",
        (
            Change(
                "services/complaints/http/words.py",
                "        found = await self.fresh.fetch_each([asked])\n",
                "        found = await self.fresh.fetch_each([case] if case else [])\n",
            ),
        ),
        f"{GUESSED}::test_a_guess_costs_as_much_of_a_number_that_nobody_has",
        f"{GUESSED}::test_the_right_pin_gives_back_what_guesses_took",
    ),
    Mutant(
        "a-name-in-confidence",
        "a district is shown who complained in confidence",
        (
            Change(
                "services/complaints/http/cases.py",
                "    if statement is not None and statement.confidential:\n",
                "    if statement is None:\n",
            ),
        ),
        f"{SHOWN}::test_who_complained_in_confidence_is_told_to_the_regency_and_auditors_alone",
        f"{SHOWN}::test_who_complained_is_told_on_record",
    ),
)
