"""The registry service's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI

from libs.chassis import operations
from libs.chassis.app import create_app, serve
from libs.chassis.import_jobs import Imports
from libs.chassis.jobs import jobs_router
from libs.chassis.replays import Replays
from libs.chassis.rule_sets import rule_sets_router
from libs.chassis.service import READINESS, opened, working
from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from libs.privacy.tokens import Tokenizer
from services.registry import api, api_reopenings
from services.registry.consumers import subscriptions
from services.registry.intake import Intake
from services.registry.job_views import LISTER, LISTINGS, UNLISTER
from services.registry.jobs import Lister
from services.registry.policy import load_rule_sets
from services.registry.reopening import Reviewer
from services.registry.samples import SAMPLES
from services.registry.settings import SERVICE, settings
from services.registry.unlisting import Unlister

KEY_CONNECTIONS_MAX = 4


def application(told: Settings) -> FastAPI:
    """The application; its lifespan lists families when a closing is announced."""
    rule_sets = load_rule_sets()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with (
            opened(told) as service,
            asyncpg.create_pool(told.keys_url, min_size=1, max_size=KEY_CONNECTIONS_MAX) as pool,
        ):
            keys = KeyRing(pool, told.kek or b"")
            intake = Intake(keys, Tokenizer(told.token_key or b""), Reviewer(keys, rule_sets))
            jobs = {
                LISTER: Lister(service.store, keys, rule_sets).step,
                UNLISTER: Unlister(service.store, rule_sets).step,
            }
            async with working(service, subscriptions(rule_sets), jobs):
                yield service.resources(keys=keys, intake=intake)

    shown = jobs_router([Imports(), LISTINGS, Replays()], "registry:import", "registry:read")
    routers = [
        api.router,
        api_reopenings.router,
        shown,
        operations.router,
        rule_sets_router(SERVICE, rule_sets.listed),
    ]
    return create_app(
        SERVICE, "Family registry", routers, lifespan, READINESS, told, samples=SAMPLES
    )


def main() -> None:
    """Serve until told to stop."""
    told = settings()
    serve(application(told), told)


if __name__ == "__main__":
    main()
