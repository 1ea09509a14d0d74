"""The shapes of the policy files of commitment, and values by the day from which they hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec

from libs.policy.files import Count, PolicyError, Reference, Shape, Text
from libs.policy.rule_sets import RuleSetEntry
from services.conditionality.domain.duties import (
    AppealLimits,
    Cut,
    DutyRule,
    Excuse,
    FurtherDuty,
    Sanction,
    SchoolMonthly,
    Suspension,
    VisitInCycle,
    VisitMonthly,
    VisitWhenDue,
)
from services.conditionality.domain.writers import WriterTerm

CATEGORIES: Final = frozenset(
    {"PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"}
)

CutPercent: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=100)]
Service: TypeAlias = Literal[
    "WEIGHING",
    "MATERNAL_CHECK",
    "HOME_VISIT",
    "ELDERLY_CHECK",
    "IMMUNISATION",
    "VITAMIN_A",
    "NEWBORN_VISIT",
    "DELIVERY",
    "NIFAS_VISIT",
    "TRIMESTER_CHECK",
]
Kind: TypeAlias = Service | Literal["SCHOOL", "P2K2"]

MONTH: Final = r"^(200[7-9]|20[1-9][0-9]|2100)-(0[1-9]|1[0-2])$"
AREA: Final = r"^(\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?)$"

T = TypeVar("T")

# -- Shapes ---------------------------------------------------------------------------------------


References: TypeAlias = Annotated[list[Reference], msgspec.Meta(min_length=1)]


class DatedFile(Shape):
    """Values by the day from which they hold."""

    description: Text
    unit: Text
    values: Annotated[dict[date, Any], msgspec.Meta(min_length=1)]
    reference: References


class SanctionsFile(Shape):
    """Sanctions by name."""

    description: Text
    sanctions: dict[str, Any]


class RuleSet(RuleSetEntry, kw_only=True):
    """A rule set: the values of its first day, and its sanction's name."""

    sanction: Text


class SchoolMonthlyDuty(Shape, tag_field="duty", tag="SCHOOL_MONTHLY"):
    """The attendance threshold in every month."""

    def rule(self) -> DutyRule:
        """The duty as the rules know it."""
        return SchoolMonthly()


class VisitMonthlyDuty(Shape, tag_field="duty", tag="VISIT_MONTHLY"):
    """The service attended in every month."""

    service: Service

    def rule(self) -> DutyRule:
        """The duty as the rules know it."""
        return VisitMonthly(self.service)


class VisitInCycleDuty(Shape, tag_field="duty", tag="VISIT_IN_CYCLE"):
    """The service attended at least once in the cycle."""

    service: Service

    def rule(self) -> DutyRule:
        """The duty as the rules know it."""
        return VisitInCycle(self.service)


class FurtherEntry(Shape):
    """A duty beside a category's own: whose it is, and how the programme's text has it."""

    category: Literal["PREGNANT", "EARLY_CHILD", "PAYEE"]
    duty: Literal["VISIT_MONTHLY", "VISIT_WHEN_DUE"]
    service: Service | Literal["P2K2"]
    when: Text
    reference: References

    def rule(self) -> FurtherDuty:
        """The duty as the rules know it."""
        kind = VisitMonthly if self.duty == "VISIT_MONTHLY" else VisitWhenDue
        return FurtherDuty(self.category, kind(self.service))


class AppealLimitsEntry(Shape):
    """The number of cases that may appeal against one sanction of a cycle, at a time and in all."""

    open: Annotated[int, msgspec.Meta(ge=1)]
    decided: Annotated[int, msgspec.Meta(ge=1)]

    def rule(self) -> AppealLimits:
        """The limits as the rules know them."""
        return AppealLimits(self.open, self.decided)


class FurtherFile(Shape):
    """Duties by name, and which of them are asked for, by the day from which they are."""

    description: Text
    duties: dict[str, Any]
    values: Annotated[dict[date, list[str]], msgspec.Meta(min_length=1)]


Duty: TypeAlias = SchoolMonthlyDuty | VisitMonthlyDuty | VisitInCycleDuty


class ExcuseEntry(Shape):
    """The duties that a reason excuses, and for how long."""

    excuses: Annotated[list[Kind], msgspec.Meta(min_length=1)]
    days_max: Count

    def rule(self) -> Excuse:
        """The reason as the rules know it."""
        return Excuse(frozenset(self.excuses), self.days_max)


class BlockSanction(Shape, tag_field="kind", tag="BLOCK"):
    """Credited, but blocked."""

    failures_to_investigation: Count
    reference: References

    def rule(self) -> Sanction:
        """The sanction as the rules know it."""
        return Suspension("BLOCK", self.failures_to_investigation)


class WithholdSanction(Shape, tag_field="kind", tag="WITHHOLD"):
    """Not paid, added to a later payment."""

    failures_to_investigation: Count
    reference: References

    def rule(self) -> Sanction:
        """The sanction as the rules know it."""
        return Suspension("WITHHOLD", self.failures_to_investigation)


class CutSanction(Shape, tag_field="kind", tag="CUT"):
    """Paid, but less."""

    percent: CutPercent
    per: Literal["MONTH", "CYCLE"]
    reference: References
    failures_to_investigation: Count | None = None
    cycles_to_expulsion: Count | None = None

    def rule(self) -> Sanction:
        """The sanction as the rules know it."""
        return Cut(self.percent, self.per, self.failures_to_investigation, self.cycles_to_expulsion)


AnySanction: TypeAlias = BlockSanction | WithholdSanction | CutSanction


# -- Writers --------------------------------------------------------------------------------------


class WriterTermEntry(msgspec.Struct, forbid_unknown_fields=True, rename={"first": "from"}):
    """The months, areas and schools or facilities that a writer may speak about."""

    first: Annotated[str, msgspec.Meta(pattern=MONTH)]
    areas: Annotated[list[Annotated[str, msgspec.Meta(pattern=AREA)]], msgspec.Meta(min_length=1)]
    reporters: Annotated[list[str], msgspec.Meta(min_length=1)]
    until: Annotated[str, msgspec.Meta(pattern=MONTH)] = ""

    def rule(self) -> WriterTerm:
        """The term as the rules know it."""
        return WriterTerm(self.first, self.until, tuple(self.areas), tuple(self.reporters))


class WriterEntry(Shape):
    """Somebody who is registered to write on a topic."""

    topic: Text
    title: Text
    terms: Annotated[list[WriterTermEntry], msgspec.Meta(min_length=1)]


class WritersFile(Shape):
    """Everybody who is registered, by name."""

    description: Text
    writers: dict[str, WriterEntry]
    reference: References


# -- Dated values ---------------------------------------------------------------------------------


class Dated(Generic[T]):
    """The value that holds from each day on."""

    def __init__(self, file: str, values: dict[date, T], reference: Sequence[Reference]) -> None:
        self._file = file
        self._values = values
        self.reference = reference

    def on(self, day: date) -> T:
        """The value in force on a day; raises `PolicyError` where there is none."""
        value = self.found(day)
        if value is None:
            raise PolicyError(self._file, "values", f"nothing is in force on {day}")
        return value

    def found(self, day: date) -> T | None:
        """The value in force on a day, if any is."""
        since = max((since for since in self._values if since <= day), default=None)
        return None if since is None else self._values[since]
