"""Rules of the console, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_SEALING: Final = "tests/unit/console/test_sealing.py"
_SIGNING_IN: Final = "tests/integration/console/test_signing_in.py"
_FIELD: Final = "tests/unit/console/test_field_entries.py"
_SENT: Final = "tests/integration/console/test_field_entries.py"

CONSOLE: Final = (
    Mutant(
        "session-without-its-browser",
        "the database and the process's key open a session's token without the browser's id",
        (Change("console/sealing.py", "bearer.encode(), info)", "None, info)"),),
        f"{_SEALING}::test_nobody_else_opens_it[seal0-session-another]",
        f"{_SEALING}::test_what_was_sealed_is_opened",
    ),
    Mutant(
        "sign-in-leads-elsewhere",
        "whoever has signed in is sent to any address that the link named",
        (
            Change(
                "console/signing_in.py",
                "address if _LOCAL.fullmatch(address) else HOME",
                "address or HOME",
            ),
        ),
        f"{_SEALING}::test_any_other_leads_home[https://evil.example]",
        f"{_SEALING}::test_an_address_of_the_console_is_led_to[/console/]",
    ),
    Mutant(
        "answer-of-another-browser",
        "a sign-in that somebody else began is finished here",
        (
            Change(
                "console/signing_in.py",
                'compare_digest(begun.state.encode(), answer.get("state", "").encode())',
                "compare_digest(begun.state.encode(), begun.state.encode())",
            ),
        ),
        f"{_SIGNING_IN}::test_a_changed_answer_signs_nobody_in[state]",
        f"{_SIGNING_IN}::test_a_changed_answer_signs_nobody_in[code]",
    ),
    Mutant(
        "form-of-another-session",
        "a form is taken that another session's page made",
        (
            Change(
                "console/application.py",
                "token.encode(), self._csrf(session).encode()",
                "token.encode(), token.encode()",
            ),
        ),
        f"{_SIGNING_IN}::test_one_signs_out_by_a_form_of_ones_own_session",
        f"{_SIGNING_IN}::test_a_code_is_good_once",
    ),
    Mutant(
        "page-without-record",
        "a page tells of a family, and nobody knows whom",
        (
            Change(
                "console/application.py",
                "data = await noting(data)",
                "data = {**data, 'at': context.at}",
            ),
        ),
        f"{_SIGNING_IN}::test_whoever_reads_a_family_is_on_record",
        f"{_SIGNING_IN}::test_a_regency_sees_itself_alone[61.04]",
    ),
    Mutant(
        "entry-of-anybody",
        "an entry that somebody else made in the field is done in the name of who sends it",
        (
            Change(
                "console/field/entries.py",
                "    if not hmac.compare_digest(entry.by.encode(), pledge.encode()):\n",
                "    if False:\n",
            ),
        ),
        f"{_FIELD}::test_an_entry_of_another_person_is_not_given_out",
        f"{_FIELD}::test_an_entry_is_opened_for_who_entered_it_however_they_type_their_name",
    ),
    Mutant(
        "entry-done-twice",
        "an entry of the field that is sent again has another Idempotency-Key",
        (
            Change(
                "console/pages/field_entries.py",
                '            headers={"Idempotency-Key": step.key},\n',
                "",
            ),
        ),
        f"{_SENT}::test_attendance_is_recorded_once_however_often_it_is_sent",
        f"{_SENT}::test_a_field_that_a_service_does_not_take_is_named",
    ),
    Mutant(
        "refused-entry-is-lost",
        "a browser is told that an entry was accepted which a service refused",
        (
            Change(
                "console/field/entries.py",
                'problem_of(answer)["code"] == IN_FLIGHT else "REFUSED"',
                'problem_of(answer)["code"] == IN_FLIGHT else "ACCEPTED"',
            ),
        ),
        f"{_FIELD}::test_an_answer_that_is_no_problem_page_is_refused_without_its_words",
        f"{_FIELD}::test_what_is_of_this_moment_is_tried_again_and_what_is_refused_is_not[204--ACCEPTED]",
    ),
)
