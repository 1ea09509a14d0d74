"""A year through the published ports of the containers, held against its expected results."""

from __future__ import annotations

import asyncio
import json
import shutil
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from cli.client.changes import DECIDES, approve_all
from cli.client.http import connected
from cli.client.screen import Screen
from cli.client.verify import ledger_findings, position_findings
from cli.client.year import read_calendar
from cli.demo.compare import compare
from cli.demo.fetching import fetch_cases, fetch_results
from cli.demo.investigating import answer_investigations, findings_of
from cli.demo.loading import SCOPES, Import, load_of_families, load_year
from cli.demo.outputs import write_results
from cli.demo.tahap_run import run_tahap
from cli.errors import Failed as Still
from localstack.environment import SERVICES
from tests.compose.containers import Compose, Failed

FILES: Final = uuid.UUID("7b0c7cbb-7c0c-4d1a-9b5d-0f7a3e1c9d52")
INNER_PORT: Final = 8000

# While one container after another starts again, a minute without a move is no standstill.
STILL_MINUTES_MAX: Final = 4


def run_year(compose: Compose, work: Path, directory: Path) -> str:
    """Take the year as far as it is not taken yet, compare it, and check ledger and positions."""
    write_card(compose, work / "card")
    (work / "out").mkdir(exist_ok=True)
    return asyncio.run(_year(work / "card", directory, work / "out"))


def write_card(compose: Compose, card: Path) -> None:
    """A directory that lets the command line's clients find the containers' services.

    It gets a copy of the issuer's private key.
    """
    shutil.rmtree(card, ignore_errors=True)
    (card / "run").mkdir(parents=True)
    (card / "secrets").mkdir(mode=0o700)
    compose.run("cp", "issuer:/issuer", str(card / "secrets" / "issuer"))
    services = {name: f"http://{compose.port(name, INNER_PORT)}" for name in SERVICES}
    (card / "run" / "platform.json").write_text(json.dumps({"services": services}))


async def _year(card: Path, directory: Path, out: Path) -> str:
    tahaps = read_calendar(directory)
    async with connected(card) as front:
        with Screen(Console(quiet=True)) as screen:
            clerk, observer = (
                front.client("clerk", *SCOPES),
                front.client("observer", "platform:read"),
            )
            after = await load_year(clerk, directory, screen.file, _key)
            for service in [name for name, position in after.items() if not position]:
                after[service] = (await observer.positions(service)).head
            supervisor = front.client("supervisor", DECIDES)
            after["registry"] = await approve_all(supervisor) or after["registry"]
            await _patiently(
                lambda: load_of_families(clerk, observer, directory, screen.file, _key)
            )
            for each in tahaps:
                await _patiently(partial(run_tahap, front, each, after, screen))
                await answer_investigations(front, each, findings_of(directory), screen)
        results = await fetch_results(front, [each.id for each in tahaps])
        cases = await fetch_cases(front, tahaps[-1].closing_date)
        write_results(out, results, directory, cases)
        found = compare(directory / "expected", out, [each.number for each in tahaps])
        wrong = [str(each) for each in found.shown]
        wrong += [str(each) async for each in ledger_findings(front)]
        wrong += [str(each) async for each in position_findings(observer)]
    if found.count or wrong:
        raise Failed("\n".join([f"{found.count} differences", *wrong]))
    return "0 differences, ledger and positions as they should be"


def _key(source: Import) -> str:
    """The same key each time: what was taken before is not sent again."""
    return str(uuid.uuid5(FILES, source.file))


async def _patiently(step: Callable[[], Awaitable[object]]) -> None:
    """Do what goes on where it was left, again where nothing has moved for a minute."""
    for _ in range(STILL_MINUTES_MAX - 1):
        with suppress(Still):
            await step()
            return
    await step()
