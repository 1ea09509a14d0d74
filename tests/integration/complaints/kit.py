"""A complaint as it comes in at the door, and steps on its case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tests.doors import Door

NOW = datetime(2026, 6, 10, 3, tzinfo=UTC)
"""A moment of a year whose decree of holidays is known."""
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
COMPLAINT: dict[str, Any] = {
    "category": "AMOUNT_WRONG",
    "channel": "CALL_CENTER",
    "region": "61.03.01.2026",
    "received_on": "2023-03-30",
    "family": FAMILY,
}
SAID = {"name": "Siti Aminah", "contact": "+62 812 5550 0199", "text": "Less money came in May."}
SCOPES = ("complaints:receive", "complaints:read", "complaints:handle")


async def received(service: Door, **more: Any) -> dict[str, str]:
    """A case as its reporter is told of it; it came in today where nothing else is said."""
    complaint = COMPLAINT | SAID | {"received_on": None} | more
    answer = await service.post("/cases", service.who("intake-1", *SCOPES), json=complaint)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


async def seen(service: Door, case: str, who: dict[str, str], of: str = "") -> Any:
    """A case, or a part of it, as somebody sees it."""
    return (await service.client.get(f"/cases/{case}{of}", headers=who)).json()


async def step(
    service: Door, case: str, name: str, who: dict[str, str], body: dict[str, Any] | None = None
) -> str:
    """A step on a case as it stands: "" where it is done, else the problem."""
    found = await service.client.get(f"/cases/{case}", headers=who)
    headers = who | {"If-Match": found.headers.get("ETag", '"1"')}
    answer = await service.post(f"/cases/{case}/{name}", headers, json=body)
    return problem(answer)


async def follow(service: Door, receipt: str, pin: str, of: str = "", **more: Any) -> Any:
    """The answer to whoever has a receipt."""
    who = service.who("portal", "complaints:follow", regions=())
    body = {"receipt": receipt, "pin": pin} | more
    return await service.post(f"/followed-cases{of}", who, json=body)


def problem(answer: Any) -> str:
    """The last part of a problem's type; "" where there is none."""
    if answer.status_code < 300:
        return ""
    return str(answer.json()["type"]).removeprefix("/problems/")
