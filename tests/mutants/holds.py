"""Rules of an administrative hold, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_HOLDS: Final = "tests/integration/payments/test_administrative_holds.py"
_RULES: Final = "tests/unit/payments/test_administrative_hold.py"

HOLDS: Final = (
    Mutant(
        "held-not-looked-at-by-the-file",
        "a bank's file is committed without a look at who is held",
        (
            Change(
                "services/payments/workers/partner_exchange.py",
                "defer_held(unit, job.key, job.day, which.bank)",
                "defer_held(unit, job.key, job.day, 'NOBODY')",
            ),
        ),
        f"{_HOLDS}::test_who_is_held_before_dispatch_is_not_paid[a second before dispatch]",
        f"{_HOLDS}::test_who_is_held_before_dispatch_is_not_paid[entitled]",
    ),
    Mutant(
        "hold-passes-the-file",
        "a hold is approved without asking whether the family's file is committed",
        (
            Change(
                "services/payments/http/holds.py",
                "            await ensure_in_time(unit, str(family), outcome.state.terms)\n",
                "            pass\n",
            ),
        ),
        f"{_HOLDS}::test_behind_dispatch_a_hold_is_refused_and_says_which_file_has_the_family",
        f"{_HOLDS}::test_who_is_held_before_dispatch_is_not_paid[accounts checked]",
    ),
    Mutant(
        "hold-beside-the-file",
        "a hold is approved while a file is being committed, and sees nothing of it",
        (
            Change(
                "services/payments/tables/holds.py",
                "ORDER BY tahap, kind FOR SHARE",
                "ORDER BY tahap, kind",
            ),
        ),
        f"{_HOLDS}::test_a_hold_waits_for_a_file_that_is_just_being_committed",
        f"{_HOLDS}::test_behind_dispatch_a_hold_is_refused_and_says_which_file_has_the_family",
    ),
    Mutant(
        "hold-approved-by-its-maker",
        "who proposed a hold approves it",
        (
            Change(
                "services/payments/domain/administrative_hold/decider.py",
                "    if same_person(proposal.maker, command.checker):\n",
                "    if not command.checker:\n",
            ),
        ),
        f"{_RULES}::test_who_proposed_a_hold_does_not_approve_it",
        f"{_RULES}::test_another_person_s_approval_holds_the_family",
    ),
    Mutant(
        "taken-out-and-left-over-again",
        "a family that a supplementary list has taken up is left over once more, to be paid twice",
        (
            Change(
                "services/payments/domain/tahap/runs.py",
                "for other in later for family",
                "for other in later[:0] for family",
            ),
        ),
        "tests/unit/payments/test_tahap_deferrals.py"
        "::test_a_family_that_a_later_list_has_taken_up_is_not_left_over_again",
        "tests/unit/payments/test_tahap_deferrals.py::test_a_family_of_a_frozen_list_is_deferred_after_all",
    ),
)
