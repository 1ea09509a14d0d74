"""Safety rules, each with the smallest change that breaks it and the test that must see it."""

from __future__ import annotations

from typing import Final

from tests.mutants.appeals import APPEALS
from tests.mutants.approvals import APPROVALS
from tests.mutants.cases import CASES
from tests.mutants.changes import CHANGES
from tests.mutants.console import CONSOLE
from tests.mutants.corridor import CORRIDOR
from tests.mutants.cuts import CUTTING
from tests.mutants.erasing import ERASING
from tests.mutants.exceptions import EXCEPTIONS
from tests.mutants.forgeries import FORGERIES
from tests.mutants.forms import FORMS
from tests.mutants.graduation import GRADUATION
from tests.mutants.holds import HOLDS
from tests.mutants.identities import IDENTITIES
from tests.mutants.isolation import ISOLATION
from tests.mutants.issuers import ISSUERS
from tests.mutants.limits import LIMITS
from tests.mutants.lists import LISTS
from tests.mutants.mutant import Change, Mutant
from tests.mutants.narrowing import NARROWING
from tests.mutants.partners import PARTNERS
from tests.mutants.persons import PERSONS
from tests.mutants.proving import PROVING
from tests.mutants.reads import RECORDED
from tests.mutants.regions import REGIONS
from tests.mutants.rotation import ROTATION
from tests.mutants.sessions import SESSIONS
from tests.mutants.sums import SUMS
from tests.mutants.telemetry import TELEMETRY
from tests.mutants.walls import WALLS

CONDITIONALITY: Final = "tests/integration/conditionality"
PAYMENTS: Final = "tests/integration/payments"
REGISTRY: Final = "tests/integration/registry"

MUTANTS: Final = (
    *CORRIDOR,
    *TELEMETRY,
    *FORGERIES,
    *NARROWING,
    *FORMS,
    *ISOLATION,
    *ISSUERS,
    *PARTNERS,
    *LISTS,
    *GRADUATION,
    *CHANGES,
    *IDENTITIES,
    *CUTTING,
    *HOLDS,
    *PERSONS,
    *PROVING,
    *REGIONS,
    *WALLS,
    *SUMS,
    *ERASING,
    *ROTATION,
    *LIMITS,
    *APPROVALS,
    *EXCEPTIONS,
    *RECORDED,
    *SESSIONS,
    *CASES,
    *CONSOLE,
    *APPEALS,
    Mutant(
        "closed-in-the-batch",
        "each batch judges for itself whether it was the last, and no leader looks",
        (
            Change(
                "services/conditionality/consumers.py",
                "                await _list_closed(unit, message.body)\n",
                """                await _list_closed(unit, message.body)
        from services.conditionality.workers.closer import close_in_batch

        await close_in_batch(unit)
""",
            ),
            Change(
                "services/conditionality/workers/closer.py",
                """    async def step(self) -> bool:
        \"\"\"Close, or close again where revisions came since; answers whether it did.\"\"\"
""",
                """    async def step(self) -> bool:
        \"\"\"Close, or close again where revisions came since; answers whether it did.\"\"\"
        return False
""",
            ),
            Change(
                "services/conditionality/workers/closer.py",
                "async def _repeat(unit: Transaction",
                """async def close_in_batch(unit: Transaction) -> None:
    for row in await unit.connection.fetch("SELECT tahap, listed FROM evaluation_open"):
        families, _ = await roster.counted(unit, row["tahap"])
        if families == row["listed"]:
            buckets = await roster.proof(unit, row["tahap"])
            command = CloseEvaluation(row["tahap"], families, (), buckets)
            await handle(unit, EVALUATION, "evaluation-" + row["tahap"], command)


async def _repeat(unit: Transaction""",
            ),
        ),
        f"{CONDITIONALITY}/test_evaluation.py"
        "::test_the_last_of_two_partitions_is_closed_by_the_leader[at once]",
        f"{CONDITIONALITY}/test_evaluation.py"
        "::test_the_last_of_two_partitions_is_closed_by_the_leader[one after another]",
    ),
    Mutant(
        "cut-ignored",
        "a list is made from families as they are when their turn comes",
        (
            Change(
                "services/registry/workers/lister.py",
                "self._written(unit, closing, cut, some",
                "self._written(unit, closing, None, some",
            ),
        ),
        f"{REGISTRY}/test_listing.py"
        "::test_what_is_stored_behind_the_cut_counts_for_the_next_list_only",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "replaced-leader-moves-a-run-back",
        "a run's cursor is set without being compared",
        (
            Change(
                "services/payments/tables/run_lines.py",
                " AND step = $5 AND cursor = $6 RETURNING",
                " AND $5::text IS NOT NULL AND $6::text IS NOT NULL RETURNING",
            ),
        ),
        f"{PAYMENTS}/test_crashes.py::test_a_leader_that_was_replaced_moves_no_run_back",
        f"{PAYMENTS}/test_run_jobs.py::test_a_run_that_is_cut_off_goes_on_from_its_cursor",
    ),
    Mutant(
        "replaced-leader-lists-on",
        "a leader writes a chunk's lines although another has listed it meanwhile",
        (
            Change(
                "services/registry/workers/lister.py",
                "        if not advanced.events:\n",
                "        if False:\n",
            ),
        ),
        f"{REGISTRY}/test_interrupted_lists.py"
        "::test_a_leader_that_was_replaced_within_a_chunk_adds_nothing",
        f"{REGISTRY}/test_listing.py::test_a_list_is_made_in_chunks_and_closed_with_proof",
    ),
    Mutant(
        "late-fact-slips-between",
        "on an evaluation nobody looks for facts that were recorded while it was made",
        (
            Change(
                "services/conditionality/workers/re_decider.py",
                "            await self._add_by_evaluations(unit, evaluated, last_fact, late)\n",
                "",
            ),
        ),
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_fact_recorded_while_its_evaluation_is_not_committed_is_found",
        f"{CONDITIONALITY}/test_late_facts.py"
        "::test_a_late_fact_makes_a_new_revision_and_the_tahap_is_closed_anew",
    ),
    Mutant(
        "unmatched-fact-swallowed",
        "facts of persons whom no family has are recorded and not noted",
        (
            Change(
                "services/conditionality/workers/recording.py",
                "    await keep_unmatched(unit.connection, "
                "[_unmatched(fact, sender) for fact in unknown])\n",
                "",
            ),
        ),
        f"{CONDITIONALITY}/test_unmatched.py"
        "::test_what_nobody_has_is_counted_by_school_and_month_and_found_again_by_line",
        f"{CONDITIONALITY}/test_unmatched.py"
        "::test_a_files_report_says_whose_rows_a_family_has_and_whose_none",
    ),
    Mutant(
        "facts-from-elsewhere",
        "whoever may report at all reports of persons of every region",
        (
            Change(
                "services/conditionality/workers/recording.py",
                "        may = sender.may_see(*regions.get(fact.token, sender.regions))\n",
                "        may = sender.may_see(*sender.regions)\n",
            ),
        ),
        f"{CONDITIONALITY}/test_unmatched.py"
        "::test_facts_of_a_person_who_lives_elsewhere_are_refused_and_named_by_line[other]",
        f"{CONDITIONALITY}/test_unmatched.py"
        "::test_facts_of_a_person_of_the_tokens_regions_are_taken[own]",
    ),
    Mutant(
        "misspelt-filter-passed-over",
        "a query parameter that an operation does not take is passed over",
        (
            Change(
                "libs/chassis/query.py",
                "    if mistakes := [*unknown, *repeated][:MISTAKES_MAX]:\n",
                "    if mistakes := [*repeated][:MISTAKES_MAX]:\n",
            ),
        ),
        "tests/unit/chassis/test_query.py"
        "::test_a_parameter_is_refused_by_name_and_nothing_personal_is_repeated"
        "[kinds=red-kinds-unknown_parameter]",
        "tests/unit/chassis/test_query.py"
        "::test_parameters_that_an_operation_takes_through_a_dependency_are_known",
    ),
    Mutant(
        "maker-approves",
        "who found what an investigation comes to also lets it stand",
        (
            Change(
                "services/conditionality/domain/commitment/investigations.py",
                "    if same_person(command.checker, finding.maker):\n",
                "    if False:\n",
            ),
        ),
        f"{CONDITIONALITY}/test_investigations.py"
        "::test_each_wrong_answer_has_a_problem_of_its_own_and_changes_nothing",
        f"{CONDITIONALITY}/test_investigations.py"
        "::test_a_confirmed_finding_that_another_approves_terminates",
    ),
    Mutant(
        "decided-unseen",
        "a family's money moves by a decision on what has changed since it was looked at",
        (
            Change(
                "services/conditionality/http/investigations.py",
                "        await seen.ensure_stream(unit, COMMITMENT, stream_id)\n",
                "",
            ),
        ),
        f"{CONDITIONALITY}/test_investigations.py::test_two_who_decide_at_once_bring_one_effect",
        f"{CONDITIONALITY}/test_investigations.py"
        "::test_a_confirmed_finding_that_another_approves_terminates",
    ),
    Mutant(
        "kept-although-cancelled",
        "an upload is kept whose end somebody was promised",
        (
            Change(
                "libs/chassis/import_jobs.py",
                " AND attempt = $2 AND cancelled_by IS NULL RETURNING true",
                " AND attempt = $2 RETURNING true",
            ),
        ),
        f"{REGISTRY}/test_import_jobs.py"
        "::test_an_upload_that_is_cancelled_behind_its_last_look_keeps_nothing",
        f"{REGISTRY}/test_import_jobs.py"
        "::test_an_upload_can_be_looked_at_while_it_goes_and_when_it_is_done",
    ),
    Mutant(
        "two-at-one-upload",
        "an upload is begun again while its first attempt still lives",
        (
            Change(
                "libs/chassis/import_jobs.py",
                "        if not await connection.fetchval(_ALIVE, lock):\n",
                "        if await connection.fetchval(_ALIVE, lock) is None:\n",
            ),
        ),
        f"{REGISTRY}/test_import_jobs.py"
        "::test_while_an_upload_lives_the_same_request_is_told_to_wait",
        f"{REGISTRY}/test_import_jobs.py"
        "::test_an_answered_request_is_answered_again_and_its_job_stays_done",
    ),
    Mutant(
        "announced-by-its-maker",
        "who proposed a tahap also announces it",
        (
            Change(
                "services/payments/domain/tahap/announcement.py",
                "    require_approval(proposal.maker, proposal.hash",
                "    require_approval('', proposal.hash",
            ),
        ),
        f"{PAYMENTS}/test_announcement.py::test_nobody_announces_what_they_proposed",
        f"{PAYMENTS}/test_announcement.py::test_another_person_announces_it_after_what_they_saw",
    ),
    Mutant(
        "heads-not-checked",
        "a tahap is announced after a position that no log has reached",
        (
            Change(
                "services/payments/domain/tahap/announcement.py",
                "    _require_reached(after, circumstances.answers)\n",
                "",
            ),
        ),
        f"{PAYMENTS}/test_announcement.py"
        "::test_a_position_is_held_against_the_log_at_the_approval_too",
        f"{PAYMENTS}/test_announcement.py::test_another_person_announces_it_after_what_they_saw",
    ),
    Mutant(
        "rule-sets-of-others-not-asked",
        "a tahap is announced by rules that payments alone can run",
        (
            Change(
                "services/payments/http/announcing.py",
                "    return (*found, ServiceAnswer(SERVICE, head, own))\n",
                """    everywhere = [ServiceAnswer(each.service, each.head, own) for each in found]
    return (*everywhere, ServiceAnswer(SERVICE, head, own))
""",
            ),
        ),
        f"{PAYMENTS}/test_announcement.py"
        "::test_a_rule_set_that_a_service_does_not_run_is_refused_by_service_and_reason[registry]",
        f"{PAYMENTS}/test_announcement.py::test_another_person_announces_it_after_what_they_saw",
    ),
    Mutant(
        "cancelled-behind-a-banks-file",
        "a tahap is cancelled although a bank may have a file of it",
        (
            Change(
                "services/payments/domain/run/cancellation.py",
                "    if state.dispatched:\n",
                "    if False:\n",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_a_tahap_is_never_cancelled_once_a_banks_file_is_committed",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left",
    ),
    Mutant(
        "cancelled-behind-the-order",
        "a cancelled tahap is announced anew although the treasury may still release its order",
        (
            Change(
                "services/payments/workers/canceller.py",
                "            if not recalled:\n",
                "            if True:\n",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_nothing_is_announced_anew_while_the_treasury_is_silent",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left",
    ),
    Mutant(
        "instructions-not-booked-back",
        "the instructions of a cancelled tahap stay in the ledger",
        (
            Change(
                "services/payments/domain/ledger.py",
                "            return _taken_back(event)\n",
                "            return ()\n",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_what_is_corrected_behind_its_instructions_is_paid_in_full_and_once",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_two_people_cancel_a_tahap_and_nothing_of_its_list_is_left",
    ),
    Mutant(
        "hung-canceller-undoes-the-next-revision",
        "a leader that hung over a cancellation voids payments of the next revision",
        (
            Change(
                "services/payments/workers/canceller.py",
                "            if kinds is None:\n                return False\n",
                "            kinds = kinds or [REGULAR]\n",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_a_canceller_that_hung_leaves_the_payments_of_the_next_revision_alone",
        f"{PAYMENTS}/test_cancellation_behind_order.py"
        "::test_a_leader_that_hung_over_a_cancellation_leaves_the_next_run_alone",
    ),
    Mutant(
        "run-goes-on-although-cancelled",
        "a run that was cancelled takes its next step all the same",
        (
            Change(
                "services/payments/tables/holds.py",
                "        raise RunMovedMeanwhile(tahap=job.key[0], kind=job.key[1])\n",
                "        return\n",
            ),
        ),
        f"{PAYMENTS}/test_cancellation_behind_freeze.py"
        "::test_a_step_that_comes_behind_the_cancellation_does_nothing",
        f"{PAYMENTS}/test_cancellation_behind_freeze.py"
        "::test_what_is_cancelled_behind_its_request_is_paid_anew_once",
    ),
    Mutant(
        "line-of-a-cancelled-list-counts",
        "a line of a cancelled announcement is joined into the list of the next one",
        (
            Change(
                "services/payments/consumers.py",
                "        and _revision(message.body) >= revisions[message.body.tahap]\n",
                "",
            ),
        ),
        f"{PAYMENTS}/test_cancellation.py"
        "::test_lines_of_the_corrected_announcement_alone_make_its_list",
        f"{PAYMENTS}/test_cancellation.py"
        "::test_a_correction_announces_anew_when_the_old_list_is_taken_back",
    ),
    Mutant(
        "effect-of-a-withdrawn-cycle-again",
        "a withdrawn cycle gives its revision to the next one, whose hold is taken for a copy",
        (
            Change(
                "services/conditionality/domain/commitment/rules.py",
                "    revision = cycle.revision + 1\n    cause",
                "    revision = cycle.revision - 1\n    cause",
            ),
        ),
        "tests/unit/conditionality/test_withdrawn_cycles.py"
        "::test_a_cycle_that_is_judged_anew_holds_anew_under_another_effect",
        "tests/unit/conditionality/test_withdrawn_cycles.py"
        "::test_a_family_that_was_never_judged_has_nothing_to_withdraw",
    ),
)
