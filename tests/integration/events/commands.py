"""Single commands for purses, given to a group committer together, and what stands beside them."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from libs.events.store.group_commit import GroupCommitter
from libs.events.store.grouped_commands import Answered, GroupedCommand
from libs.events.store.handle import handle
from libs.events.store.model import Context, Outcome
from libs.events.store.postgres import Store
from tests.purse import CONTEXT, KEPT, Command

DEADLINE_S = 10


def grouped(
    name: str, command: Command, context: Context = CONTEXT, **more: Any
) -> GroupedCommand[Any, Any, Any, tuple[int, int]]:
    def reply(outcome: Outcome[Any, Any]) -> tuple[int, int]:
        return outcome.version, outcome.state.coins

    kind = more.pop("kind", KEPT)
    return GroupedCommand(kind, f"purse-{name}", command, context, reply, **more)


async def together(
    committer: GroupCommitter, *singles: GroupedCommand[Any, Any, Any, Any]
) -> list[Answered[Any] | BaseException]:
    return await asyncio.gather(*map(committer.append, singles), return_exceptions=True)


def replies(answers: list[Answered[Any] | BaseException]) -> list[Any]:
    return [a.reply if isinstance(a, Answered) else type(a) for a in answers]


async def coins(store: Store, name: str) -> int:
    found = await store.read(KEPT, [f"purse-{name}"])
    return found[f"purse-{name}"].state.coins


async def waits_for_a_lock(store: Store) -> int:
    """The server's number of whoever waits for another transaction, once there is one."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = await store.pool.fetchval("SELECT pid FROM pg_locks WHERE NOT granted LIMIT 1")
            if found is not None:
                return int(found)


def meanwhile(database: str, command: Command) -> None:
    """Another process gives a command to ana's purse, while this one stands still."""

    async def by_another() -> None:
        other = await Store.connect(database, "other")
        async with other.transaction(CONTEXT) as unit:
            await handle(unit, KEPT, "purse-ana", command)
        await other.close()

    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, by_another()).result(DEADLINE_S)
