"""A family is there for whoever's regions it lies in, and for nobody else, in every operation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from libs.chassis.auth import NATION
from tests.doors import Door
from tests.integration.conditionality.kit import BAD, GOOD, Bench, families, months_of
from tools.contracts.interfaces import application

FAMILY, STRANGER = islice(families(), 2)
THIRD: Final = "2023-3"
VILLAGE, ELSEWHERE = "61.03.01.2026", "11.01.01.2001"
SCOPES: Final = (
    "conditionality:read",
    "conditionality:record",
    "conditionality:investigate",
    "conditionality:approve",
)
BODIES: Final[Mapping[str, Mapping[str, Any]]] = {
    "finding": {"outcome": "CONFIRMED"},
    "decision": {"decision": "REJECTED"},
}
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {"/unmet-cycles": {"tahap": THIRD}}
THEIRS: Final = {"own": ("61.03",), "nation": (NATION,)}
FOREIGN: Final = {"other": ("11", "61.04"), "none": ()}

OPERATIONS: Final = [
    (method.upper(), path)
    for path, methods in application("conditionality").openapi()["paths"].items()
    for method in methods
]
OF_A_FAMILY: Final = [operation for operation in OPERATIONS if "{family}" in operation[1]]
LISTS: Final = [
    ("GET", "/investigations"),
    ("GET", "/unmet-cycles"),
    ("GET", "/corrections"),
]
# Of areas and families: test_exceptions asks them from every region.
EXCEPTIONS: Final = [operation for operation in OPERATIONS if "/exceptions" in operation[1]]
# Of persons whom nobody knows: test_unmatched asks them from every region.
UNMATCHED: Final = [("GET", "/unmatched-facts"), ("GET", "/unmatched-facts/lines")]
# Files and facts are of persons (see test_unmatched), the rest is of the service.
OF_NO_FAMILY: Final = [
    *(
        ("POST", f"/imports/{file}")
        for file in ("school-attendance", "school-form", "health-verification")
    ),
    ("POST", "/school-months"),
    ("POST", "/visits"),
    *(("GET", path) for path in ("/health", "/ready", "/problems/{code}", "/rule-sets")),
    *(("GET", path) for path in ("/jobs", "/jobs/{job}", "/positions", "/chain", "/parked")),
    *(("GET", path) for path in ("/inbound-keys", "/inbound-check", "/withheld-messages")),
    ("GET", "/refolded"),
    ("GET", "/reads"),
    ("POST", "/jobs/{job}/cancellation"),
    ("POST", "/parked/replay"),
    ("POST", "/parked/drop"),
]


@dataclass(frozen=True, slots=True)
class Village:
    """The door of a service that knows a family of `VILLAGE` under investigation."""

    door: Door

    async def ask(
        self, regions: tuple[str, ...], method: str, path: str, family: str = FAMILY
    ) -> httpx.Response:
        """The answer to somebody of these regions about a family."""
        place = path.format(family=family, tahap=THIRD, correction=1)
        who = self.door.who("officer-1", *SCOPES, regions=regions)
        if method == "GET":
            query = QUERIES.get(path)
            return await self.door.client.get(place, headers=who, params=query)
        body = BODIES.get(path.rpartition("/")[2])
        return await self.door.post(place, who | {"If-Match": '"1"'}, json=body)


@pytest_asyncio.fixture
async def village(conditionality: Door, bench: Bench) -> Village:
    """A family that has failed three times in a row, and what late facts would make of the last."""
    for tahap in ("2023-1", "2023-2", THIRD):
        await bench.school(FAMILY, BAD, months=months_of(tahap))
        await bench.take(bench.announced(tahap), bench.line(FAMILY, tahap, region=VILLAGE))
    await bench.take(bench.frozen(tahap=THIRD))
    await bench.school(FAMILY, GOOD, months=months_of(THIRD))
    await bench.re_decide()
    return Village(conditionality)


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


def test_every_operation_is_of_a_family_or_a_list_or_of_nobody() -> None:
    assert sorted(OPERATIONS) == sorted(
        [*OF_A_FAMILY, *LISTS, *EXCEPTIONS, *UNMATCHED, *OF_NO_FAMILY]
    )


@pytest.mark.parametrize(("method", "path"), OF_A_FAMILY)
async def test_a_foreign_family_is_as_unknown_as_one_that_is_not_there(
    village: Village, method: str, path: str
) -> None:
    nobody = problem(await village.ask((NATION,), method, path, STRANGER))
    assert nobody == (404, "/problems/family-unknown")

    for regions in FOREIGN.values():
        assert problem(await village.ask(regions, method, path)) == nobody
    for regions in THEIRS.values():
        answer = await village.ask(regions, method, path)
        assert answer.status_code == 200 or problem(answer) != nobody


@pytest.mark.parametrize(("method", "path"), LISTS)
async def test_a_list_holds_the_families_of_the_tokens_regions(
    village: Village, method: str, path: str
) -> None:
    async def listed(regions: tuple[str, ...]) -> list[str]:
        page = (await village.ask(regions, method, path)).json()
        return [item["family"] for item in page["items"]]

    assert [await listed(regions) for regions in THEIRS.values()] == [[FAMILY], [FAMILY]]
    assert [await listed(regions) for regions in FOREIGN.values()] == [[], []]


async def test_a_family_moves_with_the_next_line_and_an_older_one_does_not_move_it_back(
    village: Village, bench: Bench
) -> None:
    lines = [
        bench.line(FAMILY, "2023-4", region=ELSEWHERE),
        bench.line(FAMILY, THIRD, region=VILLAGE),
    ]
    for line in lines:
        await bench.take(line)

    there, here = [
        (await village.ask(regions, "GET", "/commitments/{family}")).status_code
        for regions in (("11",), ("61",))
    ]
    assert (there, here) == (200, 404)
