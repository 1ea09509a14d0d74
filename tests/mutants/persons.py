"""Rules of who is one person and who are two."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

ATTACK: Final = "tests/integration/attacks/test_one_person_under_two_names.py"
AUTH: Final = "tests/unit/chassis/test_auth.py"
REFUSED: Final = "test_a_token_that_is_not_right_is_refused_and_the_refusal_is_on_record"

PERSONS: Final = (
    Mutant(
        "case-makes-two-people",
        "Ana and ana are a maker and a checker",
        (Change("libs/events/domain/persons.py", ".casefold()", ""),),
        f"{ATTACK}::test_whoever_proposed_a_freeze_approves_it_under_no_other_spelling",
        "tests/unit/events/test_persons.py::test_another_name_is_another_person[mal-2]",
    ),
    Mutant(
        "name-in-two-forms",
        "a subject may be written in letters that look like another's",
        (
            Change(
                "libs/chassis/auth.py",
                "not isinstance(person, str) or not is_name(person)",
                "not isinstance(person, str)",
            ),
        ),
        f"{AUTH}::{REFUSED}[sub that is not composed]",
        f"{AUTH}::test_a_right_token_is_let_in",
    ),
)
