"""The rule sets of a service's `rule_sets.yaml`: when each is valid, and whether it can be run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, Final, TypeVar

from libs.policy.files import PolicyError, Shape, Text, convert, read

RULE_SETS: Final = "rule_sets.yaml"


class RuleSetEntry(Shape):
    """A rule set as every service's file has it: the closing dates on which it is valid.

    Both dates are included, no `valid_to` is open. `not_run` says why no tahap is run by it,
    though the service knows its rules.
    """

    valid_from: date
    valid_to: date | None
    not_run: Text | None = None


class RuleSetsFile(Shape):
    """Rule sets by id."""

    rule_sets: dict[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListedRuleSet:
    """A rule set as a service answers for it to others.

    `verified` says whether its figures have a source that is enough to pay by; `reason` says why
    it does not run.
    """

    id: str
    valid_from: date
    valid_to: date | None
    runs: bool
    verified: bool = True
    reason: str | None = None


def listed(rule_set: str, entry: RuleSetEntry, *, verified: bool = True) -> ListedRuleSet:
    """The answer for one entry."""
    return ListedRuleSet(
        id=rule_set,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        runs=entry.not_run is None,
        verified=verified,
        reason=entry.not_run,
    )


E = TypeVar("E", bound=RuleSetEntry)


def read_rule_sets(file: Path, shape: type[E]) -> Mapping[str, E]:
    """The rule sets of a file by their ids, in its order; raises `PolicyError`."""
    entries = {
        rule_set: convert(file.name, _key(rule_set), entry, shape)
        for rule_set, entry in read(file, RuleSetsFile).rule_sets.items()
    }
    for rule_set, entry in entries.items():
        if entry.valid_to is not None and entry.valid_to < entry.valid_from:
            raise PolicyError(file.name, f"{_key(rule_set)}.valid_to", "is before valid_from")
    _refuse_overlaps(file.name, entries)
    return entries


def _refuse_overlaps(file: str, entries: Mapping[str, RuleSetEntry]) -> None:
    in_time = sorted(entries.items(), key=lambda item: item[1].valid_from)
    for (earlier, first), (later, second) in combinations(in_time, 2):
        # Two channels of one year may stand side by side as long as no tahap is run by them.
        if first.not_run is not None and second.not_run is not None:
            continue
        if (first.valid_to or date.max) >= second.valid_from:
            raise PolicyError(file, f"{_key(later)}.valid_from", f"lies within {earlier}")


def _key(rule_set: str) -> str:
    return f"rule_sets.{rule_set}"
