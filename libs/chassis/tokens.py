"""Bearer tokens: whose signature is trusted, and what a token must say before it is believed.

Only JWTs of the type at+jwt (RFC 9068), signed with ES256 or EdDSA by a key of the configured
set. What a key signs with is the key's property and never the token's choice; a header that
brings or points to a key is refused before anything is computed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import JWTClaimsRegistry

TOKEN_BYTES_MAX: Final = 65_536
CLOCK_SKEW_S: Final = 5
KEYS_COOLDOWN_S: Final = 5.0  # the least time between two looks at the key set
KEYS_AGE_S_MAX: Final = 300.0  # a key that the issuer withdrew is trusted no longer than this
KEYS_TIMEOUT_S: Final = 5.0
KEYS_MAX: Final = 64
HEADERS: Final = frozenset({"alg", "kid", "typ"})
TYPES: Final = ("at+jwt", "application/at+jwt")
# What reading a token can raise when somebody wrote its parts by hand.
MALFORMED: Final = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
CURVES: Final = {"P-256": ("ES256",), "Ed25519": ("EdDSA", "Ed25519")}

log = structlog.get_logger("tokens")

Key = ECKey | OKPKey
KeySet = Mapping[str, Key]

_registry = JWSRegistry(algorithms=[name for names in CURVES.values() for name in names])
# EdDSA is what issuers call Ed25519; under its own name the library would also take Ed448.
_registry.algorithms = {
    "ES256": JWSRegistry.algorithms["ES256"],
    "EdDSA": JWSRegistry.algorithms["Ed25519"],
    "Ed25519": JWSRegistry.algorithms["Ed25519"],
}


class TokenRefused(Exception):
    """A token is not believed; the text is one fixed word for the audit log, never the token's."""


def keys_of(document: Any) -> KeySet:
    """The keys of a JWKS document that may sign tokens, by key id; others are passed over."""
    keys: dict[str, Key] = {}
    for jwk in document["keys"][:KEYS_MAX]:
        kid, curve = jwk.get("kid"), jwk.get("crv")
        if not isinstance(kid, str) or curve not in CURVES or jwk.get("use", "sig") != "sig":
            continue
        if jwk.get("alg", CURVES[curve][0]) not in CURVES[curve]:
            continue
        # Its curve says what a key signs with; "EdDSA" would not open to "Ed25519" and back.
        public = {name: value for name, value in jwk.items() if name not in ("d", "alg")}
        keys[kid] = ECKey.import_key(public) if curve == "P-256" else OKPKey.import_key(public)
    return keys


def from_file(path: Path) -> Callable[[], Awaitable[KeySet]]:
    """Reads the key set of a file."""

    async def fetch() -> KeySet:
        return keys_of(json.loads(await asyncio.to_thread(path.read_bytes)))

    return fetch


def from_url(url: str) -> Callable[[], Awaitable[KeySet]]:
    """Fetches the key set of an issuer; redirects are not followed."""

    async def fetch() -> KeySet:
        async with httpx.AsyncClient(timeout=KEYS_TIMEOUT_S) as client:
            response = await client.get(url)
        return keys_of(response.raise_for_status().json())

    return fetch


@dataclass(slots=True)
class Keys:
    """The issuer's key set as last seen; looked at again when a key id is unknown or it is old.

    However many unknown key ids are tried, the source is asked once in KEYS_COOLDOWN_S. While the
    source does not answer, the keys that it last gave stay trusted.
    """

    fetch: Callable[[], Awaitable[KeySet]]
    clock: Callable[[], float] = time.monotonic
    _key_set: KeySet = field(default_factory=dict)
    _seen_at: float = float("-inf")
    _asked_at: float = float("-inf")
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, kid: str) -> Key | None:
        """The key of an id, or None when the issuer has none."""
        if self._wanting(kid) and not (kid in self._key_set and self._asking.locked()):
            async with self._asking:
                if self._wanting(kid):
                    await self._ask()
        return self._key_set.get(kid)

    def _wanting(self, kid: str) -> bool:
        now = self.clock()
        old = now - self._seen_at > KEYS_AGE_S_MAX
        return (old or kid not in self._key_set) and now - self._asked_at > KEYS_COOLDOWN_S

    async def _ask(self) -> None:
        try:
            self._key_set = await self.fetch()
            self._seen_at = self.clock()
        except (OSError, httpx.HTTPError, JoseError, *MALFORMED) as error:
            log.warning("the key set could not be read", exc_info=error)
        finally:
            # Not before: whoever comes meanwhile must wait for the answer, not go without it.
            self._asked_at = self.clock()


async def believe(
    token: str, keys: Keys, claims: JWTClaimsRegistry, lifetime_s_max: int
) -> dict[str, Any]:
    """The claims of a token that stands every check; raises `TokenRefused` with the first that
    it fails."""
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenRefused("too-large")
    try:
        signed = extract_compact(token.encode("ascii"), registry=_registry)
        key = await _key_for(signed.headers(), keys)
        if not validate_compact(signed, key, registry=_registry):
            raise TokenRefused("signature")
        payload: dict[str, Any] = json.loads(signed.payload or b"")
        claims.validate(payload)
        if payload["exp"] - payload["iat"] > lifetime_s_max + CLOCK_SKEW_S:
            raise TokenRefused("lifetime")
    except JoseError as error:
        raise TokenRefused(error.error.replace("_", "-")) from None
    except MALFORMED:
        raise TokenRefused("malformed") from None
    return payload


async def _key_for(header: Mapping[str, Any], keys: Keys) -> Key:
    if not header.keys() <= HEADERS:  # crit, jku, jwk, x5u, x5c, b64 and whatever comes next
        raise TokenRefused("header")
    if header.get("typ") not in TYPES:
        raise TokenRefused("type")
    kid = header.get("kid")
    key = await keys.find(kid) if isinstance(kid, str) else None
    if key is None:
        raise TokenRefused("key")
    if header["alg"] not in CURVES[str(key.curve_name)]:
        raise TokenRefused("algorithm")
    return key


def required_claims(issuer: str, audience: str) -> JWTClaimsRegistry:
    """The claims that a token must have: for whom, by whom, about whom, from when until when."""
    return JWTClaimsRegistry(
        leeway=CLOCK_SKEW_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        nbf={"essential": True},
        iat={"essential": True},
    )
