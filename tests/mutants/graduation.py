"""Rules of the term that a family without a category waits, and of its re-opening."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

REOPENINGS: Final = "tests/unit/registry/test_reopenings.py"
PAID: Final = "tests/integration/payments/test_reopened_families.py"
TERMS: Final = "tests/unit/registry/test_graduation_terms.py"

GRADUATION: Final = (
    Mutant(
        "graduated-within-the-term",
        "a family graduates at the first closing that finds no category, whatever the term",
        (
            Change(
                "services/registry/domain/family/lines.py",
                "closing.closing_date < graduates_from:",
                "closing.closing_date > graduates_from:",
            ),
        ),
        f"{TERMS}::test_a_family_without_a_category_waits_before_it_graduates",
        f"{TERMS}::test_without_a_term_a_family_graduates_at_once_and_nothing_is_kept",
    ),
    Mutant(
        "reopened-by-its-reporter",
        "whoever recorded a late fact approves what follows from it",
        (
            Change(
                "services/registry/domain/family/reopening.py",
                "same_person(command.checker, *(late.recorded_by for late in reopening.late)):",
                "same_person(command.checker, *(str(late.fact) for late in reopening.late)):",
            ),
        ),
        f"{REOPENINGS}::test_who_recorded_a_fact_does_not_approve_what_follows_from_it",
        f"{REOPENINGS}::test_an_approved_family_is_back_and_has_its_line",
    ),
    Mutant(
        "paid-beside-its-list",
        "a family that the frozen list pays is paid once more behind it",
        (
            Change(
                "services/payments/domain/tahap/runs.py",
                "    if command.listed or command.family in others:\n",
                "    if command.family in others:\n",
            ),
        ),
        f"{PAID}::test_a_family_that_the_list_pays_is_not_paid_beside_it",
        f"{PAID}::test_a_reopened_family_is_paid_by_a_supplementary_run_of_a_closed_tahap",
    ),
    Mutant(
        "late-line-on-the-approved-list",
        "a regular run that is under way takes up a line that nobody has approved",
        (
            Change(
                "services/payments/tables/list_lines.py",
                "lines, only = (LIST_LINES, None) if among is None",
                "lines, only = (SUPPLEMENTARY_LINES, None) if among is None",
            ),
        ),
        f"{PAID}::test_a_line_that_comes_while_the_regular_run_is_entitled_is_no_part_of_it",
        f"{PAID}::test_a_reopened_family_is_paid_by_a_supplementary_run_of_a_closed_tahap",
    ),
)
