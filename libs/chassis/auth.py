"""Rights of whoever asks: tokens at the gate, scopes at each route, regions at each object.

Two walls stand behind each other. The gate answers 401 to every request without a believed token
before a byte of its body is read, but for the paths that are declared open. Every other route
must name a scope; `refuse_open_doors` does not let an application start where one does not.

    Reader = Annotated[Principal, require("registry:read")]

    @router.get("/families/{family}")
    async def family(family: UUID, reader: Reader) -> Family: ...
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Annotated, Any, Final

import structlog
from fastapi import Depends, FastAPI, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security import HTTPBearer, SecurityScopes
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.chassis.forms import holds_number, is_name
from libs.chassis.issuers import EVERY, Strong, TrustedIssuer
from libs.chassis.problems import Refusal, answer
from libs.chassis.rates import Rates, TooManyRequests
from libs.chassis.settings import Settings
from libs.chassis.tokens import (
    CLOCK_SKEW_S,
    KEYS_COOLDOWN_S,
    IssuerSilent,
    TokenRefused,
    Trust,
    believe,
    claim_at,
)
from libs.events.domain.persons import folded_name
from libs.policy.roles import Role, roles

NATION: Final = "*"
REGION: Final = re.compile(r"\*|[0-9]{2}(\.[0-9]{2}(\.[0-9]{2}(\.[0-9]{4})?)?)?")

SCOPE: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z]+)*:[a-z]+(-[a-z]+)*")

audit = structlog.get_logger("audit")


class NameHoldsNumber(TokenRefused):
    """A good token names its bearer by somebody's number, which no log and no event may hold."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request, as their token says it.

    `subject` is the issuer's name of a person or a service, and `same_person` compares two;
    `scopes` are what they may do, `regions` the dotted Kemendagri codes that they may do it in;
    NATION is all of them, none is none.
    """

    subject: str
    scopes: frozenset[str]
    regions: tuple[str, ...]

    def may_see(self, *regions: str) -> bool:
        """True where one of these is theirs or within one: 61.03 holds 61.03.01, not 61.031."""
        return any(
            own in (NATION, region) or region.startswith(f"{own}.")
            for own in self.regions
            for region in regions
        )

    def within(self, region: str | None) -> tuple[str, ...]:
        """Those of their regions that lie within one; all of them where none is asked for."""
        if region is None:
            return self.regions
        if self.may_see(region):
            return (region,)
        return tuple(own for own in self.regions if own.startswith(f"{region}."))


NUMBERED: Final = (
    "name-holds-number",
    "The token names its bearer by a number of 16 digits; another claim must name them.",
)
NOBODY: Final = Principal("", frozenset(), ())

Authenticate = Callable[[str], Awaitable[Principal]]


def authenticator(settings: Settings) -> Authenticate:
    """Turns a bearer token into its principal, or raises `TokenRefused` or `IssuerSilent`."""
    trusted = {issuer.issuer: Trust.of(issuer) for issuer in settings.issuers}
    prefixes = tuple(issuer.prefix for issuer in settings.issuers if issuer.prefix)
    denied, by_name = _denied(settings.denied_file), roles()

    async def authenticate(token: str) -> Principal:
        payload, issuer = await believe(token, trusted, settings.token_lifetime_s_max)
        person = claim_at(payload, issuer.claims.person)
        if not isinstance(person, str) or not is_name(person):
            raise TokenRefused("person")
        if holds_number(person):
            raise NameHoldsNumber("number")
        if not issuer.prefix and folded_name(person).startswith(prefixes):
            raise TokenRefused("person")  # another issuer's
        names = (issuer.prefix + name for name in (person, payload["sub"]))
        if not denied().isdisjoint(map(folded_name, (*names, str(payload.get("jti"))))):
            raise TokenRefused("denied")
        regions = _regions_of(payload, issuer)
        role = _role_of(payload, issuer, by_name)
        if role is not None and not role.holds(regions):
            raise TokenRefused("regions-beyond-role")
        scopes = _scopes_of(payload, issuer, role) - _too_weak(payload, issuer.strong)
        return Principal(issuer.prefix + person, scopes, regions)

    return authenticate


def _role_of(
    payload: Mapping[str, Any], issuer: TrustedIssuer, by_name: Mapping[str, Role]
) -> Role | None:
    """The role of a token, None where it says none; among a provider's own one must be ours."""
    claim = claim_at(payload, issuer.claims.role)
    if claim is None:
        return None
    names = [claim] if isinstance(claim, str) else claim
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TokenRefused("malformed")
    ours = [by_name[name] for name in names if name in by_name]
    if len(ours) != 1:
        raise TokenRefused("role")
    return ours[0]


def _scopes_of(
    payload: Mapping[str, Any], issuer: TrustedIssuer, role: Role | None
) -> frozenset[str]:
    """The scopes of a token, none beyond its issuer's; a word that is no scope of ours is nothing
    to us: an identity provider has scopes of its own, such as `openid`.

    A role has scopes of its own; those that the token names besides leave only these of them.
    """
    found, may_say = claim_at(payload, issuer.claims.scopes), issuer.may_say.scopes
    # `scope` is a text by RFC 8693; what a person mapped may be a list.
    if isinstance(found, list) and issuer.claims.scopes != "scope":
        words = found
    elif isinstance(found, str) or found is None:
        words = (found or "").split()
    else:
        raise TokenRefused("malformed")
    if not all(isinstance(word, str) for word in words):
        raise TokenRefused("malformed")
    if role is not None:
        named = {word for word in words if SCOPE.fullmatch(word)}
        words = sorted(named.intersection(role.scopes) if named else role.scopes)
    if EVERY in may_say:
        return frozenset(words)
    if any(SCOPE.fullmatch(word) and word not in may_say for word in words):
        raise TokenRefused("scope-beyond-issuer")
    return frozenset(words).intersection(may_say)


def _too_weak(payload: Mapping[str, Any], strong: Strong | None) -> frozenset[str]:
    """The scopes for which the person of a token has not signed in strongly, or lately, enough."""
    if strong is None:
        return frozenset()
    at = payload.get("auth_time")
    ago = time.time() - at if type(at) is int else None
    lately = strong.age_s is None or (ago is not None and -CLOCK_SKEW_S <= ago <= strong.age_s)
    return frozenset() if lately and payload.get("acr") in strong.acr else frozenset(strong.scopes)


def _regions_of(payload: Mapping[str, Any], issuer: TrustedIssuer) -> tuple[str, ...]:
    """The regions of a token, all of them within its issuer's."""
    regions = claim_at(payload, issuer.claims.regions)
    if regions is None:
        return ()
    if not isinstance(regions, list):
        raise TokenRefused("malformed")
    if not all(isinstance(code, str) and REGION.fullmatch(code) for code in regions):
        raise TokenRefused("regions")
    bounds = Principal("", frozenset(), issuer.may_say.regions)
    if not all(bounds.may_see(code) for code in regions):
        raise TokenRefused("region-beyond-issuer")
    return tuple(regions)


def _denied(path: Path | None) -> Callable[[], frozenset[str]]:
    """The names in a file, one a line and folded, read again whenever it was written."""
    read_at, lines = -1, frozenset[str]()

    def denied() -> frozenset[str]:
        nonlocal read_at, lines
        if path is not None and (written_at := path.stat().st_mtime_ns) != read_at:
            read_at, lines = written_at, frozenset(map(folded_name, path.read_text().splitlines()))
        return lines

    return denied


# -- The gate -------------------------------------------------------------------------------------


def gate(
    app: ASGIApp,
    authenticate: Authenticate,
    open_paths: Collection[str],
    cookie: str | None,
    rates: Rates,
    guarded_elsewhere: Collection[str] = (),
) -> ASGIApp:
    """ASGI middleware: nobody unknown gets past it, but to `open_paths`, and nobody too often.

    A path that ends in a slash opens everything below it. `cookie` names a cookie that may hold
    the token of a request that only reads, so that a browser can show pages. `guarded_elsewhere`
    are paths of programs with a gate of their own, which count requests by the same `rates`.
    """

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await app(scope, receive, send)
        if is_open(scope["path"], guarded_elsewhere):
            return await app(scope, receive, send)
        request = Request(scope, receive)
        address = request.client.host if request.client else ""
        try:
            if is_open(scope["path"], open_paths):
                rates.stranger(address)
                return await app(scope, receive, send)
            asker = request.state.principal = await _believed(scope, address)
            with rates.client(folded_name(asker.subject)):
                return await app(scope, receive, send)
        except TokenRefused as refusal:
            numbered = isinstance(refusal, NameHoldsNumber)  # its issuer has proven who they are
            kind, detail = NUMBERED if numbered else (None, "A valid bearer token is needed.")
            response = answer(request, 401, kind, detail=detail)
            response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        except IssuerSilent:
            detail = "The keys of the token's issuer cannot be read now."
            response = answer(request, 503, "issuer-silent", detail=detail)
            response.headers["Retry-After"] = str(round(KEYS_COOLDOWN_S))
        except TooManyRequests as many:
            response = answer(request, 429, detail="Wait for as long as Retry-After says.")
            response.headers["Retry-After"] = str(many.retry_after)
        return await response(scope, receive, send)

    async def _believed(scope: Scope, address: str) -> Principal:
        try:
            return await authenticate(_token(scope, cookie))
        except IssuerSilent:
            rates.stranger(address)  # nobody knows yet whether the token is a good one
            raise
        except TokenRefused as refusal:
            # Many people share an address: a good token is served from where bad ones come from.
            rates.refused_token(address)
            audit.warning("token refused", reason=str(refusal), method=scope["method"])
            raise

    return guarded


def is_open(path: str, open_paths: Collection[str]) -> bool:
    """True if a path is among those that anybody may ask for."""
    return path in open_paths or any(
        path.startswith(root) for root in open_paths if root.endswith("/")
    )


def _token(scope: Scope, cookie: str | None) -> str:
    headers = Headers(scope=scope)
    given = headers.getlist("authorization")
    if len(given) == 1 and given[0][:7].lower() == "bearer ":
        return given[0][7:].strip()
    # Other sites can make a browser send a cookie along, so a cookie never changes anything.
    if cookie and not given and scope["method"] in ("GET", "HEAD"):
        try:
            morsel = SimpleCookie(headers.get("cookie")).get(cookie)
        except CookieError:
            morsel = None
        if morsel is not None:
            return morsel.value
    raise TokenRefused("missing")


# -- Scopes and regions ---------------------------------------------------------------------------


async def principal(
    request: Request,
    wanted: SecurityScopes,
    _documented: Annotated[object, Depends(HTTPBearer(bearerFormat="JWT", auto_error=False))],
) -> Principal:
    """The request's principal, who must hold every scope that the route names; 403 otherwise."""
    asker = _authenticated(request)
    lacking = [scope for scope in wanted.scopes if scope not in asker.scopes]
    if lacking:
        raise _scope_missing(asker, " ".join(lacking), f"The token lacks {' '.join(lacking)}.")
    return asker


async def holder_of_one(
    request: Request,
    wanted: SecurityScopes,
    _documented: Annotated[object, Depends(HTTPBearer(bearerFormat="JWT", auto_error=False))],
) -> Principal:
    """The request's principal, who must hold one of the scopes that the route names."""
    asker = _authenticated(request)
    if asker.scopes.isdisjoint(wanted.scopes):
        detail = f"The token has none of {', '.join(wanted.scopes)}."
        raise _scope_missing(asker, wanted.scope_str, detail)
    return asker


def _authenticated(request: Request) -> Principal:
    asker: Principal | None = getattr(request.state, "principal", None)
    if asker is None:
        raise Refusal(
            401, "unauthorized", "A valid bearer token is needed.", {"WWW-Authenticate": "Bearer"}
        )
    return asker


def _scope_missing(asker: Principal, lacking: str, detail: str) -> Refusal:
    audit.warning("scope refused", subject=asker.subject, scope=lacking)
    challenge = f'Bearer error="insufficient_scope", scope="{lacking}"'
    return Refusal(403, "scope-missing", detail, {"WWW-Authenticate": challenge})


async def of_nation(asker: Annotated[Principal, Depends(principal)]) -> Principal:
    """The request's principal, who must hold the scopes and all regions; 403 otherwise."""
    ensure_may_see(asker, NATION)
    return asker


def require(*scopes: str) -> Any:
    """The dependency of a route that needs these scopes; gives the `Principal`.

    Its handler cuts what it shows and takes by the principal's regions. A route of one family has
    `require_family` (regions.py), one of no single region `require_nation`.
    """
    return Security(principal, scopes=scopes)


def require_nation(*scopes: str) -> Any:
    """The dependency of a route that needs these scopes for the whole nation."""
    return Security(of_nation, scopes=scopes)


def require_one_of(*scopes: str) -> Any:
    """The dependency of a route that needs any one of these scopes; gives the `Principal`."""
    return Security(holder_of_one, scopes=scopes)


OUTSIDE: Final = (403, "region-not-yours")


def is_outside(asker: Principal, *regions: str) -> bool:
    """True where none of these regions is the principal's, which is then noted."""
    if asker.may_see(*regions):
        return False
    audit.warning("region refused", subject=asker.subject, region=" ".join(regions))
    return True


def ensure_may_see(asker: Principal, *regions: str) -> None:
    """Raises 403 where none of these regions is the principal's."""
    if is_outside(asker, *regions):
        raise Refusal(403, "region-not-yours", "This lies outside the regions of the token.")


# -- Default deny ---------------------------------------------------------------------------------


class OpenDoor(Exception):
    """A route lacks what every route must have; the application does not start."""


def refuse_open_doors(
    app: FastAPI, open_paths: Collection[str], post_needs: Mapping[str, Callable[[object], bool]]
) -> None:
    """Walk every route: each needs a scope, each POST what `post_needs` asks of its dependencies.

    `post_needs` gives, for a predicate that one dependency must fulfil, what is said where none
    does. Raises `OpenDoor` that names each route found wanting.
    """
    wanting: list[str] = []
    for route in iter_route_contexts(app.routes):
        path = route.path or repr(route.original_route)
        if is_open(path, open_paths):
            continue
        if not isinstance(route.original_route, APIRoute):
            wanting.append(f"{path} is no API route")
            continue
        found = list(_tree(route.dependant))
        if not any(
            dependant.call in (principal, holder_of_one) and _scopes(dependant)
            for dependant in found
        ):
            wanting.append(f"{path} needs no scope")
        if "POST" in (route.methods or ()):
            lacking = [
                lack
                for lack, fulfils in post_needs.items()
                if not any(fulfils(dependant.call) for dependant in found)
            ]
            wanting += [f"POST {path} {lack}" for lack in lacking]
    if wanting:
        raise OpenDoor("; ".join(wanting))


def dependencies_of(route: APIRoute) -> list[Dependant]:
    """Everything that a route depends on, itself included."""
    return list(_tree(route.dependant))


def _tree(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _tree(inner)


def _scopes(dependant: Dependant) -> list[str]:
    return [*(dependant.own_oauth_scopes or ()), *(dependant.parent_oauth_scopes or ())]
