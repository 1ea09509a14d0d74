"""Runs a year through a fresh platform, front door to result files, and holds them to expected/."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from cli.client.changes import DECIDES, approve_all
from cli.client.http import Connected, connected
from cli.client.screen import Screen
from cli.client.verify import Folding, findings
from cli.client.witness import witness_here, witnessed_here
from cli.client.year import (
    Tahap,
    cards_in_order,
    chosen,
    read_calendar,
)
from cli.demo.compare import Comparison, compare, uncompared
from cli.demo.fetching import fetch_cases, fetch_duties, fetch_results
from cli.demo.figures import UnmetDuty
from cli.demo.investigating import answer_investigations, findings_of
from cli.demo.keeping import keep_running
from cli.demo.loading import SCOPES, load_of_families, load_year, without_service
from cli.demo.machine import Machine
from cli.demo.outputs import write_results
from cli.demo.page import write_page
from cli.demo.report import Run, print_run, write_run
from cli.demo.resuming import YearRun
from cli.demo.tahap_run import run_tahap
from cli.errors import Failed
from localstack.platform import BusKind, Options, Platform
from localstack.supervisor import SupervisorFailed

BOOKS: Final = "bank_accounts.csv"
EXPECTED: Final = "expected"


@dataclass(frozen=True, slots=True)
class Plan:
    """The request for a run: the year's files, where results go, and on what it runs.

    `tahap` is a range such as "1-2", None for all. `data` names a directory for the platform's
    state, which stays; a run of the same year that was cut off there goes on. Without it a
    temporary one serves. Told to `keep`, the platform goes on when the year is over, and its
    state stays.
    """

    directory: Path
    out: Path
    bus: BusKind = "embedded"
    tahap: str | None = None
    keep: bool = False
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class _Took:
    """Seconds, and the memory at the end."""

    start_s: float
    load_s: float
    tahaps: Sequence[tuple[Tahap, float]]
    pss_bytes: int


@dataclass(frozen=True, slots=True)
class _Found:
    """The answers of the platform when the year was over."""

    summary: Mapping[str, Any]
    duties: Mapping[str, Sequence[UnmetDuty]]
    findings: Sequence[str]


async def demo(plan: Plan, console: Console) -> int:
    """Run a year; the exit code: 1 when anything differs or verify finds something."""
    begun = time.monotonic()
    tahaps = chosen(read_calendar(plan.directory), plan.tahap)
    if not (plan.directory / BOOKS).is_file():
        raise Failed(f"{plan.directory / BOOKS} is missing; the simulated banks answer from it.")
    findings_of(plan.directory)  # a mistake in it is better told now than after the first tahap
    year = YearRun.of(plan.directory, plan.bus)
    with _state(plan, year, console) as data_dir:
        options = Options(data_dir, bus=plan.bus, books=(plan.directory / BOOKS).absolute())
        async with contextlib.AsyncExitStack() as running:
            with Screen(console) as screen:
                platform = Platform(options)
                took, found = await _run(plan, year, platform, tahaps, screen, running)
            if not plan.keep:
                await running.aclose()
            code = _report(plan, console, took, found, time.monotonic() - begun)
            if plan.keep:
                await keep_running(platform, console)
    return code


def _report(plan: Plan, console: Console, took: _Took, found: _Found, total_s: float) -> int:
    """Write and print what a run came to; its exit code."""
    run = Run(
        families=sum(1 for _ in cards_in_order(plan.directory)),
        bus=plan.bus,
        start_s=took.start_s,
        load_s=took.load_s,
        tahaps=took.tahaps,
        total_s=total_s,
        pss_bytes=took.pss_bytes,
        summary=found.summary,
        comparison=_compared(plan, [tahap for tahap, _ in took.tahaps], console),
        findings=found.findings,
        duties=found.duties,
    )
    write_run(plan.out, run)
    page = write_page(plan.out, run, plan.directory, Machine.this())
    print_run(console, run, plan.directory / EXPECTED)
    console.print(f"Open {page} in a browser.", highlight=False, soft_wrap=True)
    return run.exit_code


@contextlib.contextmanager
def _state(plan: Plan, run: YearRun, console: Console) -> Iterator[Path]:
    """The directory of the platform's state: the one that is named, one that stays, or neither."""
    if plan.data is not None:
        if run.take(plan.data):
            console.print(f"Goes on with the run in {plan.data}", highlight=False)
        yield plan.data
    elif plan.keep:
        data_dir = Path(tempfile.mkdtemp(prefix="pkh-"))
        run.take(data_dir)
        console.print(f"The platform's state stays in {data_dir}", highlight=False)
        yield data_dir
    else:
        with tempfile.TemporaryDirectory(prefix="pkh-") as temporary:
            try:
                yield Path(temporary)
            except (Failed, SupervisorFailed):
                _save_logs(Path(temporary), plan.out, console)
                raise


def _save_logs(data_dir: Path, out: Path, console: Console) -> None:
    """Keep what the processes said, where the rest of the state goes away."""
    if (data_dir / "logs").is_dir():
        shutil.copytree(data_dir / "logs", out / "logs", dirs_exist_ok=True)
        console.print(f"What the processes said is in {out / 'logs'}", highlight=False)


async def _run(
    plan: Plan,
    year: YearRun,
    platform: Platform,
    tahaps: Sequence[Tahap],
    screen: Screen,
    running: contextlib.AsyncExitStack,
) -> tuple[_Took, _Found]:
    """Run the year on a platform that goes on until `running` is closed."""
    begun = time.monotonic()
    starting = screen.bar(f"start on the {plan.bus} bus")
    await running.enter_async_context(platform)
    front = await running.enter_async_context(connected(platform.data_dir))
    await witness_here(front)
    start_s = time.monotonic() - begun
    starting.finish()
    after, load_s = await _load(plan, year, front, screen)
    took = [(tahap, await _tahap(plan, front, tahap, after, screen)) for tahap in tahaps]
    pss_bytes = platform.supervisor.pss_bytes()
    found = await _found(plan, front, tahaps, screen)
    return _Took(start_s, load_s, took, pss_bytes), found


async def _found(plan: Plan, front: Connected, tahaps: Sequence[Tahap], screen: Screen) -> _Found:
    """Write the result files, read what the report needs beside them, and verify."""
    ids = [tahap.id for tahap in tahaps]
    results = await fetch_results(front, ids)
    cases = await fetch_cases(front, tahaps[-1].closing_date)
    summary = write_results(plan.out, results, plan.directory, cases)
    duties = await fetch_duties(front, ids)
    verifying = screen.bar("verify")
    witnessed = witnessed_here(front.data_dir)
    found = [str(finding) async for finding in findings(front, Folding.drawn(), witnessed)]
    verifying.finish()
    return _Found(summary, duties, found)


async def _load(
    plan: Plan, year: YearRun, front: Connected, screen: Screen
) -> tuple[dict[str, int], float]:
    begun = time.monotonic()
    if nobody := without_service(plan.directory):
        screen.say(f"Skipped, as no service takes them yet: {', '.join(nobody)}")
    clerk, observer = front.client("clerk", *SCOPES), front.client("observer", "platform:read")
    supervisor = front.client("supervisor", DECIDES)
    after = await load_year(
        clerk, plan.directory, screen.file, lambda source: year.key(source.file)
    )
    # Whatever the clerk's files propose, another person lets be, by its differences.
    after["registry"] = await approve_all(supervisor) or after["registry"]
    for service in [name for name, position in after.items() if not position]:
        # All of its files were taken before we were begun again.
        after[service] = (await observer.positions(service)).head
    await load_of_families(
        clerk, observer, plan.directory, screen.file, lambda source: year.key(source.file)
    )
    return after, time.monotonic() - begun


async def _tahap(
    plan: Plan, front: Connected, tahap: Tahap, after: Mapping[str, int], screen: Screen
) -> float:
    """Pay a tahap and end its investigations before the next closing; the seconds it took."""
    begun = time.monotonic()
    await run_tahap(front, tahap, after, screen)
    await answer_investigations(front, tahap, findings_of(plan.directory), screen)
    await witness_here(front)
    return time.monotonic() - begun


def _compared(plan: Plan, tahaps: Sequence[Tahap], console: Console) -> Comparison | None:
    expected = plan.directory / EXPECTED
    if not expected.is_dir():
        return None
    if others := uncompared(expected):
        note = f"Not compared, as no service makes them yet: {', '.join(others)}"
        console.print(note, highlight=False, soft_wrap=True)
    return compare(expected, plan.out, [tahap.number for tahap in tahaps])
