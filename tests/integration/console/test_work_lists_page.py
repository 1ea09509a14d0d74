"""The pages of work lists: filtered by the address, page by page, as a file, and kept as a view."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import httpx
import pytest

from tests.browser import Browser
from tests.integration.console.kit import (
    ELSEWHERE,
    NATION,
    REGENCY,
    ServedConsole,
    entitlements,
    family_of,
)
from tests.integration.console.seeing import holds_for_every_page, sign_in, text

FAILED = "/console/work-lists/failed-accounts"
AUDITOR = "auditor-1"


def failed(**wanted: str) -> list[dict[str, str]]:
    """The rows of the sample year whose account or transfer failed, each with its reason."""
    rows = [{**row, "reason": reason} for row in entitlements() if (reason := why_failed(row))]
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def why_failed(row: dict[str, str]) -> str:
    if row["account_check"] not in ("", "OK"):
        return row["account_check"]
    return row["transfer"] if row["transfer"] != "CREDITED" else ""


def rows_of(page: httpx.Response) -> list[str]:
    assert page.status_code == 200, page.text
    return re.findall(r'data-row="([^"]+)"', page.text)


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


def test_one_goes_from_the_lists_to_a_family(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, NATION, "/console/work-lists")
    waiting = chromium.value("document.querySelector('[data-rows=failed-accounts]').innerText")
    assert int(waiting.replace(".", "")) == len(failed()) > 0

    chromium.click("document.querySelector('[data-list=failed-accounts]').click()")
    for _ in ("province", "regency", "district", "village"):
        chromium.click("document.querySelector('[data-area]').click()")
    chromium.click("document.querySelector('tbody th a').click()")

    assert "/console/families/" in chromium.value("location.pathname")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("work-lists", "/console/work-lists"),
        ("work-list", "/console/work-lists/blocked?sort=-rupiah"),
        ("work-list-empty", "/console/work-lists/corrections"),
    ],
)
def test_a_page_fits_and_is_open_to_everybody(
    chromium: Browser, console: ServedConsole, name: str, path: str
) -> None:
    sign_in(chromium, console, NATION, "/console/work-lists")

    holds_for_every_page(chromium, console.url + path, name)


def test_it_speaks_english_too(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, NATION, FAILED)
    chromium.click("document.querySelector('a[hreflang=en]').click()")

    assert "Failed accounts" in text(chromium)
    assert "Account closed" in text(chromium)
    chromium.click("document.querySelector('a[hreflang=id]').click()")


def test_filters_of_the_address_leave_what_they_say(console: ServedConsole) -> None:
    wanted = {"tahap": "2023-2", "reason": "ACCOUNT_CLOSED"}

    with console.signed_in(NATION) as client:
        page = client.get(f"{FAILED}?tahap=2023-2&reason=ACCOUNT_CLOSED")

    assert len(rows_of(page)) == len(failed(**wanted)) > 0
    for row in failed(**wanted):
        assert f"/console/families/{family_of(row['no_kk'])}" in page.text


def test_pages_follow_each_other_and_hold_every_row_once(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        seen, path = [], "/console/work-lists/blocked?sort=-rupiah"
        while path:
            page = client.get(path)
            seen += rows_of(page)
            following = re.search(r'rel="next" href="([^"]+)"', page.text)
            path = following[1].replace("&amp;", "&") if following else ""
        whole = client.get("/console/work-lists/blocked/file?sort=-rupiah")

    lines = list(csv.DictReader(io.StringIO(whole.text)))
    assert len(seen) == len({*seen}) == len(lines) > 50
    amounts = [int(line["rupiah"]) for line in lines]
    assert amounts == sorted(amounts, reverse=True)


def test_a_file_has_its_page_s_filters_and_its_reader_s_regions(
    console: ServedConsole,
) -> None:
    with console.signed_in(REGENCY) as client:
        answer = client.get(f"{FAILED}/file?tahap=2023-2")
        none = client.get(f"{FAILED}/file?reason=ACCOUNT_DORMANT")

    lines = list(csv.DictReader(io.StringIO(answer.text)))
    own = [row for row in failed(tahap="2023-2") if row["region_code"].startswith("61.03")]
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="failed-accounts.csv"' in answer.headers["content-disposition"]
    assert len(none.text.splitlines()) == 1
    assert own
    assert {line["family"] for line in lines} == {family_of(row["no_kk"]) for row in own}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("/unknown", 404),
        ("/failed-accounts?tahap=2031-1", 404),
        ("/failed-accounts?region=99", 404),
        ("/failed-accounts?reason=NOTHING_SUCH", 404),
        ("/failed-accounts?reason=61.03&reason=61.04", 422),
        ("/failed-accounts?sort=name", 422),
        ("/failed-accounts?bank=BRI", 422),
        ("/failed-accounts?cursor=AAAA", 400),
        ("/failed-accounts/file?sort=name", 422),
        ("/failed-accounts/file?reason=NOTHING_SUCH", 404),
        ("/cases?tahap=2023-1", 422),
        ("/corrections/act/approve?family=nobody&tahap=&reference=", 422),
    ],
)
def test_what_is_unknown_never_shows_the_whole(
    console: ServedConsole, query: str, status: int
) -> None:
    with console.signed_in(NATION) as client:
        answer = client.get(f"/console/work-lists{query}")

    assert answer.status_code == status
    assert "data-row" not in answer.text
    assert "text/html" in answer.headers["content-type"]


def test_another_region_is_forbidden_and_own_rows_are_own(console: ServedConsole) -> None:
    with console.signed_in(REGENCY) as own, console.signed_in(ELSEWHERE) as elsewhere:
        assert own.get(f"{FAILED}?region=61.04").status_code == 403
        mine, theirs = own.get(FAILED), elsewhere.get(FAILED)

    here = [row for row in failed() if row["region_code"].startswith("61.03")]
    assert len(rows_of(mine)) == min(len(here), 50) > 0
    assert rows_of(theirs) == []


def test_an_act_is_shown_to_whoever_may_do_it_alone(console: ServedConsole) -> None:
    about = f"family={console.family}&tahap=2023-4&reference=1"
    path = f"/console/work-lists/corrections/act/approve?{about}"

    with console.signed_in(AUDITOR) as auditor:
        assert auditor.get(path).status_code == 403
        form = {"csrf": csrf_of(auditor.get("/console/work-lists")), "family": console.family}
        assert auditor.post(path.partition("?")[0], data=form).status_code == 403


class TestViews:
    """A list and its filters, under a name of one's own."""

    def kept(self, client: httpx.Client, path: str, name: str) -> Any:
        form = {"csrf": csrf_of(client.get(path)), "name": name}
        return client.post(path, data=form)

    def test_a_view_leads_back_to_its_rows_and_is_its_owner_s_alone(
        self, console: ServedConsole
    ) -> None:
        path = f"{FAILED}?reason=ACCOUNT_CLOSED&sort=-rupiah"
        with console.signed_in(NATION) as client, console.signed_in(REGENCY) as other:
            assert self.kept(client, path, "Ditutup <b>").status_code == 303
            mine, theirs = (each.get("/console/work-lists") for each in (client, other))
            assert "Ditutup &lt;b&gt;" in mine.text
            assert "Ditutup" not in theirs.text
            found = re.search(r'href="([^"]*reason=ACCOUNT_CLOSED[^"]*)"', mine.text)
            assert found
            assert rows_of(client.get(found[1].replace("&amp;", "&")))

            form = {"csrf": csrf_of(mine), "view": "Ditutup <b>"}
            assert client.post("/console/work-lists", data=form).status_code == 303
            assert "Ditutup" not in client.get("/console/work-lists").text

    @pytest.mark.parametrize("name", ["", "a" * 61, "NIK 6103010101010001", "x\x00"])
    def test_a_name_that_is_none_or_holds_a_number_is_not_kept(
        self, console: ServedConsole, name: str
    ) -> None:
        with console.signed_in(NATION) as client:
            assert self.kept(client, FAILED, name).status_code == 422
            assert "61030101" not in client.get("/console/work-lists").text

    def test_there_are_as_many_views_as_there_may_be(self, console: ServedConsole) -> None:
        with console.signed_in(ELSEWHERE) as client:
            csrf = csrf_of(client.get(FAILED))
            kept = [
                client.post(FAILED, data={"csrf": csrf, "name": f"v{n}"}).status_code
                for n in range(51)
            ]

        assert kept == [303] * 50 + [422]
