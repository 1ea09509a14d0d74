"""Addresses of the parts of a platform that runs, for a program that a shell starts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.client.http import services_of
from cli.commands.running import STATE, State, run
from cli.errors import Failed


def where(
    name: Annotated[
        str | None, typer.Argument(help="A service, a simulator, console, kafka.")
    ] = None,
    data: State = STATE,
) -> None:
    """Print where a part of the running platform answers, or all of them do."""
    places = run(_places(data))
    if name is None:
        for part, address in places.items():
            print(f"{part:<16}{address}")
    elif name in places:
        print(places[name])
    else:
        raise typer.BadParameter(f"must be one of {', '.join(places)}", param_hint="NAME")


async def _places(data: Path) -> dict[str, str]:
    services_of(data)  # says in a sentence where none runs
    card = data / "run" / "platform.json"
    try:
        addresses = json.loads(card.read_text())
        places: dict[str, str] = {**addresses["services"], **addresses["simulators"]}
        if "console" in addresses:  # a platform of an earlier release has none
            places["console"] = addresses["console"]
        if addresses["bus"]["kind"] == "kafka":
            places["kafka"] = addresses["bus"]["url"].removeprefix("kafka://")
    except (OSError, ValueError, KeyError):
        raise Failed(f"{card} cannot be read.") from None
    return places
