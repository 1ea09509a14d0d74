"""Records of who reads families' data, and limits of looking people up."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

THOUSAND: Final = "tests/integration/attacks/test_identities_by_the_thousand.py"
READS: Final = "tests/unit/chassis/test_reads.py"
NOTING: Final = "tests/unit/chassis/test_noting.py"
EVERY: Final = "tests/contract/test_reads.py"
NAMED: Final = f"{NOTING}::test_a_record_names_operation_filters_and_families"

RECORDED: Final = (
    Mutant(
        "look-up-without-record",
        "who looks up identities is told them, and no record stands in the log",
        (
            Change(
                "libs/chassis/noting.py",
                "            await self._append(command)\n",
                "            self._done()\n",
            ),
        ),
        "tests/integration/registry/test_access.py"
        "::test_identities_are_told_as_the_card_has_them_and_the_reader_is_written_down",
        NAMED,
    ),
    Mutant(
        "limit-not-counted",
        "a subject looks up a day's limit again and again",
        (
            Change(
                "libs/chassis/reads.py",
                "            return ReadsOfDay(state.looked_up + asked)\n",
                "            return state\n",
            ),
        ),
        f"{READS}::test_a_look_up_beyond_the_days_limit_is_refused_whole",
        f"{READS}::test_many_families_are_named_by_several_events",
    ),
    Mutant(
        "limit-by-spelling",
        "another spelling of one's name has a limit of its own",
        (Change("libs/chassis/reads.py", "folded_name(subject).encode()", "subject.encode()"),),
        f"{READS}::test_one_person_has_one_stream_a_day_however_the_name_is_typed[Officer-1]",
        f"{READS}::test_a_name_stands_in_no_streams_id",
    ),
    Mutant(
        "purpose-not-asked",
        "identities are told to whoever names no purpose",
        (
            Change(
                "services/registry/http/families.py",
                "        if self.purpose is None or self.purpose not in rules.purposes:\n",
                "        if self.purpose is None:\n            return 'NONE'\n"
                "        if self.purpose not in rules.purposes:\n",
            ),
        ),
        f"{THOUSAND}::test_nobody_is_told_without_a_purpose_of_the_list[None]",
        f"{THOUSAND}::test_nobody_is_told_without_a_purpose_of_the_list[CURIOSITY]",
    ),
    Mutant(
        "family-read-without-record",
        "who reads a family leaves no record",
        (
            Change(
                "libs/chassis/regions.py", '    if request.method == "GET":\n', "    if False:\n"
            ),
        ),
        f"{EVERY}::test_a_read_of_one_family_names_it_and_a_foreign_one_is_no_read[payments]",
        NAMED,
    ),
    Mutant(
        "number-in-groups-recorded",
        "a person's number with points in it, as a filter, stands in a record for ever",
        (Change("libs/chassis/noting.py", "(?!(?:.*[0-9]){{16}})", ""),),
        f"{NOTING}::test_a_filter_that_may_be_anything_is_not_repeated[6103.0145.0590.0001]",
        NAMED,
    ),
    Mutant(
        "answered-without-record",
        "a route that forgot its record answers all the same",
        (Change("libs/chassis/app.py", "            Middleware(noted_first),\n", ""),),
        f"{NOTING}::test_an_answer_whose_record_was_left_out_does_not_go_out",
        NAMED,
    ),
)
