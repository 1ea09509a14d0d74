"""Rules of whose tokens are believed, and for what."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Change, Mutant

SAYS_MORE: Final = (
    "tests/integration/attacks/test_an_issuer_says_more_than_it_may.py"
    "::test_a_token_that_says_more_than_its_issuer_may_is_refused"
)
SAYS_RIGHT: Final = (
    "tests/integration/attacks/test_an_issuer_says_more_than_it_may.py"
    "::test_each_issuer_says_what_it_may[bank]"
)
KEYS: Final = "tests/unit/chassis/test_auth.py"
AUTH: Final = "libs/chassis/auth.py"

ISSUERS: Final = (
    Mutant(
        "algorithm-of-no-issuer",
        "a key signs with whatever it can, not with what its issuer is configured for",
        (
            Change(
                "libs/chassis/tokens.py",
                '_algorithms(kind, jwk.get("alg")).intersection(issuers_algorithms)',
                '_algorithms(kind, jwk.get("alg"))',
            ),
        ),
        f"{SAYS_MORE}[an algorithm that only its key knows]",
        SAYS_RIGHT,
    ),
    Mutant(
        "scope-beyond-its-issuer",
        "an issuer gives its people scopes that it may not say",
        (Change(AUTH, "    if EVERY in may_say:\n", "    if may_say:\n"),),
        f"{SAYS_MORE}[a scope beyond the issuer's]",
        SAYS_RIGHT,
    ),
    Mutant(
        "weak-sign-in-counts",
        "a scope that wants a strong sign-in is had by any",
        (Change(AUTH, " - _too_weak(payload, issuer.strong)\n", "\n"),),
        "tests/unit/chassis/test_auth.py"
        "::test_a_scope_that_wants_a_strong_sign_in_is_had_by_no_weaker_or_older_one[said1-False]",
        SAYS_RIGHT,
    ),
    Mutant(
        "region-beyond-its-issuer",
        "an issuer gives its people regions that it may not say",
        (
            Change(
                AUTH,
                "    if not all(bounds.may_see(code) for code in regions):\n",
                "    if False:\n",
            ),
        ),
        f"{SAYS_MORE}[the nation from an issuer of one province]",
        SAYS_RIGHT,
    ),
    Mutant(
        "person-of-another-issuer",
        "an issuer without a prefix names the people of one that has it",
        (
            Change(
                AUTH,
                "        if not issuer.prefix and folded_name(person).startswith(prefixes):\n",
                "        if not issuer.prefix and person.startswith(prefixes):\n",
            ),
        ),
        f"{SAYS_MORE}[a person of the bank's typed otherwise]",
        f"{SAYS_MORE}[a person of the bank's]",
    ),
    Mutant(
        "withdrawn-key-believed",
        "while an issuer is silent its last keys are believed for ever",
        (
            Change(
                "libs/chassis/tokens.py",
                "self._key_set.get(kid) if self._age() <= self.age_s_max else None",
                "self._key_set.get(kid)",
            ),
        ),
        f"{KEYS}::test_while_the_source_is_away_known_keys_are_believed_until_their_age",
        f"{KEYS}::test_a_new_key_is_found_and_a_withdrawn_one_is_forgotten",
    ),
    Mutant(
        "number-as-a-name",
        "whoever an issuer names by a NIK stands in events and logs under it",
        (Change(AUTH, "        if holds_number(person):\n", "        if False:\n"),),
        f"{KEYS}::test_a_token_that_is_not_right_is_refused_and_the_refusal_is_on_record"
        "[sub a person's number]",
        f"{KEYS}::test_a_right_token_is_let_in",
    ),
)
