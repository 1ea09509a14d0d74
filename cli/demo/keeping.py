"""Keeps the platform of a run going when the year is over, for whoever wants to look into it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from pathlib import Path

from rich.console import Console

from libs.chassis.dev_sign_in import PEOPLE
from localstack.platform import Options, Platform


async def keep_running(platform: Platform, console: Console) -> None:
    """Say where everything answers, and return at Ctrl-C or SIGTERM, which end only the waiting."""
    console.print()
    for name, where in platform.addresses.items():
        console.print(f"{name:<16}{where}", highlight=False)
    console.print(
        f"Open the console at {platform.console_url} and sign in as {PEOPLE[0].name}.",
        highlight=False,
        soft_wrap=True,
    )
    console.print("The platform keeps running; Ctrl-C stops it.", highlight=False)
    console.print(
        f"Its state stays; start it again with: {again(platform.options)}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    if (task := asyncio.current_task()) is not None:
        task.uncancel()  # what follows, the stopping in order, may use time limits of its own


def again(options: Options) -> str:
    """The command that starts a platform on the state that it left, on the same bus."""
    called = Path(sys.argv[0])
    program = called if called.name == "pkh" else Path("pkh")
    words: list[str | Path] = [program, "up", "--data", options.data_dir, "--bus", options.bus]
    if options.books is not None:
        words += ["--books", options.books]
    return shlex.join(str(word) for word in words)
