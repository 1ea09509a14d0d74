"""An erased family stops nobody, and nothing brings it back: each rule broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_ATTACK: Final = "tests/integration/attacks/test_erased_family_stops_nobody.py"
_RULES: Final = "tests/unit/registry/test_erasure.py"

ERASING: Final = (
    Mutant(
        "erased-family-in-its-group",
        "who was at which session is told of an erased family",
        (
            Change(
                "services/p2k2/tables/groups.py",
                "SELECT asked.family::text FROM unnest($1::uuid[]) AS asked (family)\n"
                "WHERE NOT EXISTS (SELECT FROM erased_family AS erased"
                " WHERE erased.family = asked.family)\n",
                "SELECT asked.family::text FROM unnest($1::uuid[]) AS asked (family)\n",
            ),
        ),
        "tests/integration/p2k2/test_groups.py"
        "::test_an_erased_family_is_shown_in_no_group_and_no_session",
        "tests/integration/p2k2/test_groups.py"
        "::test_an_erased_family_has_no_card_and_no_marks_here",
    ),
    Mutant(
        "erased-family-stops-its-list",
        "a family that is erased is an error of everybody who is listed with it",
        (
            Change(
                "services/registry/workers/lister.py",
                "missed = await _erased_behind(unit, listing.cut, erased) if erased else ()",
                "if erased:\n            raise KeyDestroyed(family=min(erased))\n"
                "        missed: list[str] = []",
            ),
        ),
        f"{_ATTACK}::test_before_a_bank_has_its_file_the_family_is_left_out_by_name"
        "_and_all_others_are_paid[announced]",
        f"{_ATTACK}::test_who_may_not_see_the_family_does_not_erase_it",
    ),
    Mutant(
        "erased-and-paid",
        "payments sends money of a family that it was told is erased",
        (
            Change(
                "services/payments/migrations/017_erased.sql",
                "SELECT family, 'ERASURE', 'ERASED', '', NULL FROM erased_family;",
                "SELECT family, 'ERASURE', 'ERASED', '9999', NULL FROM erased_family;",
            ),
        ),
        f"{_ATTACK}::test_before_a_bank_has_its_file_the_family_is_left_out_by_name"
        "_and_all_others_are_paid[joined]",
        f"{_ATTACK}::test_who_may_not_see_the_family_does_not_erase_it",
    ),
    Mutant(
        "erased-while-money-is-under-way",
        "nobody is asked whether a bank has money of the family",
        (
            Change(
                "services/registry/http/erasures.py",
                "    return tuple((payment.tahap, payment.why) for payment in money.under_way)\n",
                "    return () if money else ()\n",
            ),
        ),
        f"{_ATTACK}"
        "::test_while_a_bank_has_the_money_nobody_is_erased_and_afterwards_everybody_may_be",
        f"{_ATTACK}::test_who_may_not_see_the_family_does_not_erase_it",
    ),
    Mutant(
        "key-goes-before-the-answer",
        "a key is destroyed though a file was committed beside the approval",
        (
            Change(
                "services/registry/workers/eraser.py",
                "        if money.under_way:\n",
                "        if not family:\n",
            ),
        ),
        f"{_ATTACK}"
        "::test_a_file_that_is_committed_beside_the_approval_is_answered_before_the_key_goes",
        f"{_ATTACK}::test_who_may_not_see_the_family_does_not_erase_it",
    ),
    Mutant(
        "restored-key-stays",
        "a key that a restored backup brings back opens again what was erased",
        (
            Change(
                "services/registry/workers/eraser.py",
                "for family in sorted(erased - destroyed)",
                "for family in sorted(erased & destroyed)",
            ),
        ),
        f"{_ATTACK}::test_a_key_that_a_restored_backup_brings_back_is_destroyed_again",
        f"{_ATTACK}::test_an_erasure_that_a_restored_log_has_lost_is_written_again",
    ),
    Mutant(
        "lost-erasure-stays-lost",
        "a restored log shows a family whose key is destroyed",
        (
            Change(
                "services/registry/workers/eraser.py",
                "        lost = sorted(destroyed - erased)\n",
                "        lost = sorted(erased - destroyed)\n",
            ),
        ),
        f"{_ATTACK}::test_an_erasure_that_a_restored_log_has_lost_is_written_again",
        f"{_ATTACK}::test_a_key_that_a_restored_backup_brings_back_is_destroyed_again",
    ),
    Mutant(
        "erasure-approved-by-its-maker",
        "who proposed an erasure approves it",
        (
            Change(
                "services/registry/domain/erasure.py",
                "if same_person(maker, command.checker):",
                "if same_person(maker, command.checker) and not maker:",
            ),
        ),
        f"{_RULES}::test_who_proposed_an_erasure_does_not_approve_it",
        f"{_RULES}::test_nothing_is_approved_that_nobody_proposed",
    ),
    Mutant(
        "erased-family-in-the-answers",
        "projection goes on to list a family that is erased",
        (
            Change(
                "services/projection/consumers.py",
                '"INSERT INTO erased_family SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING"',
                '"SELECT unnest($1::uuid[])"',
            ),
        ),
        "tests/integration/projection/test_erased_families.py"
        "::test_nothing_is_told_of_an_erased_family_and_all_sums_stay",
        "tests/integration/projection/test_waiting_families.py"
        "::test_a_waiting_family_has_a_row_and_is_no_family_that_is_paid",
    ),
)
