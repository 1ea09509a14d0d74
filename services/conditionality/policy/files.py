"""The shapes of the policy files, and reading them so that a mistake names its file and key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec
import yaml

from services.conditionality.domain.duties import (
    Cut,
    DutyRule,
    Sanction,
    SchoolMonthly,
    Suspension,
    VisitInCycle,
    VisitMonthly,
)

CATEGORIES: Final = frozenset(
    {"PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"}
)

Service: TypeAlias = Literal["WEIGHING", "MATERNAL_CHECK", "HOME_VISIT", "ELDERLY_CHECK"]
Percent: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=100)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]

T = TypeVar("T")


class PolicyError(Exception):
    """A policy file can not be used as it stands."""

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key}: {why}")
        self.file = file
        self.key = key


# -- Shapes ---------------------------------------------------------------------------------------


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping whose keys are all known: a misspelt one is refused, not ignored."""


class Reference(Shape):
    """Where a number comes from, and what weight the source bears."""

    title: Text
    note: str = ""


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


class RuleSetsFile(Shape):
    """Rule sets by id."""

    description: Text
    rule_sets: dict[str, Any]


class RuleSet(Shape, rename={"since": "from"}):
    """From when a rule set's values are taken, and its sanction's name."""

    since: date
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


Duty: TypeAlias = SchoolMonthlyDuty | VisitMonthlyDuty | VisitInCycleDuty


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

    percent: Percent
    per: Literal["MONTH", "CYCLE"]
    reference: References
    visit_months_missed: Count | None = None
    cycles_to_expulsion: Count | None = None

    def rule(self) -> Sanction:
        """The sanction as the rules know it."""
        return Cut(self.percent, self.per, self.visit_months_missed, self.cycles_to_expulsion)


AnySanction: TypeAlias = BlockSanction | WithholdSanction | CutSanction


# -- Reading --------------------------------------------------------------------------------------


class Dated(Generic[T]):
    """What holds from which day on."""

    def __init__(self, file: str, values: dict[date, T], reference: Sequence[Reference]) -> None:
        self._file = file
        self._values = values
        self.reference = reference

    def on(self, day: date) -> T:
        """The value in force on a day."""
        since = max((since for since in self._values if since <= day), default=None)
        if since is None:
            raise PolicyError(self._file, "values", f"nothing is in force on {day}")
        return self._values[since]


class _UniqueKeys(yaml.SafeLoader):
    """YAML lets the last of two equal keys win silently; a policy must not."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} stands here twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read(file: Path, shape: type[T]) -> T:
    """A file in its shape; raises `PolicyError`."""
    try:
        # The loader is a SafeLoader that is stricter still.
        content = yaml.load(file.read_text(encoding="utf-8"), _UniqueKeys)  # noqa: S506
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise PolicyError(file.name, f"line {line}", wrong.problem or "not YAML") from None
    except OSError as wrong:
        raise PolicyError(file.name, "file", wrong.strerror or "unreadable") from None
    shaped: T = convert(file.name, "", content, shape)
    return shaped


def convert(file: str, key: str, value: object, shape: Any) -> Any:
    """A part of a file in its shape; `key` is where it stands in the file."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as wrong:
        why, _, path = str(wrong).partition(" - at `$")
        where = f"{key}{path.rstrip('`')}".lstrip(".")
        raise PolicyError(file, where or "file", why) from None
