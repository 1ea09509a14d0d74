"""Rules of changes that one person proposes and another lets be."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

UNIT: Final = "tests/unit/registry/test_changes.py"
DOOR: Final = "tests/integration/registry/test_changes.py"
ATTACK: Final = "tests/integration/attacks/test_payee_diverted_by_a_clerk_of_another_region.py"
DOMAIN: Final = "services/registry/domain/family/changes.py"

CHANGES: Final = (
    Mutant(
        "payee-changed-by-one",
        "a change of payee or account counts as soon as one clerk has sent it",
        (
            Change(
                DOMAIN,
                "        case PayeeChange():\n            return True\n",
                "        case PayeeChange():\n            return False\n",
            ),
        ),
        f"{UNIT}::test_a_change_of_payee_waits_and_the_list_pays_as_before",
        f"{UNIT}::test_a_death_lowers_what_is_paid_and_counts_at_once",
    ),
    Mutant(
        "change-approved-by-its-maker",
        "whoever proposed a change lets it be",
        (
            Change(
                DOMAIN,
                "if same_person(proposal.maker, command.checker):",
                "if same_person(proposal.maker, command.decision):",
            ),
        ),
        f"{UNIT}::test_nobody_approves_or_rejects_what_they_proposed[clerk-1]",
        f"{UNIT}::test_an_approved_change_of_payee_is_what_the_list_pays",
    ),
    Mutant(
        "row-of-any-region",
        "an import changes families of any region, once their card is known",
        (
            Change(
                "services/registry/http/csv_commands.py",
                "if owner is None or not self.importer.may_see(owner.region):",
                "if owner is None:",
            ),
        ),
        f"{ATTACK}::test_no_row_of_his_changes_a_family_of_another_region",
        f"{ATTACK}::test_his_account_is_not_paid_before_a_second_person_has_seen_it",
    ),
    Mutant(
        "move-confirmed-by-the-sender",
        "the side that a family leaves confirms its move into another region",
        (
            Change(
                "services/registry/tables/waiting_changes.py",
                "return self.receiver or self.region",
                "return self.region",
            ),
        ),
        f"{ATTACK}::test_a_family_that_he_sends_to_aceh_is_not_acehs_before_aceh_confirms_it",
        f"{ATTACK}::test_no_row_of_his_changes_a_family_of_another_region",
    ),
    Mutant(
        "born-as-an-adult",
        "a birth is taken however long ago it was",
        (
            Change(
                "services/registry/domain/family/plausible.py",
                "if days > command.rules.birth_reported_days_max:",
                "if days > 1_000 * command.rules.birth_reported_days_max:",
            ),
        ),
        "tests/unit/registry/test_life_events.py"
        "::test_who_was_born_long_ago_is_not_born_into_the_family[an adult]",
        "tests/unit/registry/test_life_events.py::test_a_birth_of_a_year_ago_is_a_birth",
    ),
    Mutant(
        "changes-decided-unseen",
        "a decision on changes does not ask what its person was shown",
        (
            Change(
                "services/registry/http/changes.py",
                "        seen.ensure(_digest(await _shown(unit, keys, rows)))\n",
                "        _digest(await _shown(unit, keys, rows))\n",
            ),
        ),
        f"{DOOR}::test_only_what_was_shown_is_decided",
        f"{DOOR}::test_what_is_approved_behind_the_cut_counts_for_the_next_list",
    ),
)
