"""The shapes of payments' policy files: benefit tables, and which rule set pays by which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from libs.policy.files import Count, PolicyError, Rupiah, Shape, Text, convert, read
from libs.policy.files import Reference as ReferenceEntry
from libs.policy.rule_sets import RuleSetEntry
from services.payments.domain.entitlement import BenefitTable, FamilyPart, Reference

LISTED_CATEGORIES: Final = frozenset(
    {"PREGNANT", "EARLY_CHILD", "SEVERE_DISABILITY", "ELDERLY", "SMA", "SMP", "SD"}
)
CATEGORIES: Final = LISTED_CATEGORIES | {"HR_VICTIM"}

FourTahap: TypeAlias = Annotated[tuple[Rupiah, ...], msgspec.Meta(min_length=4, max_length=4)]

# -- Shapes


class FamilyPartEntry(Shape):
    """The amount beside those of a family's members; `yearly` where no split is known."""

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
    category_max: dict[str, Any] = msgspec.field(default_factory=dict)
    family_part: FamilyPartEntry | None = None
    bounds: Bounds | None = None


class PaidRuleSet(RuleSetEntry, kw_only=True):
    """One rule set: its validity, and its benefit table by name."""

    benefit: Text


# -- Reading


def read_benefit_table(file: Path) -> BenefitTable:
    """The benefit table of a file; its id is the file's name."""
    content = read(file, BenefitFile)
    _check_order(file.name, content)
    if content.verified and content.unit == "IDR/year":
        raise PolicyError(file.name, "unit", "no single payment can be made by a year's amount")
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
        references=tuple(
            Reference(reference.title, reference.note) for reference in content.reference
        ),
    )


def _by_category(
    file: str, key: str, content: Mapping[str, object], order: tuple[str, ...], to: Any
) -> Mapping[str, int]:
    for category in content:
        if category not in order:
            raise PolicyError(file, f"{key}.{category}", "is not in `order`")
    return {
        category: int(convert(file, f"{key}.{category}", value, to))
        for category, value in content.items()
    }


def _check_order(file: str, content: BenefitFile) -> None:
    # A category that the order leaves out would be refused at the closing, for every family.
    missing = LISTED_CATEGORIES - set(content.order)
    unknown = set(content.order) - CATEGORIES
    if missing or unknown or len(set(content.order)) != len(content.order):
        wrong = ", ".join(sorted(missing | unknown)) or "a category twice"
        raise PolicyError(file, "order", f"must have each category once: {wrong}")


def _family_part(file: str, content: BenefitFile) -> FamilyPart | None:
    entry = content.family_part
    if entry is None:
        return None
    if content.verified and not entry.regular:
        raise PolicyError(file, "family_part.regular", "is needed to pay by this table")
    return FamilyPart(
        regular=entry.regular or (),
        access=entry.access or (),
        uplifted=entry.uplifted or (),
        uplifted_categories=entry.uplifted_categories,
        uplifted_provinces=entry.uplifted_provinces,
    )
