"""Rules of appeals, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_RULES: Final = "tests/unit/conditionality/test_appeals.py"
_COMMITMENT: Final = "services/conditionality/domain/commitment"

APPEALS: Final = (
    Mutant(
        "appealed-cycle-counts",
        "a failed cycle adds to the counter while an appeal against it is open",
        (
            Change(
                f"{_COMMITMENT}/cycles.py",
                "            if cycle.tahap not in paused:\n",
                "            if cycle.tahap is not paused:\n",
            ),
        ),
        f"{_RULES}::test_an_appealed_cycle_does_not_add_to_the_counter",
        f"{_RULES}::test_an_appeal_pauses_what_it_is_against",
    ),
    Mutant(
        "appealed-money-moves",
        "held money is released while an appeal against its hold is open",
        (
            Change(
                f"{_COMMITMENT}/sanctions.py",
                "    still_held = {*new.after.held, *new.state.unmoved}\n",
                "    still_held = {*new.after.held}\n",
            ),
        ),
        f"{_RULES}::test_held_money_of_an_appealed_cycle_is_not_released_by_a_later_one",
        f"{_RULES}::test_an_appealed_cycle_does_not_add_to_the_counter",
    ),
    Mutant(
        "appealed-termination-carried-out",
        "a family is terminated while an appeal of it is open",
        (
            Change(
                f"{_COMMITMENT}/investigations.py",
                "approved if state.pausing else end(approved, state)",
                "end(approved, state)",
            ),
        ),
        f"{_RULES}::test_a_termination_waits_while_an_appeal_is_open",
        f"{_RULES}::test_an_appealed_cycle_does_not_add_to_the_counter",
    ),
    Mutant(
        "appeal-forgets-what-waited",
        "what an appeal let wait does not happen at its end",
        (
            Change(
                f"{_COMMITMENT}/appeals.py",
                "    return [*events, *_goes_on(events[0].family, before, after, failures_max)]\n",
                "    return list(events if failures_max else ())\n",
            ),
        ),
        f"{_RULES}::test_a_termination_that_waited_is_carried_out_with_all_that_is_held",
        f"{_RULES}::test_a_termination_waits_while_an_appeal_is_open",
    ),
)
