"""Signing in to the console, and every way around it that does not lead in."""

from __future__ import annotations

import asyncio
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg
import httpx
import msgspec
import pytest

from console.sealing import Seal
from console.sessions import IDLE
from tests.doors import reads_of
from tests.integration.console.kit import NATION, REGENCY, ServedConsole, of_database, picked

SESSION, SIGNING_IN = "pkh-session", "pkh-signing-in"


def test_a_stranger_is_led_to_the_sign_in_and_back(console: ServedConsole) -> None:
    with console.client() as client:
        asked = client.get("/console/pipeline?tahap=2023-2")
        assert asked.status_code == 303
        begun = client.get(asked.headers["location"])
        back = client.get(picked(begun, NATION))

        assert back.headers["location"] == "/console/pipeline?tahap=2023-2"
        assert client.get(back.headers["location"]).status_code == 200


def test_a_sign_in_asks_for_a_code_bound_to_this_browser(console: ServedConsole) -> None:
    with console.client() as client:
        begun = client.get("/console/sign-in")
        asked = parse_qs(urlsplit(begun.headers["location"]).query)

    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{console.url}/console/signed-in"]
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert re.search(r"HttpOnly.*SameSite=lax", begun.headers["set-cookie"], re.IGNORECASE)


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example", "/console/../health", "/health", "javascript:1"],
)
def test_nobody_is_led_elsewhere(console: ServedConsole, elsewhere: str) -> None:
    with console.client() as client:
        begun = client.get("/console/sign-in", params={"next": elsewhere})
        back = client.get(picked(begun, NATION))

    assert back.headers["location"] == "/console/"


def test_an_answer_that_this_browser_did_not_ask_for_signs_nobody_in(
    console: ServedConsole,
) -> None:
    with console.client() as victim, console.client() as attacker:
        victim.get("/console/sign-in")
        stolen = picked(attacker.get("/console/sign-in"), NATION)

        answer = victim.get(stolen)

        assert answer.status_code == 401
        assert SESSION not in victim.cookies


@pytest.mark.parametrize("changed", ["state", "code", "iss"])
def test_a_changed_answer_signs_nobody_in(console: ServedConsole, changed: str) -> None:
    with console.client() as client:
        back = urlsplit(picked(client.get("/console/sign-in"), NATION))
        asked = {name: value for name, [value] in parse_qs(back.query).items()}

        answer = client.get(f"{back.path}?{urlencode({**asked, changed: 'another'})}")

        assert answer.status_code == 401
        assert SESSION not in client.cookies


def test_a_code_is_good_once(console: ServedConsole) -> None:
    with console.client() as client:
        back = picked(client.get("/console/sign-in"), NATION)
        waiting = client.cookies[SIGNING_IN]
        assert client.get(back).status_code == 303
        client.cookies.clear()
        client.cookies.set(SIGNING_IN, waiting)

        assert client.get(back).status_code == 401


def test_signing_in_makes_a_new_session_and_ends_the_old(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        first = client.cookies[SESSION]
        client.get(picked(client.get("/console/sign-in"), REGENCY))
        second = client.cookies[SESSION]

        with console.client() as thief:
            thief.cookies.set(SESSION, first)
            assert thief.get("/console/").status_code == 303
        assert first != second
        assert REGENCY in client.get("/console/").text


def test_the_database_holds_neither_the_session_nor_a_token(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        session = client.cookies[SESSION].encode()
        rows = of_database(console, "SELECT digest, sealed FROM console_session")

    assert rows
    assert not any(session in bytes(row["sealed"]) + bytes(row["digest"]) for row in rows)
    assert not any(b"eyJ" in bytes(row["sealed"]) for row in rows)


def test_a_session_ends_by_itself_when_nobody_uses_it(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        assert client.get("/console/").status_code == 200
        of_database(console, "UPDATE console_session SET seen_at = seen_at - $1::interval", IDLE)

        assert client.get("/console/").status_code == 303


def test_a_token_that_ends_is_renewed_once_by_requests_at_once(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        session, seal = client.cookies[SESSION], Seal(console.settings.cursor_key)
        digest = hashlib.sha256(session.encode()).digest()
        [row] = of_database(console, "SELECT sealed FROM console_session WHERE digest = $1", digest)
        tokens = msgspec.json.decode(seal.opened("session", row["sealed"], session))
        ending = seal.seal("session", msgspec.json.encode({**tokens, "ends_at": 0}), session)
        of_database(
            console, "UPDATE console_session SET sealed = $2 WHERE digest = $1", digest, ending
        )

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: client.get("/console/").status_code, range(4)))

        assert answers == [200] * 4


def test_one_signs_out_by_a_form_of_ones_own_session(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client, console.signed_in(REGENCY) as other:
        own, foreign = (csrf_of(each) for each in (client, other))
        session = client.cookies[SESSION]
        for form in ({}, {"csrf": foreign}, {"csrf": own[:-1]}):
            assert client.post("/console/sign-out", data=form).status_code in (403, 415)
        stolen = {"Origin": "https://evil.example"}
        assert (
            client.post("/console/sign-out", data={"csrf": own}, headers=stolen).status_code == 403
        )

        left = client.post("/console/sign-out", data={"csrf": own})

        assert left.headers["location"] == "/console/signed-out"
        client.cookies.set(SESSION, session)
        assert client.get("/console/").status_code == 303


def csrf_of(client: httpx.Client) -> str:
    """The word that the forms of somebody's pages carry."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/console/").text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/console/nowhere", 404),
        ("/console/static/../application.py", 404),
        ("/console/static/nothing.css", 404),
        ("/console/?tahap=2031-1", 404),
        ("/console/?tahap=<script>", 404),
        ("/console/?region=99.99.99.99", 404),
        ("/console/?region=61.03&region=61.04", 422),
        ("/console/?sort=amount", 422),
        ("/console/pipeline?everything=yes", 422),
        ("/console/families/nobody", 404),
        ("/console/families/00000000-0000-0000-0000-000000000000", 404),
    ],
)
def test_whatever_is_unknown_is_a_page_that_says_so(
    console: ServedConsole, path: str, status: int
) -> None:
    with console.signed_in(NATION) as client:
        answer = client.get(path)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script>" not in answer.text
    assert "data-figure" not in answer.text


@pytest.mark.parametrize("region", ["61.04", "61", "11"])
def test_a_regency_sees_itself_alone(console: ServedConsole, region: str) -> None:
    with console.signed_in(REGENCY) as client:
        own, other = client.get("/console/"), client.get(f"/console/?region={region}")

    assert "61.03" in own.text
    # What holds its own is cut to it; what is another's is refused.
    assert other.status_code == (200 if region == "61" else 403)
    assert ("data-figure" in other.text) == (region == "61")
    assert ">61.04" not in other.text


def test_whoever_reads_a_family_is_on_record(console: ServedConsole) -> None:
    with console.signed_in(REGENCY) as client:
        assert client.get(f"/console/families/{console.family}").status_code == 200

    async def asked() -> list[tuple[str, dict[str, Any]]]:
        connection = await asyncpg.connect(console.settings.bus_url)
        try:
            return await reads_of(connection)
        finally:
            await connection.close()

    reader, record = asyncio.run(asked())[-1]
    assert reader == REGENCY
    assert record["operation"] == "GET /console/families/{family}"
    assert record["families"] == [console.family]


def test_every_answer_has_the_headers_that_browsers_heed(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        answers = [client.get(path) for path in ("/console/", "/console/nowhere")]

    for answer in answers:
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["strict-transport-security"].startswith("max-age=31536000;")
        assert answer.headers["cache-control"] == "no-store"


def test_the_first_page_is_small(console: ServedConsole) -> None:
    with console.signed_in(NATION) as client:
        page = client.get("/console/")
        files = re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page.text)
        whole = len(page.content) + sum(
            int(client.get(file).headers["content-length"]) for file in files
        )

    assert len(files) == 4
    assert whole <= 100_000
