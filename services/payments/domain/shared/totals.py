"""A count and a sum, the two figures that every document and file is checked by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.payments.domain.shared.errors import Malformed, TotalsDiffer


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of payments and the whole rupiah that they come to."""

    count: int = 0
    rupiah: int = 0

    def __add__(self, other: Totals) -> Totals:
        return Totals(self.count + other.count, self.rupiah + other.rupiah)

    def __sub__(self, other: Totals) -> Totals:
        return Totals(self.count - other.count, self.rupiah - other.rupiah)

    def within(self, limit: Totals) -> bool:
        """Neither figure exceeds the limit's."""
        return self.count <= limit.count and self.rupiah <= limit.rupiah


NOTHING = Totals()


def total(parts: Iterable[Totals]) -> Totals:
    """The sum of totals; nothing for none."""
    return sum(parts, start=NOTHING)


def checked(totals: Totals) -> Totals:
    """`totals` itself; Malformed where no payments could come to it."""
    if totals.count < 0 or totals.rupiah < 0 or (totals.count == 0 and totals.rupiah > 0):
        raise Malformed(count=totals.count, rupiah=totals.rupiah)
    return totals


def require_equal(expected: Totals, given: Totals, of: str) -> None:
    """Refuse figures that are not exactly what they must be."""
    if expected != given:
        raise TotalsDiffer(of=of, expected=expected, given=given)
