from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import APIRouter

from libs.chassis.auth import Principal, require_one_of
from libs.chassis.dev_issuer import Issuer
from libs.chassis.jobs import Job, rate
from tests.unit.chassis.service import calling, service, settings_for, token_for

BEGAN = datetime(2023, 3, 31, 8, 0, 0, 123456, tzinfo=UTC)


def job(**changes: Any) -> Job:
    given: dict[str, Any] = {
        "id": "import-5f2b",
        "kind": "import",
        "about": "families.csv",
        "state": "RUNNING",
        "done": 10,
        "total": 40,
        "unit": "bytes",
        "rate": 2.5,
        "by": "importer-1",
        "started_at": BEGAN,
        "changed_at": BEGAN,
    }
    return Job(**(given | changes))


@pytest.mark.parametrize(
    ("done", "seconds", "expected"), [(1_000, 4, 250.0), (1, 3, 0.3), (0, 5, 0.0), (7, 0, None)]
)
def test_a_rate_is_what_was_done_a_second(done: int, seconds: int, expected: float | None) -> None:
    assert rate(done, BEGAN, BEGAN + timedelta(seconds=seconds)) == expected


def test_a_job_says_all_that_one_asks_of_long_work() -> None:
    answered = job().model_dump(mode="json")

    asked = {"state", "done", "total", "unit", "rate", "started_at", "changed_at", "by", "attempt"}
    assert asked <= answered.keys()
    assert (answered["result"], answered["problem"]) == (None, None)


# -- One scope of several ------------------------------------------------------------------------


def either() -> APIRouter:
    router = APIRouter()
    one = require_one_of("things:read", "platform:read")

    @router.get("/either")
    async def read(asker: Principal = one) -> str:
        return asker.subject

    return router


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        (["things:read"], 200),
        (["platform:read"], 200),
        (["things:write"], 403),
    ],
)
async def test_one_of_several_scopes_is_enough(
    issuer: Issuer, issuer_dir: Any, scopes: list[str], status: int
) -> None:
    app = service(settings_for(issuer_dir), either())

    async with calling(app, token_for(issuer, *scopes)) as client:
        answer = await client.get("/either")

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "/problems/scope-missing"
        assert answer.json()["detail"] == "The token has none of things:read, platform:read."
