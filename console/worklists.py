"""One work list as it is asked for in an address: its filters checked, its cells named."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, get_args

from console.areas import title_of
from console.page import PageRefused, Visit
from console.words import Words
from services.projection.policy.areas import CODE_LENGTHS, below, level_of
from services.projection.tables.worklists import (
    LISTS,
    ListName,
    SortName,
    Work,
    WorkWanted,
    counted,
)

SORTS: Final[tuple[SortName, ...]] = get_args(SortName)
OF_NO_TAHAP: Final = frozenset({"cases"})
REASON_CHARACTERS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """A list, the area that it is asked for (None: all of the reader's), and its filters."""

    area: str | None
    wanted: WorkWanted

    @property
    def filters(self) -> dict[str, str | None]:
        """The filters as they stand in an address."""
        return {
            "tahap": self.wanted.tahap,
            "region": self.area,
            "reason": self.wanted.reason,
            "sort": self.wanted.sort if self.wanted.sort != "id" else None,
        }


def list_named(visit: Visit) -> ListName:
    """The list of the path; a 404 page where there is none of its name."""
    text = visit.request.path_params["list"]
    for name in LISTS:
        if name == text:
            return name
    raise PageRefused(404, "unknown_list")


async def asked_list(visit: Visit, *besides: str) -> Asked:
    """The list and filters of an address; whatever is unknown there is a page of its own."""
    name = list_named(visit)
    of_tahap = () if name in OF_NO_TAHAP else ("tahap",)
    visit.only("region", "reason", "sort", *of_tahap, *besides)
    area, regions = visit.regions()
    tahap = None
    if LISTS[name].of_a_tahap or visit.asked("tahap"):
        tahap = await visit.tahap()
    reason = visit.asked("reason")
    if reason is not None and (len(reason) > REASON_CHARACTERS_MAX or not reason.isprintable()):
        raise PageRefused(422, "unknown_filter")
    sort = visit.choice("sort", SORTS, "id")
    return Asked(area, WorkWanted(name, regions, tahap, reason, sort))


@dataclass(frozen=True, slots=True)
class Counts:
    """The rows of a list by reason and by the areas below the one that is asked for."""

    rows: int
    reasons: list[tuple[str, int]]
    areas: list[tuple[str, int]]


async def counts_of(visit: Visit, asked: Asked) -> Counts:
    """The counts that its filters lead to; a reason that is no word of ours and that nothing waits
    for is unknown."""
    level = below(level_of(asked.area))
    whole = replace(asked.wanted, reason=None)
    found = await counted(visit.reading, whole, CODE_LENGTHS[level])
    reasons, areas = Counter[str](), Counter[str]()
    for reason, area, rows in found:
        reasons[reason] += rows
        if asked.wanted.reason in (None, reason):
            areas[area] += rows
    wanted = asked.wanted.reason
    if wanted is not None and wanted not in reasons and not _is_worded(visit.words, wanted):
        raise PageRefused(404, "unknown_reason")
    inside = [] if level == "FAMILY" else sorted(areas.items())
    return Counts(sum(areas.values()), reasons.most_common(), inside)


def _is_worded(t: Words, codes: str) -> bool:
    return all(t.code("reason", code) != code for code in codes.split(";"))


def shown(row: Work) -> dict[str, Any]:
    """A row as plain data, its area named."""
    return {**asdict(row), "name": title_of(row.region) if row.region else ""}
