"""An area's sums as pages show them: by state of the money, by commitment, by its parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from services.projection.policy.areas import name_of

STATES: Final = (
    "PAID",
    "BLOCKED",
    "PENDING",
    "TRANSFER_FAILED",
    "ACCOUNT_FAILED",
    "NO_VALID_PAYEE",
    "WITHHELD",
    "REOPENED",
    "GRADUATION_PENDING",
    "GRADUATED_NATURAL",
)
"""The dispositions of a tahap's rows (before their `+`), in the order in which pages show them."""
LEFT: Final = frozenset({"GRADUATED_NATURAL", "GRADUATION_PENDING"})
"""Rows of families that no longer take part."""


@dataclass(slots=True)
class Sums:
    """Families and whole rupiah of an area in a tahap."""

    families: int = 0
    entitled: int = 0
    credited: int = 0
    cut: int = 0
    released: int = 0
    returned: int = 0
    of_state: dict[str, int] = field(default_factory=dict)
    """Families by disposition."""
    money_of_state: dict[str, int] = field(default_factory=dict)
    """Rupiah to be paid (less a cut) by disposition."""
    of_commitment: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Self:
        """The sums of rows as services.projection.tables.areas gives them."""
        sums = cls()
        for row in rows:
            sums._add(row)
        return sums

    def _add(self, row: Mapping[str, Any]) -> None:
        state, commitment, families = row["disposition"], row["commitment"], row["families"]
        if state not in LEFT:
            self.families += families
        self.entitled += row["amount"]
        self.credited += row["credited"]
        self.cut += row["cut"]
        self.released += row["released"]
        self.returned += row["returned"]
        self.of_state[state] = self.of_state.get(state, 0) + families
        due = row["amount"] - row["cut"]
        self.money_of_state[state] = self.money_of_state.get(state, 0) + due
        if commitment:
            self.of_commitment[commitment] = self.of_commitment.get(commitment, 0) + families

    @property
    def states(self) -> list[str]:
        """The states that are there, known ones in their order."""
        return [state for state in STATES if state in self.of_state] + sorted(
            set(self.of_state) - set(STATES)
        )


def title_of(area: str) -> str:
    """An area's name as one writes it, KABUPATEN SANGGAU as Kabupaten Sanggau; its code where
    nobody has named it."""
    return " ".join(word.capitalize() for word in name_of(area).split(" "))


def parts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Sums]:
    """The sums of each part of an area, in order of code."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["area"], []).append(row)
    return {area: Sums.of(of_area) for area, of_area in sorted(found.items())}


def path_to(area: str | None) -> list[str]:
    """The codes that lead to an area, the province first: 61, 61.03, 61.03.01."""
    words = area.split(".") if area else []
    return [".".join(words[: number + 1]) for number in range(len(words))]
