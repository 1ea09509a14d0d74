"""The dated reference data of the sessions, read once at start from the files beside this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated, Final

import msgspec

from libs.policy.files import Count, Percent, PolicyError, Reference, Shape, Text, read
from services.p2k2.domain.curriculum import Module

FOLDER: Final = Path(__file__).parent

References = Annotated[list[Reference], msgspec.Meta(min_length=1)]


class ModuleEntry(Shape):
    """A module's title, its place among others, and the titles of its sessions."""

    title: Text
    rank: Count
    sessions: Annotated[list[Text], msgspec.Meta(min_length=1)]
    material: dict[int, Text] = msgspec.field(default_factory=dict)


class Curriculum(Shape):
    """Modules that hold on the same days, and who says so."""

    valid_from: date
    valid_to: date | None
    modules: Annotated[dict[str, ModuleEntry], msgspec.Meta(min_length=1)]
    reference: References


class ModulesFile(Shape):
    """The content of modules.yaml."""

    description: Text
    curricula: Annotated[dict[str, Curriculum], msgspec.Meta(min_length=1)]


class GroupFigures(Shape):
    """The figures of groups from a day on: sizes in families, a session's minutes, the target, the
    minutes of a token for check-in, the days within which scans of a list are told."""

    families_min: Count
    families_max: Count
    session_minutes: Count
    reached_percent: Percent
    check_in_minutes: Count
    check_in_days: Count


class GroupsFile(Shape):
    """The content of groups.yaml."""

    description: Text
    unit: Text
    values: Annotated[dict[date, GroupFigures], msgspec.Meta(min_length=1)]
    reference: References


@dataclass(frozen=True, slots=True)
class Policies:
    """All modules, and the figures of groups by the day from which they hold."""

    modules: Sequence[Module]
    groups: Mapping[date, GroupFigures]

    def holding(self, on: date) -> list[Module]:
        """The modules that hold on a day, in their order."""
        holding = (module for module in self.modules if module.holds(on))
        return sorted(holding, key=lambda module: module.rank)

    def figures(self, on: date) -> GroupFigures:
        """The figures of a day; those of the first day before it."""
        begun = [day for day in self.groups if day <= on]
        return self.groups[max(begun) if begun else min(self.groups)]


def load(folder: Path = FOLDER) -> Policies:
    """Every module and figure. Raises `PolicyError`, which names file and key."""
    curricula = read(folder / "modules.yaml", ModulesFile).curricula
    modules = [
        _module(code, entry, curriculum, f"curricula.{name}.modules.{code}")
        for name, curriculum in curricula.items()
        for code, entry in curriculum.modules.items()
    ]
    for first, second in combinations(modules, 2):
        if first.code == second.code and _overlap(first, second):
            raise PolicyError("modules.yaml", first.code, "holds twice on one day")
        if first.rank == second.rank and _overlap(first, second):
            raise PolicyError("modules.yaml", second.code, f"has the rank of {first.code}")
    return Policies(modules, read(folder / "groups.yaml", GroupsFile).values)


def _overlap(first: Module, second: Module) -> bool:
    return first.holds(second.valid_from) or second.holds(first.valid_from)


def _module(code: str, entry: ModuleEntry, curriculum: Curriculum, key: str) -> Module:
    if unknown := [number for number in entry.material if not 1 <= number <= len(entry.sessions)]:
        raise PolicyError("modules.yaml", f"{key}.material.{unknown[0]}", "no such session")
    return Module(
        code,
        entry.title,
        entry.rank,
        tuple(entry.sessions),
        tuple(entry.material.get(number, "") for number in range(1, len(entry.sessions) + 1)),
        curriculum.valid_from,
        curriculum.valid_to,
    )
