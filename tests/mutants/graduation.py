"""Rules of the term that a family without a category waits, and of its re-opening."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

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
)
