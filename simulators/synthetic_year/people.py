"""Invented families and the people in them, drawn from a group's own source of chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from random import Random
from typing import Final

from simulators.books import BANKS
from simulators.synthetic_year.places import PEOPLE_IN_FAMILY_MAX, Group

FEMALE: Final = "F"
MALE: Final = "M"
GIVEN: Final = {
    MALE: ("AGUS", "ASEP", "BUDI", "DEDI", "HENDRA", "IMAN", "JOKO", "RUDI", "UJANG", "YOSEP"),
    FEMALE: ("DEWI", "DIAN", "HALIMAH", "IDA", "KARTINI", "MARIANA", "RINA", "SITI", "TITIN"),
}
LAST: Final = (
    "AMINAH", "ANGGRAINI", "HANDAYANI", "HASANAH", "HIDAYAT", "KUSUMA", "NUGROHO", "PUSPITA",
    "PUTRA", "SAPUTRA", "SETIAWAN", "SIMANJUNTAK", "SURYANI", "USMAN", "WIJAYA",
)  # fmt: skip
STREETS: Final = ("HIDAYAT", "RAHAYU", "MERDEKA", "SUDIRMAN", "PATTIMURA", "KARTINI")
CHILDREN: Final = {0: 10, 1: 34, 2: 34, 3: 17, 4: 5}
"""The number of children, and how many in a hundred families have it."""
WOMAN_DIGITS: Final = 40
"""Added to the day of birth in a woman's number."""


@dataclass(frozen=True, slots=True)
class Person:
    """A member as members.csv has it; `due` is the day on which a pregnancy would end."""

    nik: str
    name: str
    sex: str
    born: date
    relationship: str
    occupation: str = ""
    level: str = ""
    npsn: str = ""
    nisn: str = ""
    disabled: bool = False
    due: date | None = None
    pregnancy_order: int | None = None

    def years_on(self, day: date) -> int:
        """Completed years on a day."""
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its bank knows it; `at_bank` is False where it has none of this number."""

    bank: str
    number: str
    holder: str
    holder_nik: str
    status: str
    since: date
    at_bank: bool


@dataclass(frozen=True, slots=True)
class Family:
    """A family with its account; the payee is one of its members."""

    number: int  # in the whole year, from 1
    card: str
    in_data: bool
    decile: int
    address: str
    payee: Person
    account: Account
    members: tuple[Person, ...]


class Draw:
    """The chance of one family of a group: each person gets the next of its numbers."""

    def __init__(self, group: Group, chance: Random, year: int, in_group: int = 0) -> None:
        self.group = group
        self.chance = chance
        self.year = year
        self._numbers = count(in_group * PEOPLE_IN_FAMILY_MAX)

    def happens(self, in_thousand: int) -> bool:
        """True so many times in a thousand."""
        return self.chance.randrange(1_000) < in_thousand

    def day_of(self, year: int) -> date:
        """A day of a year."""
        return date(year, 1, 1) + timedelta(self.chance.randrange(365))

    def person(self, relationship: str, sex: str, born: date) -> Person:
        """A person with a number and a name."""
        day = born.day + (WOMAN_DIGITS if sex == FEMALE else 0)
        serial = self.group.serial_of_person(next(self._numbers))
        nik = f"{self.group.district}{day:02}{born:%m%y}{serial:04}"
        name = f"{self.chance.choice(GIVEN[sex])} {self.chance.choice(LAST)}"
        return Person(nik, name, sex, born, relationship)


def family(draw: Draw, number: int, in_group: int) -> Family:
    """The family with this number of the year, at this index of its group."""
    parents = _parents(draw)
    mother = parents[-1]
    room = PEOPLE_IN_FAMILY_MAX - len(parents) - 2  # for a grandparent, and a child to be born
    children = [_child(draw, mother) for _ in range(min(_number_of_children(draw), room))]
    elders = [_elder(draw)] if draw.happens(160) else []
    if draw.happens(30):
        who = children or elders or parents
        who[-1] = replace(who[-1], disabled=True)
    issued = draw.day_of(draw.year - draw.chance.randrange(2, 15))
    serial = draw.group.serial_of_card(in_group)
    street, house = draw.chance.choice(STREETS), draw.chance.randrange(1, 150)
    payee = elders[0] if mother.years_on(date(draw.year, 1, 1)) < 18 and elders else mother
    return Family(
        number,
        f"{draw.group.district}{issued:%d%m%y}{serial:04}",
        not draw.happens(10),
        draw.chance.randrange(1, 5),
        f"JL. {street} NO. {house}",
        payee,
        _account(draw, number, payee),
        (*parents, *children, *elders),
    )


def _parents(draw: Draw) -> list[Person]:
    """A couple, or a woman alone; the mother is the last."""
    birth_year = draw.year - draw.chance.randrange(22, 56)
    woman = draw.day_of(birth_year)
    if draw.happens(170):
        return [_maybe_pregnant(draw, draw.person("HEAD", FEMALE, woman))]
    man = draw.person("HEAD", MALE, draw.day_of(birth_year - draw.chance.randrange(0, 6)))
    if draw.happens(10):
        man = replace(man, occupation=draw.chance.choice(("ASN", "POLRI", "PERANGKAT_DESA")))
    return [man, _maybe_pregnant(draw, draw.person("SPOUSE", FEMALE, woman))]


def _maybe_pregnant(draw: Draw, woman: Person) -> Person:
    if woman.years_on(date(draw.year, 1, 1)) > 42 or not draw.happens(70):
        return woman
    order = draw.chance.randrange(1, 4)
    return replace(woman, due=draw.day_of(draw.year), pregnancy_order=order)


def _number_of_children(draw: Draw) -> int:
    [drawn] = draw.chance.choices([*CHILDREN], [*CHILDREN.values()])
    return drawn


def _child(draw: Draw, mother: Person) -> Person:
    oldest = min(19, draw.year - mother.born.year - 19)
    years_ago = draw.chance.randrange(1, max(oldest, 1) + 1)
    child = draw.person(
        "CHILD", draw.chance.choice((MALE, FEMALE)), draw.day_of(draw.year - years_ago)
    )
    level = _level(child.years_on(date(draw.year, 1, 1)))
    if not level or draw.happens(30):
        return child
    school = f"30{draw.group.district[2:]}{('SD', 'SMP', 'SMA').index(level) + 1:02}"
    return replace(
        child, level=level, npsn=school, nisn=f"{int(child.nik[-4:]):04}{draw.group.index:06}"
    )


def _level(years: int) -> str:
    """The school that a child of so many years goes to, or none."""
    if years in range(7, 13):
        return "SD"
    if years in range(13, 16):
        return "SMP"
    return "SMA" if years in range(16, 19) else ""


def _elder(draw: Draw) -> Person:
    born = draw.day_of(draw.year - draw.chance.randrange(61, 90))
    return draw.person("PARENT", draw.chance.choice((MALE, FEMALE)), born)


def _account(draw: Draw, number: int, payee: Person) -> Account:
    """The payee's account; a few are closed, in another name, or unknown to the bank."""
    bank = draw.chance.randrange(len(BANKS))
    opened = date(draw.year - 2, 6, 1)
    closed = draw.happens(5)
    return Account(
        BANKS[bank],
        f"{bank + 1}{number:011}",
        f"{payee.name} BINTI" if draw.happens(10) else payee.name,
        payee.nik,
        "CLOSED" if closed else "ACTIVE",
        draw.day_of(draw.year) if closed else opened,
        not draw.happens(2),
    )
