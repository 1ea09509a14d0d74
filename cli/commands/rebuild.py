"""Has a service of a running platform build its read models anew, and shows how far it is."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from cli.client.screen import Screen
from cli.errors import Failed
from libs.chassis.catalogue import owner
from localstack.environment import Environment
from localstack.postgres.server import PostgresServer

REBUILT: Final = ("projection",)  # the services that only read


@dataclass(frozen=True, slots=True)
class Progress:
    """Messages that the new tables have taken in, of all that there are; some stay parked."""

    done: int
    total: int
    parked: int = 0


async def rebuild(data_dir: Path, service: str, screen: Screen) -> Progress:
    """Rebuild a service's read models; how many messages that took. Raises `Failed`."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"services.{service}.rebuild"),
        stdout=PIPE,
        stderr=PIPE,
        env=_environment(data_dir, service),
    )
    try:
        progress, output = await asyncio.gather(
            _shown(program, service, screen), _last_error_line(program)
        )
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    if program.returncode or progress is None:
        raise Failed(f"{service} was not rebuilt, and is as it was: {output or 'it was ended'}")
    return progress


async def _shown(program: Process, service: str, screen: Screen) -> Progress | None:
    begun, progress = time.monotonic(), None
    bar = screen.bar(f"rebuild {service}")
    if program.stdout is not None:
        async for line in program.stdout:
            progress = msgspec.json.decode(line, type=Progress)
            rate = progress.done / max(time.monotonic() - begun, 0.001)
            text = f"{progress.done:,} messages · {rate:,.0f} messages/s"
            bar.show(progress.done, text, progress.total or None)
    if not await program.wait() and progress is not None:
        bar.finish()
    return progress


async def _last_error_line(program: Process) -> str:
    """The last line of what the program says of its end."""
    errors = await program.stderr.read() if program.stderr is not None else b""
    return errors.decode("utf-8", "replace").strip().rpartition("\n")[2]


def _environment(data_dir: Path, service: str) -> dict[str, str]:
    card, data_dir = _card(data_dir), data_dir.absolute()
    ports = {name: urlsplit(url).port or 0 for name, url in card["services"].items()}
    environment = Environment(data_dir, PostgresServer(data_dir / "postgres"), None, ports)
    try:
        owner_url = environment.address(service, owner(service))
    except OSError as error:
        raise Failed(
            f"The password of {service}'s owner cannot be read ({type(error).__name__})."
        ) from None
    variables = environment.of_service(service) | {"PKH_OWNER_DATABASE_URL": owner_url}
    if card["bus"]["kind"] == "kafka":
        variables["PKH_BUS_URL"] = card["bus"]["url"]
        del variables["PKH_BUS_PASSWORD_FILE"]
    return variables


def _card(data_dir: Path) -> Mapping[str, Any]:
    try:
        found: dict[str, Any] = json.loads((data_dir / "run" / "platform.json").read_text())
    except (OSError, ValueError):
        raise Failed(f"No platform runs on {data_dir}; start one with: pkh up") from None
    return found
