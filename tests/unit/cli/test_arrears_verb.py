"""Arrears of families since a correction, as an officer lists them."""

from __future__ import annotations

from pathlib import Path

import httpx
from typer.testing import CliRunner

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
CASE = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90"
ROW = {
    "payment": "c0b1a2d3-e4f5-5a6b-8c7d-9e0f1a2b3c4d",
    "tahap": "2025-1",
    "family": FAMILY,
    "region": "61.03.01.2026",
    "amount": 60_000,
    "cut_percent": 0,
    "evaluation": 2,
    "case": CASE,
    "reason": "NO_RUN_PAYS_ARREARS",
    "since": "2025-06-02",
}


def test_each_arrear_says_how_much_by_which_case_and_why_nobody_paid_it(
    data_dir: Path, fake: FakePlatform
) -> None:
    asked: list[httpx.URL] = []

    def listed(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return answer({"items": [ROW, ROW | {"case": None}], "next": None})

    fake.when("GET", "payments/arrears", listed)
    words = ["arrears", "--tahap", "2025-1", "--region", "61", "--data", str(data_dir)]

    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} 2025-1 · 61.03.01.2026 · Rp60,000 · case {CASE}" in result.output
    assert "late facts · since 2025-06-02 · NO_RUN_PAYS_ARREARS" in result.output
    assert "2 owed Rp120,000" in result.output
    assert (asked[0].params["tahap"], asked[0].params["region"]) == ("2025-1", "61")
