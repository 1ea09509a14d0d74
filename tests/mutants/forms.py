"""Rules of what values from outside may look like, and of what lies between us and the database."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

IMPORTS: Final = "tests/integration/registry/test_imports.py"
FACTS: Final = "tests/integration/conditionality/test_facts.py"
REQUESTS: Final = "tests/unit/chassis/test_wellformed.py"
SESSIONS: Final = "tests/unit/events/test_sessions.py"

FORMS: Final = (
    Mutant(
        "two-people-in-one-cell",
        "a cell of a file may go on in the next line",
        (Change("libs/chassis/csv_upload.py", "        if '\"' in row:\n", "        if False:\n"),),
        f"{IMPORTS}::test_a_stray_quote_makes_no_person_of_two",
        f"{IMPORTS}::test_a_card_or_person_with_other_data_is_refused_and_keeps_what_it_had",
    ),
    Mutant(
        "rounded-number-taken",
        "attendance is taken under whatever stands where a number should",
        (
            Change(
                "libs/chassis/forms.py",
                'NIK: Final = re.compile(r"[0-9]{16}")',
                'NIK: Final = re.compile(r".+")',
            ),
            # Tokens are made of numbers alone: the second guard of the same rule.
            Change(
                "libs/privacy/pseudonyms.py",
                '_NUMBER: Final = re.compile(r"[0-9]{1,34}|[0-9]{13}[A-Z]{3}")',
                '_NUMBER: Final = re.compile(r".+")',
            ),
        ),
        f"{FACTS}::test_a_number_that_a_spreadsheet_rounded_is_refused_as_often_as_it_stands",
        f"{FACTS}::test_a_visit_is_kept_by_month_and_service",
    ),
    Mutant(
        "date-of-another-age",
        "a life event is a fact whatever its dates are",
        (
            Change(
                "services/registry/domain/family/rules.py",
                "    check_report(command, state)\n",
                "    check_report\n",
            ),
        ),
        f"{IMPORTS}::test_a_due_date_of_another_age_is_refused_and_the_list_is_made",
        f"{IMPORTS}::test_a_stray_quote_makes_no_person_of_two",
    ),
    Mutant(
        "second-value-wins",
        "of a name that stands twice in a body the second value counts",
        (
            Change(
                "libs/chassis/wellformed.py",
                "    if len(found) < len(pairs):\n",
                "    if len(found) > len(pairs):\n",
            ),
        ),
        f"{REQUESTS}::test_a_name_that_stands_twice_is_refused_whichever_value_is_meant",
        f"{REQUESTS}::test_a_body_in_its_one_form_is_taken",
    ),
    Mutant(
        "shared-session-trusted",
        "nobody looks whether a connection is moved to another session meanwhile",
        (
            Change(
                "libs/events/store/sessions.py",
                "(before, other, meanwhile) != expected",
                "(before, other, before) != expected",
            ),
        ),
        f"{SESSIONS}::test_a_proxy_that_shares_sessions_is_refused[moved]",
        f"{SESSIONS}::test_postgresql_itself_gives_each_connection_a_process",
    ),
)
