"""Operations' question to a service: do your snapshots say what your events say?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.chassis.forms import BIGINT_MAX
from libs.chassis.operations import Observer
from libs.chassis.pagination import Paging
from libs.chassis.service import StoreOf
from libs.events.store.model import StreamType
from libs.events.store.refolding import refold_drawn, refold_next


class RefoldedStreams(BaseModel):
    """The streams that were folded again from their events, and what was found: none is well."""

    streams: int
    findings: list[str]
    next: str | None = Field(
        description="The cursor of the streams behind these; null behind the last.",
        examples=[None],
    )


def refolding_router(kinds: Sequence[StreamType[Any, Any, Any]]) -> APIRouter:
    """The router that folds a service's streams again, which are all of these kinds."""
    router = APIRouter(tags=["operations"])

    @router.get("/refolded")
    async def read_refolded(
        store: StoreOf,
        observer: Observer,
        paging: Paging,
        seed: Annotated[int | None, Query(ge=0, le=BIGINT_MAX)] = None,
    ) -> RefoldedStreams:
        """Streams folded again, in the order of their ids; with `seed`, as many as it draws."""
        if seed is not None:
            drawn = await refold_drawn(store, kinds, seed, paging.limit)
            return RefoldedStreams(
                streams=len(drawn.stream_ids), findings=list(drawn.findings), next=None
            )
        page = await refold_next(store, kinds, paging.after(str) or "", paging.limit)
        more = len(page.stream_ids) == paging.limit
        _, following = paging.cut([*page.stream_ids, *([""] if more else [])], lambda name: name)
        return RefoldedStreams(
            streams=len(page.stream_ids), findings=list(page.findings), next=following
        )

    return router
