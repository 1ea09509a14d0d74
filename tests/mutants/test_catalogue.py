"""Every mutant fits the source as it is, so that none rots between two runs of all of them."""

from __future__ import annotations

import re

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.corridor import CORRIDOR, NOTHING_TO_BREAK, RULES
from tests.mutants.mutant import Mutant
from tests.mutants.tree import ROOT, broken


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_mutant_fits_the_source_and_names_tests_that_are_there(mutant: Mutant) -> None:
    texts: dict[str, str] = {}
    for change in mutant.changes:
        text = texts.get(change.path) or (ROOT / change.path).read_text(encoding="utf-8")
        texts[change.path] = broken(text, change)
    for path, text in texts.items():
        if path.endswith(".py"):
            compile(text, path, "exec")

    for test in (mutant.red, mutant.green):
        file, _, name = test.partition("::")
        function = name.partition("[")[0]
        assert re.search(
            rf"^async def {function}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE
        )


def test_mutants_have_names_of_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_every_rule_of_the_corridor_is_broken_by_a_mutant_or_has_nothing_to_break() -> None:
    assert {mutant.broken.partition(":")[0] for mutant in CORRIDOR} == RULES - NOTHING_TO_BREAK
