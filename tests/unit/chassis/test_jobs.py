"""Who sees whose jobs: one's own, and with the scope for the whole nation everybody's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from libs.chassis.auth import NATION, Principal
from libs.chassis.jobs import SEES_ALL, Job, JobUnknown, Wanted, page, visible
from libs.events.domain.persons import same_person
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

RUN = "listing-2023-1"
AT = datetime(2023, 1, 1, tzinfo=UTC)
NO_STORE = cast(Store, None)


@dataclass(frozen=True)
class Runs:
    """One run, begun by ana."""

    seen_by: frozenset[str] = frozenset({"registry:read"})

    async def find(self, store: Store, job: str) -> Job | None:
        return self._run() if job == RUN else None

    async def newest(self, store: Store, wanted: Wanted) -> list[Job]:
        return [self._run()] if wanted.by is None or same_person(wanted.by, "ana") else []

    async def cancel(self, unit: Transaction, job: Job, by: str) -> None:
        raise NotImplementedError

    def _run(self) -> Job:
        more: dict[str, Any] = {"done": 1, "total": 2, "unit": "families", "rate": None}
        return Job(
            id=RUN,
            kind="listing",
            about="2023-1",
            state="RUNNING",
            by="ana",
            started_at=AT,
            changed_at=AT,
            **more,
        )


async def seen(subject: str, scope: str, regions: Sequence[str]) -> bool:
    """True where somebody sees the run, by its id and among all alike."""
    asker = Principal(subject, frozenset({scope}), tuple(regions))
    try:
        await visible([Runs()], NO_STORE, RUN, asker)
        by_id = True
    except JobUnknown:
        by_id = False
    listed = bool(await page([Runs()], NO_STORE, asker, Wanted(None, None, None, 10)))
    assert by_id == listed
    return by_id


@pytest.mark.parametrize("scope", ["registry:read", SEES_ALL])
async def test_a_run_is_seen_by_its_scope_for_the_whole_nation(scope: str) -> None:
    assert await seen("ben", scope, [NATION])
    for regions in (["61"], []):
        assert not await seen("ben", scope, regions)
    assert not await seen("ben", "registry:import", [NATION])


async def test_ones_own_run_is_seen_from_anywhere() -> None:
    assert await seen("Ana", "registry:import", [])
