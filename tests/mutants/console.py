"""Rules of the console, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_SEALING: Final = "tests/unit/console/test_sealing.py"
_SIGNING_IN: Final = "tests/integration/console/test_signing_in.py"

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
                "await Noting(request, request.app.state.committer, context)(data)",
                "{**data, 'at': context.at}",
            ),
        ),
        f"{_SIGNING_IN}::test_whoever_reads_a_family_is_on_record",
        f"{_SIGNING_IN}::test_a_regency_sees_itself_alone[61.04]",
    ),
)
