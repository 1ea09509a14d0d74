"""Files of complaints, and how they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from libs.chassis.auth import Principal
from libs.chassis.csv_upload import ImportReport
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.privacy.keys import KeyRing
from libs.privacy.versions import KeyVersions
from services.complaints import policy
from services.complaints.http.csv_commands import CsvImport
from services.complaints.http.words import CaseKeys
from tests.doors import NATION, Door
from tests.servers import eventually

POLICIES: Final = policy.load()
KEK: Final = KeyVersions.of(bytes(range(32)))

RECEIVE, READ = "complaints:receive", "complaints:read"
HEADER: Final = (
    "complaint_no,received_at,channel,category,anonymous,no_kk,region_code,resolved_at,resolution"
)


def complaint(number: str = "C000001", received: str = "2023-03-30", **changed: str) -> str:
    """A row: of Thursday 30 March 2023, whose term is over on 6 April, before a holiday."""
    cells = {
        "complaint_no": number,
        "received_at": f"{received}T13:00:00",
        "channel": "WEB",
        "category": "NO_CARD",
        "anonymous": "N",
        "no_kk": "6108062002180001",
        "region_code": "61.08.06.2018",
        "resolved_at": "",
        "resolution": "",
    }
    return ",".join((cells | changed).values())


async def hand_in(
    door: Door,
    *rows: str,
    header: str = HEADER,
    regions: Sequence[str] = NATION,
    partial: bool = False,
) -> dict[str, Any]:
    """The report of a file, whether it was taken or refused."""
    text = "\n".join((header, *rows)) + "\n"
    query = {"partial": "true"} if partial else {}
    who = door.who("clerk-1", RECEIVE, regions=regions)
    answer = await door.post("/imports/complaints", who, content=text, params=query)
    report: dict[str, Any] = answer.json().get("report", answer.json())
    return report


def refusals(report: Mapping[str, Any]) -> list[tuple[int, str, str]]:
    """(line, column, code) of each refused row."""
    return [(error["line"], error["column"], error["code"]) for error in report["errors"]]


async def standings(
    door: Door, on: str = "2023-12-31", *, regions: Sequence[str] = NATION
) -> dict[str, Any]:
    """{number: how the case stood} at the end of a day."""
    who = door.who("reader-1", READ, regions=regions)
    answer = await door.client.get("/standings", headers=who, params={"on": on})
    assert answer.status_code == 200, answer.text
    return {item["reference"]: item for item in answer.json()["items"]}


async def sweep(door: Door, on: str) -> None:
    """Ask for a sweep, and wait until the leader of the running service has done it."""
    operator = door.who("operator-1", "platform:operate", "platform:read")
    answer = await door.post("/sweeps", operator, json={"on": on})
    assert answer.status_code == 202, answer.text
    path = f"/jobs/{answer.json()['job']}"

    async def is_done() -> bool:
        return bool((await door.client.get(path, headers=operator)).json()["state"] == "DONE")

    await eventually(is_done)


async def file(store: Store, *rows: str) -> None:
    """Take rows in without a door, where nobody works on the store."""
    names = HEADER.split(",")
    cells = [
        (line, dict(zip(names, row.split(","), strict=True)) | {"text": ""})
        for line, row in enumerate(rows, 2)
    ]
    report = ImportReport("complaints.csv")
    clerk = Principal("clerk-1", frozenset(), NATION)
    async with store.transaction(Context(datetime.now(UTC), "clerk-1")) as unit:
        keys = CaseKeys.of(KeyRing(store.pool, KEK))  # rows without words ask for none
        await CsvImport(POLICIES, keys, clerk).complaints(unit, cells, report)
    assert report.accepted == len(rows), report.errors
