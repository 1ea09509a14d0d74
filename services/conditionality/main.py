"""The conditionality service's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI

from libs.chassis import operations
from libs.chassis.app import create_app, serve
from libs.chassis.import_jobs import Imports
from libs.chassis.jobs import jobs_router
from libs.chassis.metrics import Seldom
from libs.chassis.replays import Replays
from libs.chassis.rule_sets import rule_sets_router
from libs.chassis.service import READINESS, opened, working
from libs.chassis.settings import Settings
from libs.privacy.tokens import Tokenizer
from services.conditionality import (
    api,
    api_corrections,
    api_investigations,
    api_unmatched,
    api_worklists,
    policy,
)
from services.conditionality.consumers import subscriptions
from services.conditionality.contract import SERVICE
from services.conditionality.intake import Intake
from services.conditionality.job_views import CLOSER, EVALUATIONS
from services.conditionality.jobs import REPEATER, Closer, Repeater
from services.conditionality.re_deciding import RE_DECIDER, ReDecider
from services.conditionality.samples import SAMPLES
from services.conditionality.settings import settings
from services.conditionality.unmatched import unmatched_readings
from services.conditionality.withdrawing import WITHDRAWER, Withdrawer


def application(told: Settings) -> FastAPI:
    """The application; its lifespan evaluates what the roster lists and re-decides late facts."""
    policies = policy.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with opened(told) as service:
            service.looks.append(Seldom(partial(unmatched_readings, service.store)))
            steps = {
                CLOSER: Closer(service.store).step,
                REPEATER: Repeater(service.store).step,
                RE_DECIDER: ReDecider(service.store, policies).step,
                WITHDRAWER: Withdrawer(service.store, policies).step,
            }
            async with working(service, subscriptions(policies), steps):
                tokenizer = Tokenizer(told.token_key or b"")
                yield service.resources(
                    tokenizer=tokenizer, intake=Intake(tokenizer), policies=policies
                )

    jobs = jobs_router(
        [Imports(), EVALUATIONS, Replays()], "conditionality:record", "conditionality:read"
    )
    routers = [
        api.router,
        api_corrections.router,
        api_investigations.router,
        api_unmatched.router,
        api_worklists.router,
        jobs,
        operations.router,
        rule_sets_router(SERVICE, policy.list_rule_sets()),
    ]
    return create_app(
        SERVICE, "Conditionality", routers, lifespan, READINESS, told, samples=SAMPLES
    )


def main() -> None:
    """Serve until told to stop."""
    told = settings()
    serve(application(told), told)


if __name__ == "__main__":
    main()
