"""All keys are changed while a tahap is paid, and the year comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from typer.testing import CliRunner

from cli.commands.keys import HOLDERS as MAKERS
from cli.commands.keys import Versions
from cli.demo.loading import SCOPES, load_of_families, load_year
from cli.main import app
from tests.chaos.year import Year, year
from tests.servers import eventually

RECOGNISE = ("registry", "conditionality", "p2k2")
HOLDERS = (*RECOGNISE, "payments", "complaints")
FILES = ("kek", "token-key", "complaints.kek")
LEFT_S = 60


async def test_all_keys_are_changed_while_a_tahap_is_paid() -> None:
    async with year() as running:
        paying = asyncio.create_task(running.run(1))
        during = await change_keys(running, paying)
        await paying
        held = await versions(running)
        before = await heads(running)
        await send_again(running)

        assert await heads(running) == before  # everybody was recognised, or they would be new
        assert await running.differences(1) == []
    assert during
    assert [*held] == [(file, 2) for file in FILES]


async def change_keys(running: Year, paying: asyncio.Task[float]) -> bool:
    """Take the steps of docs/operator.md; True if the tahap was being paid under both versions."""
    await step(running, "add")
    await step(running, "use", "2")
    during = not paying.done()
    await send_again(running)  # whom no family has, their senders alone know

    async def all_under_the_new_ones() -> bool:
        left = await versions(running)
        return not any(left[file, 1] for file in FILES)

    await eventually(all_under_the_new_ones, LEFT_S)
    await step(running, "drop", "1")
    return during


async def step(running: Year, verb: str, *version: str) -> None:
    """Change the files and start again who has them, registry first."""
    for file in FILES:
        path = running.platform.data_dir / "secrets" / file
        assert CliRunner().invoke(app, ["keys", verb, str(path), *version]).exit_code == 0
    for name in HOLDERS:
        await running.platform.supervisor.kill(name)
        await running.platform.supervisor.ready(name)


async def versions(running: Year) -> Mapping[tuple[str, int], int]:
    """The rest under each version that registry and complaints have."""
    observer = running.front.client("observer", "platform:read")
    return {
        (each.secret, each.version): each.left
        for name in MAKERS
        for each in (await observer.get(name, "/keys", Versions)).versions
    }


async def send_again(running: Year) -> None:
    """Send all files of the year another time."""
    clerk = running.front.client("clerk", *SCOPES)
    observer = running.front.client("observer", "platform:read")
    await load_year(clerk, running.directory, running.screen.file)
    await load_of_families(clerk, observer, running.directory, running.screen.file)


async def heads(running: Year) -> list[int]:
    """Where the logs of those end that recognise people."""
    observer = running.front.client("observer", "platform:read")
    return [(await observer.positions(name)).head for name in RECOGNISE]
