"""The run of every command: in one event loop, ending with one sentence and one exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console

from cli.errors import Failed
from localstack.supervisor import SupervisorFailed

T = TypeVar("T")

STATE: Final = Path("var")
FOUND_SOMETHING: Final = 1
WENT_WRONG: Final = 2
INTERRUPTED: Final = 130
PIPED_COLUMNS: Final = 120

State = Annotated[Path, typer.Option("--data", help="The directory of the platform's state.")]

# In a pipe or a file nobody's window is narrow, so that nothing is cut off there.
out = Console(width=None if sys.stdout.isatty() else PIPED_COLUMNS)
err = Console(stderr=True, width=None if sys.stderr.isatty() else PIPED_COLUMNS)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; what goes wrong becomes a sentence and an exit code."""
    try:
        return asyncio.run(_until_stopped(work))
    except (Failed, SupervisorFailed) as error:
        err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(WENT_WRONG) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print("Stopped.")
        raise typer.Exit(INTERRUPTED) from None


def secret(what: str) -> str:
    """A number that says who somebody is, from a person or a pipe: an argument would stand in the
    shell's history and in every list of processes."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True)).strip()
    return sys.stdin.readline().strip()


def line(what: str) -> str:
    """A line of words, from a person or a pipe; it is empty where nothing is said."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, default="", show_default=False)).strip()
    return sys.stdin.readline().strip()


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Await the work; SIGTERM ends it as Ctrl-C does, so that everything is stopped in order."""
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work
