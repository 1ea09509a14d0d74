"""Writes a year of invented families, of any size, to try the platform with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from cli.client.screen import Screen
from cli.client.year import rows
from cli.commands.running import out, run
from cli.errors import Failed
from simulators.synthetic_year.files import Year, write_year
from simulators.synthetic_year.places import WEST_KALIMANTAN, families_max

FIRST_YEAR: Final = 2021
LAST_YEAR: Final = 2026
"""The years for whose closings there are rules."""


def synth(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Where the files go.")],
    families: Annotated[int, typer.Option(help="How many families.", min=1)],
    year: Annotated[int, typer.Option(min=FIRST_YEAR, max=LAST_YEAR)] = 2023,
    seed: Annotated[int, typer.Option(help="The same seed writes the same files.")] = 1,
    regions: Annotated[
        Path | None,
        typer.Option(help="regions.csv, whose regencies they live in; else West Kalimantan's."),
    ] = None,
) -> None:
    """Write a year of invented families, as the partners' files would tell it."""

    async def work() -> None:
        regencies = WEST_KALIMANTAN if regions is None else _regencies(regions)
        _write(directory, Year(families, year, seed, regencies))

    run(work())
    out.print(f"{families:,} families of {year} in {directory}", highlight=False)


def _write(directory: Path, wanted: Year) -> None:
    if wanted.families > (most := families_max(wanted.regencies)):
        regencies = len(wanted.regencies)
        raise Failed(f"{regencies} regencies have numbers for {most:,} families at most.")
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.iterdir()):
        raise Failed(f"{directory} is not empty.")
    with Screen(out) as screen:
        bar = screen.bar(f"families of {wanted.year}", wanted.families)
        written = 0

        def progress(more: int) -> None:
            nonlocal written
            written += more
            bar.show(written, f"{written:,}", wanted.families)

        write_year(directory, wanted, progress)
        bar.finish()


def _regencies(regions: Path) -> Sequence[str]:
    found = [
        row["code"] for _, row in rows(regions, ("code", "level")) if row["level"] == "regency"
    ]
    if not found:
        raise Failed(f"{regions} holds no regency.")
    return found
