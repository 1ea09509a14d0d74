"""A topic names nobody by their birth: each rule broken by the smallest change."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_LOG: Final = "tests/integration/attacks/test_days_of_birth_in_the_log.py"

NARROWING: Final = (
    Mutant(
        "born-in-the-log",
        "days of births and pregnancies are stored in clear",
        (
            Change(
                "libs/privacy/days.py",
                "sealer.seal(family, _DAY, day.isoformat())",
                "day.isoformat()",
            ),
        ),
        f"{_LOG}::test_no_day_of_a_birth_or_a_pregnancy_stands_in_the_log",
        f"{_LOG}::test_an_erased_familys_stream_is_folded_again_without_its_key",
    ),
    Mutant(
        "born-beside-the-log",
        "what the wide topic tells of an erased family's days is kept",
        (
            Change(
                "services/registry/tables/erasures.py",
                "DELETE FROM wide_message WHERE stream_id = 'family-' || $1::uuid",
                "DELETE FROM wide_message WHERE stream_id = 'nobody-' || $1::uuid",
            ),
        ),
        f"{_LOG}::test_of_an_erased_family_no_day_is_left_anywhere",
        f"{_LOG}::test_no_day_of_a_birth_or_a_pregnancy_stands_in_the_log",
    ),
    Mutant(
        "wide-until-a-start",
        "what the wide topic told stays after its last day where registry runs on",
        (
            Change(
                "services/registry/workers/wide_messages.py",
                "self._forgotten or self.today() <= self.last:",
                "self._forgotten or today() <= self.last:",
            ),
        ),
        f"{_LOG}::test_a_registry_that_runs_on_forgets_what_the_wide_topic_told_when_it_has_ended",
        f"{_LOG}::test_once_the_wide_topic_has_ended_no_day_is_kept_at_all",
    ),
    Mutant(
        "wide-for-ever",
        "what the wide topic told is kept after its last day",
        (
            Change(
                "libs/events/store/transaction.py",
                "if rows and datetime.now(UTC).date() <= self._wide_until:",
                "if rows:",
            ),
        ),
        f"{_LOG}::test_once_the_wide_topic_has_ended_no_day_is_kept_at_all",
        f"{_LOG}::test_no_day_of_a_birth_or_a_pregnancy_stands_in_the_log",
    ),
    Mutant(
        "judged-without-a-birth",
        "a family whose key is destroyed graduates, because nobody of it was ever born",
        (
            Change(
                "services/registry/domain/family/lines.py",
                "    if family.closed:\n",
                "    if False:\n",
            ),
        ),
        "tests/unit/registry/test_closings.py"
        "::test_a_family_whose_days_are_lost_is_neither_judged_nor_graduated",
        "tests/unit/registry/test_closings.py::test_the_next_closing_lists_without_judging_again",
    ),
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
        "::test_a_reader_of_family_v1_starts_on_its_last_day_and_never_again",
        "tests/unit/chassis/test_catalogue.py"
        "::test_a_topic_is_read_until_its_last_day[9999-12-31-0]",
    ),
    Mutant(
        "read-from-outside-for-ever",
        "who reads from outside goes on with a topic after its last day",
        (
            Change(
                "libs/chassis/migrations.py",
                "list(topics.open(own, today))",
                "own",
            ),
        ),
        "tests/unit/chassis/test_catalogue.py"
        "::test_who_read_family_v1_from_outside_has_no_right_there_when_it_has_ended",
        "tests/unit/chassis/test_catalogue.py::test_this_platform_starts_when_family_v1_has_ended",
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
