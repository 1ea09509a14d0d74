"""The projection service: read models of every topic, why a family was paid, and the console."""

from __future__ import annotations

from functools import partial
from typing import Final

from console.application import PATH, console
from libs.chassis.description import Parts, Service
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
from services.projection.consumers import SUBSCRIPTIONS
from services.projection.contract import SERVICE as NAME
from services.projection.http import (
    explanations,
    figures,
    proofs,
    read_models,
    sessions,
    worklists,
)
from services.projection.http.openapi_examples import EXAMPLES
from services.projection.tables import proofs as proof_reports
from services.projection.tables.last_cycles import last_cycles
from services.projection.tables.read_models import lives
from services.projection.tables.sums import Summing


async def parts(running: Running) -> Parts:
    """Consumes every topic that it has a view of, and keeps sums of what came of it."""
    running.looks.append(Seldom(partial(last_cycles, running.store)))
    running.looks.append(partial(proof_reports.gauges, running.store))
    return Parts(SUBSCRIPTIONS, workers={"sums": Summing(running.store).turn})


SERVICE: Final = Service(
    NAME,
    [
        read_models.router,
        explanations.router,
        sessions.router,
        figures.router,
        worklists.router,
        proofs.router,
    ],
    parts,
    lives=lives,
    examples=EXAMPLES,
    mounted={PATH: console},
)

if __name__ == "__main__":
    SERVICE.run()
