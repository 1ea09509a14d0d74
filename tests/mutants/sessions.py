"""Group sessions: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

P2K2: Final = "tests/integration/p2k2"
TAKEN: Final = f"{P2K2}/test_imports.py::test_sessions_and_attendance_are_taken_once"
CHECK_IN: Final = "tests/integration/attacks/test_a_check_in_that_nobody_scanned.py"
TOKENS: Final = "tests/unit/p2k2/test_check_in.py"
ROWS: Final = "services/p2k2/http/csv_commands.py"
FACILITATORS: Final = "tests/integration/p2k2/test_facilitators.py"

SESSIONS: Final = (
    Mutant(
        "anybody-attends",
        "a mark is taken of a family of another group",
        (
            Change(
                ROWS,
                "elif group_on(families[token], session.sitting.on) != session.sitting.group:",
                "elif not families[token]:",
            ),
        ),
        f"{P2K2}/test_imports.py::test_a_wrong_mark_is_named_and_takes_no_other_with_it",
        TAKEN,
    ),
    Mutant(
        "marks-of-anywhere",
        "whoever sends a file marks families of groups of every region",
        (
            Change(
                ROWS,
                "if session is None or not self.sender.may_see(session.sitting.region):",
                "if session is None:",
            ),
        ),
        f"{P2K2}/test_imports.py::test_a_row_of_a_group_of_another_region_is_refused",
        TAKEN,
    ),
    Mutant(
        "at-two-sessions-at-once",
        "two reports at once of one group and time are both taken",
        (Change("services/p2k2/tables/groups.py", "           ORDER BY group_id FOR UPDATE", ""),),
        f"{P2K2}/test_sessions.py::test_of_two_reports_at_once_of_one_group_and_time_one_is_taken",
        TAKEN,
    ),
    Mutant(
        "a-group-moved-by-its-name",
        "a family of another village takes the group there by naming it",
        (
            Change(
                "services/p2k2/tables/groups.py",
                "ON CONFLICT (group_id) DO UPDATE SET facilitator = excluded.facilitator",
                "ON CONFLICT (group_id) DO UPDATE\n"
                "SET facilitator = excluded.facilitator, region = excluded.region",
            ),
        ),
        f"{P2K2}/test_groups.py::test_whoever_names_a_group_of_another_village_does_not_move_it",
        TAKEN,
    ),
    Mutant(
        "a-check-in-by-any-key",
        "a token counts whoever signed it",
        (
            Change(
                "services/p2k2/http/check_in_tokens.py",
                "jws.deserialize_compact(token, self._named, [ALGORITHM])",
                "jws.extract_compact(token.encode())",
            ),
        ),
        f"{CHECK_IN}::test_a_token_that_he_makes_himself_is_forged",
        f"{CHECK_IN}::test_a_token_that_was_scanned_checks_its_family_in",
    ),
    Mutant(
        "a-check-in-by-anothers-token",
        "one family's token checks any family in",
        (
            Change(
                "services/p2k2/domain/check_in.py",
                "if ticket.who != scanning.who:",
                "if not ticket.who:",
            ),
        ),
        f"{CHECK_IN}::test_a_token_of_another_session_or_family_counts_for_neither",
        f"{CHECK_IN}::test_a_token_that_was_scanned_checks_its_family_in",
    ),
    Mutant(
        "a-token-kept-for-later",
        "a token of some minutes counts whenever it is sent, if only an earlier time is said",
        (Change("services/p2k2/domain/check_in.py", "scanned <= sent < sent_by:", "sent_by:"),),
        f"{TOKENS}::test_who_says_an_earlier_time_of_a_token_that_has_ended_is_not_believed",
        f"{TOKENS}::test_a_token_counts_for_some_minutes",
    ),
    Mutant(
        "checked-in-again-and-again",
        "a family is checked in at a session as often as somebody likes",
        (
            Change(
                "services/p2k2/domain/session.py",
                "if before.setdefault(family, at) != at:",
                "if not before.setdefault(family, at):",
            ),
        ),
        f"{TOKENS}::test_another_scan_of_a_family_is_refused",
        f"{TOKENS}::test_the_same_scan_again_changes_nothing",
    ),
    Mutant(
        "all-marks-in-one-timeline",
        "a family's timeline holds the marks of all families of the session",
        (
            Change(
                "services/projection/tables/sessions.py",
                '(mark.family, _json(about | {"family": mark.family, "status": mark.status}))',
                "(mark.family, _json(body))",
            ),
        ),
        "tests/integration/projection/test_sessions.py"
        "::test_a_familys_timeline_tells_its_own_part_and_nobody_elses",
        "tests/integration/projection/test_sessions.py"
        "::test_a_module_is_completed_by_all_of_its_sessions",
    ),
    Mutant(
        "facilitator-of-every-group",
        "a facilitator sees and records the sessions of another facilitator's group",
        (
            Change(
                "services/p2k2/http/sessions.py",
                "    return own_only(asker, wide) in (None, facilitator)\n",
                "    return True\n",
            ),
        ),
        f"{FACILITATORS}::test_a_session_of_anothers_group_is_as_unknown_as_none",
        f"{FACILITATORS}::test_a_facilitator_records_who_came_to_their_group",
    ),
)
