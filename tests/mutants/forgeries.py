"""Nobody forges a message: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

FORGERIES: Final = (
    Mutant(
        "from-whomever",
        "a message is believed whoever it says that it is from",
        (
            Change(
                "libs/events/bus/malformed.py",
                "    if {*envelopes.sources} != {source_of(topics.owners[batch.topic])}:\n",
                "    if False:\n",
            ),
        ),
        "tests/unit/events/test_malformed.py"
        "::test_what_it_cannot_have_written_is_malformed_and_its_neighbours_are_not"
        "[another service]",
        "tests/unit/events/test_malformed.py::test_what_the_owner_s_relay_writes_is_its_message",
    ),
    Mutant(
        "every-role-sends",
        "a role of the embedded bus does what it has no right to",
        (
            Change(
                "libs/events/bus/embedded.sql",
                "    IF NOT allowed THEN\n",
                "    IF false THEN\n",
            ),
        ),
        "tests/integration/attacks/test_forged_messages.py"
        "::test_no_service_s_password_sends_a_message[projection-pkh.payments.payment.v1]",
        "tests/integration/attacks/test_forged_messages.py"
        "::test_the_relay_sends_on_every_topic_and_each_reader_gets_it",
    ),
    Mutant(
        "as-many-as-were-sent",
        "what was taken in is held against its owner's log by its position alone",
        (
            Change(
                "libs/events/store/taken.py",
                "                if mark.taken != self._hashes[partition, since]:\n",
                "                if False:\n",
            ),
        ),
        "tests/integration/attacks/test_forged_messages.py"
        "::test_a_forged_message_that_took_a_true_one_s_position_is_named",
        "tests/integration/attacks/test_forged_messages.py"
        "::test_what_the_owner_sent_comes_out_of_its_log_again",
    ),
)
