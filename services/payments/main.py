"""The payments service: entitlements, and their way through the documents to the banks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import httpx

from libs.chassis.description import Parts, Service
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
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
from services.payments.contract import SERVICE as NAME
from services.payments.exchange import Exchange
from services.payments.files import Renderer
from services.payments.holding import hold_readings
from services.payments.job_views import LISTS, RUNS
from services.payments.joining import JOINER, Joiner
from services.payments.outside import PARTNER_TIMEOUT_S, Outside
from services.payments.paying import Payer
from services.payments.progress import PAYER
from services.payments.samples import SAMPLES
from services.payments.settings import Partners

POLICIES: Final = policy.load()


async def parts(running: Running) -> Parts:
    """Joins lists, takes frozen ones to the banks, and cancelled ones back."""
    store, settings, closing = running.store, running.settings, running.closing
    running.looks.append(Seldom(partial(ledger_readings, store)))
    running.looks.append(Seldom(partial(hold_readings, store)))
    client = await closing.enter_async_context(httpx.AsyncClient(timeout=PARTNER_TIMEOUT_S))
    where = Partners.at(settings.addresses)
    outside = Outside(client, where, settings.service_token_file or Path())
    exchange = Exchange(store, Renderer(store, await running.keys()), outside)
    canceller = Canceller(store, outside)
    closing.push_async_callback(exchange.in_flight.aclose)
    closing.push_async_callback(canceller.in_flight.aclose)
    workers = {
        CANCELLER: canceller.step,
        JOINER: Joiner(store, POLICIES).step,
        PAYER: Payer(store, POLICIES, exchange).step,
    }
    return Parts(SUBSCRIPTIONS, workers, {"policies": POLICIES, "outside": outside})


SERVICE: Final = Service(
    NAME,
    [
        api_announcement.router,
        api_cancellation.router,
        api.router,
        api_money.router,
        api_holds.router,
        api_deferred.router,
    ],
    parts,
    jobs=[LISTS, RUNS],
    jobs_scopes=["payments:read"],
    rule_sets=POLICIES.listed,
    samples=SAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
