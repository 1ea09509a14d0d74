"""Homes of invented families: groups of a village, numbered so that no two people share a number.

A NIK ends with a serial number of four digits within a district, a birth date and a sex. Each group
has a range of serials of its own in its district, so a person is drawn without looking at others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

FAMILIES_IN_GROUP: Final = 28
"""A group has 25 to 30 families (guidelines of the family sessions)."""
PEOPLE_IN_FAMILY_MAX: Final = 8
PEOPLE_IN_GROUP: Final = FAMILIES_IN_GROUP * PEOPLE_IN_FAMILY_MAX
GROUPS_IN_DISTRICT: Final = 9_999 // PEOPLE_IN_GROUP
GROUPS_IN_VILLAGE: Final = 2
GROUPS_OF_FACILITATOR: Final = 11
DISTRICTS_IN_REGENCY: Final = 99
FIRST_VILLAGE: Final = 2001
"""Codes of villages begin with 2, those of towns' quarters with 1."""

WEST_KALIMANTAN: Final = (
    *(f"61.{number:02}" for number in range(1, 13)),
    "61.71",
    "61.72",
)
"""The regencies of the sample years; the year is spread over them evenly."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of families in one village; `index` counts the groups of the year from 0."""

    index: int
    regency: str  # "61.03"
    district_number: int
    in_district: int  # 0 to GROUPS_IN_DISTRICT - 1

    @property
    def district(self) -> str:
        """The six digits with which numbers of people and cards begin."""
        return f"{self.regency.replace('.', '')}{self.district_number:02}"

    @property
    def village(self) -> str:
        """The code of its village, such as 61.03.01.2026."""
        number = FIRST_VILLAGE + self.in_district // GROUPS_IN_VILLAGE
        return f"{self.regency}.{self.district_number:02}.{number}"

    @property
    def name(self) -> str:
        """Its number in the integrated data."""
        of_village = self.in_district % GROUPS_IN_VILLAGE + 1
        return f"G{self.village.replace('.', '')}-{of_village}"

    @property
    def facilitator(self) -> str:
        """The number of its facilitator."""
        return f"PD{self.district}{self.in_district // GROUPS_OF_FACILITATOR + 1}"

    def serial_of_person(self, in_group: int) -> int:
        """The end of a person's number, for the person of the group with this index."""
        return self.in_district * PEOPLE_IN_GROUP + in_group + 1

    def serial_of_card(self, in_group: int) -> int:
        """The end of a card's number, for the family of the group with this index."""
        return self.in_district * FAMILIES_IN_GROUP + in_group + 1


def families_max(regencies: Sequence[str]) -> int:
    """The number of families for which these regencies have numbers."""
    groups = len(regencies) * DISTRICTS_IN_REGENCY * GROUPS_IN_DISTRICT
    return groups * FAMILIES_IN_GROUP


def group_at(index: int, regencies: Sequence[str]) -> Group:
    """The group of an index: regencies in turn, districts one after the other."""
    of_regency, regency = divmod(index, len(regencies))
    district, in_district = divmod(of_regency, GROUPS_IN_DISTRICT)
    return Group(index, regencies[regency], district + 1, in_district)
