"""The p2k2 service: family sessions (P2K2), who was there, and what of the modules is done."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.import_jobs import Imports
from libs.chassis.service import Running
from services.p2k2 import policy
from services.p2k2.consumers import SUBSCRIPTIONS
from services.p2k2.contract import GROUP, SESSION
from services.p2k2.contract import SERVICE as NAME
from services.p2k2.http import check_ins, groups, modules, sessions
from services.p2k2.http.check_in_tokens import CheckInTokens
from services.p2k2.http.csv_commands import CsvImport
from services.p2k2.http.openapi_examples import EXAMPLES
from services.p2k2.tables.groups import lives

POLICIES: Final = policy.load()


async def parts(running: Running) -> Parts:
    """Follows who belongs to which group."""
    recognition = await running.recognition()
    tokens, csv_import = CheckInTokens(recognition), CsvImport(recognition, POLICIES)
    resources = {"check_in_tokens": tokens, "csv_import": csv_import, "policies": POLICIES}
    return Parts(SUBSCRIPTIONS, resources=resources)


SERVICE: Final = Service(
    NAME,
    [sessions.router, check_ins.router, groups.router, modules.router],
    parts,
    streams=[SESSION, GROUP],
    jobs=[Imports()],
    jobs_scopes=["p2k2:record", "p2k2:read"],
    lives=lives,
    examples=EXAMPLES,
)

if __name__ == "__main__":
    SERVICE.run()
