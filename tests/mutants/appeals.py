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
                "        return [*others, end(decided, after), *ends]\n",
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
    Mutant(
        "refused-appeal-decided",
        "an appeal that was refused is decided, as if something came of it",
        (
            Change(
                "services/complaints/domain/remedy.py",
                "    if state.appeal.refused_because:\n",
                "    if state.appeal.refused_because is None:\n",
            ),
        ),
        "tests/unit/complaints/test_remedy.py"
        "::test_nobody_decides_on_a_refused_appeal[UPHELD-OUTSIDE_REGIONS]",
        "tests/unit/complaints/test_remedy.py"
        "::test_an_appeal_for_which_nothing_waits_is_decided_all_the_same[NO_EFFECT]",
    ),
    Mutant(
        "appeal-from-another-region",
        "somebody of another region pauses what concerns a family",
        (
            Change(
                f"{_COMMITMENT}/appeals.py",
                '    if not command.inside:\n        return "OUTSIDE_REGIONS"\n',
                '    if not command.case:\n        return "OUTSIDE_REGIONS"\n',
            ),
        ),
        f"{_RULES}::test_an_appeal_of_somebody_outside_the_family_s_regions_is_refused",
        f"{_RULES}::test_an_appeal_pauses_what_it_is_against",
    ),
    Mutant(
        "appeal-decided-from-another-region",
        "somebody of another region ends what waits for an appeal",
        (
            Change(
                f"{_COMMITMENT}/appeals.py",
                "    if not command.inside:\n        return [AppealDecisionRefused(",
                "    if not command.case:\n        return [AppealDecisionRefused(",
            ),
        ),
        f"{_RULES}::test_a_decision_of_somebody_outside_the_family_s_regions_is_none",
        f"{_RULES}::test_an_upheld_appeal_goes_on_pausing_until_its_cycle_is_decided_again",
    ),
    Mutant(
        "take-back-from-another-region",
        "somebody of another region has a termination taken back",
        (
            Change(
                "services/registry/domain/family/terminations.py",
                "    if not command.inside:\n",
                "    if not command.case:\n",
            ),
        ),
        "tests/unit/registry/test_terminations.py"
        "::test_somebody_outside_the_family_s_regions_has_nothing_taken_back[True]",
        "tests/unit/registry/test_terminations.py::test_an_order_waits_for_another_person",
    ),
    Mutant(
        "appeals-without-end",
        "a cycle is appealed against by one new case after another",
        (
            Change(
                f"{_COMMITMENT}/appeals.py",
                "len(over) >= command.limits.decided",
                "len(over) > command.limits.decided",
            ),
        ),
        f"{_RULES}::test_a_cycle_is_appealed_against_as_often_as_the_rules_let_it[REJECTED]",
        f"{_RULES}::test_a_second_case_does_not_appeal_while_the_first_waits[False]",
    ),
    Mutant(
        "another-case-ends-an-upheld-appeal",
        "the order of one case ends the upheld appeal of another as refused",
        (
            Change(
                f"{_COMMITMENT}/appeals.py",
                "    if waits is not None and own is None:\n",
                "    if waits is not None:\n",
            ),
        ),
        f"{_RULES}::test_the_order_of_an_upheld_appeal_takes_the_place_of_one_that_only_asks",
        f"{_RULES}::test_an_order_that_comes_while_an_upheld_one_waits_is_refused_and_ends_nothing",
    ),
    Mutant(
        "arrear-of-money-that-never-came",
        "a family whose transfer failed is owed what was cut of it",
        (
            Change(
                "services/payments/domain/payment/decider.py",
                "    if not isinstance(state, Credited):\n        return [noted]\n",
                "    if isinstance(state, Unentitled | Deferred):\n        return [noted]\n",
            ),
        ),
        "tests/unit/payments/test_arrears.py"
        "::test_nothing_is_owed_of_what_was_not_cut_or_not_paid[failed, lifted]",
        "tests/unit/payments/test_arrears.py"
        "::test_a_cut_that_is_lifted_behind_the_credit_is_owed_with_its_case",
    ),
    Mutant(
        "appealed-money-returned",
        "held money of a family that graduates goes back while its appeal is open",
        (
            Change(
                "services/payments/workers/entitle.py",
                "        if family in appealing:\n",
                "        if family is appealing:\n",
            ),
        ),
        "tests/integration/payments/test_open_appeals.py"
        "::test_who_graduates_while_an_appeal_is_open_gives_nothing_back_before_its_end",
        "tests/integration/payments/test_open_appeals.py"
        "::test_an_appeal_that_has_ended_keeps_nothing_even_if_its_beginning_comes_again",
    ),
)
