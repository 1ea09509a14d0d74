"""A sample year on a platform of its own, for tests that break the platform while it runs."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from cli.client.changes import DECIDES, approve_all
from cli.client.http import Connected, connected
from cli.client.screen import Screen
from cli.client.verify import Folding, findings
from cli.client.witness import witness_here, witnessed_here
from cli.client.year import Tahap, read_calendar
from cli.demo.compare import compare
from cli.demo.fetching import fetch_cases, fetch_results
from cli.demo.investigating import answer_investigations, findings_of
from cli.demo.loading import SCOPES, load_of_families, load_year
from cli.demo.outputs import write_results
from cli.demo.tahap_run import run_tahap
from localstack.platform import BusKind, Options, Platform

ROOT = Path(__file__).parents[2]
SMALL = ROOT / "examples" / "kalbar-small"

Programs = Mapping[str, Sequence[str]]
Meanwhile = Callable[[Platform], AbstractAsyncContextManager[None]]
"""A thing that happens to a platform while something else does."""


@dataclass(frozen=True)
class Year:
    """A platform with the year's files loaded, and the year's tahaps."""

    platform: Platform
    front: Connected
    directory: Path
    tahaps: Sequence[Tahap]
    after: Mapping[str, int]
    out: Path
    screen: Screen

    async def run(self, number: int) -> float:
        """Take a tahap from its announcement to the end of its investigations; the seconds to the
        end of its runs."""
        tahap = self.tahaps[number - 1]
        took = await run_tahap(self.front, tahap, self.after, self.screen)
        findings = findings_of(self.directory)
        await answer_investigations(self.front, tahap, findings, self.screen)
        return took

    async def differences(self, *numbers: int) -> list[str]:
        """The platform's differences from what these tahaps must come to, and its findings."""
        results = await fetch_results(self.front, [self.tahaps[n - 1].id for n in numbers])
        cases = await fetch_cases(self.front, self.tahaps[numbers[-1] - 1].closing_date)
        write_results(self.out, results, self.directory, cases)
        compared = compare(self.directory / "expected", self.out, numbers)
        await witness_here(self.front)
        witnessed = witnessed_here(self.front.data_dir)
        found = [str(each) async for each in findings(self.front, Folding.drawn(), witnessed)]
        return [str(difference) for difference in compared.shown] + found

    def rows(self, file: str) -> list[dict[str, str]]:
        """A file of the year."""
        with (self.directory / file).open(newline="", encoding="utf-8") as text:
            return list(csv.DictReader(text))


@asynccontextmanager
async def year(
    directory: Path = SMALL,
    bus: BusKind = "embedded",
    programs: Programs | None = None,
    while_files_come: Meanwhile = lambda _: nullcontext(),
) -> AsyncIterator[Year]:
    """A fresh platform on `bus` with a year's files loaded; `programs` replaces processes'.

    `while_files_come` happens to it while the files of sessions are taken in.
    """
    # Not below pytest's own directory, which PostgreSQL's user may not pass.
    with tempfile.TemporaryDirectory(prefix="pkh-test-") as temporary:
        data, out = Path(temporary) / "data", Path(temporary) / "out"
        books = directory / "bank_accounts.csv"
        options = Options(data, bus=bus, books=books, programs=programs or {})
        with Screen(Console(quiet=True)) as screen:
            async with Platform(options) as platform, connected(data) as front:
                clerk = front.client("clerk", *SCOPES)
                after = await load_year(clerk, directory, screen.file)
                supervisor = front.client("supervisor", DECIDES)
                after["registry"] = await approve_all(supervisor)
                observer = front.client("observer", "platform:read")
                async with while_files_come(platform):
                    await load_of_families(clerk, observer, directory, screen.file)
                tahaps = read_calendar(directory)
                yield Year(platform, front, directory, tahaps, after, out, screen)
