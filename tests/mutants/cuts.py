"""Rules of a cut: it is approved, it is booked, and the policy that orders it is read exactly."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

LISTING: Final = "tests/unit/payments/test_listing.py"
CUTS: Final = "tests/unit/payments/test_cuts.py"
BOOKED: Final = "tests/integration/payments/test_cuts.py"
FILES: Final = "tests/unit/policy/test_files.py"

CUTTING: Final = (
    Mutant(
        "cut-not-in-the-approved-hash",
        "two people approve a list without what is cut of it",
        (
            Change(
                "services/payments/domain/listing.py",
                """            str(self.cut.rupiah),
            str(self.cut.evaluation),
""",
                """            "0",
            "0",
""",
            ),
        ),
        f"{BOOKED}::test_a_cycle_corrected_before_the_freeze_makes_another_list_to_approve",
        f"{BOOKED}::test_the_list_shows_what_is_cut_before_anybody_approves_it",
    ),
    Mutant(
        "cut-otherwise-than-approved",
        "a run goes on although it cuts otherwise than two people approved",
        (
            Change(
                "services/payments/domain/run/decider.py",
                "    if command.cut != run.cut:\n",
                "    if command.cut < 0:\n",
            ),
        ),
        f"{CUTS}::test_a_run_that_cuts_otherwise_than_was_approved_does_not_go_on[0]",
        f"{CUTS}::test_a_run_that_cuts_as_was_approved_goes_on",
    ),
    Mutant(
        "cut-holds-besides",
        "a failure that is cut holds the money, too",
        (
            Change(
                "services/conditionality/domain/commitment/cycles.py",
                "            if not cycle.cut_percent:\n",
                "            if cycle.tahap:\n",
            ),
        ),
        "tests/unit/conditionality/test_cuts.py"
        "::test_a_failed_cycle_orders_a_cut_and_holds_nothing",
        "tests/unit/conditionality/test_cuts.py"
        "::test_a_failure_of_a_rule_set_that_holds_cuts_nothing",
    ),
    Mutant(
        "doubled-key-accepted",
        "of two equal keys of a policy file the second wins in silence",
        (
            Change(
                "libs/policy/files.py",
                "            if first & (same :=",
                "            if set() & (same :=",
            ),
        ),
        f"{FILES}::test_of_two_equal_keys_neither_wins",
        f"{FILES}::test_a_whole_file_is_read_in_its_shape",
    ),
    Mutant(
        "octal-rupiah",
        "an amount of a policy file with a zero before it is read as an octal number, and paid",
        (
            Change(
                "libs/policy/files.py",
                '_Plain.add_constructor("tag:yaml.org,2002:int", _Plain.whole)\n',
                "",
            ),
        ),
        f"{FILES}::test_a_number_that_people_read_in_another_way_than_yaml_is_refused[0225000]",
        f"{FILES}::test_a_whole_file_is_read_in_its_shape",
    ),
)
