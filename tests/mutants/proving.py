"""Rules of proving what stores hold, each broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_VERIFY: Final = "tests/integration/events/test_verify.py"
_REFOLDING: Final = "tests/integration/events/test_refolding.py"
_HOLD: Final = "tests/integration/attacks/test_a_hold_taken_out_of_a_snapshot.py"
_SILENCED: Final = "tests/integration/attacks/test_a_witness_silenced.py"
_WITNESS: Final = "cli/client/witness.py"

PROVING: Final = (
    Mutant(
        "snapshots-not-held",
        "verify holds no snapshot against the event that led to it",
        (
            Change(
                "libs/events/store/verify.py",
                "for row in await connection.fetch(_STATES):",
                "for row in ():",
            ),
        ),
        f"{_HOLD}::test_a_true_snapshot_that_is_put_back_behind_the_theft_is_found",
        f"{_VERIFY}::test_a_log_as_it_was_written_has_no_findings",
    ),
    Mutant(
        "not-folded-again",
        "no stream is folded again, so what was decided on a false snapshot is believed",
        (
            Change(
                "libs/events/store/refolding.py",
                "return difference(codec_of(kind), snapshot, events)",
                "return None",
            ),
        ),
        f"{_HOLD}::test_a_hold_that_is_taken_out_before_the_credit_is_found_by_folding_behind_it",
        f"{_REFOLDING}::test_pages_go_through_all_streams",
    ),
    Mutant(
        "witness-of-any-age",
        "a witness who saw a store long ago is as good as one who saw it today",
        (
            Change(
                _WITNESS,
                "if service not in last or abs(now - last[service]) > age_max",
                "if service not in last",
            ),
        ),
        f"{_SILENCED}::test_an_end_that_was_cut_off_is_found_by_its_age",
        f"{_SILENCED}::test_one_store_that_the_witness_did_not_look_at_is_named",
    ),
    Mutant(
        "witness-without-a-chain",
        "a line of the witness stands behind any other",
        (Change(_WITNESS, "if chained and seen.previous != previous:", "if False:"),),
        f"{_SILENCED}::test_lines_of_another_file_of_the_same_witness_are_found",
        f"{_SILENCED}::test_a_line_that_was_taken_out_of_the_middle_is_found",
    ),
    Mutant(
        "stamped-whenever",
        "a line of the witness is believed however long after it the first time stamp came",
        (
            Change(
                "cli/client/time_stamps.py",
                "if first - seen.at > timedelta(hours=age_h_max):",
                "if False:",
            ),
        ),
        f"{_SILENCED}"
        "::test_a_file_that_was_written_anew_with_the_witness_s_key_is_older_than_its_stamps",
        f"{_SILENCED}::test_lines_behind_the_last_stamp_are_named",
    ),
)
