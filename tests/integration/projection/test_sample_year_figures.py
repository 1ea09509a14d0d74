"""The figures of a sample year come to its expected sums, for the nation and every regency."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cli.client.year import read_calendar
from libs.events.bus import Record
from services.projection.contract import COMMITMENT_TOPIC, FAMILY_TOPIC, PAYMENT_TOPIC, TAHAP_TOPIC
from services.projection.policy.areas import Level
from services.projection.tables.figures import FiguresWanted, figures
from services.projection.tables.models import ModelName
from tests.doors import NATION, ROOT
from tests.integration.projection.kit import Desk
from tests.integration.projection.test_sample_year_sessions import cells, family_of

YEARS = ["kalbar-small", "kalbar-2025"]
COUNTED = ("paid", "blocked", "transfer_failed", "account_failed", "no_valid_payee", "graduated")
IN_RUPIAH = ("entitled_idr", "credited_idr", "paid_idr", "cut_idr")


def row_said(desk: Desk, row: Mapping[str, str], tahap: str) -> Iterator[Record]:
    """The messages about a family's tahap that ends as a row of entitlements.csv."""
    about = {"family": family_of(row["no_kk"]), "tahap": tahap}
    payment = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{tahap}/{row['no_kk']}"))
    money = {**about, "payment": payment, "amount": int(row["amount"])}
    fate, transfer = row["disposition"].partition("+")[0], row["transfer"]

    def paid(kind: str, **facts: Any) -> Record:
        return desk.said(PAYMENT_TOPIC, kind, **money | facts)

    if fate == "GRADUATED_NATURAL":
        yield desk.said(FAMILY_TOPIC, "FamilyGraduated", **about, region=row["region_code"])
    else:
        judged = {"result": row["commitment"], "duties": [], "access": []}
        yield desk.said(COMMITMENT_TOPIC, "CycleEvaluated", **about, **judged)
        facts = {"region": row["region_code"], "cut": int(row.get("cut") or 0)}
        yield paid("PaymentEntitled", payee_valid=fate != "NO_VALID_PAYEE", **facts)
    if fate == "ACCOUNT_FAILED":
        yield paid("AccountCheckFailed", code=row["account_check"])
    if transfer:
        yield paid("PaymentInstructed")
        credited = {"hold": "HELD" if fate == "BLOCKED" else "NONE"}
        failed = transfer != "CREDITED"
        yield (
            paid("TransferFailed", code=transfer) if failed else paid("PaymentCredited", **credited)
        )
    own = int(row["amount"]) - int(row.get("cut") or 0) if fate == "TRANSFER_FAILED" else 0
    returned = int(row["returned"]) - own
    for kind, amount in (("PaymentReleased", int(row["released"])), ("PaymentReturned", returned)):
        if amount:
            yield paid(kind, amount=amount, at_tahap=tahap)


async def summed(
    desk: Desk, model: ModelName, tahap: str, level: Level
) -> dict[str, dict[str, int]]:
    """The sums of a model over all of its keys, by area."""
    found: dict[str, dict[str, int]] = {}
    wanted = FiguresWanted(model, tahap, NATION, level)
    for row in await figures(desk.reading, wanted, None, 1_000):
        sums = found.setdefault(row.area, dict.fromkeys(row.figures, 0))
        for name, number in row.figures.items():
            sums[name] += number
    return found


async def nation(desk: Desk, tahap: str) -> dict[str, int]:
    """A tahap's sums under the names of summary.json, without those that are zero."""
    coverage, commitment, returns = [
        (await summed(desk, model, tahap, "NATION")).get("", {})
        for model in ("coverage", "commitment", "returns")
    ]
    sums = {name: coverage[name] for name in ("families", *COUNTED, *IN_RUPIAH)}
    sums |= {f"commitment_{name}": commitment[name] for name in ("compliant", "failed")}
    sums["commitment_unverified"] = commitment["unverified"]
    sums |= {name: returns.get(name, 0) for name in ("released_idr", "returned_idr")}
    return {name: number for name, number in sums.items() if number}


@pytest.mark.parametrize("name", YEARS)
async def test_a_sample_years_figures_come_to_its_expected_sums(desk: Desk, name: str) -> None:
    year = ROOT / "examples" / name
    tahaps = {str(tahap.number): tahap.id for tahap in read_calendar(year)}
    announced = [desk.said(TAHAP_TOPIC, "ClosingAnnounced", tahap=id_) for id_ in tahaps.values()]
    rows = list(cells(year / "expected" / "entitlements.csv"))
    said = [record for row in rows for record in row_said(desk, row, tahaps[row["tahap"]])]
    await desk.take(*announced, *said)

    expected = json.loads((year / "expected" / "summary.json").read_text())
    for number, tahap in tahaps.items():
        wanted = {key: value for key, value in expected["tahap"][number].items() if value}
        assert await nation(desk, tahap) == wanted
        regencies = await summed(desk, "coverage", tahap, "REGENCY")
        assert {
            f"{number}/{area}": {name: sums[name] for name in ("entitled_idr", "families")}
            for area, sums in regencies.items()
        } == {
            path: sums
            for path, sums in expected["kabupaten"].items()
            if path.startswith(f"{number}/")
        }
        transfers = {
            "transfers_ordered": sum(
                row["account_check"] == "OK" and row["tahap"] == number for row in rows
            ),
            "transfers_failed": sum(
                row["transfer"] not in ("", "CREDITED") and row["tahap"] == number for row in rows
            ),
        }
        indicators = json.loads((year / "expected" / "indicators.json").read_text())[number]
        assert transfers.items() <= indicators.items()
        payments = (await summed(desk, "payments", tahap, "NATION"))[""]
        assert payments["ordered"] == indicators["transfers_ordered"]
        assert payments["failed"] == indicators["transfers_failed"]
        families = await summed(desk, "coverage", tahap, "FAMILY")
        assert sum(sums["entitled_idr"] for sums in families.values()) == wanted["entitled_idr"]
