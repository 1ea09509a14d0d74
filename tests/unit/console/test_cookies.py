"""Cookies of the console are the console's host's alone, and no script reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from http.cookies import SimpleCookie

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from console.application import console
from libs.chassis.issuers import MaySay, TrustedIssuer
from libs.chassis.rates import Rates
from libs.chassis.settings import Settings
from libs.chassis.sign_in import SignIn

PROVIDER = "https://sso.example.test"


def at(address: str) -> SignIn:
    return SignIn(address, PROVIDER, f"{PROVIDER}/authorize", f"{PROVIDER}/token")


@pytest.mark.parametrize(
    ("address", "name", "secure"),
    [
        ("https://console.example.test", "__Host-pkh-signing-in", True),
        ("http://127.0.0.1:8004", "pkh-signing-in", ""),
    ],
)
async def test_a_cookie_is_sent_to_this_host_over_tls_alone_and_to_no_script(
    address: str, name: str, secure: bool | str
) -> None:
    settings = Settings(
        service="projection",
        database_url="postgresql://nobody@nowhere/none",
        bus_url="kafka://nowhere:9092",
        issuers=[TrustedIssuer(PROVIDER, "pkh", f"{PROVIDER}/keys", MaySay(("*",), ("*",)))],
        sign_in=at(address),
    )
    app = Starlette(routes=[Mount("/console", console(settings))])
    app.state.rates, app.state.clock = Rates(settings.limits), lambda: datetime.now(UTC)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=address) as browser:
        begun = await browser.get("/console/sign-in")

    [(found, morsel)] = SimpleCookie(begun.headers["set-cookie"]).items()
    assert begun.headers["location"].startswith(f"{PROVIDER}/authorize?")
    assert found == name
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"]) == (secure, True, "lax")
    assert (morsel["path"], morsel["domain"]) == ("/", "")
