"""The terms of a final closing: its dates and the rule set in force."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

PolicyKind: TypeAlias = Literal["BIRTH", "PREGNANCY", "SCHOOL_CHANGE"]
"""The life events of which policy says whether a second person approves them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Where rules come from: the text, a link if it has one, and the keys that it covers."""

    title: str
    covers: tuple[str, ...]
    href: str | None = None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Who may take part and who counts for what, in the years from `valid_from` to `valid_to`.

    All bounds are inclusive. Ages are completed years on the date in question, except
    `early_child_below_years`: a child is early up to the day before that birthday. None as
    `pregnancy_order_max` counts every pregnancy, None as `valid_to` is open.
    `natural_graduation_term_days` is how long a family without a category waits before it
    graduates; at 0 it graduates at that closing. A birth lies at most `birth_reported_days_max`
    before the day it is judged by; the kinds of `second_person_for` wait for a second person before
    they count. A list takes a payee or an account no sooner than `payee_cooling_off_days` after the
    change was reported and approved.
    """

    id: str
    valid_from: date
    valid_to: date | None
    excluded_occupations: frozenset[str]
    pregnancy_days_before: int
    pregnancy_days_after: int
    pregnancy_order_max: int | None
    early_child_below_years: int
    school_from_years: int
    school_to_years: int
    elderly_from_years: int
    payee_from_years: int
    references: tuple[Reference, ...]
    natural_graduation_term_days: int = 0
    birth_reported_days_max: int = 365
    second_person_for: frozenset[PolicyKind] = frozenset()
    payee_cooling_off_days: int = 0


@dataclass(frozen=True, slots=True)
class Closing:
    """One final closing: the tahap, the months of its cycle and the day everything is known by.

    `tahap` is the year of its first month and its number, "2023-1"; `months` are "YYYY-MM".
    `revision` counts the lists made for the tahap, from 1.
    """

    tahap: str
    revision: int
    months: tuple[str, ...]
    closing_date: date
    rules: RuleSet

    @property
    def term_ends_on(self) -> date | None:
        """The last day on which a late fact may re-open this closing; None without a term."""
        days = self.rules.natural_graduation_term_days
        return self.closing_date + timedelta(days=days) if days else None


@lru_cache(maxsize=1024)
def month_end(month: str) -> date:
    """The last day of a month "YYYY-MM"."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


@lru_cache(maxsize=1024)
def tahap_order(tahap: str) -> tuple[int, int]:
    """The order of tahap in time: (year, number). "2023-10" comes after "2023-9"."""
    year, number = tahap.split("-")
    return int(year), int(number)


def completed_years(birth_date: date, on: date) -> int:
    """Age in completed years; who is born on 29 February has a birthday on 1 March otherwise."""
    before_birthday = (on.month, on.day) < (birth_date.month, birth_date.day)
    return on.year - birth_date.year - before_birthday
