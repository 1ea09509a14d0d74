"""Keycloak itself signs people and systems in, and a service believes what it says, and no more.

The realm and the file of issuers are those of deploy/keycloak. Starting the server takes a minute
of a processor, so all of this waits for the night.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import httpx
import pytest
import yaml
from fastapi import APIRouter, FastAPI

from libs.chassis.auth import Principal, ensure_may_see, require
from libs.chassis.dev_certificates import Authority
from libs.chassis.issuers import read_issuers
from localstack.ports import HOST
from tests.keycloak import REALM, Keycloak, KeycloakUnavailable, unpacked
from tests.servers import eventually
from tests.unit.chassis.service import calling, service, settings_for

pytestmark = pytest.mark.nightly

ISSUERS: Final = REALM.with_name("issuers.yaml")
ACCOUNT: Final = "account-console"
ROTATION_S: Final = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    """The server of this file's tests."""
    directory = tmp_path_factory.mktemp("keycloak")
    authority = Authority.make("Keycloak's tests")
    ca, certificate, key = (directory / name for name in ("ca.pem", "sso.pem", "sso.key"))
    for file, pem in zip((certificate, key), authority.issue("sso", address=HOST), strict=True):
        file.write_text(pem)
    ca.write_text(authority.pem)
    try:
        keycloak = Keycloak(unpacked(directory), ca, certificate, key)
    except KeycloakUnavailable as reason:
        pytest.skip(f"no Keycloak: {reason}")
    yield keycloak
    keycloak.stop()


@pytest.fixture
def keycloak(server: Keycloak) -> Keycloak:
    """The server, which runs whatever an earlier test did to it."""
    server.start()
    return server


def office(
    keycloak: Keycloak,
    directory: Path,
    changes: Mapping[str, Any] = MappingProxyType({}),
    denied: Path | None = None,
) -> FastAPI:
    """A service that trusts the realm as deploy/keycloak/issuers.yaml has it, but for changes."""
    described = ISSUERS.read_text().replace("https://sso.pkh.example", keycloak.url)
    [entry] = yaml.safe_load(described)["issuers"]
    file = directory / "issuers.yaml"
    entry |= {"ca_file": str(keycloak.ca)} | dict(changes)
    file.write_text(yaml.safe_dump({"issuers": [entry]}))
    router = APIRouter()

    @router.get("/families/in/{region}")
    async def families(
        region: str, reader: Annotated[Principal, require("registry:read")]
    ) -> dict[str, str]:
        ensure_may_see(reader, region)
        return {"subject": reader.subject}

    @router.get("/positions")
    async def positions(reader: Annotated[Principal, require("platform:read")]) -> list[str]:
        return sorted(reader.scopes)

    settings = settings_for(directory, issuers=read_issuers(file), denied_file=denied)
    return service(settings, router)


async def asked(app: FastAPI, token: str, path: str) -> httpx.Response:
    async with calling(app, token) as client:
        return await client.get(path)


async def test_a_person_signs_in_and_may_do_what_their_role_says_in_their_regions(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    password = keycloak.add_person("ana", "regency", ["61.03"])
    tokens = keycloak.sign_in("ana", password)
    app = office(keycloak, tmp_path)
    seen = [
        (await asked(app, tokens["access_token"], path)).status_code
        for path in ("/families/in/61.03.01", "/families/in/61.04", "/positions")
    ]
    assert seen == [200, 403, 403]
    assert (await asked(app, tokens["id_token"], "/families/in/61.03")).status_code == 401
    assert (await asked(app, tokens["refresh_token"], "/families/in/61.03")).status_code == 401


async def test_a_person_who_is_denied_is_out_before_their_token_ends(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    token = keycloak.sign_in("budi", keycloak.add_person("budi", "auditor", ["*"]))["access_token"]
    denied = tmp_path / "denied"
    denied.write_text("")
    app = office(keycloak, tmp_path, denied=denied)
    known = await asked(app, token, "/families/in/11")
    denied.write_text(known.json()["subject"] + "\n")
    assert (await asked(app, token, "/families/in/11")).status_code == 401


async def test_nobody_signs_in_without_pkce_or_by_a_password_alone(keycloak: Keycloak) -> None:
    password = keycloak.add_person("cici", "district", ["61.03.01"])
    console = ("pkh-console", "https://console.pkh.example/console/signed-in")
    with keycloak.client() as browser:
        back = keycloak.authorization(browser, console, None)
    assert "error=invalid_request" in back.headers["location"]
    for client in ("pkh-console", "admin-cli", "payments"):
        answer = keycloak.token(
            grant_type="password", client_id=client, username="cici", password=password
        )
        assert answer.status_code in (400, 401)


async def test_nobody_gives_themselves_a_region(keycloak: Keycloak) -> None:
    password = keycloak.add_person("dewi", "facilitator", ["61.03"])
    page = (ACCOUNT, f"{keycloak.issuer}/account/")
    own = keycloak.sign_in("dewi", password, page)["access_token"]
    with keycloak.client(headers={"Authorization": f"Bearer {own}"}) as client:
        address = f"{keycloak.issuer}/account/"
        shown = client.get(address, headers={"Accept": "application/json"}).json()
        shown["attributes"] = {"regions": ["*"]}
        answer = client.post(address, json=shown)
    assert answer.status_code == 400
    [kept] = keycloak.admin("GET", "/users?username=dewi").json()
    assert kept["attributes"]["regions"] == ["61.03"]


async def test_a_role_that_has_nothing_yet_gives_nothing(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    for role in ("facilitator", "bank", "public"):
        name = f"of-{role}"
        token = keycloak.sign_in(name, keycloak.add_person(name, role, ["61"]))["access_token"]
        answer = await asked(office(keycloak, tmp_path), token, "/families/in/61")
        assert answer.json()["type"] == "/problems/scope-missing"


async def test_a_system_has_its_own_scopes(keycloak: Keycloak, tmp_path: Path) -> None:
    app = office(keycloak, tmp_path)
    payments, registry = (keycloak.system_token(name) for name in ("payments", "registry"))
    assert (await asked(app, payments, "/positions")).json() == ["platform:read"]
    assert (await asked(app, registry, "/positions")).json() == ["payments:money", "platform:read"]
    assert (await asked(app, payments, "/families/in/61")).status_code == 403


async def test_a_realm_that_says_more_than_it_may_is_refused(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    less = {"may_say": {"scopes": ["platform:read"], "regions": ["*"]}}
    app = office(keycloak, tmp_path, less)
    assert (await asked(app, keycloak.system_token("payments"), "/positions")).status_code == 200
    assert (await asked(app, keycloak.system_token("registry"), "/positions")).status_code == 401


async def test_tokens_as_keycloak_makes_them_unasked_are_believed_where_a_person_says_so(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    keycloak.admin("POST", "/components", provider("rsa-generated", keySize=["2048"]))
    kept = keycloak.client_of("payments")
    plain = {"access.token.signed.response.alg": "RS256", "access.token.header.type.rfc9068": ""}
    changed = kept | {"attributes": kept["attributes"] | plain}
    keycloak.admin("PUT", f"/clients/{kept['id']}", changed)
    token = keycloak.system_token("payments")
    keycloak.admin("PUT", f"/clients/{kept['id']}", kept)

    assert (await asked(office(keycloak, tmp_path), token, "/positions")).status_code == 401
    named = {"algorithms": ["RS256"], "types": ["JWT"], "marks": {"typ": "Bearer"}}
    app = office(keycloak, tmp_path, named)
    assert (await asked(app, token, "/positions")).status_code == 200
    assert (await asked(app, keycloak.system_token("payments"), "/positions")).status_code == 401


async def test_a_new_key_counts_and_a_withdrawn_one_does_not_and_silence_is_said(
    keycloak: Keycloak, tmp_path: Path
) -> None:
    app = office(keycloak, tmp_path, {"keys_age_s": 60})
    old = keycloak.system_token("payments")
    assert (await asked(app, old, "/positions")).status_code == 200

    [before] = [
        key
        for key in keycloak.admin("GET", "/components?type=org.keycloak.keys.KeyProvider").json()
        if key["providerId"] == "ecdsa-generated"
    ]
    made = provider("ecdsa-generated", priority=["200"], ecdsaEllipticCurveKey=["P-256"])
    keycloak.admin("POST", "/components", made)
    keycloak.admin("DELETE", f"/components/{before['id']}")
    new = keycloak.system_token("payments")

    async def status(token: str, wanted: int) -> bool:
        return (await asked(app, token, "/positions")).status_code == wanted

    await eventually(lambda: status(new, 200), ROTATION_S)
    await eventually(lambda: status(old, 401), ROTATION_S)

    keycloak.stop()
    assert (await asked(app, new, "/positions")).status_code == 200
    stranger = await asked(office(keycloak, tmp_path), new, "/positions")
    assert (stranger.status_code, stranger.json()["type"]) == (503, "/problems/issuer-silent")


def provider(kind: str, **config: list[str]) -> dict[str, Any]:
    """A key of the realm, to be made."""
    named = {"name": f"{kind}-{secrets.token_hex(4)}", "providerId": kind, "config": config}
    return named | {"providerType": "org.keycloak.keys.KeyProvider"}
