"""The complaints service: what people complain about, from its receipt to its end."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running, Step
from libs.privacy.rotation import Rewrapper
from services.complaints import policy
from services.complaints.consumers import SUBSCRIPTIONS
from services.complaints.contract import CASE, REMEDY
from services.complaints.contract import SERVICE as NAME
from services.complaints.http import (
    appeals,
    cases,
    erasures,
    filed_cases,
    following,
    handling,
    key_versions,
    open_data,
    sweeps,
)
from services.complaints.http.csv_commands import CsvImport
from services.complaints.http.openapi_examples import EXAMPLES
from services.complaints.http.words import CaseKeys
from services.complaints.policy import Policies
from services.complaints.tables.sweeps import SweepJobs
from services.complaints.workers.eraser import ERASER, Eraser
from services.complaints.workers.sweeper import SWEEPER, Sweeper

REWRAPPER: Final = "rewrapper"
POLICIES: Final = policy.load()


async def parts(running: Running, policies: Policies = POLICIES) -> Parts:
    """Passes cases on, erases what is kept no longer, and takes in what others answer."""
    keys = await running.own_keys()
    case_keys = CaseKeys.of(keys)
    resources = {
        "csv_import": CsvImport(policies, case_keys),
        "policies": policies,
        "case_keys": case_keys,
    }
    sweeper = Sweeper(running.store, policies)
    running.looks.append(Seldom(sweeper.readings))
    eraser = Eraser(running.store, policies, case_keys.fresh)
    workers: dict[str, Step] = {SWEEPER: sweeper.step, ERASER: eraser.step}
    if len(keys.wrapper.kek.numbers) > 1:
        workers[REWRAPPER] = Rewrapper(keys.pool, keys.pool, keys.wrapper).step
    return Parts(SUBSCRIPTIONS, workers, resources)


SERVICE: Final = Service(
    NAME,
    [
        cases.router,
        handling.router,
        following.router,
        appeals.router,
        erasures.router,
        filed_cases.router,
        open_data.router,
        sweeps.router,
        key_versions.router,
    ],
    parts,
    streams=[CASE, REMEDY],
    jobs=[Imports(), SweepJobs()],
    jobs_scopes=["complaints:receive", "complaints:read"],
    examples={**EXAMPLES, **appeals.EXAMPLES},
)

if __name__ == "__main__":
    SERVICE.run()
