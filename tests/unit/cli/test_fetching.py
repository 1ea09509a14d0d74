import json
import uuid
from datetime import date

import httpx
import pytest

from cli.client.http import PAGE_ITEMS, Connected
from cli.demo.compare import COUNTED
from cli.demo.fetching import fetch_cases, fetch_results
from tests.unit.cli.conftest import FakePlatform, answer, job_as_told

FAMILIES = sorted(str(uuid.UUID(int=number << 100)) for number in range(PAGE_ITEMS + 500))

NOTHING: dict[str, object] = {"items": [], "next": None}


@pytest.fixture(autouse=True)
def sessions(fake: FakePlatform) -> None:
    """Nobody was at a session."""
    fake.when("GET", "projection/learning-families", answer(NOTHING))
    for number in (1, 2):
        fake.when("GET", f"projection/tahap/2023-{number}/groups", answer(NOTHING))
        counts = answer(dict.fromkeys(COUNTED, 0))
        fake.when("GET", f"projection/tahap/2023-{number}/indicators", counts)


def page(request: httpx.Request) -> httpx.Response:
    begin, limit = int(request.url.params.get("cursor", 0)), int(request.url.params["limit"])
    rows = [{"family": each, "status": "ELIGIBLE", "reason": ""} for each in FAMILIES]
    end = begin + limit
    following = str(end) if end < len(rows) else None
    return answer({"items": rows[begin:end], "next": following})


def identities(request: httpx.Request) -> httpx.Response:
    wanted = json.loads(request.content)["families"]
    return answer([{"family": each, "no_kk": each[:16], "members": []} for each in wanted])


async def test_all_pages_are_read_and_every_family_is_looked_up_once(
    platform: Connected, fake: FakePlatform
) -> None:
    fake.when("GET", "projection/designations", page)
    fake.when("GET", "projection/entitlements", answer(NOTHING))
    fake.when("POST", "registry/identities/lookup", identities)

    results = await fetch_results(platform, ["2023-1", "2023-2"])

    assert [each.family for each in results.designations] == FAMILIES
    assert [each.family for each in results.identities] == FAMILIES
    asked = [each for each in fake.asked if each.url.path == "/identities/lookup"]
    assert [len(json.loads(each.content)["families"]) for each in asked] == [PAGE_ITEMS, 500]
    pages = [each for each in fake.asked if each.url.path == "/designations"]
    assert len(pages) == 2


async def test_looking_people_up_has_a_scope_of_its_own(
    platform: Connected, fake: FakePlatform
) -> None:
    fake.when("GET", "projection/designations", page)
    fake.when("GET", "projection/entitlements", answer(NOTHING))
    fake.when("POST", "registry/identities/lookup", identities)

    await fetch_results(platform, ["2023-1"])

    scopes = {each.url.host: fake.who(each)["scope"] for each in fake.asked}
    assert scopes == {"projection": "projection:read", "registry": "registry:identify"}


async def test_cases_are_as_they_stood_once_the_last_closing_was_swept(
    platform: Connected, fake: FakePlatform
) -> None:
    case = {
        "reference": "C000001",
        "start_level": "DISTRICT",
        "level": "REGENCY",
        "due_on": "2023-03-31",
        "escalations": 1,
        "status": "OPEN",
        "overdue": True,
        "resolution": "",
    }
    fake.when("POST", "complaints/sweeps", answer({"job": "sweep-2023-06-30"}))
    swept = answer(job_as_told(id="sweep-2023-06-30", state="DONE"))
    fake.when("GET", "complaints/jobs/sweep-2023-06-30", swept)
    fake.when("GET", "complaints/standings", answer({"items": [case], "next": None}))

    [found] = await fetch_cases(platform, date(2023, 6, 30))

    assert (found.reference, found.due_on) == ("C000001", date(2023, 3, 31))
    swept_on, _, standing = fake.asked
    assert json.loads(swept_on.content) == {"on": "2023-06-30"}
    assert standing.url.params["on"] == "2023-06-30"
    scopes = [fake.who(each)["scope"] for each in fake.asked]
    operator = "platform:operate platform:read"
    assert scopes == [operator, operator, "complaints:read"]


async def test_rows_are_asked_for_tahap_by_tahap(platform: Connected, fake: FakePlatform) -> None:
    fake.when("GET", "projection/designations", answer(NOTHING))
    fake.when("GET", "projection/entitlements", answer(NOTHING))

    await fetch_results(platform, ["2023-1", "2023-2"])

    asked = [each for each in fake.asked if each.url.path == "/entitlements"]
    assert [each.url.params.get("tahap") for each in asked] == ["2023-1", "2023-2"]
