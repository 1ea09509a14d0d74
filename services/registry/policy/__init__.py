"""The rule sets by year, read once at start from a dated file that names its legal sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from services.registry.domain.closing import RuleSet

FILE: Final = Path(__file__).with_name("rule_sets.yaml")
SOURCED: Final = frozenset(
    {f.name for f in fields(RuleSet)} - {"id", "valid_from", "valid_to", "references"}
)


class PolicyMalformed(Exception):
    """A policy file does not say what it must; names the file and the key."""

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(f"{file.name}: {key}: {problem}")


class RuleSetUnknown(LookupError):
    """No rule set has this id."""


@dataclass(frozen=True, slots=True)
class RuleSets:
    """Every rule set that a closing may name, by id."""

    by_id: Mapping[str, RuleSet]

    def named(self, rule_set: str) -> RuleSet:
        """The rule set of this id; raises `RuleSetUnknown`."""
        if rule_set not in self.by_id:
            raise RuleSetUnknown(f"{rule_set!r} is none of {sorted(self.by_id)}")
        return self.by_id[rule_set]


def load_rule_sets(file: Path = FILE) -> RuleSets:
    """Read the rule sets; a file that is not whole is refused with `PolicyMalformed`.

    Every key must be there and no other, every number covered by a reference, and no day may
    have two rule sets.
    """
    read = _read(file)
    if set(read) != {"rule_sets"} or not isinstance(read["rule_sets"], dict):
        raise PolicyMalformed(file, "rule_sets", "is the one key, with a mapping of rule sets")
    sets = {key: _rule_set(file, key, entry) for key, entry in read["rule_sets"].items()}
    _refuse_overlaps(file, sets)
    return RuleSets(sets)


class _OneKeyOnce(yaml.SafeLoader):
    """YAML as ever, but a key that stands twice is refused: the second would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key} stands twice")
        return super().construct_mapping(node, deep)


def _read(file: Path) -> dict[str, Any]:
    try:
        read = yaml.load(file.read_text(encoding="utf-8"), _OneKeyOnce)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise PolicyMalformed(file, "whole file", str(error)) from error
    if not isinstance(read, dict):
        raise PolicyMalformed(file, "whole file", "is not a mapping")
    return read


def _rule_set(file: Path, key: str, entry: object) -> RuleSet:
    if not isinstance(entry, dict):
        raise PolicyMalformed(file, f"rule_sets.{key}", "is not a mapping")
    for problem_key, problem in _problems(entry):
        raise PolicyMalformed(file, f"rule_sets.{key}.{problem_key}", problem)
    try:
        rules = msgspec.convert({"id": key, **entry}, RuleSet)
    except msgspec.ValidationError as error:
        raise PolicyMalformed(file, f"rule_sets.{key}", str(error)) from error
    for problem_key, problem in _contradictions(rules):
        raise PolicyMalformed(file, f"rule_sets.{key}.{problem_key}", problem)
    return rules


def _problems(entry: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    wanted = {f.name for f in fields(RuleSet)} - {"id"}
    yield from ((str(name), "is unknown") for name in sorted(entry.keys() - wanted))
    yield from ((name, "is missing") for name in sorted(wanted - entry.keys()))


def _contradictions(rules: RuleSet) -> Iterator[tuple[str, str]]:
    covered = {name for reference in rules.references for name in reference.covers}
    yield from ((name, "has no reference") for name in sorted(SOURCED - covered))
    yield from (("references", f"cover {name}, which is none") for name in covered - SOURCED)
    if rules.valid_to is not None and rules.valid_to < rules.valid_from:
        yield "valid_to", "is before valid_from"
    if rules.school_to_years < rules.school_from_years:
        yield "school_to_years", "is below school_from_years"
    for name in sorted(SOURCED):
        value = getattr(rules, name)
        if isinstance(value, int) and value < 0:
            yield name, "is negative"


def _refuse_overlaps(file: Path, sets: Mapping[str, RuleSet]) -> None:
    in_time = sorted(sets.values(), key=lambda rules: rules.valid_from)
    for earlier, later in pairwise(in_time):
        if (earlier.valid_to or date.max) >= later.valid_from:
            key = f"rule_sets.{later.id}.valid_from"
            raise PolicyMalformed(file, key, f"lies within {earlier.id}")
