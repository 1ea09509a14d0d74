"""The search: from what a clerk has to why a family was not paid."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
import yaml

from console.pages.find import PURPOSES
from tests.browser import Browser
from tests.doors import ROOT
from tests.integration.console.kit import (
    ELSEWHERE,
    NATION,
    REGENCY,
    ServedConsole,
    entitlements,
    family_of,
)
from tests.integration.console.seeing import holds_for_every_page, sign_in, text

FIND = "/console/find"


def found(client: httpx.Client, **form: str) -> Any:
    csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get(FIND).text)
    assert csrf
    return client.post(FIND, data={"csrf": csrf[1], **form})


def test_a_stranger_finds_why_a_family_was_not_paid(
    chromium: Browser, console: ServedConsole
) -> None:
    [unpaid, *_] = [row for row in entitlements() if row["account_check"] == "ACCOUNT_CLOSED"]
    family = family_of(unpaid["no_kk"])
    sign_in(chromium, console, NATION, "/console/")

    chromium.click("document.querySelector('a[href=\"/console/find\"]').click()")
    chromium.value(f"document.getElementById('text').value = '{family[:8]}'")
    chromium.click("document.querySelector('[aria-labelledby=by-text] button').click()")
    tahap = unpaid["tahap"]
    chromium.click(
        f"[...document.querySelectorAll('.pick a')].find(it => it.innerText == '{tahap}').click()"
    )

    assert family in text(chromium)
    assert f"tahap {tahap} tidak diperintahkan: cek rekening gagal" in text(chromium)


def test_the_page_fits_and_is_open_to_everybody(chromium: Browser, console: ServedConsole) -> None:
    sign_in(chromium, console, NATION, FIND)

    holds_for_every_page(chromium, console.url + FIND, "find")


def test_an_area_is_found_by_code_and_by_name_within_one_s_own(console: ServedConsole) -> None:
    with console.signed_in(NATION) as nation, console.signed_in(REGENCY) as regency:
        assert found(nation, text="61.03").headers["location"].endswith("region=61.03")
        listed = found(nation, text="sanggau")
        assert listed.status_code == 200
        assert 'data-area="61.03"' in listed.text
        assert 'data-missing="nothing"' in found(regency, text="11").text


def test_a_family_of_another_region_is_as_unknown_as_none(console: ServedConsole) -> None:
    with console.signed_in(ELSEWHERE) as elsewhere:
        answer = found(elsewhere, text=console.family)

    assert 'data-missing="nothing"' in answer.text
    assert f"families/{console.family}" not in answer.text


def test_a_card_s_number_stands_in_no_address_and_is_not_shown_again(
    console: ServedConsole,
) -> None:
    number = "6103012001010001"
    with console.signed_in(NATION) as client, console.signed_in(REGENCY) as regency:
        answer = found(client, text=number)
        refused = found(client, no_kk="12", purpose="PAYMENT_TRACE")
        without = found(client, no_kk=number, purpose="CURIOSITY")
        not_theirs = found(regency, no_kk=number, purpose="PAYMENT_TRACE")
        asked = client.get(FIND, params={"text": number})

    assert [answer.status_code, refused.status_code, without.status_code] == [422] * 3
    assert (not_theirs.status_code, asked.status_code) == (403, 422)
    assert not any(number in page.text for page in (answer, refused, without, not_theirs, asked))


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_purpose_is_one_of_registry_s(purpose: str) -> None:
    policy = yaml.safe_load((ROOT / "services/registry/policy/look_ups.yaml").read_text())

    assert purpose in policy["purposes"]
