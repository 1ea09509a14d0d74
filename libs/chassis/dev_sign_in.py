"""A local sign-in: where one picks whom to be, on one machine that has no identity provider.

    python -m libs.chassis.dev_sign_in DIR --returns-to http://127.0.0.1:8004/console/signed-in

It speaks what the console speaks to a real one (authorization code with PKCE, refresh tokens that
are good for once), and asks nobody for a password: whoever reaches it can be anybody. So it
listens on this machine alone, and signs with the key of DIR (libs/chassis/dev_issuer.py).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from libs.chassis.dev_issuer import LIFETIME_S_MAX, Issuer

CLIENT: Final = "pkh-console"
CODE_S_MAX: Final = 60
WAITING_MAX: Final = 10_000
HERE: Final = "127.0.0.1"
PASSED_ON: Final = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to be: a name, a role of libs/policy/roles.yaml, regions, and what that is for."""

    name: str
    role: str
    regions: tuple[str, ...]
    task: str


PEOPLE: Final = (
    Person("pusat-1", "nation", ("*",), "Pelaksana Pusat · national office"),
    Person("pusat-2", "nation", ("*",), "Pelaksana Pusat, orang kedua · the second person"),
    Person("kalbar-1", "province", ("61",), "Pelaksana Provinsi · province 61"),
    Person("sanggau-1", "regency", ("61.03",), "Pelaksana Kabupaten · regency 61.03"),
    Person("sanggau-2", "regency", ("61.03",), "Kabupaten, orang kedua · the second person"),
    Person("kecamatan-1", "district", ("61.03.11",), "Pelaksana Kecamatan · district 61.03.11"),
    Person(
        "PD610301", "facilitator", ("61.03.01",), "Pendamping · facilitator of groups of 61.03.01"
    ),
    Person("aceh-1", "province", ("11",), "Pelaksana Provinsi · province 11, which has no family"),
    Person("auditor-1", "auditor", ("*",), "Inspektorat, BPK · reads and changes nothing"),
)
BY_NAME: Final = {person.name: person for person in PEOPLE}

STYLE: Final = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:34rem;margin:8vh auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0 0 .25rem}
button{display:block;width:100%;text-align:start;font:inherit;padding:.75rem 1rem;margin:.5rem 0;
border:1px solid #7a8794;border-radius:.5rem;background:transparent;color:inherit;cursor:pointer}
button:hover,button:focus-visible{outline:3px solid #0b6b5c;outline-offset:1px}
small{display:block}
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant to the console, until it is exchanged: for whom, and bound to what."""

    person: Person
    ends_at: float
    challenge: str = ""
    nonce: str = ""


@dataclass(slots=True)
class DevSignIn:
    """The sign-in of one platform. What it has given lives as long as its process."""

    issuer: Issuer
    returns_to: str
    codes: dict[str, Grant] = field(default_factory=dict)
    refreshes: dict[str, Grant] = field(default_factory=dict)

    def application(self) -> Starlette:
        """Its addresses."""
        return Starlette(
            routes=[
                Route("/health", _health),
                Route("/style.css", _style),
                Route("/authorize", self.show),
                Route("/authorize", self.picked, methods=["POST"]),
                Route("/token", self.token, methods=["POST"]),
            ]
        )

    async def show(self, request: Request) -> Response:
        """The page on which one picks whom to be."""
        asked = dict(request.query_params)
        if wrong := self._wrong(asked):
            return _page(f"<h1>{escape(wrong)}</h1>", 400)
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(asked.get(name, ""))}">'
            for name in PASSED_ON
        )
        people = "".join(
            f'<button name="person" value="{person.name}"><strong>{person.name}</strong>'
            f"<small>{escape(person.task)}</small></button>"
            for person in PEOPLE
        )
        return _page(
            "<h1>Masuk sebagai · Sign in as</h1><p>Platform di komputer ini, tanpa kata sandi."
            " · A platform on this machine, without passwords.</p>"
            f'<form method="post" action="/authorize">{hidden}{people}</form>',
            200,
            self.returns_to.partition("/console")[0],
        )

    async def picked(self, request: Request) -> Response:
        """Back to the console with a code that is good once, for a minute."""
        form = dict(parse_qsl((await request.body()).decode(), True))
        person = BY_NAME.get(form.get("person", ""))
        wrong = self._wrong({**form, "response_type": "code", "code_challenge_method": "S256"})
        if wrong or person is None:
            return _page(f"<h1>{escape(wrong or 'Nobody has this name.')}</h1>", 400)
        code = self._remembered(
            self.codes,
            Grant(person, time.time() + CODE_S_MAX, form["code_challenge"], form.get("nonce", "")),
        )
        back = {"code": code, "state": form.get("state", ""), "iss": self.issuer.issuer}
        return RedirectResponse(f"{self.returns_to}?{urlencode(back)}", 303)

    async def token(self, request: Request) -> Response:
        """Tokens for a code and its verifier, or for a refresh token; each is good once."""
        form = dict(parse_qsl((await request.body()).decode(), True))
        grant = self._exchanged(form)
        if grant is None or form.get("client_id") != CLIENT:
            return JSONResponse({"error": "invalid_grant"}, 400)
        person = grant.person
        given = {
            "token_type": "Bearer",
            "access_token": self.issuer.token(person.name, (), person.regions, role=person.role),
            "expires_in": LIFETIME_S_MAX,
            "refresh_token": self._remembered(
                self.refreshes, Grant(person, time.time() + 10 * 3600, nonce=grant.nonce)
            ),
        }
        if grant.nonce:
            given["id_token"] = self.issuer.identity_token(person.name, CLIENT, grant.nonce)
        return JSONResponse(given, headers={"Cache-Control": "no-store"})

    def _exchanged(self, form: dict[str, str]) -> Grant | None:
        if form.get("grant_type") == "refresh_token":
            grant = self.refreshes.pop(form.get("refresh_token", ""), None)
            return grant if grant and grant.ends_at > time.time() else None
        grant = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            form.get("grant_type") != "authorization_code"
            or grant is None
            or grant.ends_at < time.time()
            or form.get("redirect_uri") != self.returns_to
            or not hmac.compare_digest(shown, grant.challenge)
        ):
            return None
        return grant

    def _wrong(self, asked: dict[str, str]) -> str:
        """The mistake of a request to sign in; nobody is sent to an address we do not know."""
        if asked.get("client_id") != CLIENT:
            return "client_id is unknown."
        if asked.get("redirect_uri") != self.returns_to:
            return "redirect_uri is not the one that is registered."
        if asked.get("response_type") != "code":
            return "response_type must be code."
        if (
            asked.get("code_challenge_method") != "S256"
            or len(asked.get("code_challenge", "")) < 43
        ):
            return "A code_challenge with S256 is needed."
        return ""

    def _remembered(self, grants: dict[str, Grant], grant: Grant) -> str:
        while len(grants) >= WAITING_MAX:
            grants.pop(next(iter(grants)))
        word = secrets.token_urlsafe(32)
        grants[word] = grant
        return word


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _style(_request: Request) -> Response:
    return Response(STYLE, media_type="text/css")


def _page(body: str, status: int, leads_to: str = "") -> Response:
    # Browsers hold form-action against where a form's answer leads, too.
    policy = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none';"
        f" form-action 'self' {leads_to}"
    )
    text = (
        '<!doctype html><html lang="id"><head><meta charset="utf-8"><title>Masuk · Sign in</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/style.css"></head>'
        f"<body><main>{body}</main></body></html>"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return HTMLResponse(text, status, headers)


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m libs.chassis.dev_sign_in")
    parser.add_argument("directory", type=Path, help="keeps the private key")
    parser.add_argument("--returns-to", required=True, help="the console's redirect URI")
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    made = DevSignIn(Issuer.open(given.directory), given.returns_to)
    uvicorn.run(made.application(), host=HERE, port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
