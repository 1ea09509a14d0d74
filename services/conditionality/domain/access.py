"""Access of a family's members to school and health services, as the programme's indicators count.

It sanctions nobody: a family is reached where one member was, whatever else was missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from services.conditionality.domain.duties import (
    CommitmentPolicy,
    ListedMember,
    SchoolMonthly,
    attendance,
)
from services.conditionality.domain.person import Person

Service: TypeAlias = Literal["HEALTH", "EDUCATION"]

HEALTH_CATEGORIES: Final = ("PREGNANT", "EARLY_CHILD")
"""The categories whose visits count as access to health; others are seen at home."""


@dataclass(frozen=True, slots=True)
class Access:
    """A family with members whom a service is for, and if it reached one of them in the cycle."""

    of: Service
    reached: bool


def access_of(
    members: Sequence[ListedMember],
    months: Sequence[str],
    facts: Mapping[str, Person],
    policy: CommitmentPolicy,
) -> tuple[Access, ...]:
    """The services that are for a member by the categories held at the closing.

    HEALTH reached a member with one attended visit of the category's own service in any month of
    the cycle; EDUCATION with one month that passes by the attendance threshold.
    """
    found: dict[Service, bool] = {}
    for member in members:
        person = facts[member.token]
        for category in member.closing:
            match policy.duties.get(category):
                case SchoolMonthly():
                    reached = _was_at_school(person, months, policy.attendance_percent_min)
                    found["EDUCATION"] = found.get("EDUCATION", False) or reached
                case None:
                    pass  # the payee, who is no listed member
                case rule if category in HEALTH_CATEGORIES:
                    reached = _was_seen(person.visits.get(rule.service, {}), months)
                    found["HEALTH"] = found.get("HEALTH", False) or reached
                case _:
                    pass  # a category of neither
    return tuple(Access(of, found[of]) for of in sorted(found))


def _was_at_school(person: Person, months: Iterable[str], percent_min: int) -> bool:
    return any(
        attendance(person.school.get(month), percent_min) == ("PASSED", None) for month in months
    )


def _was_seen(visits: Mapping[str, bool], months: Iterable[str]) -> bool:
    return any(visits.get(month) for month in months)
