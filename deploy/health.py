"""Asks a container whether it does its work; ends with 0 when it does.

python -m deploy.health http /ready      what the process on PKH_PORT (or 8000) answers
python -m deploy.health tls              the process there answers with TLS
python -m deploy.health relay            every store of PKH_RELAYED has its relay
python -m deploy.health fresh FILE       the file was written within the last ten minutes
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final

from libs.chassis.settings import POSTGRES, Environment, SettingRefused, text, url

ANSWER_S: Final = 3.0
FRESH_S: Final = 600.0


def answers(path: str, env: Environment) -> bool:
    """The process in this container answers a path with success."""
    port = int(text(env, "PKH_PORT", "8000"))
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
    connection.request("GET", path)
    return connection.getresponse().status == HTTPStatus.OK


def handshakes(env: Environment) -> bool:
    """The process in this container answers with TLS, which asks us who we are; we do not say."""
    port = int(text(env, "PKH_PORT", "8000"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port), ANSWER_S) as line,
        context.wrap_socket(line),
    ):
        return True


async def relays(env: Environment) -> bool:
    """Somebody holds the relay's leadership on every store."""
    # Asked in each container every few seconds: only this question pays for what it imports.
    import asyncpg  # noqa: PLC0415 - see above

    from libs.events.workers.leader import has_leader  # noqa: PLC0415 - see above

    for service in text(env, "PKH_RELAYED").split():
        address = url(env, f"PKH_{service.upper()}_DATABASE_URL", POSTGRES)
        try:
            async with asyncpg.create_pool(address, min_size=1, max_size=1) as pool:
                if not await has_leader(pool, "relay"):
                    return False
        except asyncpg.PostgresError:
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
            case ["tls"]:
                return handshakes(env)
            case ["relay"]:
                return asyncio.run(relays(env))
            case ["fresh", path]:
                return is_fresh(Path(path))
            case _:
                raise SystemExit(__doc__)
    except (OSError, HTTPException, SettingRefused) as error:
        print(f"not healthy: {type(error).__name__}")
        return False


if __name__ == "__main__":
    raise SystemExit(0 if healthy(sys.argv[1:], os.environ) else 1)
