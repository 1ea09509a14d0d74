"""The pages of groups and their sessions, beside p2k2, which knows plans and who was there."""

from __future__ import annotations

import pytest

from tests.browser import Browser
from tests.integration.console.kit import ELSEWHERE, NATION, REGENCY, ServedConsole
from tests.integration.console.seeing import holds_for_every_page, sign_in, text

PAGE = "/console/groups"


def test_one_goes_from_the_nation_to_a_village_s_groups(
    chromium: Browser, console: ServedConsole
) -> None:
    sign_in(chromium, console, NATION, PAGE)
    assert "Kelompok P2K2" in text(chromium)

    for _ in ("province", "regency", "district", "village"):
        chromium.click("document.querySelector('[data-area]').click()")

    assert len(chromium.value("new URLSearchParams(location.search).get('region')")) == 13
    holds_for_every_page(chromium, f"{console.url}{PAGE}?region=61.03", "groups")


def test_where_p2k2_does_not_answer_the_rest_is_shown(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        page = client.get(PAGE)

    assert page.status_code == 200
    assert "layanan p2k2 tidak menjawab" in page.text


def test_it_is_a_page_of_one_s_own_regions(console: ServedConsole) -> None:
    with console.signed_in(REGENCY) as own, console.signed_in(ELSEWHERE) as elsewhere:
        assert own.get(f"{PAGE}?region=61.04").status_code == 403
        mine, theirs = own.get(PAGE), elsewhere.get(PAGE)

    assert 'data-area="61.03.' in mine.text
    assert "data-area" not in theirs.text


@pytest.mark.parametrize(
    ("query", "status"),
    [("?sort=name", 422), ("?tahap=2031-1", 404), ("?region=99", 404), ("?cursor=AAAA", 400)],
)
def test_what_is_unknown_is_a_page_that_says_so(
    console: ServedConsole, query: str, status: int
) -> None:
    with console.signed_in(NATION) as client:
        answer = client.get(PAGE + query)

    assert answer.status_code == status
    assert "data-area" not in answer.text
