"""The entitlement of a family in a tahap: members, categories, seniority and a benefit table.

Whole rupiah only. The table is dated policy and comes from outside; nothing here knows a figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.payments.domain.shared.errors import CategoryUnknown, Malformed, UnverifiedBenefit


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the roster lists it: categories held on the closing date, seniority in family.

    `seniority` orders members of equal worth, youngest first, then by number of identity.
    """

    member: int
    seniority: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A listed member who brings no money, and registry's reason, a code."""

    member: int
    reason: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a table's figures come from; `note` says what the source does or does not say."""

    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """The parts of tahap and place on which the family's own part depends in some years.

    `tahap_number` is 1-4, `province` the two-digit code; `access_area` is PKH Akses, that is
    an underdeveloped, remote or outermost area.
    """

    tahap_number: int = 1
    province: str = ""
    access_area: bool = False


@dataclass(frozen=True, slots=True)
class FamilyPart:
    """The amount beside those of a family's members: rupiah for tahap 1-4, per scheme.

    UPLIFTED stands in for REGULAR where a counted member holds one of the categories or the
    family lives in one of the provinces; ACCESS where the area is an access area.
    """

    regular: tuple[int, ...]
    access: tuple[int, ...] = ()
    uplifted: tuple[int, ...] = ()
    uplifted_categories: tuple[str, ...] = ()
    uplifted_provinces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BenefitTable:
    """The benefit of one rule period: rupiah a member and tahap for each category that is paid.

    `order` names every category there is, in the order in which components stand and in which
    ties of one member fall. `category_max` bounds members of a category; empty: no bound.
    """

    id: str
    verified: bool
    unit: str
    members_max: int
    order: tuple[str, ...]
    components: Mapping[str, int]
    category_max: Mapping[str, int] = field(default_factory=dict)
    family_part: FamilyPart | None = None
    references: tuple[Reference, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """The number of members who count for a category."""

    category: str
    members: int


@dataclass(frozen=True, slots=True)
class Counted:
    """A member who counts, the category they count for and its rupiah."""

    member: int
    category: str
    amount: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Rupiah that a failed cycle takes off an entitlement, where its rules cut instead of holding.

    `evaluation` is the revision of the cycle's evaluation that orders it; all is 0 for none.
    """

    rupiah: int = 0
    percent: int = 0
    evaluation: int = 0


NO_CUT: Final = Cut()


@dataclass(frozen=True, slots=True)
class Entitlement:
    """A family's entitlement: components in the table's order, rupiah, who counted.

    `amount` is the sum of what is `counted`, and the family's own part in years that have one;
    what is paid is less by the `cut`.
    """

    components: tuple[Component, ...]
    amount: int
    counted: tuple[Counted, ...]
    cut: Cut = NO_CUT

    @property
    def members(self) -> frozenset[int]:
        """Whose money it is."""
        return frozenset(member.member for member in self.counted)


def entitlement(
    members: Sequence[Member],
    table: BenefitTable,
    circumstances: Circumstances | None = None,
) -> Entitlement:
    """The entitlement of a family's members by a table; UnverifiedBenefit where it may not pay.

    Each member counts once, for the category worth most; at most `members_max` count: those
    worth most, equal worth by seniority. A family of whom nobody counts is entitled to nothing.
    """
    if not table.verified:
        raise UnverifiedBenefit(table=table.id)
    counted = _counted(members, table)
    held = Counter(counted.values())
    amount = sum(table.components[category] * n for category, n in held.items())
    if held and table.family_part is not None:
        amount += _family_amount(table.family_part, circumstances or Circumstances(), held)
    return Entitlement(
        components=tuple(Component(name, held[name]) for name in table.order if held[name]),
        amount=amount,
        counted=tuple(
            Counted(member, category, table.components[category])
            for member, category in sorted(counted.items())
        ),
    )


def cut_of(amount: int, percent: int, evaluation: int) -> Cut:
    """The cut that an evaluation orders of an amount; none for 0 percent.

    Amounts since 2021 are multiples of 25,000, so a cut of 10 % is exact; of any other amount the
    family keeps the fraction of a rupiah.
    """
    return Cut(amount * percent // 100, percent, evaluation) if percent else NO_CUT


def amount_of(components: Sequence[Component], table: BenefitTable) -> int:
    """The rupiah that components come to by a table, without the family's own part."""
    return sum(table.components[part.category] * part.members for part in components)


def _counted(members: Sequence[Member], table: BenefitTable) -> dict[int, str]:
    """Which members count, each with its category.

    All (member, category) pairs, best first: a member's first pair is its best category, so
    taking pairs while there is room takes the members worth most.
    """
    rank = {category: index for index, category in enumerate(table.order)}
    pairs = sorted(
        (-table.components[category], member.seniority, rank[category], member.member, category)
        for member in members
        for category in _ranked(member.categories, rank)
        if category in table.components
    )
    counted: dict[int, str] = {}
    room = Counter(table.category_max)
    for _, _, _, member_id, category in pairs:
        if len(counted) == table.members_max:
            break
        if member_id in counted or (category in table.category_max and not room[category]):
            continue
        counted[member_id] = category
        room[category] -= 1
    return counted


def _ranked(categories: Sequence[str], rank: Mapping[str, int]) -> Sequence[str]:
    for category in categories:
        if category not in rank:
            raise CategoryUnknown(category=category)
    return categories


def _family_amount(part: FamilyPart, where: Circumstances, held: Mapping[str, int]) -> int:
    schedule = part.regular
    if part.uplifted and (
        where.province in part.uplifted_provinces
        or any(category in held for category in part.uplifted_categories)
    ):
        schedule = part.uplifted
    if where.access_area and part.access:
        schedule = part.access
    if not 1 <= where.tahap_number <= len(schedule):
        raise Malformed(tahap_number=where.tahap_number)
    return schedule[where.tahap_number - 1]
