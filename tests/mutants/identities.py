"""Rules of who a person is, and who counts for money."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

TWO_CARDS: Final = "tests/integration/attacks/test_one_newborn_under_two_cards.py"
GHOSTS: Final = "tests/integration/attacks/test_ghost_members.py"
STRANGER: Final = "tests/integration/attacks/test_stranger_named_first.py"
CARDS: Final = "tests/integration/registry/test_duplicates.py"
WHOSE: Final = "tests/unit/registry/test_adjudications.py"
NUMBERS: Final = "tests/unit/registry/test_member_numbers.py"
TOKENS: Final = "tests/unit/privacy/test_pseudonyms.py"

IDENTITIES: Final = (
    Mutant(
        "number-as-it-is-written",
        "a number in full-width digits has another token than the same number in plain ones",
        (
            Change(
                "libs/privacy/pseudonyms.py",
                """    number = unicodedata.normalize("NFKC", text)
    if not _NUMBER.fullmatch(number):
        raise ValueError("A number has digits alone")
    return number
""",
                "    return text\n",
            ),
        ),
        f"{TOKENS}::test_a_number_has_one_token_in_whatever_digits_it_is_written",
        f"{TOKENS}::test_another_key_gives_another_token",
    ),
    Mutant(
        "ghost-counts",
        "a member without a valid number counts for money",
        (
            Change(
                "services/registry/domain/family/identities.py",
                "    if not member.nik_valid:\n",
                "    if False:\n",
            ),
        ),
        f"{GHOSTS}::test_ghosts_are_on_file_and_raise_no_money[none]",
        f"{GHOSTS}::test_no_ghost_is_born_under_what_only_looks_like_a_number[a word]",
    ),
    Mutant(
        "later-member-counts",
        "a person counts in every family that says to have them",
        (
            Change(
                "services/registry/domain/family/identities.py",
                "    if member.member not in persons.elsewhere:\n",
                "    if True:\n",
            ),
        ),
        f"{TWO_CARDS}::test_one_newborn_under_two_cards_is_paid_for_once[as told]",
        f"{GHOSTS}::test_ghosts_are_on_file_and_raise_no_money[none]",
    ),
    Mutant(
        "uncounted-is-paid",
        "payments pays for members whom registry does not count",
        (
            Change(
                "services/payments/workers/ready_lists.py",
                " for m in line.roster.members if not m.not_counted",
                " for m in line.roster.members",
            ),
        ),
        f"{GHOSTS}::test_ghosts_are_on_file_and_raise_no_money[short]",
        f"{GHOSTS}::test_no_ghost_is_born_under_what_only_looks_like_a_number[a word]",
    ),
    Mutant(
        "adjudication-ignored",
        "a list counts a person in the family that named them first, whatever two people decided",
        (
            Change(
                "services/registry/tables/person_claims.py",
                "SELECT claims.token, coalesce('family-' || family, stream_id) AS stream,",
                "SELECT claims.token, stream_id AS stream,",
            ),
        ),
        f"{STRANGER}::test_two_people_give_a_stranger_s_child_back_from_the_next_list_on",
        f"{STRANGER}::test_nobody_takes_a_person_alone",
    ),
    Mutant(
        "adjudicated-behind-the-cut",
        "a list counts a person by what two people decided behind its cut",
        (
            Change(
                "services/registry/tables/person_claims.py",
                "WHERE ($1::bigint IS NULL OR first_position <= $1)",
                "WHERE ($1::bigint IS NULL OR true)",
            ),
        ),
        f"{CARDS}::test_families_on_hold_are_judged_again_from_the_cut_on_that_knows_the_decision",
        f"{CARDS}::test_over_two_imports[0]",
    ),
    Mutant(
        "eligible-by-a-death",
        "a family is listed whose member has never had a number, once that member has died",
        (
            Change(
                "services/registry/domain/family/lines.py",
                "        return all(member.nik_valid for member in family.members)\n",
                "        return True\n",
            ),
        ),
        f"{NUMBERS}::test_who_dies_without_a_number_leaves_the_family_on_hold",
        f"{NUMBERS}::test_a_family_on_hold_is_judged_again_once_the_number_is_recorded",
    ),
    Mutant(
        "adjudicated-by-one",
        "one person alone decides whose a person is",
        (
            Change(
                "services/registry/domain/family/changes.py",
                "    return propose(state, fact,",
                "    return effect(fact, state, date.max) or propose(state, fact,",
            ),
        ),
        f"{WHOSE}::test_a_decision_waits_with_its_evidence_and_nothing_follows_from_it",
        f"{WHOSE}::test_a_line_says_why_a_member_does_not_count[ours]",
    ),
    Mutant(
        "taken-from-another-region",
        "two people of a region take a person from a family of another one",
        (
            Change(
                "services/registry/http/changes.py",
                "            await _ensure_theirs(unit, rows, approver)",
                "            await _ensure_theirs(unit, [], approver)",
            ),
        ),
        f"{STRANGER}::test_two_people_of_a_region_take_nobody_from_a_family_of_another",
        f"{STRANGER}::test_nobody_takes_a_person_alone",
    ),
    Mutant(
        "erased-family-blocks",
        "a member of an erased family counts nowhere else",
        (
            Change(
                "services/registry/tables/erasures.py",
                "       AND kind IN ('card', 'nik', 'person')",
                "       AND kind IN ('card', 'nik')",
            ),
        ),
        f"{STRANGER}::test_an_erased_family_blocks_nobody[named first]",
        f"{STRANGER}::test_nobody_takes_a_person_alone",
    ),
)
