"""The projection service's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI

from libs.chassis import operations
from libs.chassis.app import create_app, serve
from libs.chassis.jobs import jobs_router
from libs.chassis.replays import Replays
from libs.chassis.service import READS_ONLY, opened, working
from libs.chassis.settings import Settings
from services.projection import api, api_why
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.samples import SAMPLES
from services.projection.settings import SERVICE, settings


def application(told: Settings) -> FastAPI:
    """The application; its lifespan consumes every topic it has a view of."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with opened(told) as service, working(service, SUBSCRIPTIONS, {}):
            yield service.resources()

    routers = [api.router, api_why.router, jobs_router([Replays()]), operations.router]
    return create_app(SERVICE, "Projection", routers, lifespan, READS_ONLY, told, samples=SAMPLES)


def main() -> None:
    """Serve until told to stop."""
    told = settings()
    serve(application(told), told)


if __name__ == "__main__":
    main()
