"""The payments service: entitlements, and their way through the documents to the banks."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import httpx

from libs.chassis.description import Parts, Service
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
from services.payments import policy
from services.payments.consumers import SUBSCRIPTIONS
from services.payments.contract import ADMINISTRATIVE_HOLD, PAYMENT, RUN, TAHAP
from services.payments.contract import SERVICE as NAME
from services.payments.http import (
    announcement,
    arrears,
    cancellation,
    deferred,
    diffs,
    holds,
    incidents,
    money,
    orders,
    tahap,
    unanswered,
)
from services.payments.http.openapi_examples import EXAMPLES
from services.payments.partners.certificates import Certificates
from services.payments.partners.client import PARTNER_TIMEOUT_S, Outside, Partners
from services.payments.partners.files import Renderer
from services.payments.partners.incidents import all_are_judged, incident_readings
from services.payments.tables.holds import hold_readings
from services.payments.tables.ledger import ledger_readings, lives
from services.payments.tables.phases import closing_readings
from services.payments.tables.run_lines import PAYER
from services.payments.workers.canceller import CANCELLER, Canceller
from services.payments.workers.job_progress import LISTS, RUNS
from services.payments.workers.list_joiner import JOINER, Joiner
from services.payments.workers.partner_exchange import Exchange
from services.payments.workers.ready_lists import ListMaker
from services.payments.workers.run_worker import Payer

POLICIES: Final = policy.load()


async def parts(running: Running) -> Parts:
    """Joins lists, takes frozen ones to the banks, and cancelled ones back."""
    store, settings, closing = running.store, running.settings, running.closing
    running.looks.append(Seldom(partial(ledger_readings, store)))
    running.looks.append(Seldom(partial(hold_readings, store)))
    running.looks.append(Seldom(partial(incident_readings, store)))
    running.looks.append(Seldom(partial(closing_readings, store)))
    certificates = Certificates.at(settings.addresses, settings.partner_tls, settings.partner_keys)
    running.looks.append(certificates.readings)
    client = await closing.enter_async_context(httpx.AsyncClient(timeout=PARTNER_TIMEOUT_S))
    partner_client = client
    if settings.partner_tls is not None:
        partner_client = await closing.enter_async_context(
            httpx.AsyncClient(
                timeout=PARTNER_TIMEOUT_S,
                verify=settings.partner_tls.context,
                event_hooks={"response": [certificates.note]},
            )
        )
    where = Partners.at(settings.addresses)
    token_file = settings.service_token_file or Path()
    outside = Outside(client, partner_client, where, token_file, settings.partner_keys)
    keys = await running.keys()
    exchange, lists = Exchange(store, Renderer(store, keys), outside), ListMaker(POLICIES, keys)
    canceller = Canceller(store, outside)
    closing.push_async_callback(exchange.in_flight.aclose)
    closing.push_async_callback(canceller.in_flight.aclose)
    workers = {
        CANCELLER: canceller.step,
        JOINER: Joiner(store, lists).step,
        PAYER: Payer(store, POLICIES, exchange).step,
    }
    resources = {"policies": POLICIES, "outside": outside, "lists": lists}
    return Parts(SUBSCRIPTIONS, workers, resources)


SERVICE: Final = Service(
    NAME,
    [
        announcement.router,
        cancellation.router,
        tahap.router,
        orders.router,
        holds.router,
        money.router,
        arrears.router,
        deferred.router,
        diffs.router,
        unanswered.router,
        incidents.router,
    ],
    parts,
    streams=[ADMINISTRATIVE_HOLD, PAYMENT, RUN, TAHAP],
    jobs=[LISTS, RUNS],
    jobs_scopes=["payments:read"],
    lives=lives,
    rule_sets=POLICIES.listed,
    checks={"incidents": all_are_judged},
    examples=EXAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
