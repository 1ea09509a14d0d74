"""A tahap's families and money by state, for whoever sees an area: sums of it and of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from libs.chassis.auth import NATION
from libs.chassis.reading import Reading
from services.projection.policy.areas import Level, below, level_of
from services.projection.tables.figures import Figure, FiguresWanted, figures

ROWS_MAX: Final = 1_000_000
"""Of one answer: more than the parts of any area have states."""
FAILED: Final = ("ACCOUNT_FAILED", "TRANSFER_FAILED")


async def tahaps(reading: Reading, regions: Sequence[str]) -> list[str]:
    """The tahaps that were announced, the latest first; of no region, none."""
    async with reading.within(regions) as connection:
        rows = await connection.fetch(
            'SELECT tahap FROM tahap_month GROUP BY 1 ORDER BY tahap COLLATE "C" DESC'
        )
    return [row["tahap"] for row in rows]


async def by_area(
    reading: Reading, tahap: str, area: str | None, regions: Sequence[str]
) -> list[dict[str, Any]]:
    """Counts and whole rupiah of a tahap by the parts of an area, disposition (before its `+`) and
    commitment; a village has no parts, and stands for itself."""
    own = level_of(area)
    level = own if own == "VILLAGE" else below(own)
    rows = await _by_state(reading, tahap, level, regions)
    return [{"area": row.area, **_state(row)} for row in rows]


async def failures(reading: Reading, tahap: str, regions: Sequence[str]) -> list[dict[str, Any]]:
    """Why money of a tahap did not arrive: by the bank's code, the most frequent first."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in await _by_state(reading, tahap, "NATION", regions):
        state, code = _state(row), row.key.split(":")[2]
        if state["disposition"] in FAILED:
            about = {"reason": code, "disposition": state["disposition"]}
            sums = found.setdefault((code, about["disposition"]), about | _NOTHING)
            sums["families"] += state["families"]
            sums["amount"] += state["amount"] - state["cut"]
    return sorted(found.values(), key=lambda row: (-row["families"], row["reason"]))


_NOTHING: Final[dict[str, Any]] = {"families": 0, "amount": 0}


async def summary(reading: Reading, tahap: str) -> dict[str, int]:
    """A tahap's sums in rupiah and counts by commitment and disposition, before its `+`."""
    rows = [_state(row) for row in await _by_state(reading, tahap, "NATION", (NATION,))]

    def total(column: str, **where: str) -> int:
        chosen = (r for r in rows if all(r[name] == value for name, value in where.items()))
        return sum(row[column] for row in chosen)

    gone = ("GRADUATED_NATURAL", "GRADUATION_PENDING")
    left = sum(total("families", disposition=state) for state in gone)
    paid = {"disposition": "PAID"}
    return {
        "families": total("families") - left,
        "entitled_idr": total("amount"),
        "credited_idr": total("credited"),
        "paid_idr": total("amount", **paid) - total("cut", **paid),
        **{f"{name}_idr": total(name) for name in ("cut", "released", "returned")},
        **{name: total("families", disposition=state) for name, state in COUNTED.items()},
        **{
            f"commitment_{result.lower()}": total("families", commitment=result)
            for result in ("COMPLIANT", "FAILED", "UNVERIFIED")
        },
    }


COUNTED: Final[Mapping[str, str]] = {
    "paid": "PAID",
    "blocked": "BLOCKED",
    "transfer_failed": "TRANSFER_FAILED",
    "account_failed": "ACCOUNT_FAILED",
    "no_valid_payee": "NO_VALID_PAYEE",
    "graduated": "GRADUATED_NATURAL",
    "graduation_pending": "GRADUATION_PENDING",
}
"""The dispositions that a summary counts, by the name under which it does."""


async def _by_state(
    reading: Reading, tahap: str, level: Level, regions: Sequence[str]
) -> list[Figure]:
    wanted = FiguresWanted("dispositions", tahap, tuple(regions), level)
    return await figures(reading, wanted, None, ROWS_MAX)


def _state(row: Figure) -> dict[str, Any]:
    """The disposition and commitment of a row's key, and its numbers by their short names."""
    disposition, commitment, _code = row.key.split(":")
    numbers = row.figures
    return {
        "disposition": disposition,
        "commitment": commitment,
        "families": numbers["families"],
        "amount": numbers["entitled_idr"],
        **{name: numbers[f"{name}_idr"] for name in ("cut", "released", "returned", "credited")},
    }
