"""Incidents that wait for a person, as /ready and the metrics tell them."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.telemetry.metrics import Sample
from services.payments.contract import RUN
from services.payments.domain.run.messages import PartnerIncidentFound
from services.payments.partners.answers import TREASURY, IncidentOpen
from services.payments.partners.files import BANKS

_RUNS: Final = """
SELECT tahap, kind FROM run_open
UNION SELECT tahap, unnest(kinds) FROM cancellation_open ORDER BY tahap, kind
"""


async def open_incidents(store: Store) -> list[PartnerIncidentFound]:
    """Those of runs on their way and of cancelled ones whose order is given back, by run."""
    runs = [RUN.stream(row["tahap"], row["kind"]) for row in await store.pool.fetch(_RUNS)]
    found = await store.read(RUN, runs)
    states = [found[run].state for run in runs if run in found]
    return [incident for state in states for incident in state.incidents]


async def all_are_judged(resources: Any) -> None:
    """A check of /ready. Raises `IncidentOpen` with the first one that waits."""
    found = await open_incidents(resources.store)
    if found:
        first = {"tahap": found[0].tahap, "kind": found[0].kind, "partner": found[0].partner}
        raise IncidentOpen(**first, others=len(found) - 1)


async def incident_readings(store: Store) -> list[Sample]:
    """The gauge of incidents that wait, by partner."""
    found = Counter(dict.fromkeys((TREASURY, *BANKS), 0))
    found.update(incident.partner for incident in await open_incidents(store))
    return [Sample(telemetry.PARTNER_INCIDENTS, n, (partner,)) for partner, n in found.items()]
