"""Health of a process: it lives (/health), and it can do its work now (/ready)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import State

from libs.chassis.version import VERSION
from libs.events.domain.errors import CorridorError, safe_text

CHECK_S_MAX: Final = 2.0
READY_KEPT_S: Final = 1.0
FINE: Final = "ok"

Check = Callable[[State], Awaitable[object]]
"""Raises when what it asks for does not answer; given the resources of the lifespan."""

log = structlog.get_logger("health")


class WaitsForAPerson(CorridorError):
    """Something waits for a person; the service does all its other work meanwhile."""


class Health(BaseModel):
    """The process answers, and which version of the platform it is."""

    status: str = FINE
    version: str = Field(examples=["1.4.0"])


class Readiness(BaseModel):
    """Each check by name: ok, or what ails it; of a foreign error the kind alone.

    What only waits for a person is told and leaves the service ready.
    """

    ready: bool
    checks: dict[str, str]


class Readings:
    """The last answers of all checks. However often /ready is asked, they run once in `kept_s`
    seconds, and each has `check_s_max` of them."""

    def __init__(
        self,
        checks: Mapping[str, Check],
        resources: State,
        *,
        check_s_max: float = CHECK_S_MAX,
        kept_s: float = READY_KEPT_S,
    ) -> None:
        self._checks, self._resources = checks, resources
        self._check_s_max, self._kept_s = check_s_max, kept_s
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._seen = Readiness(ready=False, checks={})

    async def look(self) -> Readiness:
        """The answers as a whole, and each check by name."""
        async with self._looking:
            if time.monotonic() - self._looked_at > self._kept_s:
                found = await asyncio.gather(*map(self._outcome, self._checks.items()))
                self._seen = Readiness(
                    ready=all(fine for fine, _ in found),
                    checks={
                        name: word for name, (_, word) in zip(self._checks, found, strict=True)
                    },
                )
                self._looked_at = time.monotonic()
        return self._seen

    async def _outcome(self, named: tuple[str, Check]) -> tuple[bool, str]:
        """(the service does its work as far as a check goes, its word)."""
        name, check = named
        try:
            async with asyncio.timeout(self._check_s_max):
                await check(self._resources)
        except WaitsForAPerson as waits:
            return True, str(waits)
        except Exception as error:
            # Whatever ails it, the answer is that something does.
            log.warning("not ready", check=name, exc_info=error)
            return False, safe_text(error)
        return True, FINE


def health_router() -> APIRouter:
    """The two routes; the lifespan gives the `readings` of what the service needs for its work."""
    router = APIRouter(tags=["health"])

    @router.get("/health")
    async def health() -> Health:
        """The process is alive."""
        return Health(version=VERSION)

    @router.get("/ready", responses={503: {"model": Readiness}})
    async def ready(request: Request, response: Response) -> Readiness:
        """Everything that the service needs answers in time; 503 names what does not. An answer
        is kept for a second."""
        readiness: Readiness = await request.app.state.readings.look()
        response.status_code = 200 if readiness.ready else 503
        return readiness

    return router
