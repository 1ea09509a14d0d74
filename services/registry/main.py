"""The registry service: families, their facts, and the lists that payments rest on."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.service import Running
from services.registry.consumers import subscriptions
from services.registry.contract import SERVICE as NAME
from services.registry.http import changes, families, lists, reopenings
from services.registry.http.csv_commands import CsvImport
from services.registry.http.openapi_examples import EXAMPLES
from services.registry.policy import load_rule_sets
from services.registry.workers.job_progress import LISTER, LISTINGS, UNLISTER
from services.registry.workers.lister import Lister
from services.registry.workers.reviewer import Reviewer
from services.registry.workers.unlister import Unlister

RULE_SETS: Final = load_rule_sets()


async def parts(running: Running) -> Parts:
    """Lists families when a closing is announced, and takes cancelled lists back."""
    keys = await running.keys()
    csv_import = CsvImport(keys, running.pseudonymizer(), Reviewer(keys, RULE_SETS))
    workers = {
        LISTER: Lister(running.store, keys, RULE_SETS).step,
        UNLISTER: Unlister(running.store, RULE_SETS).step,
    }
    return Parts(subscriptions(RULE_SETS), workers, {"keys": keys, "csv_import": csv_import})


SERVICE: Final = Service(
    NAME,
    [families.router, changes.router, reopenings.router, lists.router],
    parts,
    jobs=[Imports(), LISTINGS],
    jobs_scopes=["registry:import", "registry:read"],
    rule_sets=RULE_SETS.listed,
    examples=EXAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
