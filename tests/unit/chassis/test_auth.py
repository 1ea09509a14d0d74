"""Who gets in: the attacks on tokens that are known, scopes, regions and doors left open."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hmac
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from msgspec.structs import replace
from structlog.testing import capture_logs

from libs.chassis.auth import NATION, OpenDoor, Principal, authenticator, principal
from libs.chassis.dev_issuer import AUDIENCE, ISSUER, KEY_SET, Issuer
from libs.chassis.etag import IfMatch, Unconditional
from libs.chassis.idempotency import Once, ReadsOnly
from libs.chassis.issuers import Strong
from libs.chassis.tokens import KEYS_COOLDOWN_S, IssuerSilent, Key, Keys, KeySet, keys_of
from libs.chassis.version import VERSION
from tests.unit.chassis.service import (
    NIK,
    Reader,
    Writer,
    calling,
    service,
    settings_for,
    token_for,
)


@dataclass
class Forger:
    """Makes tokens that are right but for one thing."""

    issuer: Issuer
    directory: Path

    def header(self, **changes: Any) -> dict[str, Any]:
        return {"alg": "ES256", "typ": "at+jwt", "kid": self.issuer.key.kid} | changes

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        right = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "officer-7",
            "scope": "things:read",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
        }
        return {name: value for name, value in (right | changes).items() if value is not None}

    def signed(self, header: dict[str, Any], claims: Any, key: Any = None) -> str:
        registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
        registry.check_header = lambda header: None  # type: ignore[method-assign]
        payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
        return jws.serialize_compact(header, payload, key or self.issuer.key, registry=registry)

    def with_header(self, **changes: Any) -> str:
        return self.signed(self.header(**changes), self.claims())

    def with_claims(self, **changes: Any) -> str:
        return self.signed(self.header(), self.claims(**changes))

    def keyed_with_public_key(self, header: Any) -> str:
        signed_part = self.unsigned(header).removesuffix(".")
        mac = hmac.digest(self.issuer.key.as_pem(private=False), signed_part.encode(), "sha256")
        return f"{signed_part}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def unsigned(self, header: Any, signature: str = "") -> str:
        parts = [json.dumps(part).encode() for part in (header, self.claims())]
        return ".".join([base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts]) + (
            "." + signature
        )


@pytest.fixture
def forger(issuer: Issuer, issuer_dir: Path) -> Forger:
    return Forger(issuer, issuer_dir)


EMPTY_MAC = base64.urlsafe_b64encode(hmac.digest(b"", b"", "sha256")).rstrip(b"=").decode()
STRANGER = ECKey.generate_key("P-256", auto_kid=True)
HOUR = 3_600

ATTACKS: dict[str, Callable[[Forger], str]] = {
    "no token": lambda _: "",
    "not a token": lambda _: "let me in",
    "two parts": lambda f: f.with_claims().rpartition(".")[0],
    "not ascii": lambda _: "é.é.é",
    "alg none": lambda f: f.unsigned(f.header(alg="none")),
    "alg None": lambda f: f.unsigned(f.header(alg="None")),
    "alg a list": lambda f: f.unsigned(f.header(alg=["ES256"]), "AAAA"),
    "header a list": lambda f: f.unsigned(["alg"], "AAAA"),
    "header a text": lambda f: f.unsigned("alg", "AAAA"),
    "no signature": lambda f: f.with_claims().rpartition(".")[0] + ".",
    "another's signature": lambda f: f.signed(f.header(), f.claims(), STRANGER),
    "changed claims": lambda f: (
        f.with_claims().split(".")[0]
        + "."
        + f.with_claims(sub="somebody").split(".")[1]
        + "."
        + f.with_claims().split(".")[2]
    ),
    "HS256 with the public key": lambda f: f.keyed_with_public_key(f.header(alg="HS256")),
    "ES256 made as HS256": lambda f: f.keyed_with_public_key(f.header()),
    "RS256 over the modulus": lambda f: f.keyed_with_public_key(f.header(alg="RS256")),
    "HS256 of an empty key": lambda f: f.unsigned(f.header(alg="HS256"), EMPTY_MAC),
    "RS256": lambda f: f.signed(f.header(alg="RS256"), f.claims(), RSAKey.generate_key(2048)),
    "EdDSA under the kid of an ES256 key": lambda f: f.signed(
        f.header(alg="Ed25519"), f.claims(), OKPKey.generate_key("Ed25519")
    ),
    "ES384": lambda f: f.signed(f.header(alg="ES384"), f.claims(), ECKey.generate_key("P-384")),
    "kid a path": lambda f: f.with_header(kid="../../jwks.json"),
    "kid SQL": lambda f: f.with_header(kid="' OR 1=1 --"),
    "kid unknown": lambda f: f.with_header(kid="unknown"),
    "kid a number": lambda f: f.with_header(kid=7),
    "kid missing": lambda f: f.signed({"alg": "ES256", "typ": "at+jwt"}, f.claims()),
    "jku": lambda f: f.with_header(jku="https://evil.example/jwks.json"),
    "jwk": lambda f: f.signed(f.header(jwk=STRANGER.as_dict(private=False)), f.claims(), STRANGER),
    "x5u": lambda f: f.with_header(x5u="https://evil.example/cert.pem"),
    "x5c": lambda f: f.with_header(x5c=["MIIB"]),
    "crit": lambda f: f.with_header(crit=["exp"]),
    "crit b64": lambda f: f.unsigned(f.header(crit=["b64"], b64=False), "AAAA"),
    "unknown header": lambda f: f.with_header(hello="world"),
    "id token": lambda f: f.with_header(typ="JWT"),
    "no typ": lambda f: f.signed({"alg": "ES256", "kid": f.issuer.key.kid}, f.claims()),
    "another audience": lambda f: f.with_claims(aud="bank"),
    "other audiences": lambda f: f.with_claims(aud=["bank", "school"]),
    "an issuer that is a list": lambda f: f.with_claims(iss=[ISSUER]),
    "another issuer": lambda f: f.with_claims(iss="https://evil.example"),
    "expired": lambda f: f.with_claims(exp=int(time.time()) - 60),
    "expires at NaN": lambda f: f.with_claims(exp=float("nan")),
    "expires at a text": lambda f: f.with_claims(exp="tomorrow"),
    "beyond every float": lambda f: f.with_claims(exp=10**400, iat=1.5),
    "not yet valid": lambda f: f.with_claims(nbf=int(time.time()) + 60),
    "issued tomorrow": lambda f: f.with_claims(iat=int(time.time()) + 60),
    "lives too long": lambda f: f.with_claims(exp=int(time.time()) + HOUR),
    "no exp": lambda f: f.with_claims(exp=None),
    "not valid from a text": lambda f: f.with_claims(nbf="today"),
    "not valid from nothing": lambda f: f.signed(f.header(), f.claims() | {"nbf": None}),
    "no iat": lambda f: f.with_claims(iat=None),
    "no sub": lambda f: f.with_claims(sub=None),
    "empty sub": lambda f: f.with_claims(sub=""),
    "sub with room behind it": lambda f: f.with_claims(sub="officer-7 "),
    "sub that is not composed": lambda f: f.with_claims(sub="ame\u0301lie"),
    "sub of another width": lambda f: f.with_claims(sub="ｏfficer-7"),
    "sub with what is not seen": lambda f: f.with_claims(sub="officer\u200b-7"),
    "sub with what selects a variant": lambda f: f.with_claims(sub="officer\ufe0f-7"),
    "sub of two lines": lambda f: f.with_claims(sub="officer\n-7"),
    "sub a number": lambda f: f.with_claims(sub=7),
    "sub too long": lambda f: f.with_claims(sub="o" * 256),
    "sub a person's number": lambda f: f.with_claims(sub=NIK),
    "no aud": lambda f: f.with_claims(aud=None),
    "no iss": lambda f: f.with_claims(iss=None),
    "scope a list": lambda f: f.with_claims(scope=["things:read"]),
    "regions a text": lambda f: f.with_claims(regions="61"),
    "a region of one digit": lambda f: f.with_claims(regions=["6"]),
    "claims a list": lambda f: f.signed(f.header(), [1, 2]),
    "claims not JSON": lambda f: f.signed(f.header(), b"{"),
    "too large": lambda f: f.with_claims(note="x" * 70_000),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_token_that_is_not_right_is_refused_and_the_refusal_is_on_record(
    attack: str, forger: Forger, issuer_dir: Path
) -> None:
    async with calling(service(settings_for(issuer_dir))) as client:
        with capture_logs() as logged:
            header = b"Bearer " + ATTACKS[attack](forger).encode()
            answer = await client.get("/things/whoami", headers={b"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    [line] = [line for line in logged if line["event"] == "token refused"]
    assert line["reason"]
    assert "things:read" not in answer.text


@pytest.mark.parametrize(
    "attack",
    [
        "alg none",
        "alg a list",
        "HS256 with the public key",
        "RS256",
        "ES384",
        "EdDSA under the kid of an ES256 key",
    ],
)
async def test_what_a_key_signs_with_is_not_the_tokens_choice(
    attack: str, forger: Forger, issuer_dir: Path
) -> None:
    async with calling(service(settings_for(issuer_dir)), ATTACKS[attack](forger)) as client:
        with capture_logs() as logged:
            await client.get("/things/whoami")
    assert logged[0]["reason"] == "algorithm"


async def test_a_right_token_is_let_in(forger: Forger, issuer_dir: Path) -> None:
    async with calling(service(settings_for(issuer_dir)), forger.with_claims()) as client:
        answer = await client.get("/things/whoami")
    assert answer.json() == {"subject": "officer-7", "regions": []}


@pytest.mark.parametrize("name", ["EdDSA", "Ed25519"])
async def test_an_issuer_may_sign_with_ed25519_under_either_name(
    name: str, forger: Forger, issuer_dir: Path
) -> None:
    key = OKPKey.generate_key("Ed25519", {"alg": "EdDSA"}, auto_kid=True)
    (issuer_dir / KEY_SET).write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    key.check_alg = lambda alg: None  # type: ignore[method-assign] # both names are one algorithm
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        token = forger.signed(forger.header(alg=name, kid=key.kid), forger.claims(), key)
    async with calling(service(settings_for(issuer_dir)), token) as client:
        assert (await client.get("/things/whoami")).status_code == 200


@pytest.mark.parametrize("name", [NIK, f"{NIK}@kemensos.example", "6103.0141-0790 0001"])
async def test_whoever_is_named_by_a_number_is_told_so_and_the_number_is_nowhere(
    name: str, forger: Forger, issuer_dir: Path
) -> None:
    app = service(settings_for(issuer_dir))
    async with calling(app, forger.with_claims(sub=name)) as client:
        with capture_logs() as logged:
            answer = await client.get("/things/whoami")
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/name-holds-number")
    assert {"event": "token refused", "reason": "number"}.items() <= logged[0].items()
    assert name not in f"{logged}{answer.text}"


async def test_a_token_needs_no_day_from_which_it_is_valid(
    forger: Forger, issuer_dir: Path
) -> None:
    async with calling(service(settings_for(issuer_dir)), forger.with_claims(nbf=None)) as client:
        assert (await client.get("/things/whoami")).status_code == 200


async def test_two_authorization_headers_are_none(issuer: Issuer, issuer_dir: Path) -> None:
    right = ("Authorization", f"Bearer {token_for(issuer)}")
    async with calling(service(settings_for(issuer_dir))) as client:
        answer = await client.get("/things/whoami", headers=[right, right])
    assert answer.status_code == 401


async def test_a_denied_subject_is_refused_from_the_moment_the_file_names_it(
    issuer: Issuer, issuer_dir: Path, tmp_path: Path
) -> None:
    denied = tmp_path / "denied"
    denied.write_text("")
    app = service(settings_for(issuer_dir, denied_file=denied))
    async with calling(app, token_for(issuer)) as client:
        assert (await client.get("/things/whoami")).status_code == 200
        denied.write_text("officer-6\nOfficer-7\n")
        assert (await client.get("/things/whoami")).status_code == 401


# -- The gate -------------------------------------------------------------------------------------


async def test_nobody_unknown_learns_which_addresses_exist(issuer_dir: Path) -> None:
    async with calling(service(settings_for(issuer_dir))) as client:
        hit, miss = await client.get("/things/whoami"), await client.get("/no/such/thing")
    assert hit.status_code == miss.status_code == 401
    assert _but_for_the_request(hit) == _but_for_the_request(miss)


async def test_the_body_of_somebody_unknown_is_not_read(issuer_dir: Path) -> None:
    read = 0

    async def body() -> Any:
        nonlocal read
        read += 1
        yield b"{}"

    async with calling(service(settings_for(issuer_dir))) as client:
        answer = await client.put("/things/ball", content=body())
    assert answer.status_code == 401
    assert read == 0


async def test_open_paths_are_open_and_a_slash_opens_what_is_below_it(issuer_dir: Path) -> None:
    pages = APIRouter()

    @pages.get("/pages/style/main.css")
    async def style() -> str:
        return "fine"

    app = service(settings_for(issuer_dir), pages, open_paths=["/pages/style/"])
    async with calling(app) as client:
        assert (await client.get("/pages/style/main.css")).status_code == 200
        assert (await client.get("/pages/styles")).status_code == 401
        assert (await client.get("/health")).json() == {"status": "ok", "version": VERSION}
        assert (await client.get("/docs")).status_code == 401


async def test_a_cookie_may_carry_the_token_of_a_request_that_only_reads(
    issuer: Issuer, issuer_dir: Path
) -> None:
    cookie = {"Cookie": f"other=1; session={token_for(issuer)}"}
    app = service(settings_for(issuer_dir), token_cookie="session")
    async with calling(app) as client:
        assert (await client.get("/things/whoami", headers=cookie)).status_code == 200
        assert (await client.put("/things/ball", json={}, headers=cookie)).status_code == 401
    async with calling(service(settings_for(issuer_dir))) as client:
        assert (await client.get("/things/whoami", headers=cookie)).status_code == 401


# -- Scopes and regions ---------------------------------------------------------------------------


async def test_a_token_without_the_scope_is_forbidden_and_told_which(
    issuer: Issuer, issuer_dir: Path
) -> None:
    async with calling(
        service(settings_for(issuer_dir)), token_for(issuer, "things:write")
    ) as client:
        with capture_logs() as logged:
            answer = await client.get("/things/whoami")
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/scope-missing"
    assert 'scope="things:read"' in answer.headers["www-authenticate"]
    assert {"event": "scope refused", "subject": "officer-7", "scope": "things:read"}.items() <= (
        logged[0].items()
    )


@pytest.mark.parametrize(
    ("own", "asked", "seen"),
    [
        ("61.03", "61.03", True),
        ("61.03", "61.03.01", True),
        ("61.03", "61.03.01.2026", True),
        ("61.03", "61.031", False),
        ("61.03", "61", False),
        ("61.03", "61.04", False),
        ("61", "61.04", True),
        ("61", "62.04", False),
        (NATION, "94.71.01", True),
        ("61", "", False),
        ("61", "*", False),
    ],
)
def test_a_region_holds_itself_and_what_lies_within_it(own: str, asked: str, seen: bool) -> None:
    assert Principal("officer-7", frozenset(), ("12", own)).may_see(asked) is seen


@pytest.mark.parametrize(
    ("said", "may_read"),
    [
        ({"acr": "2"}, True),
        ({"acr": "1"}, False),
        ({"acr": ["2"]}, False),
        ({}, False),
        ({"acr": "2", "auth_time": -601}, False),
        ({"acr": "2", "auth_time": 60}, False),
        ({"acr": "2", "auth_time": "now"}, False),
        ({"acr": "2", "auth_time": None}, False),
    ],
)
async def test_a_scope_that_wants_a_strong_sign_in_is_had_by_no_weaker_or_older_one(
    forger: Forger, issuer_dir: Path, said: dict[str, Any], may_read: bool
) -> None:
    strong = Strong(scopes=("things:read",), acr=("2",), age_s=600)
    plain = settings_for(issuer_dir)
    trusted = [replace(issuer, strong=strong) for issuer in plain.issuers]
    claims = {"auth_time": -60} | said
    if isinstance(claims["auth_time"], int):
        claims["auth_time"] += int(time.time())
    token = forger.with_claims(scope="things:read things:write", **claims)

    found = await authenticator(dataclasses.replace(plain, issuers=trusted))(token)

    assert found.scopes == {"things:write"} | ({"things:read"} if may_read else set())


def test_no_region_is_none() -> None:
    assert not Principal("officer-7", frozenset(), ()).may_see("61")


async def test_an_object_of_another_region_is_forbidden(issuer: Issuer, issuer_dir: Path) -> None:
    token = token_for(issuer, regions=("61.03",))
    async with calling(service(settings_for(issuer_dir)), token) as client:
        assert (await client.get("/things/in/61.03.01")).status_code == 200
        assert (await client.get("/things/in/61.031")).status_code == 403


# -- Default deny ---------------------------------------------------------------------------------


def test_an_application_with_a_route_that_anybody_may_use_does_not_start(issuer_dir: Path) -> None:
    inner, outer = APIRouter(), APIRouter(prefix="/outer")

    @inner.get("/planted")
    async def planted() -> None: ...

    @inner.get("/unscoped")
    async def unscoped(known: Annotated[Principal, Depends(principal)]) -> None: ...

    @inner.get("/guarded")
    async def guarded(reader: Reader) -> None: ...

    outer.include_router(inner)
    with pytest.raises(OpenDoor) as refused:
        service(settings_for(issuer_dir), outer)
    assert str(refused.value) == "/outer/planted needs no scope; /outer/unscoped needs no scope"


def test_an_application_with_a_post_that_can_happen_twice_does_not_start(issuer_dir: Path) -> None:
    router = APIRouter()

    @router.post("/twice", dependencies=[Unconditional])
    async def twice(writer: Writer) -> None: ...

    @router.post("/once", dependencies=[Unconditional])
    async def once(writer: Writer, once: Once) -> None: ...

    with pytest.raises(OpenDoor, match=r"^POST /twice takes no Idempotency-Key"):
        service(settings_for(issuer_dir), router)


def test_an_application_with_a_post_that_rests_on_nothing_seen_does_not_start(
    issuer_dir: Path,
) -> None:
    router = APIRouter()

    @router.post("/blind")
    async def blind(writer: Writer, once: Once) -> None: ...

    @router.post("/seen")
    async def seen(writer: Writer, once: Once, seen: IfMatch) -> None: ...

    @router.post("/new", dependencies=[Unconditional])
    async def new(writer: Writer, once: Once) -> None: ...

    @router.post("/search", dependencies=[ReadsOnly])
    async def search(writer: Writer) -> None: ...

    with pytest.raises(OpenDoor, match=r"^POST /blind takes no If-Match [^;]*$"):
        service(settings_for(issuer_dir), router)


def test_a_mounted_application_is_an_open_door(issuer_dir: Path) -> None:
    router = APIRouter()
    router.mount("/files", app=service(settings_for(issuer_dir)))
    with pytest.raises(OpenDoor, match="/files is no API route"):
        service(settings_for(issuer_dir), router)


def test_the_interface_tells_the_scope_of_every_operation(issuer_dir: Path) -> None:
    document = service(settings_for(issuer_dir)).openapi()
    guarded = {
        operation["operationId"]: operation.get("security")
        for path in document["paths"].values()
        for operation in path.values()
    }
    assert guarded == {
        "health": None,
        "ready": None,
        "problem_page": None,
        "who_am_i": [{"HTTPBearer": ["things:read"]}],
        "in_region": [{"HTTPBearer": ["things:read"]}],
        "put": [{"HTTPBearer": ["things:write"]}],
    }


# -- The key set ----------------------------------------------------------------------------------


@dataclass
class Source:
    """A key set somewhere else, and a clock."""

    answers: KeySet | None
    asked: int = 0
    now: float = 0.0
    being_asked: asyncio.Event = field(default_factory=asyncio.Event)
    answering: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    async def fetch(self) -> KeySet:
        self.asked += 1
        self.being_asked.set()
        await self.answering.wait()
        if self.answers is None:
            raise httpx.ConnectError("away")
        return self.answers

    def keys(self) -> Keys:
        return Keys(self.fetch, AGE_S_MAX, lambda: self.now)


AGE_S_MAX = 900.0
OLD_S = AGE_S_MAX / 3 + 1
SIGNS = frozenset({"ES256"})
KEY = Key(ECKey.generate_key("P-256", {"kid": "one"}), SIGNS)
OTHER = Key(ECKey.generate_key("P-256", {"kid": "two"}), SIGNS)


async def test_unknown_key_ids_ask_the_source_once_in_a_cooldown() -> None:
    source = Source({"one": KEY})
    keys = source.keys()
    assert [await keys.find(f"guess-{n}") for n in range(100)] == [None] * 100
    assert source.asked == 1
    source.now += KEYS_COOLDOWN_S + 1
    assert await keys.find("guess-100") is None
    assert source.asked == 2


async def test_a_new_key_is_found_and_a_withdrawn_one_is_forgotten() -> None:
    source = Source({"one": KEY})
    keys = source.keys()
    assert await keys.find("one") is KEY
    source.answers = {"two": OTHER}
    source.now += KEYS_COOLDOWN_S + 1
    assert await keys.find("one") is KEY
    source.now += OLD_S
    assert await keys.find("one") is None
    assert await keys.find("two") is OTHER


async def test_whoever_comes_while_the_source_is_asked_waits_for_its_answer() -> None:
    source = Source({"one": KEY})
    source.answering.clear()
    keys = source.keys()
    finding = [asyncio.create_task(keys.find("one")) for _ in range(3)]
    await source.being_asked.wait()
    source.answering.set()
    assert await asyncio.gather(*finding) == [KEY] * 3
    assert source.asked == 1


async def test_a_known_key_is_not_held_up_while_the_source_is_asked_again() -> None:
    source = Source({"one": KEY})
    keys = source.keys()
    await keys.find("one")
    source.answering.clear()
    source.being_asked.clear()
    source.now = OLD_S
    asking = asyncio.create_task(keys.find("one"))
    await source.being_asked.wait()
    assert await keys.find("one") is KEY
    source.answering.set()
    assert await asking is KEY


async def test_while_the_source_is_away_known_keys_are_believed_until_their_age() -> None:
    source = Source({"one": KEY})
    keys = source.keys()
    await keys.find("one")
    source.answers, source.now = None, AGE_S_MAX
    assert await keys.find("one") is KEY
    with pytest.raises(IssuerSilent):
        await keys.find("a key that may be new")
    source.now += 1
    with pytest.raises(IssuerSilent):
        await keys.find("one")
    source.answers, source.now = {"one": KEY}, source.now + KEYS_COOLDOWN_S + 1
    assert await keys.find("one") is KEY


async def test_whoever_comes_with_a_key_past_its_age_waits_for_the_answer() -> None:
    source = Source({"one": KEY})
    keys = source.keys()
    await keys.find("one")
    source.answering.clear()
    source.being_asked.clear()
    source.now = AGE_S_MAX + 1
    finding = [asyncio.create_task(keys.find("one")) for _ in range(2)]
    await source.being_asked.wait()
    source.answers = {"two": OTHER}
    source.answering.set()
    assert await asyncio.gather(*finding) == [None, None]


async def test_while_nobody_can_tell_whether_a_token_is_good_the_answer_says_so(
    forger: Forger, issuer_dir: Path
) -> None:
    token = forger.with_claims()
    (issuer_dir / KEY_SET).unlink()
    async with calling(service(settings_for(issuer_dir)), token) as client:
        answer = await client.get("/things/whoami")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/issuer-silent")
    assert answer.headers["retry-after"] == "5"


def test_only_public_keys_that_may_sign_are_taken_from_a_key_set() -> None:
    private = ECKey.generate_key("P-256", {"kid": "private"}).as_dict(private=True)
    jwks = [
        private,
        RSAKey.generate_key(2048, {"kid": "rsa"}).as_dict(private=False),
        OctKey.generate_key(256, {"kid": "shared"}).as_dict(),
        ECKey.generate_key("P-384", {"kid": "p384"}).as_dict(private=False),
        KEY.public.as_dict(private=False) | {"use": "enc", "kid": "encrypts"},
        KEY.public.as_dict(private=False) | {"alg": "ECDH-ES", "kid": "agrees"},
        OKPKey.generate_key("Ed448", {"kid": "ed448"}).as_dict(private=False),
    ]
    keys = keys_of({"keys": jwks}, {"ES256", "EdDSA", "Ed25519"})
    assert list(keys) == ["private"]
    assert not keys["private"].public.is_private


def test_an_rsa_key_signs_with_what_it_names_and_only_from_2048_bits() -> None:
    key = RSAKey.generate_key(2_048).as_dict(private=True)
    weak = base64.urlsafe_b64encode(b"\xc1" * 128).rstrip(b"=").decode()
    jwks = [
        key | {"kid": "either"},
        key | {"kid": "named", "alg": "PS256"},
        key | {"kid": "other", "alg": "RS512"},
        key | {"kid": "encrypts", "alg": "RSA-OAEP", "use": "enc"},
        key | {"kid": "weak", "n": weak},
    ]
    keys = keys_of({"keys": jwks}, {"RS256", "PS256"})
    assert {kid: key.algorithms for kid, key in keys.items()} == {
        "either": {"RS256", "PS256"},
        "named": {"PS256"},
    }
    assert not any(key.public.is_private for key in keys.values())
    assert list(keys_of({"keys": jwks}, {"RS256"})) == ["either"]


def _but_for_the_request(answer: httpx.Response) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "instance"}
