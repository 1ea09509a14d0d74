"""The conditionality service: attendance and visits, and what follows from a cycle that failed."""

from __future__ import annotations

from functools import partial
from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
from services.conditionality import policy
from services.conditionality.consumers import subscriptions
from services.conditionality.contract import COMMITMENT, EVALUATION, EXCEPTION, PERSON
from services.conditionality.contract import SERVICE as NAME
from services.conditionality.http import (
    corrections,
    exceptions,
    facts,
    inbound,
    investigations,
    unmatched,
    worklists,
)
from services.conditionality.http.csv_commands import CsvImport
from services.conditionality.http.openapi_examples import EXAMPLES
from services.conditionality.tables.regions import lives
from services.conditionality.tables.unmatched import unmatched_readings
from services.conditionality.workers.closer import REPEATER, Closer, Repeater
from services.conditionality.workers.inbound import OutsideReports
from services.conditionality.workers.job_progress import CLOSER, EVALUATIONS
from services.conditionality.workers.re_decider import RE_DECIDER, ReDecider
from services.conditionality.workers.withdrawer import WITHDRAWER, Withdrawer

POLICIES: Final = policy.load()
EXCUSES: Final = policy.load_excuses()
WRITERS: Final = policy.load_writers()


async def parts(running: Running) -> Parts:
    """Evaluates what the roster lists, and decides again where facts are late."""
    store, recognition = running.store, await running.recognition()
    running.looks.append(Seldom(partial(unmatched_readings, store)))
    keys = running.inbound_keys()
    outside = OutsideReports(recognition, keys, WRITERS)
    workers = {
        CLOSER: Closer(store).step,
        REPEATER: Repeater(store).step,
        RE_DECIDER: ReDecider(store, POLICIES).step,
        WITHDRAWER: Withdrawer(store, POLICIES).step,
    }
    resources = {
        "recognition": recognition,
        "number_keys": keys,
        "csv_import": CsvImport(recognition),
        "policies": POLICIES,
        "excuses": EXCUSES,
    }
    return Parts(subscriptions(POLICIES, outside), workers, resources)


SERVICE: Final = Service(
    NAME,
    [
        facts.router,
        corrections.router,
        exceptions.router,
        inbound.router,
        investigations.router,
        unmatched.router,
        worklists.router,
    ],
    parts,
    streams=[COMMITMENT, EVALUATION, EXCEPTION, PERSON],
    jobs=[Imports(), EVALUATIONS],
    jobs_scopes=["conditionality:record", "conditionality:read"],
    lives=lives,
    rule_sets=policy.list_rule_sets(),
    examples=EXAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
