"""The explanation of a family's amount in a tahap: found by its id or card, asked, and shown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import typer

from cli.client.explanation import LANGUAGES, show
from cli.client.http import Client, connected
from cli.commands.running import STATE, State, out, run, secret
from cli.commands.steps import As
from cli.errors import Failed

SCOPES: Final = ("projection:read", "payments:read")
OF_CARD: Final = "registry:identify"


class _Announced(msgspec.Struct):
    tahap: str


def why(
    family: Annotated[str | None, typer.Argument(metavar="FAMILY", help="The family's id.")] = None,
    tahap: Annotated[
        str, typer.Option(help="Such as 2023-1; or 1, the latest tahap of that number.")
    ] = "",
    card: Annotated[
        bool, typer.Option("--card", help="Ask for the family card's number, or read it.")
    ] = False,
    purpose: Annotated[
        str, typer.Option(help="For what the card is looked up, such as COMPLAINT; with --card.")
    ] = "",
    language: Annotated[str, typer.Option("--lang", help="en or id.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer, as it came.")] = False,
    person: As = "observer",
    data: State = STATE,
) -> None:
    """Explain why a family got this amount in a tahap, or none."""
    if (family is None) != card:
        raise typer.BadParameter("give either an id or --card", param_hint="FAMILY")
    if family is not None and not _is_id(family):
        raise typer.BadParameter(
            "must be a family's id; for a card use --card", param_hint="FAMILY"
        )
    if not tahap:
        raise typer.BadParameter("is needed", param_hint="--tahap")
    if language not in LANGUAGES:
        raise typer.BadParameter(f"must be one of {', '.join(LANGUAGES)}", param_hint="--lang")
    if card and not purpose:
        raise typer.BadParameter("is needed with --card", param_hint="--purpose")
    number = secret("Number of the family card") if card else ""
    found = run(_why(family, (number, purpose), tahap, person, data))
    if as_json:
        # Straight to standard output, so that no width of a terminal breaks it.
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        show(out, found, language)


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


async def _why(
    family: str | None, by_card: tuple[str, str], tahap: str, person: str, data: Path
) -> Mapping[str, Any]:
    async with connected(data) as platform:
        if family is None:
            family = await _family_of(platform.client(person, OF_CARD), *by_card)
        reader = platform.client(person, *SCOPES)
        name = await _tahap_id(reader, tahap)
        return await reader.get(
            "projection", f"/families/{family}/tahap/{name}/why", dict[str, Any]
        )


async def _family_of(identifier: Client, number: str, purpose: str) -> str:
    if not number:
        raise Failed("No card number was given.")
    answer = await identifier.post(
        "registry", "/identities/by-card", {"no_kk": number, "purpose": purpose}
    )
    return answer.read(dict[str, str])["family"]


async def _tahap_id(reader: Client, tahap: str) -> str:
    """A tahap's id: what was given, or the latest tahap of that number."""
    if not (tahap.isascii() and tahap.isdecimal()):
        return tahap
    announced = [
        row.tahap
        async for page in reader.pages("payments", "/tahap", list[_Announced])
        for row in page
        if row.tahap.rpartition("-")[2] == tahap
    ]
    if not announced:
        raise Failed(f"No tahap {tahap} was announced.")
    return max(announced)
