"""Regions of a token: the family of a path lies within them, and the rows of a list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import Depends, Query, Request, Security

from libs.chassis.auth import NATION, Principal, is_outside, principal
from libs.chassis.bodies import FamilyUnknown
from libs.chassis.middleware import Asked, resource
from libs.chassis.noting import Noting
from libs.chassis.service import CommitterOf, StoreOf
from libs.events.store.postgres import Store

Lives: TypeAlias = Callable[[Store, UUID, date], Awaitable[str | None]]
"""The region where a service knows a family to live on a day; "" where it knows the family and not
where, which is the nation's to see, None where it knows nothing of the family."""


async def lives_nowhere(_store: Store, _family: UUID, _on: date) -> str | None:
    """The `Lives` of a service without families."""
    return None


async def of_family(
    family: UUID,
    request: Request,
    store: StoreOf,
    committer: CommitterOf,
    lives: Annotated[Lives, resource("lives")],
    context: Asked,
    asker: Annotated[Principal, Depends(principal)],
) -> Principal:
    """The request's principal, who must hold the scopes, and in whose regions the family of the
    path lives today; a foreign family is as unknown as one that nobody knows. A GET is noted."""
    region = await lives(store, family, context.at.date())
    if region is None or is_outside(asker, region):
        raise FamilyUnknown(family=family)
    if request.method == "GET":
        await Noting(request, committer, context).read(str(family))
    return asker


def require_family(*scopes: str) -> Any:
    """The dependency of a route with {family} in its path, which needs these scopes there."""
    return Security(of_family, scopes=scopes)


RegionWithin = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?$",
        description="Only what lies within this region: a dotted code, province to village.",
    ),
]
"""A list's filter; see `Principal.within`."""


def holds(regions: Sequence[str], region: str) -> bool:
    """True where a region lies within one of those that a message names as its author's.

    What is nowhere is the nation's: an empty code in a message holds nothing.
    """
    if NATION in regions:
        return True
    return region != "" and Principal("", frozenset(), tuple(regions)).may_see(region)


def region_ranges(regions: Sequence[str]) -> tuple[list[str], list[str]]:
    """The half-open ranges of region codes, in byte order, that a principal's regions cover.

    A code's descendants begin with it and a dot, and "/" follows "." in byte order: ranges use
    the index that LIKE would not.
    """
    lows = ["" if region == NATION else region for region in regions]
    highs = ["~" if region == NATION else f"{region}/" for region in regions]
    return lows, highs
