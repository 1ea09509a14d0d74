"""A member that lives in its own process: joins, says what it was given, commits when told to."""

from __future__ import annotations

import asyncio
import sys

from libs.events.bus import Batch
from libs.events.bus.connect import connect
from libs.events.domain.errors import StaleMember


async def main(url: str, session_s: str, group: str, topic: str) -> None:
    bus = await connect(url, session_s=float(session_s))
    member = await bus.join(group, [topic])
    given: list[Batch] = []
    while not given:
        given = list(await member.fetch(500, wait_s=1.0))
    print("given", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    for batch in given:
        try:
            await member.commit({(batch.topic, batch.partition): batch.offsets[-1] + 1})
        except StaleMember:
            print("stale", flush=True)
        else:
            print("committed", flush=True)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
