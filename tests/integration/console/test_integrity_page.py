"""The page of integrity: who answers is shown with its log, who does not as silent."""

from __future__ import annotations

from tests.browser import Browser
from tests.integration.console.kit import NATION, REGENCY, ServedConsole, of_database
from tests.integration.console.seeing import holds_for_every_page, sign_in, text


def test_it_shows_each_service_and_which_of_them_is_silent(
    chromium: Browser, console: ServedConsole
) -> None:
    sign_in(chromium, console, NATION, "/console/integrity")

    row = "document.querySelector('[data-service={}]').innerText"
    assert "Baik" in chromium.value(row.format("projection"))
    assert "Baik" in chromium.value(row.format("registry"))
    assert "Tidak menjawab" in chromium.value(row.format("payments"))
    assert "tidak menjawab, atau peran Anda" in text(chromium)
    holds_for_every_page(chromium, f"{console.url}/console/integrity", "integrity")


def test_it_shows_the_last_report_of_each_proof_and_that_there_is_none(
    chromium: Browser, console: ServedConsole
) -> None:
    for findings in (0, 3):
        of_database(
            console,
            """INSERT INTO proof_report (kind, reported_at, reported_by, findings)
               VALUES ('VERIFICATION', now(), 'auditor-1', $1)""",
            findings,
        )

    sign_in(chromium, console, NATION, "/console/integrity")

    row = "document.querySelector('[data-proof={}]').innerText"
    verified = chromium.value(row.format("VERIFICATION"))
    assert "Kesalahan: 3" in verified
    assert "auditor-1" in verified
    assert "Belum pernah" in chromium.value(row.format("WITNESS"))


def test_it_is_the_nation_s_alone(console: ServedConsole) -> None:
    with console.signed_in(REGENCY) as client:
        answer, menu = client.get("/console/integrity"), client.get("/console/")

    assert answer.status_code == 403
    assert "data-service" not in answer.text
    assert 'href="/console/integrity"' not in menu.text
