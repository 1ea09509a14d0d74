"""A partner's word is proven before it counts: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

BANK: Final = "tests/integration/attacks/test_bank_address_taken_over.py"
KEYS: Final = "tests/unit/chassis/test_partner_keys.py"
TLS: Final = "tests/unit/chassis/test_partner_tls.py"
DOOR: Final = (
    "tests/integration/attacks/test_bank_without_our_certificate.py"
    "::test_no_file_goes_to_and_no_request_comes_through_a_wrong_certificate"
)
SIMULATED: Final = "tests/integration/simulators/test_processes.py"
ANSWERS: Final = "tests/unit/payments/test_answers.py"

PARTNERS: Final = (
    Mutant(
        "hash-not-compared-with-the-bank",
        "an answer is taken for ours whichever file it says was taken",
        (
            Change(
                "services/payments/partners/answers.py",
                "    if rows[0][-1] != sent.sha256:\n",
                "    if not rows[0][-1]:\n",
            ),
        ),
        f"{ANSWERS}::test_an_answer_to_another_file_than_was_committed_is_an_incident",
        f"{ANSWERS}::test_a_banks_answer_is_taken_line_by_line",
    ),
    Mutant(
        "signature-not-checked",
        "an answer is taken for a partner's whoever signed it",
        (
            Change(
                "services/payments/partners/client.py",
                "        if fault is not None:\n",
                "        if fault == partner:\n",
            ),
        ),
        f"{BANK}::test_whoever_takes_the_file_in_the_bank_s_place_cannot_sign_for_it[unsigned]",
        f"{BANK}::test_an_answer_to_a_file_that_was_never_sent_credits_nobody",
    ),
    Mutant(
        "any-partner-s-key",
        "an answer of one partner may be signed by another one",
        (
            Change(
                "libs/chassis/partner_keys.py",
                "        if key.partner != partner:\n",
                "        if not key.partner:\n",
            ),
        ),
        f"{KEYS}::test_a_partner_is_believed_by_its_own_key_over_the_very_body",
        f"{KEYS}::test_a_key_that_left_the_register_is_unknown",
    ),
    Mutant(
        "expired-key-counts",
        "a key of the register counts on every day",
        (
            Change(
                "libs/chassis/partner_keys.py",
                "        if not key.counts_on(self.clock().date()):\n",
                "        if not key.kid:\n",
            ),
        ),
        f"{KEYS}::test_a_key_counts_on_its_days_alone",
        f"{KEYS}::test_a_partner_is_believed_by_its_own_key_over_the_very_body",
    ),
    Mutant(
        "sums-not-compared-with-the-committed-file",
        "an answer that agrees with itself is taken, whatever was committed",
        (
            Change(
                "services/payments/partners/answers.py",
                "    _require_sums(which, sent.totals, answers)\n",
                "",
            ),
        ),
        f"{ANSWERS}::test_an_answer_whose_sums_are_not_the_committed_file_s_is_not_taken[rupiah]",
        f"{ANSWERS}::test_a_banks_answer_is_taken_line_by_line",
    ),
    Mutant(
        "file-id-computable",
        "a file's id follows from its run and its bank",
        (
            Change(
                "services/payments/workers/partner_exchange.py",
                "token_bytes(DRAWN_BYTES)",
                "bytes(DRAWN_BYTES)",
            ),
            Change(
                "services/payments/workers/partner_exchange.py",
                "from secrets import token_bytes\n",
                "",
            ),
        ),
        f"{BANK}::test_nobody_knows_a_file_s_id_before_it_is_committed",
        f"{BANK}::test_an_answer_of_the_old_form_names_no_file_and_credits_nobody",
    ),
    Mutant(
        "incident-asked-again",
        "a partner whose word could not be its own is asked again by itself",
        (
            Change(
                "services/payments/partners/answers.py",
                "    if (found := state.incident_of(partner)) is not None:\n",
                "    if (found := state.incident_of(partner)) and not found.error:\n",
            ),
        ),
        f"{BANK}::test_an_incident_stops_the_bank_s_part_until_a_person_has_judged_it",
        f"{BANK}::test_an_answer_to_a_file_that_was_never_sent_credits_nobody",
    ),
    Mutant(
        "unsigned-word-about-a-cancelled-order",
        "whoever answers for the treasury about a cancelled order is asked again and again",
        (
            Change(
                "services/payments/workers/canceller.py",
                "        except PartnerIncident as incident:\n",
                "        except LookupError as incident:\n",
            ),
        ),
        f"{BANK}::test_whoever_answers_for_a_cancelled_order_without_a_signature_gives_nothing_back",
        f"{BANK}::test_an_answer_of_the_old_form_names_no_file_and_credits_nobody",
    ),
    Mutant(
        "partner-asked-in-clear",
        "an http address of a partner is taken, wherever it is",
        (
            Change(
                "libs/chassis/settings.py",
                "not (alone and part.hostname in THIS_MACHINE)",
                "not (alone or part.hostname)",
            ),
        ),
        f"{TLS}::test_nobody_is_asked_in_clear_but_whom_this_machine_simulates[bank on Kafka]",
        f"{TLS}::test_beside_the_embedded_bus_a_simulated_partner_is_asked_in_clear",
    ),
    Mutant(
        "any-authority-issues-for-a-bank",
        "a partner is believed by every CA that this machine knows",
        (
            Change(
                "libs/chassis/partner_tls.py",
                "    context = ssl.create_default_context(cafile=ca)\n",
                "    context = ssl.create_default_context()\n",
            ),
        ),
        f"{TLS}::test_a_server_has_to_prove_itself_by_the_partners_own_ca",
        f"{TLS}::test_a_certificate_counts_on_its_days_alone[not yet]",
    ),
    Mutant(
        "host-not-compared",
        "any certificate of the partners' CA is taken for the one of the host that is asked",
        (
            Change(
                "libs/chassis/partner_tls.py",
                "    return PartnerTls(context, own_until,",
                "    context.check_hostname = False\n    return PartnerTls(context, own_until,",
            ),
        ),
        f"{DOOR}[of_another_host-]",
        f"{DOOR}[of_his_own_ca-]",
    ),
    Mutant(
        "client-s-certificate-not-demanded",
        "a simulated bank answers whoever reaches it",
        (Change("simulators/serve.py", "ssl.CERT_REQUIRED", "ssl.CERT_NONE"),),
        f"{SIMULATED}::test_a_bank_with_certificates_answers_only_who_has_one",
        f"{SIMULATED}::test_a_process_ends_in_good_order_when_it_is_told_to",
    ),
    Mutant(
        "withdrawn-file-under-a-new-id",
        "a file that its partner may have all the same is sent anew under another id",
        (
            Change(
                "services/payments/domain/run/decider.py",
                "        if bank_of(other) == bank_of(sent) and other.file != sent.file:\n",
                "        if bank_of(other) == bank_of(sent) and not other.file:\n",
            ),
        ),
        "tests/unit/payments/test_run_deferrals.py"
        "::test_a_file_that_was_withdrawn_is_sent_anew_under_its_own_id_alone",
        "tests/unit/payments/test_run_deferrals.py::test_a_line_leaves_by_name[funded]",
    ),
)
