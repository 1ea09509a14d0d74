"""The relay's process: carries the messages of every store named in PKH_RELAYED to the bus.

One process may serve several stores, as on one machine, or a single one beside its service.
PKH_<SERVICE>_DATABASE_URL names each store. What it measures is shown at PKH_METRICS_PORT.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from libs.chassis import logs, tracing
from libs.chassis.gc_tuning import settle
from libs.chassis.metrics import shown
from libs.chassis.settings import (
    LOG_LEVELS,
    POSTGRES,
    Environment,
    choice,
    cluster,
    metrics_port,
    text,
    url,
)
from libs.events.bus import Bus
from libs.events.bus.connect import connect
from libs.events.bus.topics import Topics
from libs.events.relay.outbox import Relay
from libs.events.store.postgres import Store


async def run(env: Environment, connect_bus: Callable[..., Awaitable[Bus]] = connect) -> None:
    """Relay every store until SIGTERM or SIGINT."""
    topics = Topics.load(Path(text(env, "PKH_CONTRACTS_DIR", "contracts")))
    address = url(env, "PKH_BUS_URL", (*POSTGRES, "kafka"))
    bus = await connect_bus(address, cluster=cluster(env, address))
    async with contextlib.AsyncExitStack() as closing:
        closing.push_async_callback(bus.close)
        tasks: list[asyncio.Task[None]] = []
        for service in text(env, "PKH_RELAYED").split():
            database = url(env, f"PKH_{service.upper()}_DATABASE_URL", POSTGRES)
            store = await Store.connect(database, service)
            closing.push_async_callback(store.close)
            tasks.append(asyncio.create_task(Relay(store, bus, topics).run(), name=service))
        async with shown(text(env, "PKH_HOST", "127.0.0.1"), metrics_port(env), ()):
            await _stop_signal()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stop_signal() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()


def main() -> None:
    """Relay until told to stop."""
    settle()
    logs.configure("relay", choice(os.environ, "PKH_LOG_LEVEL", LOG_LEVELS, "info"))
    with tracing.exported("relay"):
        uvloop.run(run(os.environ))


if __name__ == "__main__":
    main()
