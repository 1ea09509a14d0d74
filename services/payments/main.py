"""The payments service's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from fastapi import APIRouter, FastAPI

from libs.chassis import operations
from libs.chassis.app import create_app, serve
from libs.chassis.jobs import jobs_router
from libs.chassis.metrics import Seldom
from libs.chassis.replays import Replays
from libs.chassis.rule_sets import rule_sets_router
from libs.chassis.service import READINESS, opened, working
from libs.chassis.settings import Settings
from libs.privacy.keys import KeyRing
from services.payments import (
    api,
    api_announcement,
    api_cancellation,
    api_deferred,
    api_holds,
    api_money,
    policy,
)
from services.payments.books import ledger_readings
from services.payments.cancelling import CANCELLER, Canceller
from services.payments.consumers import SUBSCRIPTIONS
from services.payments.contract import SERVICE
from services.payments.exchange import Exchange
from services.payments.files import Renderer
from services.payments.holding import hold_readings
from services.payments.job_views import LISTS, RUNS
from services.payments.joining import JOINER, Joiner
from services.payments.outside import PARTNER_TIMEOUT_S, Outside
from services.payments.paying import Payer
from services.payments.progress import PAYER
from services.payments.samples import SAMPLES
from services.payments.settings import Partners, partners, settings

KEY_CONNECTIONS_MAX = 4


def routers(policies: policy.Policies) -> Sequence[APIRouter]:
    """The interface of payments, in the order in which it is described."""
    return (
        api_announcement.router,
        api_cancellation.router,
        api.router,
        api_money.router,
        api_holds.router,
        api_deferred.router,
        jobs_router([LISTS, RUNS, Replays()], "payments:read"),
        operations.router,
        rule_sets_router(SERVICE, policies.listed),
    )


def application(told: Settings, where: Partners) -> FastAPI:
    """The application; its lifespan joins lists and takes frozen ones to the banks."""
    policies = policy.load()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with (
            opened(told) as service,
            asyncpg.create_pool(told.keys_url, min_size=1, max_size=KEY_CONNECTIONS_MAX) as pool,
            httpx.AsyncClient(timeout=PARTNER_TIMEOUT_S) as client,
        ):
            store = service.store
            service.looks.append(Seldom(partial(ledger_readings, store)))
            service.looks.append(Seldom(partial(hold_readings, store)))
            outside = Outside(client, where, told.service_token_file or Path())
            renderer = Renderer(store, KeyRing(pool, told.kek or b""))
            exchange = Exchange(store, renderer, outside)
            jobs = {
                CANCELLER: Canceller(store).step,
                JOINER: Joiner(store, policies).step,
                PAYER: Payer(store, policies, exchange).step,
            }
            async with aclosing(exchange.in_flight), working(service, SUBSCRIPTIONS, jobs):
                yield service.resources(policies=policies, outside=outside)

    interface = routers(policies)
    return create_app(SERVICE, "Payments", interface, lifespan, READINESS, told, samples=SAMPLES)


def main() -> None:
    """Serve until told to stop."""
    told = settings()
    serve(application(told, partners()), told)


if __name__ == "__main__":
    main()
