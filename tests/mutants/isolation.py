"""One bad thing stops only itself, and says so: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

ATTACKS: Final = "tests/integration/attacks"
CONDITIONALITY: Final = "tests/integration/conditionality"
EVENTS: Final = "tests/integration/events"
PAYMENTS: Final = "tests/integration/payments"
REGISTRY: Final = "tests/integration/registry"

ISOLATION: Final = (
    Mutant(
        "one-key-raises-for-all",
        "a key that is destroyed is an error of everybody whose keys are fetched with it",
        (
            Change(
                "libs/privacy/keys.py",
                "        return {family: keys[family] for family in wanted if family in keys}\n",
                """        for family in wanted:
            if family not in keys or not keys[family].secrets:
                raise KeyDestroyed(family=family)
        return {family: keys[family] for family in wanted if family in keys}
""",
            ),
        ),
        f"{PAYMENTS}/test_closed_lines.py"
        "::test_keys_destroyed_behind_the_freeze_leave_their_families_out_of_the_check",
        f"{PAYMENTS}/test_troubles.py::test_a_busy_conditionality_is_waited_for_up_to_where_it_was",
    ),
    Mutant(
        "one-family-stops-the-list",
        "a family that cannot be listed is not looked for, and nobody is listed",
        (
            Change(
                "libs/events/consumer/batch_bisection.py",
                "not (is_item_fault(error) or isinstance(error, collected))",
                "True",
            ),
        ),
        f"{REGISTRY}/test_withheld_families.py"
        "::test_a_family_whose_key_is_destroyed_is_withheld_and_everybody_else_is_listed",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "one-row-stops-its-file",
        "a row of whom nothing can be read is an error of the whole file",
        (
            Change(
                "libs/chassis/imports.py",
                "WHOLE_FILE: Final = (Refusal, ConcurrencyConflict)\n",
                "WHOLE_FILE: Final = (Exception,)\n",
            ),
        ),
        f"{CONDITIONALITY}/test_facts.py"
        "::test_a_row_of_a_person_whose_facts_cannot_be_read_stops_no_other_row",
        f"{REGISTRY}/test_erased_rows.py"
        "::test_a_card_with_more_people_than_a_family_is_taken_and_warned_of_once",
    ),
    Mutant(
        "unknown-word-is-a-no",
        "what a bank says in a word that was never agreed is booked as failed",
        (
            Change(
                "services/payments/partners/answers.py",
                "    return Verdict.NO if word in FAILING else Verdict.OPEN\n",
                "    return Verdict.NO\n",
            ),
        ),
        f"{PAYMENTS}/test_partners_words.py::test_a_line_of_which_a_bank_says_neither_yes_nor_no"
        "_stays_open_and_is_asked_again[PENDING]",
        f"{PAYMENTS}/test_troubles.py"
        "::test_a_bank_that_is_away_does_not_keep_the_others_from_paying",
    ),
    Mutant(
        "malformed-record-stops-all",
        "a record that is no message stops the consumer of its topic",
        (
            Change(
                "libs/events/bus/malformed.py",
                "    with contextlib.suppress(EnvelopeMalformed):\n",
                "    with contextlib.suppress():\n",
            ),
            Change(
                "libs/events/consumer/subscription.py",
                "STOPS = (GapFound, UnknownEpoch, UnknownEvent, UnknownPartition)",
                "STOPS = (GapFound, UnknownEpoch, UnknownEvent, UnknownPartition, CorridorError)",
            ),
        ),
        f"{EVENTS}/test_malformed_records.py::test_a_topic_that_holds_nothing_else_holds_up_nobody",
        f"{EVENTS}/test_malformed_records.py"
        "::test_a_parked_message_is_dropped_and_what_waits_behind_it_is_replayed",
    ),
    Mutant(
        "strange-key-is-a-message",
        "a record whose key is of another partition is taken for a message of the topic's owner",
        (
            Change(
                "libs/events/bus/malformed.py",
                "        and {partition_of(key, count) for key in there} == {partition}\n",
                "",
            ),
        ),
        "tests/unit/events/test_malformed.py"
        "::test_what_it_cannot_have_written_is_malformed_and_its_neighbours_are_not[a strange key]",
        "tests/unit/events/test_malformed.py::test_what_the_owner_s_relay_writes_is_its_message",
    ),
    Mutant(
        "no-value-takes-a-place-in-the-log",
        "a record without a value moves the position of the message whose place it claims",
        (
            Change(
                "libs/events/bus/malformed.py",
                'return None if _are_json(batch.values) else "value"',
                "return None",
            ),
        ),
        f"{ATTACKS}/test_two_bytes_on_a_topic.py"
        "::test_a_record_that_takes_a_message_s_place_in_the_log_does_not_keep_it_out[embedded]",
        "tests/unit/events/test_malformed.py::test_what_the_owner_s_relay_writes_is_its_message",
    ),
    Mutant(
        "offset-alone-is-passed-over",
        "whatever comes to stand at the offset of a record that was dropped is passed over with it",
        (
            Change(
                "libs/events/consumer/inbox.py",
                "if self._dropped[positions[i]] == record_sha256(batch.record(i))",
                "if True",
            ),
        ),
        f"{ATTACKS}/test_two_bytes_on_a_topic.py"
        "::test_another_record_at_the_offset_of_one_that_was_dropped_is_taken",
        f"{EVENTS}/test_malformed_records.py::test_a_topic_that_holds_nothing_else_holds_up_nobody",
    ),
    Mutant(
        "one-cycle-stops-the-window",
        "a cycle that cannot be judged again stops all that follow it in the log",
        (
            Change(
                "services/conditionality/workers/re_decider.py",
                "await by_halves(unit, lines, again, (ConcurrencyConflict,))",
                "await by_halves(unit, lines, again, (Exception,))",
            ),
        ),
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_cycle_that_cannot_be_judged_again_waits_by_name_and_all_others_are_judged",
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_late_fact_makes_a_new_revision_and_the_tahap_is_closed_anew",
    ),
    Mutant(
        "one-fact-stops-the-window",
        "a fact that cannot be read stops all that follow it in the log",
        (
            Change(
                "services/conditionality/workers/re_decider.py",
                "        if not is_item_fault(error):\n",
                "        if error is not None:\n",
            ),
        ),
        f"{CONDITIONALITY}/test_unreadable_events.py"
        "::test_a_late_fact_that_cannot_be_read_may_be_of_any_month_and_stops_nobody",
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_late_fact_makes_a_new_revision_and_the_tahap_is_closed_anew",
    ),
    Mutant(
        "recorder-forgotten-while-waiting",
        "who recorded a fact of a cycle that waits may approve what follows from it",
        (
            Change(
                "services/conditionality/workers/re_decider.py",
                "                for actor in waiting.cause.recorded_by:\n"
                "                    late.add(line, waiting.cause.fact, actor)\n",
                "",
            ),
        ),
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_whoever_recorded_a_fact_is_named_once_a_cycle_that_waits_can_be_judged",
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_everyone_who_recorded_a_fact_behind_a_proposal_is_named",
    ),
    Mutant(
        "one-payment-stops-its-run",
        "a payment that cannot be read stops everybody's of its run",
        (
            Change(
                "services/payments/tables/payments.py",
                "= (ConcurrencyConflict,)\n",
                "= (Exception,)\n",
            ),
        ),
        f"{PAYMENTS}/test_set_aside.py"
        "::test_a_family_that_cannot_be_entitled_leaves_the_run_by_name",
        f"{PAYMENTS}/test_deferred_lines.py"
        "::test_a_line_that_leaves_before_the_check_is_neither_checked_nor_ordered",
    ),
    Mutant(
        "banks-word-is-dropped",
        "what a bank says of a payment that cannot be read is forgotten",
        (
            Change(
                "services/payments/tables/payments.py",
                "    await set_aside(unit, await pay_by_halves(unit, items))\n",
                "    await pay_by_halves(unit, items)\n",
            ),
        ),
        f"{PAYMENTS}/test_set_aside.py::test_a_banks_word_of_a_payment_that_cannot_be_read"
        "_is_kept_and_booked_once_it_can",
        f"{PAYMENTS}/test_deferred_lines.py"
        "::test_a_line_that_leaves_before_the_check_is_neither_checked_nor_ordered",
    ),
    Mutant(
        "paid-beside-an-open-payment",
        "a supplementary run pays beside a payment that is not known to be deferred",
        (
            Change(
                "services/payments/workers/entitle.py",
                "        if not isinstance(found.state, Unentitled | Deferred):\n",
                '        if found.state.transfer == "CREDITED":\n',
            ),
        ),
        f"{PAYMENTS}/test_set_aside.py"
        "::test_a_payment_that_is_not_known_to_be_deferred_is_not_paid_by_another_run",
        f"{PAYMENTS}/test_set_aside.py"
        "::test_a_payment_that_cannot_be_instructed_leaves_the_run_and_its_books_wait",
    ),
    Mutant(
        "one-payment-stops-the-take-back",
        "a payment that cannot be voided keeps its whole tahap from being taken back",
        (
            Change(
                "services/payments/workers/canceller.py",
                "        await pay_or_set_aside(unit, placed)\n",
                "        await pay(unit, [(item.payment, item.commands[0]) for item in placed])\n",
            ),
            Change(
                "services/payments/workers/canceller.py",
                "    pay_or_set_aside,\n    recalled_order,\n",
                "    pay,\n    pay_or_set_aside,\n    recalled_order,\n",
            ),
        ),
        f"{PAYMENTS}/test_not_void_yet.py"
        "::test_a_payment_that_cannot_be_voided_holds_up_nobody_elses_take_back",
        f"{PAYMENTS}/test_cancellation_behind_freeze.py"
        "::test_what_is_cancelled_behind_its_request_is_paid_anew_once",
    ),
    Mutant(
        "paid-before-it-is-void",
        "a payment that a cancelled announcement still has is paid by the next one",
        (
            Change(
                "services/payments/tables/payments.py",
                "    held = await not_void_yet(unit, [item.payment for item in items])\n",
                "    held = set[str]()\n",
            ),
        ),
        f"{PAYMENTS}/test_not_void_yet.py"
        "::test_a_payment_is_paid_by_no_later_announcement_before_it_is_void[entitled]",
        f"{PAYMENTS}/test_not_void_yet.py"
        "::test_a_payment_that_cannot_be_voided_holds_up_nobody_elses_take_back",
    ),
    Mutant(
        "funds-back-beside-an-unvoided-payment",
        "the treasury is booked to have the funds that stand with a payment which is not void yet",
        (
            Change(
                "services/payments/workers/canceller.py",
                "            answer = replace(answer, unvoided=await unvoided(unit, order))\n",
                "",
            ),
        ),
        f"{PAYMENTS}/test_not_void_yet.py"
        "::test_a_payment_that_cannot_be_voided_holds_up_nobody_elses_take_back",
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_what_is_corrected_behind_its_instructions_is_paid_in_full_and_once",
    ),
    Mutant(
        "swallowed-by-a-cancelled-revision",
        "what is set aside under a cancelled announcement stands for the same of the next one",
        (
            Change(
                "services/payments/migrations/012_set_aside_by_revision.sql",
                "ADD PRIMARY KEY (payment, revision, command, data)",
                "ADD PRIMARY KEY (payment, command, data )",
            ),
        ),
        f"{PAYMENTS}/test_not_void_yet.py"
        "::test_what_a_cancelled_revision_has_left_swallows_nothing_of_the_next",
        f"{PAYMENTS}/test_set_aside.py"
        "::test_a_banks_word_of_a_payment_that_cannot_be_read_is_kept_and_booked_once_it_can",
    ),
    Mutant(
        "let-go-unseen",
        "two people let lines go that they never saw without an answer",
        (
            Change(
                "services/payments/domain/run/deferral.py",
                "    if stands != named:\n        raise StaleHash(given=named, stands=stands)\n",
                "",
            ),
        ),
        "tests/unit/payments/test_run_unanswered.py"
        "::test_nothing_is_let_go_but_what_two_people_saw_without_an_answer[another-one]",
        "tests/unit/payments/test_run_unanswered.py"
        "::test_two_people_let_a_run_go_on_without_the_lines_that_have_no_answer",
    ),
    Mutant(
        "late-answer-takes-the-line-back",
        "a line that was let go is in its run again once the treasury answers",
        (
            Change(
                "services/payments/tables/unanswered.py",
                "UPDATE unanswered_line SET answer = $4 WHERE",
                "UPDATE run_line SET deferred = NULL, account_check = $4 WHERE",
            ),
        ),
        f"{PAYMENTS}/test_unanswered_checks.py"
        "::test_an_answer_that_comes_late_is_shown_and_pays_nobody[OK]",
        f"{PAYMENTS}/test_unanswered_checks.py"
        "::test_a_line_without_an_answer_is_deferred_by_two_people_and_the_others_are_paid",
    ),
    Mutant(
        "leader-fails-in-silence",
        "what a leader's work fails at is logged and kept nowhere",
        (
            Change(
                "libs/events/workers/backoff.py",
                "await self.store.pool.fetchval(_FAILED, self.work, item, text)",
                "1",
            ),
        ),
        f"{EVENTS}/test_backoff.py::test_a_step_that_fails_as_a_whole_is_told_until_it_succeeds",
        f"{EVENTS}/test_backoff.py::test_a_fault_of_the_infrastructure_is_no_items_fault",
    ),
)
