"""Figures by area: what each model counts, drilled down, sorted, page by page, within a region."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import pytest_asyncio

from libs.chassis.settings import Settings
from services.projection.contract import (
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    SESSION_TOPIC,
    TAHAP_TOPIC,
)
from services.projection.main import SERVICE
from tests.doors import NATION, Door, front_door, service_settings
from tests.integration.projection.kit import Desk, desk_at
from tests.servers import Postgres

TAHAP: Final = "2023-1"
HERE, BESIDE, FAR = "61.03.01.2026", "61.04.05.2001", "11.01.01.2001"
ANA, BUDI, CITRA, DEWI = (str(UUID(int=number << 100)) for number in range(1, 5))
PLACES: Final = {ANA: HERE, BUDI: HERE, CITRA: BESIDE, DEWI: FAR}


def evaluated(desk: Desk, family: str, result: str, access: dict[str, bool]) -> Any:
    services = [{"of": of, "reached": reached} for of, reached in access.items()]
    facts = {"result": result, "duties": [], "access": services}
    return desk.said(COMMITMENT_TOPIC, "CycleEvaluated", family=family, tahap=TAHAP, **facts)


def message(desk: Desk, kind: str, family: str, **facts: Any) -> Any:
    """A message about the only payment of a family."""
    return desk.said(PAYMENT_TOPIC, kind, tahap=TAHAP, payment=family, family=family, **facts)


async def happened(desk: Desk) -> None:
    """Ana is paid, Budi blocked, Citra's transfer failed, Dewi's account is closed."""
    await desk.take(desk.said(TAHAP_TOPIC, "ClosingAnnounced", tahap=TAHAP))
    for family, region in PLACES.items():
        said = {"status": "ELIGIBLE", "reason": "", "region": region}
        designated = {"family": family, "tahap": TAHAP, **said}
        await desk.take(
            desk.said(FAMILY_TOPIC, "FamilyDesignated", **designated),
            message(desk, "PaymentEntitled", family, region=region, amount=100),
            desk.said(SESSION_TOPIC, "FamiliesJoined", families=[family], region=region),
        )
    await desk.take(
        evaluated(desk, ANA, "COMPLIANT", {"HEALTH": True, "EDUCATION": True}),
        evaluated(desk, BUDI, "FAILED", {"HEALTH": False}),
        evaluated(desk, CITRA, "UNVERIFIED", {}),
    )
    for family, kind, facts in (
        (ANA, "PaymentCredited", {"hold": "NONE"}),
        (BUDI, "PaymentCredited", {"hold": "HELD"}),
        (CITRA, "TransferFailed", {"code": "ACCOUNT_CLOSED"}),
        (DEWI, "AccountCheckFailed", {"code": "NAME_MISMATCH"}),
    ):
        if kind != "AccountCheckFailed":
            await desk.take(message(desk, "PaymentInstructed", family, bank="BNI"))
        await desk.take(message(desk, kind, family, **facts))


@pytest_asyncio.fixture
async def projection(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of a projection that has consumed what happened."""
    async with service_settings(postgres, tmp_path, "projection") as settings:
        await _taken(settings)
        async with front_door(SERVICE, settings, tmp_path) as opened:
            yield opened


async def _taken(settings: Settings) -> None:
    async with desk_at(settings) as desk:
        await happened(desk)


async def asked(
    projection: Door, model: str, regions: Any = NATION, status: int = 200, **query: Any
) -> Any:
    """The answer to a question for figures of the tahap."""
    who = projection.who("reader-1", "projection:read", regions=regions)
    answer = await projection.client.get(
        f"/figures/{model}", headers=who, params={"tahap": TAHAP} | query
    )
    assert answer.status_code == status, answer.text
    return answer.json()


async def counted(projection: Door, model: str, column: str, **query: Any) -> dict[str, int]:
    """A column by area, or by family, and key; where there is one."""
    answer = await asked(projection, model, **query)
    return {
        ":".join(filter(None, (item["family"] or item["area"], item["key"]))): number
        for item in answer["items"]
        if (number := item["figures"][column])
    }


async def test_a_number_is_drilled_down_from_the_nation_to_a_family(projection: Door) -> None:
    nation = await asked(projection, "coverage", level="NATION")
    assert [item["name"] for item in nation["items"]] == ["INDONESIA"]
    assert nation["items"][0]["figures"]["families"] == 4

    families = ("coverage", "families")
    assert await counted(projection, *families) == {"11": 1, "61": 3}
    assert await counted(projection, *families, area="61") == {"61.03": 2, "61.04": 1}
    assert await counted(projection, *families, area="61.03") == {"61.03.01": 2}
    assert await counted(projection, *families, area="61.03.01") == {HERE: 2}
    assert await counted(projection, *families, area=HERE) == {ANA: 1, BUDI: 1}
    assert await counted(projection, *families, area="61", level="PROVINCE") == {"61": 3}
    names = [i["name"] for i in (await asked(projection, "coverage", area="61"))["items"]]
    assert names == ["KABUPATEN SANGGAU", "KABUPATEN KETAPANG"]


COUNTED: Final[list[tuple[str, str, dict[str, int]]]] = [
    ("coverage", "paid", {"61": 1}),
    ("coverage", "blocked", {"61": 1}),
    ("coverage", "account_failed", {"11": 1}),
    ("designations", "families", {"11:ELIGIBLE": 1, "61:ELIGIBLE": 3}),
    ("components", "members", {"11:EARLY_CHILD": 1, "11:SEVERE_DISABILITY": 1}),
    ("commitment", "suspended", {"61": 1}),
    ("commitment", "unverified", {"61": 1}),
    ("payments", "ordered", {"61:BNI": 3}),
    ("payments", "refused", {"11": 1}),
    ("payments", "failed_idr", {"61:BNI": 100}),
    ("failures", "payments", {"11:NAME_MISMATCH": 1, "61:ACCOUNT_CLOSED": 1}),
    ("returns", "returned_idr", {"61:TRANSFER_FAILED": 100}),
    ("sessions", "families", {"11": 1, "61": 3}),
    ("indicators", "whole", {"61:HEALTH": 2, "61:EDUCATION": 1, "61:TRANSFERS": 3}),
    ("indicators", "part", {"61:HEALTH": 1, "61:EDUCATION": 1, "61:TRANSFERS": 1}),
    ("facilitators", "families", {"11:PD610301": 1, "61:PD610301": 3}),
    ("quality", "families", {"11:NOT_COUNTED:INVALID_NIK": 1}),
]
"""Some of what each model counts, by province and key."""


async def test_each_model_counts_what_it_says(projection: Door) -> None:
    for model, column, expected in COUNTED:
        found = await counted(projection, model, column)
        assert expected.items() <= found.items(), (model, column)


async def test_an_indicator_stands_beside_its_target(projection: Door) -> None:
    items = (await asked(projection, "indicators", level="NATION"))["items"]

    assert {item["key"]: item["target"] for item in items} == {
        "EDUCATION": {"per_100000": 85_000, "at_most": False, "met": True},
        "HEALTH": {"per_100000": 85_000, "at_most": False, "met": False},
        "P2K2": {"per_100000": 35_000, "at_most": False, "met": False},
        "TRANSFERS": {"per_100000": 2, "at_most": True, "met": False},
    }


async def test_pages_follow_the_order_asked_for(projection: Door) -> None:
    for sort, order in (
        ("area", ["61.03", "61.04"]),
        ("-families", ["61.03", "61.04"]),
        ("families", ["61.04", "61.03"]),
    ):
        query: dict[str, Any] = {"area": "61", "sort": sort, "limit": 1}
        first = await asked(projection, "coverage", **query)
        second = await asked(projection, "coverage", **query, cursor=first["next"])
        assert [item["area"] for item in (*first["items"], *second["items"])] == order
        assert second["next"] is None


async def test_nobody_is_told_the_figures_of_another_region(projection: Door) -> None:
    own = {"regions": ("61.04",)}

    assert await counted(projection, "coverage", "families", **own) == {"61": 1}
    assert await counted(projection, "coverage", "families", **own, area="61.03") == {}
    assert await counted(projection, "facilitators", "families", **own) == {"61:PD610301": 1}
    assert await counted(projection, "coverage", "families", **own, level="FAMILY") == {CITRA: 1}
    assert await counted(projection, "coverage", "families", regions=("99",)) == {}


REFUSED: Final[list[tuple[str, dict[str, str], int, str]]] = [
    ("wealth", {}, 422, "invalid-request"),
    ("coverage", {"tahap": "2031-1"}, 404, "tahap-unknown"),
    ("coverage", {"tahap": "last"}, 422, "invalid-request"),
    ("coverage", {"area": "99"}, 404, "place-unknown"),
    ("coverage", {"area": "Sanggau"}, 422, "invalid-request"),
    ("coverage", {"area": "61.03", "level": "PROVINCE"}, 409, "level-above-area"),
    ("coverage", {"sort": "-wealth"}, 409, "figure-unknown"),
    ("coverage", {"sort": "1; DROP TABLE payment"}, 422, "invalid-request"),
    ("coverage", {"colour": "red"}, 422, "invalid-request"),
]


async def test_what_is_not_known_is_refused_and_never_the_whole_table(projection: Door) -> None:
    for model, query, status, code in REFUSED:
        answer = await asked(projection, model, status=status, **query)
        assert answer["type"] == f"/problems/{code}", (model, query)


async def test_which_tahaps_and_models_there_are_is_told(projection: Door) -> None:
    who = projection.who("reader-1", "projection:read", regions=("61.04",))
    tahaps = (await projection.client.get("/tahap", headers=who)).json()["items"]
    models = (await projection.client.get("/figures", headers=who)).json()["items"]

    months = ["2023-01", "2023-02", "2023-03"]
    assert tahaps == [{"tahap": TAHAP, "months": months, "closing_date": "2023-03-31"}]
    assert {"coverage", "indicators"} <= {model["model"] for model in models}
