"""The complaints service: what people complain about, from its receipt to its end."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Parts, Service
from libs.chassis.service import Running
from services.complaints.consumers import SUBSCRIPTIONS
from services.complaints.contract import CASE, REMEDY
from services.complaints.contract import SERVICE as NAME
from services.complaints.http import appeals, cases


async def parts(_running: Running) -> Parts:
    """Takes in what others answer to its orders."""
    return Parts(SUBSCRIPTIONS)


SERVICE: Final = Service(
    NAME,
    [cases.router, appeals.router],
    parts,
    streams=[CASE, REMEDY],
    examples={**cases.EXAMPLES, **appeals.EXAMPLES},
)

if __name__ == "__main__":
    SERVICE.run()
