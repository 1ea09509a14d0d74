"""Lists come to an end, and none holds up another: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

PAYMENTS: Final = "tests/integration/payments"
REGISTRY: Final = "tests/integration/registry"

LISTS: Final = (
    Mutant(
        "makes-way-although-begun",
        "a tahap whose list has begun makes way for an earlier one, as if nothing rested on it",
        (
            Change(
                "services/payments/announcing.py",
                "state.proposal is None and state.tahap in empty",
                "state.proposal is None",
            ),
        ),
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_whose_list_begins_before_the_approval_does_not_make_way",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_that_waits_behind_a_cancelled_one_goes_on_by_itself",
    ),
    Mutant(
        "made-way-by-the-old-revision",
        "lines that were begun before a tahap made way are joined to what is announced anew",
        (
            Change(
                "services/payments/making_way.py",
                "UPDATE list_open SET revision = $2, seen",
                "UPDATE list_open SET revision = least(1, $2), seen",
            ),
        ),
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_that_waits_behind_a_cancelled_one_goes_on_by_itself",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left",
    ),
)
