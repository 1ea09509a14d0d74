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
                "    if not {*envelopes.sources} <= topics.sources(batch.topic):\n",
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
    Mutant(
        "every-group",
        "who may read anything at Kafka is in whatever group it likes",
        (
            Change(
                "libs/events/bus/kafka_access.py",
                'Resource.group, f"{one.group}-", Pattern.prefixed',
                'Resource.group, "*", Pattern.literal',
            ),
        ),
        "tests/integration/attacks/test_forged_on_kafka.py::test_nobody_joins_another_s_group",
        "tests/integration/attacks/test_forged_on_kafka.py"
        "::test_each_service_sends_what_it_publishes_and_gets_what_it_reads",
    ),
    Mutant(
        "every-topic",
        "who sends at all at Kafka sends on every topic",
        (
            Change(
                "libs/events/bus/kafka_access.py",
                "Resource.topic, topic, Pattern.literal, Operation.write",
                'Resource.topic, "*", Pattern.literal, Operation.write',
            ),
        ),
        "tests/integration/attacks/test_forged_on_kafka.py"
        "::test_no_service_s_password_sends_a_message_on_another_s_topic"
        "[registry-pkh.payments.tahap.v1]",
        "tests/integration/attacks/test_forged_on_kafka.py::test_nobody_joins_another_s_group",
    ),
    Mutant(
        "kept-by-hand",
        "what somebody was once given at Kafka by hand stays",
        (
            Change(
                "libs/events/bus/kafka_access.py",
                "        taken, given = sorted(there - wanted), sorted(wanted - there)\n",
                "        taken, given = [], sorted(wanted - there)\n",
            ),
        ),
        "tests/integration/attacks/test_forged_on_kafka.py"
        "::test_what_was_given_by_hand_is_taken_away_by_the_next_start",
        "tests/integration/attacks/test_forged_on_kafka.py::test_nobody_joins_another_s_group",
    ),
    Mutant(
        "in-clear-across-the-network",
        "a broker elsewhere is spoken to in clear",
        (
            Change(
                "libs/chassis/settings.py",
                'urlsplit(f"//{broker}").hostname in THIS_MACHINE for broker',
                "bool(broker) for broker",
            ),
        ),
        "tests/unit/chassis/test_settings.py"
        "::test_a_service_that_kafka_would_not_know_does_not_start"
        "[changes0-PKH_KAFKA_SECURITY_PROTOCOL must be SASL_SSL: PKH_BUS_URL names a broker that"
        " is not]",
        "tests/unit/chassis/test_settings.py::test_a_service_at_kafka_is_a_user_over_tls",
    ),
    Mutant(
        "inbound-from-whomever",
        "on a topic that somebody outside writes whoever is registered for another is believed too",
        (
            Change(
                "libs/events/bus/topics.py",
                "return frozenset(map(inbound_source, self.writers[topic]))",
                "return frozenset(map(inbound_source, chain.from_iterable(self.writers.values())))",
            ),
            Change(
                "libs/events/bus/topics.py",
                "from pathlib import Path\n",
                "from itertools import chain\nfrom pathlib import Path\n",
            ),
        ),
        "tests/unit/events/test_malformed.py"
        "::test_on_an_inbound_topic_the_registered_writer_alone_is_believed",
        "tests/unit/events/test_malformed.py::test_what_the_owner_s_relay_writes_is_its_message",
    ),
    Mutant(
        "school-of-another-writer",
        "a writer from outside speaks for schools that are another's",
        (
            Change(
                "services/conditionality/domain/writers.py",
                "if reporter.startswith(term.reporters)]",
                "if reporter]",
            ),
        ),
        "tests/unit/conditionality/test_writers.py::test_for_anything_else_it_is_not_heard"
        "[writer4-pkh.inbound.education-attendance.v1-60141147-months4-Withheld.REPORTER_NOT_YOURS]",
        "tests/unit/conditionality/test_writers.py::test_it_speaks_in_the_areas_of_its_term",
    ),
    Mutant(
        "sent-twice-untold",
        "a message that was sent once more is passed over and told to nobody",
        (
            Change(
                "libs/events/consumer/checkpoints.py",
                "        if self.looked_at is not None and offset > self.looked_at:\n",
                "        if False:\n",
            ),
        ),
        "tests/unit/events/test_checkpoints.py"
        "::test_a_message_that_was_sent_once_more_is_counted_and_one_delivered_once_more_is_not",
        "tests/unit/events/test_checkpoints.py"
        "::test_a_topic_that_was_made_again_begins_its_offsets_again",
    ),
)
