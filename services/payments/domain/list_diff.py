"""A list beside the last one that was frozen: what two people see before they decide on it.

A total says nothing of whom it goes to. So each family that is new, gone or shared, is paid
elsewhere, has more members or more rupiah is a line of text in order of family, and SHA-256 over
all of them is what both people name:

    # diff-1|2023-2|REGULAR|2023-1
    3f0c1c52-...|61.03.01.2026|ACCOUNT;INCREASE|225000|975000|0
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from services.payments.domain.listing import Digest
from services.payments.domain.shared.totals import Totals

Change: TypeAlias = Literal[
    "SHARED_ACCOUNT",
    "SHARED_PAYEE",
    "ACCOUNT",
    "PAYEE",
    "NEW_FAMILY",
    "GONE",
    "NEW_MEMBER",
    "INCREASE",
]
CHANGES: Final[tuple[Change, ...]] = get_args(Change)
SHARED: Final = ("SHARED_ACCOUNT", "SHARED_PAYEE")
SHOWN_MAX: Final = 100
"""Families of each change that are shown, the first by id; and those whose money grows most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A family as a list has it. Account and payee are only compared; rupiah are before any cut."""

    family: str
    region: str
    account: str
    payee: str
    members: frozenset[str]
    rupiah: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A family that differs, with its rupiah on either list and the number of its new members."""

    family: str
    region: str
    changes: tuple[Change, ...]
    before: int
    after: int
    members: int

    @property
    def increase(self) -> int:
        """Rupiah that a family which stands on both lists has more, or 0."""
        return self.after - self.before if "INCREASE" in self.changes else 0

    def key(self) -> str:
        """The family."""
        return self.family

    def fields(self) -> Sequence[str]:
        """Family, region, changes, rupiah before and now, new members."""
        figures = str(self.before), str(self.after), str(self.members)
        return (self.family, self.region, ";".join(self.changes), *figures)

    def totals(self) -> Totals:
        """The rupiah by which the family's money grows."""
        return Totals(1, self.increase)


@dataclass(frozen=True, slots=True)
class ListDiff:
    """The differences of a list from that of `against`: families by change, and their hash.

    `members` counts new members of families that stand on both, `increase` is the rupiah by which
    the families of INCREASE grow.
    """

    against: str
    hash: str
    families: Mapping[Change, int]
    members: int
    increase: int

    @property
    def to_acknowledge(self) -> str:
        """The hash that two people name; empty where nothing differs."""
        return self.hash if self.families else ""


def difference(
    family: str, before: Standing | None, now: Standing | None, shared: Change | None = None
) -> Difference | None:
    """The family's difference, None where it has none; `shared` is why the registry withheld it."""
    members = len(now.members - before.members) if before and now else 0
    changes = _changes(before, now, shared, members)
    if not changes:
        return None
    there = now or before
    rupiah = before.rupiah if before else 0, now.rupiah if now else 0
    return Difference(family, there.region if there else "", changes, *rupiah, members)


def _changes(
    before: Standing | None, now: Standing | None, shared: Change | None, members: int
) -> tuple[Change, ...]:
    found: list[Change] = [shared] if shared else []
    if before is None or now is None:
        if now:
            found.append("NEW_FAMILY")
        if before:
            found.append("GONE")
        return tuple(found)
    if before.account != now.account:
        found.append("ACCOUNT")
    if before.payee != now.payee:
        found.append("PAYEE")
    if members:
        found.append("NEW_MEMBER")
    if now.rupiah > before.rupiah:
        found.append("INCREASE")
    return tuple(found)


@dataclass(slots=True)
class DiffDigest:
    """Differences, taken in one after another in constant memory: hash, counts, what is shown."""

    tahap: str
    kind: str
    against: str
    shown: list[Difference] = field(default_factory=list)
    _digest: Digest = field(init=False)
    _families: Counter[Change] = field(default_factory=Counter)
    _members: int = 0
    _largest: list[tuple[int, str, Difference]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._digest = Digest("diff-1", self.tahap, self.kind, self.against)

    def add(self, found: Difference) -> None:
        """Take in the next difference, in order of family."""
        self._digest.add(found)
        named = [change for change in found.changes if change != "INCREASE"]
        if any(self._families[change] < SHOWN_MAX for change in named):
            self.shown.append(found)
        self._families.update(found.changes)
        self._members += found.members
        if found.increase:
            heapq.heappush(self._largest, (found.increase, found.family, found))
            if len(self._largest) > SHOWN_MAX:
                heapq.heappop(self._largest)

    def result(self) -> ListDiff:
        """The differences so far."""
        families = {change: n for change in CHANGES if (n := self._families[change])}
        rupiah = self._digest.totals.rupiah
        return ListDiff(self.against, self._digest.hash(), families, self._members, rupiah)

    def largest(self) -> list[Difference]:
        """The families whose money grows most, the most first."""
        return [found for _, _, found in sorted(self._largest, reverse=True)]
