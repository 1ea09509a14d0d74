"""Breaks safety rules one by one in a copy of the project; for each a named test must go red.

    python -m tests.mutants [NAME ...]

Exit status 1 when a mutant survives, when its change no longer fits the source, or when a named
test is not green in the first place.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.tree import Stale, Tree
from tests.servers import FORGETFUL, embedded_postgres


@dataclass(frozen=True, slots=True)
class Outcome:
    """The fate of one mutant."""

    mutant: Mutant
    verdict: str
    seconds: float

    @property
    def killed(self) -> bool:
        """The named test saw it, and only that."""
        return self.verdict == "killed"


def main(names: Sequence[str]) -> int:
    """Run the named mutants, or all of them; the exit status."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if unknown := set(names) - {mutant.name for mutant in chosen}:
        print(f"No such mutant: {', '.join(sorted(unknown))}")
        return 2
    with _postgres() as url, tempfile.TemporaryDirectory(prefix="pkh-mutants-") as directory:
        tree = Tree.copy(Path(directory), url)
        if not _green(tree, chosen):
            return 1
        outcomes = [_outcome(tree, mutant) for mutant in chosen]
    survivors = [outcome for outcome in outcomes if not outcome.killed]
    print(f"{len(outcomes) - len(survivors)} of {len(outcomes)} mutants killed")
    return 1 if survivors else 0


@contextlib.contextmanager
def _postgres() -> Iterator[str]:
    """One server for all runs, because it takes longer to start than most of the tests."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    with embedded_postgres(FORGETFUL) as server:
        yield server.superuser_url()


def _green(tree: Tree, chosen: Sequence[Mutant]) -> bool:
    began = time.monotonic()
    tests = list(dict.fromkeys(test for m in chosen for test in (m.red, m.green)))
    verdicts = tree.verdicts(tests)
    for test, verdict in verdicts.items():
        if verdict != "passed":
            print(f"Unbroken, and yet {verdict}: {test}")
    passed = sum(verdict == "passed" for verdict in verdicts.values())
    print(f"{passed} of {len(tests)} named tests green unbroken, {time.monotonic() - began:.1f} s")
    print()
    return passed == len(tests)


def _outcome(tree: Tree, mutant: Mutant) -> Outcome:
    began = time.monotonic()
    try:
        with tree.changed(mutant.changes):
            verdicts = tree.verdicts([mutant.red, mutant.green])
        verdict = _verdict(verdicts[mutant.red], verdicts[mutant.green])
    except Stale as stale:
        verdict = f"stale: {stale}"
    outcome = Outcome(mutant, verdict, time.monotonic() - began)
    print(f"{mutant.name:<26} {outcome.seconds:5.1f} s  {verdict}")
    print(f"    {mutant.broken}")
    print(f"    {mutant.red.rsplit('/', 1)[1]}")
    return outcome


def _verdict(red: str, green: str) -> str:
    if red == "passed":
        return "SURVIVED"
    if green != "passed":
        return f"not alive: the test that it must pass is {green}"
    return "killed" if red == "failed" else f"unclear: {red}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
