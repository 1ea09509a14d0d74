"""The complaints service: what people complain about, from its receipt to its end."""

from __future__ import annotations

from typing import Final

from libs.chassis.description import Service
from services.complaints.contract import CASE
from services.complaints.contract import SERVICE as NAME
from services.complaints.http import cases

SERVICE: Final = Service(NAME, [cases.router], streams=[CASE], examples=cases.EXAMPLES)

if __name__ == "__main__":
    SERVICE.run()
