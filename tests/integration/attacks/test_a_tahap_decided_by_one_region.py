"""An officer of Aceh with every right of payments wants to decide on the nation's money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import httpx
import pytest

from tests.doors import sent
from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.world import NOTHING_UPSTREAM

PATH: Final = f"/tahap/{TAHAP_1}"
SCOPES: Final = ("payments:announce", "payments:make", "payments:check", "payments:read")
TERMS: Final[Mapping[str, Any]] = {
    "tahap": TAHAP_1,
    "months": ["2023-01", "2023-02", "2023-03"],
    "closing_date": "2023-03-31",
    "account_check_date": "2023-04-05",
    "credit_date": "2023-04-20",
}
NOT_HIS: Final = (403, "/problems/region-not-yours")


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("type", "")


def his(office: Office) -> dict[str, str]:
    return office.door.who("officer-11", *SCOPES, regions=("11",))


async def test_he_announces_no_tahap(office: Office) -> None:
    office.world.register = office.world.upstream = replace(NOTHING_UPSTREAM, head=1)

    assert problem(await office.door.post("/tahap", his(office), json=TERMS)) == NOT_HIS
    assert await office.store.head() == (0, (await office.store.head())[1])


async def test_he_freezes_no_list_and_closes_no_tahap(office: Office) -> None:
    office.world.accounts.update(books_of(houses(2)))
    await office.arrived(houses(2))
    seen, tag = await office.seen(PATH), await office.tag(PATH)
    steps = ("freeze-proposal", "freeze-approval", "close-approval", "cancellation-proposal")

    for step in steps:
        who, body = his(office) | {"If-Match": tag}, {"hash": seen["list"]["hash"]}
        assert problem(await office.door.post(f"{PATH}/{step}", who, json=body)) == NOT_HIS
    assert await sent(office.store, "ListFrozen", "TahapClosed", "TahapCancelled") == []


@pytest.mark.parametrize("path", [PATH, "/ledger/balances", "/ledger/check"])
async def test_he_reads_neither_the_nations_list_nor_its_books(office: Office, path: str) -> None:
    await office.arrived(houses(2))

    assert problem(await office.door.client.get(path, headers=his(office))) == NOT_HIS
