"""Signing in: OAuth 2.0 authorization code with PKCE, as RFC 9700 asks, and OpenID Connect's nonce.

What is needed on the way back (state, nonce, verifier) waits in a sealed cookie of the browser, so
that strangers fill no table of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import httpx
import msgspec
import structlog

from console.sealing import NotOurs, Seal
from console.sessions import Tokens
from libs.chassis.issuers import TrustedIssuer
from libs.chassis.sign_in import SignIn

MINUTES_MAX: Final = 10
ANSWER_S_MAX: Final = 10.0
ANSWER_BYTES_MAX: Final = 262_144
RANDOM_BYTES: Final = 32
HOME: Final = "/console/"
_LOCAL: Final = re.compile(
    r"/console(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*/?(\?[A-Za-z0-9_.=&%+-]{0,500})?"
)
_PURPOSE: Final = "signing-in"

log = structlog.get_logger("sign-in")


class SignInFailed(Exception):
    """Nobody is signed in; the text is one fixed word for the log."""


class NoAnswer(Exception):
    """The identity provider does not answer; what it gave before may still be good."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in on its way; `leads_to` is the page that was asked for."""

    state: str
    nonce: str
    verifier: str
    leads_to: str
    at: float


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """The identity provider, as the console speaks to it."""

    sign_in: SignIn
    issuer: TrustedIssuer
    seal: Seal

    def begin(self, leads_to: str, now: datetime) -> tuple[str, str]:
        """The address to send the browser to, and the cookie by which it comes back."""
        begun = Begun(_word(), _word(), _word(), local(leads_to), now.timestamp())
        query = {
            "response_type": "code",
            "client_id": self.sign_in.client,
            "redirect_uri": self.sign_in.returns_to,
            "scope": self.sign_in.scope,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": _base64(hashlib.sha256(begun.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        sealed = self.seal.seal(_PURPOSE, msgspec.json.encode(begun))
        return f"{self.sign_in.authorize}?{urlencode(query)}", _base64(sealed)

    async def finish(
        self, answer: Mapping[str, str], cookie: str, now: datetime
    ) -> tuple[Tokens, str]:
        """The tokens of whoever came back, and the page they asked for; raises `SignInFailed`."""
        begun = self._begun(cookie)
        if not hmac.compare_digest(begun.state.encode(), answer.get("state", "").encode()):
            raise SignInFailed("state")
        if now.timestamp() - begun.at > MINUTES_MAX * 60:
            raise SignInFailed("late")
        if answer.get("iss", self.sign_in.issuer) != self.sign_in.issuer:
            raise SignInFailed("issuer")
        if "error" in answer or "code" not in answer:
            raise SignInFailed("refused")
        asked = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self.sign_in.returns_to,
            "code_verifier": begun.verifier,
        }
        given = await self._ask(asked)
        self._ensure_meant(given, begun.nonce)
        return _tokens(given, now), begun.leads_to

    async def renew(self, refresh: str, now: datetime) -> Tokens | None:
        """New tokens; None where the identity provider refuses."""
        try:
            given = await self._ask({"grant_type": "refresh_token", "refresh_token": refresh})
            tokens = _tokens(given, now)
        except SignInFailed:
            return None
        return Tokens(tokens.access, tokens.ends_at, tokens.refresh or refresh)

    def _begun(self, cookie: str) -> Begun:
        try:
            sealed = base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))
            return msgspec.json.decode(self.seal.opened(_PURPOSE, sealed), type=Begun)
        except (NotOurs, ValueError):
            raise SignInFailed("cookie") from None

    async def _ask(self, form: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            async with httpx.AsyncClient(
                verify=self.issuer.tls(), trust_env=False, timeout=ANSWER_S_MAX
            ) as client:
                answer = await client.post(
                    self.sign_in.token, data={**form, "client_id": self.sign_in.client}
                )
        except httpx.HTTPError as error:
            log.warning("the identity provider does not answer", kind=type(error).__name__)
            raise NoAnswer from None
        if answer.status_code >= 500:
            raise NoAnswer
        try:
            given = answer.json() if len(answer.content) <= ANSWER_BYTES_MAX else None
        except ValueError:
            given = None
        if not answer.is_success or not isinstance(given, dict):
            raise SignInFailed("token")
        return given

    def _ensure_meant(self, given: Mapping[str, Any], nonce: str) -> None:
        """An identity token is of this sign-in. It came from the provider itself over TLS, so its
        signature says no more; the access token is believed by its own, as everywhere."""
        if "openid" not in self.sign_in.scope.split():
            return
        try:
            part = str(given["id_token"]).split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
            meant = (
                claims["iss"] == self.sign_in.issuer
                and self.sign_in.client in audience
                and hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode())
            )
        except (LookupError, ValueError, TypeError):
            raise SignInFailed("identity") from None
        if not meant:
            raise SignInFailed("identity")


def local(address: str) -> str:
    """An address of the console; the first page in place of any other."""
    return address if _LOCAL.fullmatch(address) else HOME


def _tokens(given: Mapping[str, Any], now: datetime) -> Tokens:
    access, seconds = given.get("access_token"), given.get("expires_in", 60)
    refresh = given.get("refresh_token")
    if not isinstance(access, str) or not isinstance(seconds, int | float):
        raise SignInFailed("token")
    return Tokens(access, now.timestamp() + seconds, refresh if isinstance(refresh, str) else None)


def _word() -> str:
    return _base64(secrets.token_bytes(RANDOM_BYTES))


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
