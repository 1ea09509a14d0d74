"""Keys are changed and none is lost, and a retired one is refused: each rule broken once."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

_ROTATION: Final = "tests/integration/privacy/test_rotation.py"
_RECOGNITION: Final = "tests/integration/privacy/test_recognition.py"
_TOKENS: Final = "tests/integration/registry/test_token_change.py"
_VERSIONS: Final = "tests/unit/privacy/test_versions.py"
_WRAPPING: Final = "tests/unit/privacy/test_wrapping.py"
_MODULE: Final = "tests/unit/privacy/test_security_module.py"

ROTATION: Final = (
    Mutant(
        "silent-module-breaks-keys",
        "keys count as broken while the security module is silent, and their families are left out",
        (
            Change(
                "libs/privacy/security_module.py",
                "                    if self.answers():\n",
                "                    if True:\n",
            ),
        ),
        f"{_MODULE}::test_a_silent_module_makes_no_key_a_broken_one",
        f"{_MODULE}::test_a_wrapped_key_that_was_changed_or_moved_does_not_open",
    ),
    Mutant(
        "key-leaves-the-module",
        "the key-encryption key is one that can be read out of its module",
        (
            Change(
                "libs/privacy/security_module.py",
                " or key[of.EXTRACTABLE] or",
                " or",
            ),
        ),
        f"{_MODULE}::test_a_key_that_may_leave_or_is_another_is_refused[extractable]",
        f"{_MODULE}::test_a_lost_session_is_opened_again",
    ),
    Mutant(
        "old-key-under-a-new-version",
        "the secret of a retired version stays in use as that of a new one",
        (
            Change(
                "libs/privacy/versions.py",
                "        if len({key for _, key in lines}) < len(lines):\n",
                "        if False:\n",
            ),
        ),
        f"{_VERSIONS}::test_no_version_has_the_secret_of_another",
        f"{_VERSIONS}::test_the_version_in_use_stands_first_whatever_its_number",
    ),
    Mutant(
        "rewrap-loses-a-key",
        "a key that is wrapped again is another one",
        (
            Change(
                "libs/privacy/rotation.py",
                "    again = wrapper.wrap(family, version, secret)\n"
                "    if wrapper.unwrap(family, version, again) != secret:\n"
                "        raise WrapBroken("
                "family=family, version=version, kek=wrapper.kek.in_use)\n",
                "    again = wrapper.wrap(family, version, secret[::-1])\n",
            ),
        ),
        f"{_WRAPPING}::test_a_key_is_wrapped_again_under_the_one_in_use_and_is_the_same_key",
        f"{_WRAPPING}::test_a_key_is_wrapped_under_the_one_in_use_while_another_only_opens",
    ),
    Mutant(
        "rewrap-brings-back-an-erased-key",
        "a key that was destroyed while it was wrapped again is there again",
        (
            Change(
                "libs/privacy/rotation.py",
                "SET wrapped = again.wrapped\n",
                "SET wrapped = again.wrapped, destroyed_at = NULL\n",
            ),
            Change(
                "libs/privacy/rotation.py",
                " AND keys.destroyed_at IS NULL\n",
                "\n",
            ),
            Change(
                "libs/privacy/migrations/003_rotation.sql",
                "    IF OLD.wrapped IS NULL OR kek_of(NEW.wrapped) <= kek_of(OLD.wrapped)\n"
                "       OR (NEW.family, NEW.version)",
                "    IF kek_of(NEW.wrapped) <= kek_of(OLD.wrapped)\n"
                "       OR (NEW.family, NEW.version)",
            ),
        ),
        f"{_ROTATION}::test_an_erased_family_stays_erased_also_where_its_key_was_read_before",
        f"{_ROTATION}::test_every_key_is_wrapped_again_and_is_the_same_key",
    ),
    Mutant(
        "retired-key-is-taken",
        "a file may have a key in use that was taken out of use",
        (
            Change(
                "libs/privacy/rotation.py",
                "    if versions.in_use <= up_to:\n",
                "    if versions.in_use < up_to:\n",
            ),
        ),
        f"{_ROTATION}::test_a_key_that_was_taken_out_is_retired_for_everybody",
        f"{_ROTATION}::test_a_first_key_retires_nothing",
    ),
    Mutant(
        "needed-key-is-missing",
        "a service starts though its file lacks a key under which there are some",
        (
            Change(
                "libs/privacy/rotation.py",
                "        if version not in kek.numbers:\n",
                "        if version > kek.in_use:\n",
            ),
        ),
        f"{_ROTATION}::test_a_file_that_lacks_a_key_which_is_needed_is_refused",
        f"{_ROTATION}::test_a_key_that_was_taken_out_is_retired_for_everybody",
    ),
    Mutant(
        "another-services-key-is-taken",
        "a service starts with a file under which none of its keys opens, and seals with it",
        (
            Change(
                "libs/privacy/rotation.py",
                "        if judged and not await",
                "        if not judged and not await",
            ),
        ),
        f"{_ROTATION}::test_a_file_with_another_secret_is_refused_by_its_version",
        f"{_ROTATION}::test_a_first_key_retires_nothing",
    ),
    Mutant(
        "key-of-cases-is-retired-nowhere",
        "keys of cases are made under a version that complaints has retired",
        (
            Change(
                "libs/privacy/migrations/008_own_kek.sql",
                "    IF EXISTS (SELECT FROM made JOIN complaints.retired",
                "    IF EXISTS (SELECT FROM made JOIN public.retired",
            ),
        ),
        f"{_ROTATION}::test_a_retired_key_of_cases_is_retired_for_cases_alone",
        f"{_ROTATION}::test_a_first_key_retires_nothing",
    ),
    Mutant(
        "token-of-a-key-in-use-is-forgotten",
        "tokens are forgotten by which somebody is recognised still, who would be new then",
        (
            Change(
                "libs/privacy/recognition.py",
                "WHERE version <= (SELECT coalesce(max(up_to), 0) FROM retired WHERE kind = $1)",
                "WHERE version > (SELECT coalesce(max(up_to), 0) FROM retired WHERE kind = $1)",
            ),
            Change(
                "libs/privacy/migrations/005_ended_tokens.sql",
                "IF NOT EXISTS (SELECT FROM retired",
                "IF false AND NOT EXISTS (SELECT FROM retired",
            ),
        ),
        f"{_RECOGNITION}::test_tokens_of_a_retired_key_are_forgotten_and_everybody_stays_known",
        f"{_RECOGNITION}::test_everybody_has_the_same_token_at_each_stage_of_the_change",
    ),
    Mutant(
        "token-key-changed-before-all-are-known",
        "registry retires a token key while numbers are known by it alone",
        (
            Change(
                "services/registry/workers/token_change.py",
                "        if naming:\n",
                "        if not window:\n",
            ),
        ),
        f"{_TOKENS}::test_the_old_key_is_not_retired_before_everybody_is_known_without_it",
        f"{_TOKENS}::test_a_change_goes_on_where_it_was",
    ),
    Mutant(
        "newcomer-is-known-by-one-key",
        "who comes while the token key is changed is not known under the new one",
        (
            Change(
                "libs/privacy/recognition.py",
                "        if new and keep:\n",
                "        if new and keep and 1 not in self._by:\n",
            ),
        ),
        f"{_TOKENS}::test_who_comes_during_the_change_is_known_without_the_job",
        f"{_RECOGNITION}::test_who_is_new_after_a_change_is_known_by_the_new_key_for_good",
    ),
    Mutant(
        "who-was-second-decides",
        "two who meet somebody new at once each go on with a token of their own",
        (
            Change(
                "libs/privacy/recognition.py",
                "            found |= await self._found(new)",
                "            found |= {}",
            ),
        ),
        f"{_RECOGNITION}::test_two_who_meet_somebody_new_at_once_agree_whatever_keys_they_have",
        f"{_RECOGNITION}::test_everybody_has_the_same_token_at_each_stage_of_the_change",
    ),
    Mutant(
        "old-token-key-goes-first-elsewhere",
        "conditionality goes on without a token key that registry still needs",
        (
            Change(
                "libs/privacy/rotation.py",
                "    if oldest - 1 > await retired_up_to(pool, kind):\n",
                "    if oldest - 2 > await retired_up_to(pool, kind):\n",
            ),
        ),
        f"{_RECOGNITION}::test_nobody_goes_on_without_an_old_key_that_registry_has_not_retired",
        f"{_RECOGNITION}::test_everybody_has_the_same_token_at_each_stage_of_the_change",
    ),
)
