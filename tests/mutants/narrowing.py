"""A topic names nobody by their birth: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

NARROWING: Final = (
    Mutant(
        "born-on-that-day",
        "a narrow topic tells what the wide one tells, birth dates too",
        (
            Change(
                "libs/events/bus/narrowing.py",
                "            if field in holder:  #",
                "            if False:  #",
            ),
        ),
        "tests/unit/events/test_narrowing.py"
        "::test_a_day_becomes_the_ten_years_around_it_and_what_may_be_shown_is_only_whether",
        "tests/unit/events/test_narrowing.py"
        "::test_the_wide_topic_and_a_type_that_is_not_named_go_out_byte_for_byte",
    ),
    Mutant(
        "sent-for-ever",
        "a topic is sent and filled again after its last day",
        (
            Change(
                "libs/events/bus/topics.py",
                "        return [topic for topic in topics if not self.has_ended(topic, on)]\n",
                "        return topics\n",
            ),
        ),
        "tests/integration/events/test_narrow_topics.py"
        "::test_a_topic_that_ended_is_neither_sent_nor_filled_again",
        "tests/integration/events/test_narrow_topics.py"
        "::test_what_was_said_before_goes_out_on_the_narrow_topic_too",
    ),
    Mutant(
        "read-for-ever",
        "a service that reads a topic starts after its last day",
        (
            Change(
                "libs/chassis/catalogue.py",
                "            if topics.has_ended(topic, today):\n",
                "            if False:\n",
            ),
        ),
        "tests/unit/chassis/test_catalogue.py"
        "::test_a_topic_is_read_until_its_last_day[2020-01-01-1]",
        "tests/unit/chassis/test_catalogue.py"
        "::test_a_topic_is_read_until_its_last_day[9999-12-31-0]",
    ),
    Mutant(
        "without-a-past",
        "a narrow topic begins with what is said after it was declared",
        (
            Change(
                "libs/events/relay/outbox.py",
                "                if own < last.get((wide, partition), 0):\n",
                "                if False:\n",
            ),
        ),
        "tests/integration/events/test_narrow_topics.py"
        "::test_what_was_said_before_goes_out_on_the_narrow_topic_too",
        "tests/integration/events/test_narrow_topics.py"
        "::test_a_narrow_topic_that_was_lost_is_filled_again",
    ),
)
