"""Bearer tokens: whose signature is trusted, and what a token must say before it is believed.

A token counts by the issuer that it names, and only by what is configured of that one: its keys,
algorithms and types (at+jwt of RFC 9068, ES256 and EdDSA, where nothing else is said). What a key
signs with is the key's property and never the token's choice; a header that brings or points to a
key is refused before anything is computed.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, extract_compact, validate_compact
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import base64_to_int

from libs.chassis.issuers import HTTPS, TrustedIssuer

TOKEN_BYTES_MAX: Final = 65_536
CLOCK_SKEW_S: Final = 5
KEYS_COOLDOWN_S: Final = 5.0  # the least time between two looks at the key set
KEYS_LOOKS: Final = 3  # at a key set while it grows as old as it may
KEYS_TIMEOUT_S: Final = 5.0
KEYS_BYTES_MAX: Final = 1_048_576
KEYS_MAX: Final = 64
RSA_BITS: Final = range(2_048, 8_193)
HEADERS: Final = frozenset({"alg", "kid", "typ"})
TYPES: Final = {"at+jwt": ("at+jwt", "application/at+jwt"), "JWT": ("JWT",)}
# What reading a token can raise when somebody wrote its parts by hand.
MALFORMED: Final = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
SIGNS: Final = {"P-256": ("ES256",), "Ed25519": ("EdDSA", "Ed25519"), "RSA": ("RS256", "PS256")}
"""By the kind of a key, what it may sign with."""
KINDS: Final[Mapping[str, type[ECKey | OKPKey | RSAKey]]] = {
    "P-256": ECKey,
    "Ed25519": OKPKey,
    "RSA": RSAKey,
}
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth"})

log = structlog.get_logger("tokens")

_registry = JWSRegistry(algorithms=[name for names in SIGNS.values() for name in names])
# EdDSA is what issuers call Ed25519; under its own name the library would also take Ed448.
_registry.algorithms = {
    **{name: JWSRegistry.algorithms[name] for name in ("ES256", "Ed25519", "RS256", "PS256")},
    "EdDSA": JWSRegistry.algorithms["Ed25519"],
}


class TokenRefused(Exception):
    """A token is not believed; the text is one fixed word for the audit log, never the token's."""


class IssuerSilent(Exception):
    """The issuer does not answer, and what it last said is too old to judge a token by."""


class Key(NamedTuple):
    """A public key, and what may be signed with it."""

    public: ECKey | OKPKey | RSAKey
    algorithms: frozenset[str]


KeySet = Mapping[str, Key]


def keys_of(document: Any, issuers_algorithms: Collection[str]) -> KeySet:
    """The keys of a JWKS document that may sign tokens, by key id; others are passed over."""
    keys: dict[str, Key] = {}
    for jwk in document["keys"][:KEYS_MAX]:
        kind = jwk.get("kty") if jwk.get("kty") == "RSA" else jwk.get("crv")
        algorithms = _algorithms(kind, jwk.get("alg")).intersection(issuers_algorithms)
        if not isinstance(jwk.get("kid"), str) or not algorithms or jwk.get("use", "sig") != "sig":
            continue
        if kind == "RSA" and base64_to_int(jwk["n"]).bit_length() not in RSA_BITS:
            continue
        # "EdDSA" would not open to "Ed25519" and back, and so `alg` is left to us.
        public = {name: jwk[name] for name in jwk.keys() - PRIVATE - {"alg"}}
        made = KINDS[kind].import_key(public)
        keys[jwk["kid"]] = Key(made, algorithms)
    return keys


def _algorithms(kind: Any, named: Any) -> frozenset[str]:
    """The algorithms that a key of a kind signs with, of which it may name one."""
    possible = frozenset(SIGNS.get(kind, ()))
    if named is None or (kind == "Ed25519" and named in possible):
        return possible
    return possible & {named}


def source_of(issuer: TrustedIssuer) -> Callable[[], Awaitable[KeySet]]:
    """Reads the key set of an issuer, of its file or over https; redirects are not followed."""
    algorithms = {*issuer.algorithms, *(("Ed25519",) if "EdDSA" in issuer.algorithms else ())}
    tls = issuer.tls()

    async def fetch() -> KeySet:
        if not issuer.keys.startswith(HTTPS):
            found = await asyncio.to_thread(Path(issuer.keys).read_bytes)
        else:
            found = await _fetched(issuer.keys, tls)
        return keys_of(json.loads(found), algorithms)

    return fetch


async def _fetched(url: str, tls: Any) -> bytes:
    body = bytearray()
    async with (
        asyncio.timeout(KEYS_TIMEOUT_S),
        httpx.AsyncClient(verify=tls) as client,
        client.stream("GET", url) as response,
    ):
        async for part in response.raise_for_status().aiter_bytes():
            body += part
            if len(body) > KEYS_BYTES_MAX:
                raise ValueError("the key set is too large")
    return bytes(body)


@dataclass(slots=True)
class Keys:
    """An issuer's key set as last seen; looked at again when a key id is unknown or it is old.

    However many unknown key ids are tried, the source is asked once in KEYS_COOLDOWN_S. While it
    does not answer, the keys that it last gave are believed until they are `age_s_max` old.
    """

    fetch: Callable[[], Awaitable[KeySet]]
    age_s_max: float
    clock: Callable[[], float] = time.monotonic
    _key_set: KeySet = field(default_factory=dict)
    _seen_at: float = float("-inf")
    _asked_at: float = float("-inf")
    _silent: bool = False
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def find(self, kid: str) -> Key | None:
        """The key of an id, or None when the issuer has none; raises `IssuerSilent` where it
        cannot be asked for one."""
        if self._wanting(kid) and not (self._believed(kid) and self._asking.locked()):
            async with self._asking:
                if self._wanting(kid):
                    await self._ask()
        key = self._believed(kid)
        if key is None and self._silent:
            raise IssuerSilent
        return key

    def _believed(self, kid: str) -> Key | None:
        return self._key_set.get(kid) if self._age() <= self.age_s_max else None

    def _age(self) -> float:
        return self.clock() - self._seen_at

    def _wanting(self, kid: str) -> bool:
        old = self._age() > self.age_s_max / KEYS_LOOKS
        rested = self.clock() - self._asked_at > KEYS_COOLDOWN_S
        return (old or kid not in self._key_set) and rested

    async def _ask(self) -> None:
        self._silent = True
        try:
            # Its age is counted from before it was given: what comes late is as old as it is.
            asked_at = self.clock()
            self._key_set = await self.fetch()
            self._seen_at, self._silent = asked_at, False
        except (OSError, httpx.HTTPError, JoseError, *MALFORMED) as error:
            log.warning("the key set could not be read", exc_info=error)
        finally:
            # Not before: whoever comes meanwhile must wait for the answer, not go without it.
            self._asked_at = self.clock()


@dataclass(frozen=True, slots=True)
class Trust:
    """The trust in one issuer: its keys, and the claims that its tokens must have."""

    issuer: TrustedIssuer
    keys: Keys
    claims: JWTClaimsRegistry

    @classmethod
    def of(cls, issuer: TrustedIssuer) -> Self:
        """Nothing is asked before the first token comes."""
        keys = Keys(source_of(issuer), issuer.keys_age_s)
        return cls(issuer, keys, required_claims(issuer.issuer, issuer.audience))

    async def key_for(self, header: Mapping[str, Any]) -> Key:
        """The key that a token of this issuer must be signed with; raises `TokenRefused`."""
        if header.get("typ") not in [typ for name in self.issuer.types for typ in TYPES[name]]:
            raise TokenRefused("type")
        kid = header.get("kid")
        key = await self.keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise TokenRefused("key")
        if header["alg"] not in list(key.algorithms):  # it need not be a text
            raise TokenRefused("algorithm")
        return key


async def believe(
    token: str, trusted: Mapping[str, Trust], lifetime_s_max: int
) -> tuple[dict[str, Any], TrustedIssuer]:
    """The claims of a token that stands every check, and whose it is.

    Raises `TokenRefused` with the first check that it fails, and `IssuerSilent`.
    """
    if len(token) > TOKEN_BYTES_MAX:
        raise TokenRefused("too-large")
    try:
        signed = extract_compact(token.encode("ascii"), registry=_registry)
        header = signed.headers()
        if not header.keys() <= HEADERS:  # crit, jku, jwk, x5u, x5c, b64 and whatever comes next
            raise TokenRefused("header")
        payload: dict[str, Any] = json.loads(signed.payload or b"")
        # Not believed yet: it says whose keys to hold the token against, and is proven by them.
        trust = trusted.get(payload["iss"])
        if trust is None:
            raise TokenRefused("issuer")
        key = await trust.key_for(header)
        if not validate_compact(signed, key.public, registry=_registry):
            raise TokenRefused("signature")
        trust.claims.validate(payload)
        if any(claim_at(payload, path) != value for path, value in trust.issuer.marks.items()):
            raise TokenRefused("mark")
        if payload["exp"] - payload["iat"] > lifetime_s_max + CLOCK_SKEW_S:
            raise TokenRefused("lifetime")
    except JoseError as error:
        raise TokenRefused(error.error.replace("_", "-")) from None
    except MALFORMED:
        raise TokenRefused("malformed") from None
    return payload, trust.issuer


def required_claims(issuer: str, audience: str) -> JWTClaimsRegistry:
    """The claims that a token must have: for whom, by whom, about whom, from when until when.

    No standard demands `nbf`; where it stands, it is held to.
    """
    return JWTClaimsRegistry(
        leeway=CLOCK_SKEW_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )


def claim_at(payload: Mapping[str, Any], path: str) -> Any:
    """The value of a claim by its path; None where a token does not have it."""
    found: Any = payload
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found
