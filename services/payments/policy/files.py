"""The shapes of the policy files, and reading them so that a mistake names its file and key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
import yaml

from services.payments.domain.entitlement import BenefitTable, FamilyPart, Reference

LISTED_CATEGORIES: Final = frozenset(
    {"PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"}
)
CATEGORIES: Final = LISTED_CATEGORIES | {"HR_VICTIM"}

Rupiah: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
FourTahap: TypeAlias = Annotated[tuple[Rupiah, ...], msgspec.Meta(min_length=4, max_length=4)]

T = TypeVar("T")


class MalformedPolicy(Exception):
    """A policy file can not be used as it stands."""

    def __init__(self, file: str, key: str, why: str) -> None:
        super().__init__(f"{file}: {key}: {why}")
        self.file = file
        self.key = key


# -- Shapes


class Shape(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping whose keys are all known: a misspelt one is refused, not ignored."""


class ReferenceEntry(Shape):
    """Where the figures come from, and what they do or do not say."""

    title: Text
    note: str = ""


class FamilyPartEntry(Shape):
    """What a family gets beside its members' amounts; `yearly` where no split is known."""

    yearly: Rupiah = 0
    regular: FourTahap | None = None
    access: FourTahap | None = None
    uplifted: FourTahap | None = None
    uplifted_categories: tuple[str, ...] = ()
    uplifted_provinces: tuple[str, ...] = ()


class Bounds(Shape):
    """The least and the most a family got a year."""

    min: Rupiah
    max: Rupiah


class BenefitFile(Shape):
    """One benefit table."""

    title: Text
    unit: Literal["IDR/tahap", "IDR/month", "IDR/two months", "IDR/year"]
    verified: bool
    reference: Annotated[tuple[ReferenceEntry, ...], msgspec.Meta(min_length=1)]
    members_max: Count
    order: tuple[str, ...]
    components: dict[str, Any]
    category_max: dict[str, Any] = {}
    family_part: FamilyPartEntry | None = None
    bounds: Bounds | None = None


class RuleSetEntry(Shape):
    """One rule set: its first and last closing date, and its benefit table."""

    valid_from: date = msgspec.field(name="from")
    valid_to: date = msgspec.field(name="to")
    benefit: Text


class RuleSetsFile(Shape):
    """The rule sets, from the oldest to the newest."""

    rule_sets: dict[str, Any]


# -- Reading


def read_benefit_table(file: Path) -> BenefitTable:
    """The benefit table of a file; its id is the file's name."""
    content = _convert(file.name, "", _parsed(file), BenefitFile)
    _check_order(file.name, content)
    if content.verified and content.unit == "IDR/year":
        raise MalformedPolicy(file.name, "unit", "no single payment can be made by a year's amount")
    return BenefitTable(
        id=file.stem,
        verified=content.verified,
        unit=content.unit,
        members_max=content.members_max,
        order=content.order,
        components=_by_category(file.name, "components", content.components, content.order, Rupiah),
        category_max=_by_category(
            file.name, "category_max", content.category_max, content.order, Count
        ),
        family_part=_family_part(file.name, content),
        references=tuple(Reference(each.title, each.note) for each in content.reference),
    )


def read_rule_sets(file: Path) -> Mapping[str, RuleSetEntry]:
    """The rule sets of a file by their ids, in its order."""
    listed = _convert(file.name, "", _parsed(file), RuleSetsFile).rule_sets
    return {
        name: _convert(file.name, f"rule_sets.{name}", entry, RuleSetEntry)
        for name, entry in listed.items()
    }


def _parsed(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise MalformedPolicy(file.name, "the file", "is missing") from missing
    except yaml.YAMLError as broken:
        raise MalformedPolicy(file.name, "the file", "is not YAML") from broken


def _convert(file: str, key: str, content: object, to: type[T]) -> T:
    try:
        return msgspec.convert(content, to)
    except msgspec.ValidationError as invalid:
        why, _, path = str(invalid).partition(" - at `$")
        named = (key + path.rstrip("`")).strip(".")
        raise MalformedPolicy(file, named or "the file", why) from invalid


def _by_category(
    file: str, key: str, content: Mapping[str, object], order: tuple[str, ...], to: Any
) -> Mapping[str, int]:
    for category in content:
        if category not in order:
            raise MalformedPolicy(file, f"{key}.{category}", "is not in `order`")
    return {
        category: int(_convert(file, f"{key}.{category}", value, to))
        for category, value in content.items()
    }


def _check_order(file: str, content: BenefitFile) -> None:
    # A category that the order leaves out would be refused at the closing, for every family.
    missing = LISTED_CATEGORIES - set(content.order)
    unknown = set(content.order) - CATEGORIES
    if missing or unknown or len(set(content.order)) != len(content.order):
        wrong = ", ".join(sorted(missing | unknown)) or "a category twice"
        raise MalformedPolicy(file, "order", f"must have each category once: {wrong}")


def _family_part(file: str, content: BenefitFile) -> FamilyPart | None:
    entry = content.family_part
    if entry is None:
        return None
    if content.verified and not entry.regular:
        raise MalformedPolicy(file, "family_part.regular", "is needed to pay by this table")
    return FamilyPart(
        regular=entry.regular or (),
        access=entry.access or (),
        uplifted=entry.uplifted or (),
        uplifted_categories=entry.uplifted_categories,
        uplifted_provinces=entry.uplifted_provinces,
    )
