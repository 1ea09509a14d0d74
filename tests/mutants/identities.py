"""Rules of who a person is, and who counts for money."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

TWO_CARDS: Final = "tests/integration/attacks/test_one_newborn_under_two_cards.py"
GHOSTS: Final = "tests/integration/attacks/test_ghost_members.py"
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
                'return "DUPLICATE_NIK" if member.member in elsewhere else ""',
                'return ""',
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
                "services/payments/workers/list_joiner.py",
                " for m in line.roster.members if not m.not_counted",
                " for m in line.roster.members",
            ),
        ),
        f"{GHOSTS}::test_ghosts_are_on_file_and_raise_no_money[short]",
        f"{GHOSTS}::test_no_ghost_is_born_under_what_only_looks_like_a_number[a word]",
    ),
)
