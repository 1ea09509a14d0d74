"""Asks a container whether it does its work; ends with 0 when it does.

python -m deploy.health http /ready      what the process on PKH_PORT (or 8000) answers
python -m deploy.health relay            every store of PKH_RELAYED has its relay
python -m deploy.health fresh FILE       the file was written within the last ten minutes
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final

import asyncpg

from libs.chassis.settings import POSTGRES, Environment, SettingRefused, text, url
from libs.events.leader import has_leader

ANSWER_S: Final = 3.0
FRESH_S: Final = 600.0


def answers(path: str, env: Environment) -> bool:
    """The process in this container answers a path with success."""
    address = f"http://127.0.0.1:{text(env, 'PKH_PORT', '8000')}{path}"
    with urllib.request.urlopen(address, timeout=ANSWER_S) as response:
        return bool(response.status == 200)


async def relays(env: Environment) -> bool:
    """Somebody holds the relay's leadership on every store."""
    for service in text(env, "PKH_RELAYED").split():
        address = url(env, f"PKH_{service.upper()}_DATABASE_URL", POSTGRES)
        async with asyncpg.create_pool(address, min_size=1, max_size=1) as pool:
            if not await has_leader(pool, "relay"):
                return False
    return True


def is_fresh(path: Path) -> bool:
    """The file is there and is not old."""
    return time.time() - path.stat().st_mtime < FRESH_S


def healthy(arguments: list[str], env: Environment) -> bool:
    """The answer to one of the questions above; whatever prevents an answer is a no."""
    try:
        match arguments:
            case ["http", path]:
                return answers(path, env)
            case ["relay"]:
                return asyncio.run(relays(env))
            case ["fresh", path]:
                return is_fresh(Path(path))
            case _:
                raise SystemExit(__doc__)
    except (OSError, asyncpg.PostgresError, SettingRefused, urllib.error.URLError) as error:
        print(f"not healthy: {type(error).__name__}")
        return False


if __name__ == "__main__":
    raise SystemExit(0 if healthy(sys.argv[1:], os.environ) else 1)
