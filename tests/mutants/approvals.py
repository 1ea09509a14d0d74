"""Lines are paid as two people approved them: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

ATTACK: Final = "tests/integration/attacks/test_an_account_changed_behind_the_approval.py"
PAID: Final = (
    "tests/integration/payments/test_troubles.py"
    "::test_a_bank_that_is_away_does_not_keep_the_others_from_paying"
)

SEEN: Final = "tests/unit/payments/test_tahap.py"
DIFF: Final = "tests/integration/payments/test_list_diff.py"

APPROVALS: Final = (
    Mutant(
        "differences-not-acknowledged",
        "a list is frozen by people who have not seen how it differs from the last frozen one",
        (
            Change(
                "services/payments/domain/tahap/decider.py",
                "    if diff != stands:\n",
                "    if False:\n",
            ),
        ),
        f"{SEEN}::test_who_has_not_seen_the_differences_neither_proposes_nor_approves[missing]",
        f"{SEEN}::test_both_people_name_the_differences_that_they_have_seen",
    ),
    Mutant(
        "compared-with-what-nobody-approved",
        "a list is compared with lines of families that were deferred, so nothing differs",
        (
            Change(
                "services/payments/workers/list_comparison.py",
                "            without=self.without,\n",
                "",
            ),
        ),
        f"{DIFF}::test_who_was_deferred_is_compared_with_no_line_that_nobody_approved",
        f"{DIFF}::test_differences_are_shown_by_family_with_counts",
    ),
    Mutant(
        "approved-hash-not-checked-again",
        "a run says that all are entitled, whatever was approved",
        (
            Change(
                "services/payments/workers/entitle.py",
                "    await _require_approved(unit, job, table)\n",
                "",
            ),
        ),
        f"{ATTACK}"
        "::test_an_account_that_the_tables_owner_changes_behind_the_approval_is_not_paid[approved]",
        PAID,
    ),
    Mutant(
        "line-of-a-file-not-checked",
        "a file is rendered from whatever lines stand there by then",
        (
            Change(
                "services/payments/partners/files.py",
                '                and event.source in (value_hash_hex(line), "")\n',
                "",
            ),
        ),
        f"{ATTACK}"
        "::test_an_account_that_the_tables_owner_changes_behind_the_approval_is_not_paid[entitled]",
        PAID,
    ),
    Mutant(
        "order-rewritten-behind-its-approval",
        "a file pays what a run's line says, whatever its payment was entitled to",
        (
            Change(
                "services/payments/partners/files.py",
                '                and row["amount"] == event.amount - event.cut\n',
                "",
            ),
        ),
        f"{ATTACK}"
        "::test_what_the_tables_owner_changes_of_an_order_is_not_sent[amount = amount + 1]",
        PAID,
    ),
    Mutant(
        "line-pinned-by-what-stands-beside-it",
        "a line is taken for the one whose hash stands beside it",
        (
            Change(
                "services/payments/tables/list_lines.py",
                '    if int(source, 16) != row["roster_hash"]:\n',
                "    if False:\n",
            ),
        ),
        f"{ATTACK}::test_a_line_that_is_changed_before_anybody_looked_makes_no_list_ready",
        PAID,
    ),
    Mutant(
        "own-role-rewrites-lines",
        "the service's own role may change the lines of a list where they stand",
        (
            Change(
                "services/payments/migrations/016_lines_as_approved.sql",
                "REVOKE INSERT, UPDATE, DELETE ON list_line, late_line FROM ${RUNTIME_ROLE};\n",
                "",
            ),
        ),
        f"{ATTACK}::test_the_service_s_own_role_changes_no_line_between_proposal_and_approval"
        "[UPDATE list_line SET line = line]",
        PAID,
    ),
)
