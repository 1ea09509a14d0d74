"""The complaints service: what people complain about, from its receipt to its end."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.metrics import Seldom
from libs.chassis.service import Running
from services.complaints import policy
from services.complaints.consumers import SUBSCRIPTIONS
from services.complaints.contract import CASE, REMEDY
from services.complaints.contract import SERVICE as NAME
from services.complaints.http import appeals, cases, filed_cases, sweeps
from services.complaints.http.csv_commands import CsvImport
from services.complaints.tables.sweeps import SweepJobs
from services.complaints.workers.sweeper import SWEEPER, Sweeper

POLICIES: Final = policy.load()


async def parts(running: Running) -> Parts:
    """Passes cases on whose term is over, and takes in what others answer to orders."""
    resources = {"csv_import": CsvImport(POLICIES), "policies": POLICIES}
    sweeper = Sweeper(running.store, POLICIES)
    running.looks.append(Seldom(sweeper.readings))
    return Parts(SUBSCRIPTIONS, {SWEEPER: sweeper.step}, resources)


SERVICE: Final = Service(
    NAME,
    [cases.router, appeals.router, filed_cases.router, sweeps.router],
    parts,
    streams=[CASE, REMEDY],
    jobs=[Imports(), SweepJobs()],
    jobs_scopes=["complaints:receive", "complaints:read"],
    examples={**cases.EXAMPLES, **appeals.EXAMPLES},
)

if __name__ == "__main__":
    SERVICE.run()
