"""The realm of deploy/keycloak: what it gives to whom, and how anybody comes by a token of it."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from libs.chassis.catalogue import ROOT, catalogue
from libs.chassis.issuers import TrustedIssuer, read_issuers
from libs.chassis.sign_in import read_sign_in
from libs.policy.roles import roles

HOME: Final = ROOT / "deploy" / "keycloak"
READS: Final = "read"


@pytest.fixture(scope="module")
def realm() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((HOME / "realm.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def trusted() -> TrustedIssuer:
    [issuer] = read_issuers(HOME / "issuers.yaml")
    return issuer


def scopes_by_role(realm: dict[str, Any]) -> dict[str, set[str]]:
    roles = {role["name"]: role.get("composites", {}) for role in realm["roles"]["realm"]}
    del roles["default-roles-pkh"]
    return {name: {*has.get("client", {}).get("pkh", ())} for name, has in roles.items()}


def scopes_of_routes() -> set[str]:
    documents = [
        json.loads(path.read_text()) for path in (ROOT / "contracts" / "openapi").glob("*.json")
    ]
    return {
        scope
        for document in documents
        for operations in document["paths"].values()
        for operation in operations.values()
        for demand in operation.get("security", [])
        for scope in demand["HTTPBearer"]
    }


def test_the_realm_has_the_scopes_of_the_routes_and_no_other(
    realm: dict[str, Any], trusted: TrustedIssuer
) -> None:
    assert {role["name"] for role in realm["roles"]["client"]["pkh"]} == scopes_of_routes()
    assert {*trusted.may_say.scopes} == scopes_of_routes()


def test_the_console_signs_people_in_as_its_client_of_the_realm(
    realm: dict[str, Any], trusted: TrustedIssuer
) -> None:
    sign_in = read_sign_in(HOME / "console.yaml")
    [client] = [each for each in realm["clients"] if each["clientId"] == sign_in.client]

    assert sign_in.issuer == trusted.issuer
    assert client["redirectUris"] == [sign_in.returns_to]
    assert client["publicClient"]
    assert sign_in.is_secure


def test_each_role_has_the_scopes_of_the_file_of_roles(realm: dict[str, Any]) -> None:
    found = scopes_by_role(realm)
    assert found == {name: {*role.scopes} for name, role in roles().items()}
    assert set().union(*found.values()) == scopes_of_routes()
    assert not found["bank"]
    assert found["facilitator"] == {"p2k2:facilitate", "complaints:receive"}
    assert found["public"] == {"complaints:follow"}
    assert {scope.partition(":")[2] for scope in found["auditor"]} == {READS, "audit", "prove"}
    # What is proposed and approved for the nation is no other's; who runs it sees no family.
    for name in found.keys() - {"nation"}:
        assert not found[name] & {"payments:announce", "payments:make", "payments:check"}
    assert {scope.partition(":")[0] for scope in found["operator"]} == {"platform"}


def test_a_service_has_the_scopes_of_its_own_token(realm: dict[str, Any]) -> None:
    systems = {user["serviceAccountClientId"]: user for user in realm["users"]}
    for name in catalogue().needing("service-token"):
        own = {*systems[name]["clientRoles"]["pkh"]}
        assert own == {*catalogue().services[name].token_scopes}


def test_people_have_tokens_by_code_and_pkce_and_systems_by_their_credentials(
    realm: dict[str, Any],
) -> None:
    clients = {client["clientId"]: client for client in realm["clients"]}
    assert not clients.pop("admin-cli")["enabled"]
    assert clients.pop("pkh")["bearerOnly"]
    for name, client in clients.items():
        people = name == "pkh-console"
        assert client["standardFlowEnabled"] is client["publicClient"] is people
        assert client["serviceAccountsEnabled"] is not people
        assert not client["implicitFlowEnabled"]
        assert not client["directAccessGrantsEnabled"]
        assert "secret" not in client  # Keycloak makes one, which is nobody else's
        assert client["attributes"]["access.token.signed.response.alg"] == "ES256"
        assert client["attributes"]["access.token.header.type.rfc9068"] == "true"
    assert clients["pkh-console"]["attributes"]["pkce.code.challenge.method"] == "S256"
    assert realm["sslRequired"] == "all"
    assert realm["accessTokenLifespan"] <= 600


def test_nobody_writes_their_own_regions_or_name(realm: dict[str, Any]) -> None:
    [kept] = realm["components"]["org.keycloak.userprofile.UserProfileProvider"]
    [text] = kept["config"]["kc.user.profile.config"]
    for attribute in json.loads(text)["attributes"]:
        assert attribute["permissions"]["edit"] == ["admin"]
