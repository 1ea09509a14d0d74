"""The conditionality service: attendance and visits, and what follows from a cycle that failed."""

from __future__ import annotations

from functools import partial
from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
from services.conditionality import (
    api,
    api_corrections,
    api_investigations,
    api_unmatched,
    api_worklists,
    policy,
)
from services.conditionality.consumers import subscriptions
from services.conditionality.contract import SERVICE as NAME
from services.conditionality.intake import Intake
from services.conditionality.job_views import CLOSER, EVALUATIONS
from services.conditionality.jobs import REPEATER, Closer, Repeater
from services.conditionality.re_deciding import RE_DECIDER, ReDecider
from services.conditionality.samples import SAMPLES
from services.conditionality.unmatched import unmatched_readings
from services.conditionality.withdrawing import WITHDRAWER, Withdrawer

POLICIES: Final = policy.load()


async def parts(running: Running) -> Parts:
    """Evaluates what the roster lists, and decides again where facts are late."""
    store, tokenizer = running.store, running.tokenizer()
    running.looks.append(Seldom(partial(unmatched_readings, store)))
    workers = {
        CLOSER: Closer(store).step,
        REPEATER: Repeater(store).step,
        RE_DECIDER: ReDecider(store, POLICIES).step,
        WITHDRAWER: Withdrawer(store, POLICIES).step,
    }
    resources = {"tokenizer": tokenizer, "intake": Intake(tokenizer), "policies": POLICIES}
    return Parts(subscriptions(POLICIES), workers, resources)


SERVICE: Final = Service(
    NAME,
    [
        api.router,
        api_corrections.router,
        api_investigations.router,
        api_unmatched.router,
        api_worklists.router,
    ],
    parts,
    jobs=[Imports(), EVALUATIONS],
    jobs_scopes=["conditionality:record", "conditionality:read"],
    rule_sets=policy.list_rule_sets(),
    samples=SAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
