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
                "        return [*events, end(decided, after)]\n",
                "        return events\n",
            ),
        ),
        f"{_RULES}::test_a_termination_that_waited_is_carried_out_with_all_that_is_held",
        f"{_RULES}::test_a_termination_waits_while_an_appeal_is_open",
    ),
    Mutant(
        "taken-back-by-who-asked",
        "who asked for a termination to be taken back decides on it",
        (
            Change(
                "services/registry/domain/family/terminations.py",
                "    if same_person(command.checker, *asked.asked_by):\n",
                "    if same_person(command.checker, asked.order):\n",
            ),
        ),
        "tests/unit/registry/test_terminations.py::test_who_asked_does_not_decide[officer-1]",
        "tests/unit/registry/test_terminations.py::test_an_order_waits_for_another_person",
    ),
    Mutant(
        "corrected-by-who-asked",
        "who asked for a cycle to be decided again approves what follows",
        (
            Change(
                "services/conditionality/workers/case_orders.py",
                "    actors = {*asked_by, *(fact.actor for fact in recorded)}\n",
                "    actors = {fact.actor for fact in recorded}\n",
            ),
        ),
        "tests/integration/conditionality/test_appeals.py"
        "::test_upheld_the_cycle_is_corrected_by_a_person_who_had_no_part_in_it",
        "tests/integration/conditionality/test_appeals.py"
        "::test_an_appeal_keeps_its_money_held_until_it_is_rejected",
    ),
    Mutant(
        "appeal-decided-by-who-opened",
        "who opened an appeal decides it",
        (
            Change(
                "services/complaints/domain/remedy.py",
                "    if same_person(command.person, opened.opened_by):\n",
                "    if same_person(command.person, opened.case):\n",
            ),
        ),
        "tests/unit/complaints/test_remedy.py"
        "::test_an_appeal_is_decided_by_another_person_than_who_opened_it",
        "tests/unit/complaints/test_remedy.py"
        "::test_an_upheld_appeal_orders_its_cycle_to_be_decided_again",
    ),
)
