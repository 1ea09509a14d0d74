"""Health of a process: it lives (/health), and it can do its work now (/ready)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import State

from libs.chassis.version import VERSION
from libs.events.domain.errors import safe_text

CHECK_S_MAX: Final = 2.0
FINE: Final = "ok"

Check = Callable[[State], Awaitable[object]]
"""Raises when what it asks for does not answer; given the resources of the lifespan."""

log = structlog.get_logger("health")


class Health(BaseModel):
    """The process answers, and which version of the platform it is."""

    status: str = FINE
    version: str = Field(examples=["1.4.0"])


class Readiness(BaseModel):
    """Each check by name: ok, or what ails it; of a foreign error the kind alone."""

    ready: bool
    checks: dict[str, str]


def health_router(readiness: Mapping[str, Check], *, check_s_max: float = CHECK_S_MAX) -> APIRouter:
    """The two routes; `readiness` names what the service needs to do its work, each of which has
    `check_s_max` seconds to answer."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Health:
        """The process is alive."""
        return Health(version=VERSION)

    @router.get("/ready", responses={503: {"model": Readiness}})
    async def ready(request: Request, response: Response) -> Readiness:
        """Everything that the service needs answers in time; 503 names what does not."""
        found = await asyncio.gather(
            *(
                _outcome(name, check, request.app.state, check_s_max)
                for name, check in readiness.items()
            )
        )
        fine = all(outcome == FINE for outcome in found)
        response.status_code = 200 if fine else 503
        return Readiness(ready=fine, checks=dict(zip(readiness, found, strict=True)))

    return router


async def _outcome(name: str, check: Check, resources: State, s_max: float) -> str:
    try:
        async with asyncio.timeout(s_max):
            await check(resources)
    except Exception as error:
        # Whatever ails it, the answer is that something does.
        log.warning("not ready", check=name, exc_info=error)
        return safe_text(error)
    return FINE
