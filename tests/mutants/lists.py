"""Lists come to an end, and none holds up another: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

PAYMENTS: Final = "tests/integration/payments"
REGISTRY: Final = "tests/integration/registry"
TAHAPS: Final = "tests/unit/payments/test_cancellation.py"
FAMILIES: Final = "tests/unit/registry"
SHARED: Final = "tests/integration/attacks/test_account_shared_by_families.py"
LISTING: Final = "tests/unit/registry/test_listing.py"
DEFERRALS: Final = "tests/unit/payments/test_tahap_deferrals.py"

LISTS: Final = (
    Mutant(
        "makes-way-although-begun",
        "a tahap whose list has begun makes way for an earlier one, as if nothing rested on it",
        (
            Change(
                "services/payments/http/announcing.py",
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
        "announced-before-the-corrected-one",
        "a tahap that made way is announced anew before what the earlier one is corrected to",
        (
            Change(
                "services/payments/workers/canceller.py",
                "any(loaded.state.upcoming is not None for loaded in found.values())",
                "False",
            ),
        ),
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_is_corrected_before_one_that_waits_behind_it",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_that_waits_behind_a_cancelled_one_goes_on_by_itself",
    ),
    Mutant(
        "makes-way-for-a-slip",
        "a tahap that never was, such as one of another year, has those make way that stand",
        (
            Change(
                "services/payments/domain/tahap/announcement.py",
                " if state.revision else ()",
                "",
            ),
        ),
        f"{TAHAPS}::test_nobody_makes_way_for_a_tahap_that_never_was",
        f"{TAHAPS}::test_a_cancelled_tahap_is_announced_again_before_one_that_waits",
    ),
    Mutant(
        "makes-way-unseen",
        "an approval has a tahap make way that nobody was shown",
        (
            Change(
                "services/payments/domain/tahap/announcement.py",
                " if other.tahap in proposal.behind]",
                "]",
            ),
        ),
        f"{TAHAPS}::test_nobody_makes_way_for_an_announcement_who_was_not_shown",
        f"{TAHAPS}::test_a_cancelled_tahap_is_announced_again_before_one_that_waits",
    ),
    Mutant(
        "corrected-into-the-next-months",
        "a correction takes the months of a tahap that makes way for it",
        (
            Change(
                "services/payments/domain/tahap/announcement.py",
                "    if shared:\n",
                "    if shared and not behind:\n",
            ),
        ),
        f"{TAHAPS}::test_a_correction_takes_no_month_of_a_tahap_that_makes_way",
        f"{TAHAPS}::test_a_later_tahap_that_waits_makes_way_for_a_correction_too",
    ),
    Mutant(
        "made-way-by-the-old-revision",
        "lines that were begun before a tahap made way are joined to what is announced anew",
        (
            Change(
                "services/payments/workers/canceller.py",
                "await open_list(unit, tahap, state.revision)",
                "await open_list(unit, tahap, 1)",
            ),
        ),
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_tahap_that_waits_behind_a_cancelled_one_goes_on_by_itself",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left",
    ),
    Mutant(
        "earlier-list-taken-back-first",
        "of two cancelled lists the later one brings back what the earlier one did",
        (
            Change(
                "services/registry/tables/list_queue.py",
                "FROM unlisting_open ORDER BY tahap DESC LIMIT 1",
                "FROM unlisting_open ORDER BY tahap LIMIT 1",
            ),
        ),
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_of_two_cancelled_lists_the_later_one_is_taken_back_first",
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_families_stand_again_as_before_the_cancelled_list",
    ),
    Mutant(
        "one-family-stops-the-take-back",
        "a family that cannot be taken back from a cancelled list keeps everybody on it",
        (
            Change(
                "services/registry/workers/unlister.py",
                "whose = (ConcurrencyConflict,), (UnknownEvent,)",
                "whose = (Exception,), (UnknownEvent,)",
            ),
        ),
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_a_family_that_cannot_be_taken_back_is_left_by_name_and_all_others_are",
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_families_stand_again_as_before_the_cancelled_list",
    ),
    Mutant(
        "held-by-a-cancelled-cycle",
        "of two payments of a family one stays held by a cycle that was withdrawn",
        (
            Change(
                "services/payments/consumers.py",
                """        commands += [
            (payment_id(*cycle), command)
            for cycle, command in effects
            if isinstance(command, ClearHold)
        ]
""",
                "",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_with_later_lists.py"
        "::test_a_supplementary_run_is_cancelled_with_its_tahap_and_paid_anew_once"
        "[supplementary-again-cycles-first]",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_cancelled_tahap_is_announced_again_and_each_family_is_paid_once",
    ),
    Mutant(
        "carried-hold-outlives-its-payment",
        "a supplementary payment that is void holds the money of the next announcement",
        (
            Change(
                "services/payments/domain/payment/state.py",
                "            hold = state.hold if event.kind == REGULAR else MoneyHold()\n",
                "            hold = state.hold\n",
            ),
        ),
        "tests/unit/payments/test_payment_entitlement.py"
        "::test_a_hold_that_was_carried_to_a_supplementary_payment_is_void_with_it",
        "tests/unit/payments/test_payment_entitlement.py"
        "::test_nothing_is_voided_that_was_never_entitled",
    ),
    Mutant(
        "reopening-undone-by-a-later-cancellation",
        "a family that was re-opened leaves again when a later tahap is cancelled",
        (
            Change(
                "services/registry/domain/family/rules.py",
                "            before = back(before, reopening.tahap)\n",
                "            pass\n",
            ),
        ),
        f"{REGISTRY}/test_reopenings.py"
        "::test_a_tahap_that_was_reopened_stays_so_when_a_later_one_is_cancelled",
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_families_stand_again_as_before_the_cancelled_list",
    ),
    Mutant(
        "listed-although-left",
        "a family that is left on a cancelled list is put on another one by that standing",
        (
            Change(
                "services/registry/workers/lister.py",
                "        left = await left_among(unit, families) - erased\n",
                "        left = set[str]()\n",
            ),
        ),
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_a_family_that_is_left_on_a_list_is_on_no_other_one",
        f"{REGISTRY}/test_cancelled_lists.py"
        "::test_families_stand_again_as_before_the_cancelled_list",
    ),
    Mutant(
        "taken-back-line-is-repeated",
        "a line that is asked for again puts a family back on a list that was cancelled since",
        (
            Change(
                "services/registry/domain/family/lines.py",
                "last is not None and last.order >= Listed.of(line).order",
                "True",
            ),
        ),
        f"{FAMILIES}/test_closings.py::test_a_line_that_was_taken_back_is_not_repeated",
        f"{FAMILIES}/test_closings.py"
        "::test_a_line_is_repeated_word_for_word_whatever_has_come_since",
    ),
    Mutant(
        "another-revisions-line-is-repeated",
        "lines that are asked for again are those of a list that was cancelled before",
        (
            Change(
                "services/registry/tables/identity_rows.py",
                "(data ->> 'revision')::int = $3",
                "$3::int IS NOT NULL",
            ),
        ),
        f"{REGISTRY}/test_listing.py::test_lines_of_a_list_made_anew_are_sent_again_as_they_are",
        f"{REGISTRY}/test_listing.py"
        "::test_one_bucket_that_is_asked_for_again_brings_its_own_lines_only",
    ),
    Mutant(
        "graduated-although-not-looked-at",
        "a family graduates although the late facts that may keep it could not be looked at",
        (
            Change(
                "services/registry/workers/lister.py",
                "await reviewer.review_together(unit, outcomes)",
                "await reviewer.review(unit, outcomes)",
            ),
        ),
        f"{REGISTRY}/test_withheld_families.py"
        "::test_a_family_whose_late_facts_cannot_be_looked_at_is_withheld_and_not_graduated",
        f"{REGISTRY}/test_reopenings.py"
        "::test_a_fact_that_was_stored_between_the_cut_and_the_line_is_found",
    ),
    Mutant(
        "one-unreadable-event-stops-a-list",
        "an event of one family that nobody can read keeps a nation from being listed",
        (
            Change(
                "services/registry/workers/lister.py",
                "ALSO_A_FAMILYS_OWN: Final = (UnknownEvent,)",
                "ALSO_A_FAMILYS_OWN: Final = ()",
            ),
        ),
        f"{REGISTRY}/test_withheld_families.py"
        "::test_a_family_with_an_event_that_nobody_can_read_is_withheld",
        f"{REGISTRY}/test_withheld_families.py"
        "::test_a_family_whose_stored_state_cannot_be_read_is_withheld",
    ),
    Mutant(
        "a-nation-withheld",
        "with a wrong key everybody is withheld, and nobody asks a person",
        (
            Change(
                "services/registry/domain/listing/decider.py",
                "if mendable > state.withheld_max and",
                "if False and",
            ),
        ),
        f"{LISTING}::test_families_that_somebody_could_mend_rest_a_list_beyond_a_thousand",
        f"{LISTING}::test_closing_says_what_the_list_came_to",
    ),
    Mutant(
        "destroyed-keys-rest-a-list",
        "families whose keys were destroyed, which nobody can mend, rest a list for ever",
        (
            Change(
                "services/registry/domain/listing/state.py",
                "family.reason not in THEIR_OWN for",
                "True for",
            ),
        ),
        f"{LISTING}::test_destroyed_keys_rest_no_list_and_those_beyond_a_thousand_are_told_apart",
        f"{LISTING}::test_closing_says_what_the_list_came_to",
    ),
    Mutant(
        "shared-account-listed",
        "families that share an account are listed, and paid, as all others",
        (
            Change(
                "services/registry/workers/lister.py",
                "[family for family in others if family not in shared]",
                "list(others)",
            ),
            Change(
                "services/registry/workers/lister.py",
                "for family, reason in sorted(shared.items()))",
                "for family, reason in ())",
            ),
        ),
        f"{SHARED}::test_families_that_share_an_account_are_withheld_by_name_and_all_others_are_listed",
        f"{SHARED}::test_families_whose_account_two_people_mend_are_listed_next_time",
    ),
    Mutant(
        "shared-as-of-now",
        "who shares an account is asked of families as they are, not as they were at the cut",
        (
            Change(
                "services/registry/workers/shared_payees.py",
                "_states(unit, others, listing.cut)",
                "_states(unit, others)",
            ),
        ),
        f"{REGISTRY}/test_withheld_families.py"
        "::test_who_shares_is_judged_as_of_the_cut_whatever_moved_behind_it",
        f"{SHARED}::test_families_that_share_an_account_are_withheld_by_name_and_all_others_are_listed",
    ),
    Mutant(
        "one-person-accepts",
        "one person alone lets a list go on without thousands of families",
        (
            Change(
                "services/registry/domain/listing/decider.py",
                "    if same_person(proposal.maker, command.checker):\n",
                "    if False:\n",
            ),
        ),
        f"{LISTING}::test_nobody_accepts_what_they_proposed_or_another_number",
        f"{LISTING}::test_two_people_let_a_list_go_on_up_to_a_number",
    ),
    Mutant(
        "another-number-accepted",
        "an approval accepts a number that the approver did not name",
        (
            Change(
                "services/registry/domain/listing/decider.py",
                "proposal is None or proposal.most != command.most",
                "proposal is None",
            ),
        ),
        f"{LISTING}::test_nobody_accepts_what_they_proposed_or_another_number",
        f"{LISTING}::test_two_people_let_a_list_go_on_up_to_a_number",
    ),
    Mutant(
        "frozen-without-names",
        "a list is frozen although not everybody whom it only counts is deferred by name",
        (
            Change(
                "services/payments/domain/tahap/decider.py",
                "    if len(deferred) != ready.withheld:\n",
                "    if False:\n",
            ),
        ),
        f"{DEFERRALS}"
        "::test_whom_the_registry_withheld_by_thousands_is_deferred_by_name_at_the_freeze",
        f"{DEFERRALS}::test_a_missing_family_is_deferred_by_name",
    ),
    Mutant(
        "ready-before-named",
        "a list can be frozen although families that it only counts have not been named",
        (
            Change(
                "services/payments/workers/list_joiner.py",
                "        if withheld != len(",
                "        if 0 > len(",
            ),
        ),
        f"{PAYMENTS}/test_joining.py::test_a_list_is_not_ready_before_everybody_withheld_is_named",
        f"{PAYMENTS}/test_joining.py"
        "::test_families_whom_the_end_of_the_roster_only_counts_are_deferred_by_name",
    ),
    Mutant(
        "withheld-at-the-freeze-forgotten",
        "whom the list only counts is not outstanding behind its freeze, and nobody pays them",
        (
            Change(
                "services/payments/domain/tahap/decider.py",
                ", *_withheld(command, ready)]",
                "]",
            ),
        ),
        f"{DEFERRALS}"
        "::test_whom_the_registry_withheld_by_thousands_is_deferred_by_name_at_the_freeze",
        f"{DEFERRALS}::test_a_missing_family_is_deferred_by_name",
    ),
)
