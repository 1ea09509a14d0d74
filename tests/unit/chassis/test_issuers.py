"""The file of trusted issuers: every mistake in it is a sentence before a service starts."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey

from libs.chassis.catalogue import ROOT
from libs.chassis.issuers import read_issuers
from libs.chassis.settings import SettingRefused, issuers
from libs.chassis.tokens import KEYS_BYTES_MAX, source_of
from libs.policy.files import PolicyError
from tests.guides.console import FENCE

RIGHT: Final[dict[str, Any]] = {
    "issuer": "https://sso.example.test/realms/pkh",
    "audience": "pkh",
    "keys": "https://sso.example.test/realms/pkh/certs",
    "may_say": {"scopes": ["registry:read"], "regions": ["61", "62.01"]},
}


def described(directory: Path, *entries: dict[str, Any]) -> Path:
    file = directory / "issuers.yaml"
    file.write_text(yaml.safe_dump({"issuers": list(entries)}))
    return file


def test_what_is_not_said_is_strict(tmp_path: Path) -> None:
    [issuer] = read_issuers(described(tmp_path, RIGHT))
    assert issuer.algorithms == ("ES256", "EdDSA")
    assert issuer.types == ("at+jwt",)
    assert (issuer.claims.person, issuer.claims.scopes, issuer.claims.regions) == (
        *("sub", "scope", "regions"),
    )


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"keys": "http://sso.example.test/certs"}, "issuers[0].keys: "),
        ({"keys": "http://127.0.0.1/certs"}, "issuers[0].keys: "),
        ({"keys": "https://user:secret@sso.example.test/certs"}, "issuers[0].keys: "),
        ({"keys": "/no/such/file"}, "issuers[0].keys: is neither an https address nor a file"),
        ({"algorithms": ["HS256"]}, "issuers[0].algorithms[0]: "),
        ({"algorithms": ["none"]}, "issuers[0].algorithms[0]: "),
        ({"algorithms": []}, "issuers[0].algorithms: "),
        ({"types": ["JWT"]}, "issuers[0].marks: must name what only an access token says"),
        ({"types": ["at+jwt", "JOSE"]}, "issuers[0].types[1]: "),
        ({"may_say": {"scopes": ["a:b"]}}, "issuers[0].may_say.regions: is missing"),
        ({"may_say": {"scopes": [], "regions": ["*"]}}, "issuers[0].may_say.scopes: "),
        ({"may_say": {"scopes": ["a:b"], "regions": ["6"]}}, "issuers[0].may_say.regions[0]: "),
        ({"may_say": None}, "issuers[0].may_say: "),
        ({"claims": {"scopes": "realm_access..roles"}}, "issuers[0].claims.scopes: "),
        ({"claims": {"scope": "scp"}}, "issuers[0].claims.scope: is unknown"),
        ({"audience": ""}, "issuers[0].audience: "),
        ({"ca_file": "/no/such/ca.pem"}, "issuers[0].ca_file: is no file of certificates"),
        ({"ca_file": __file__}, "issuers[0].ca_file: is no file of certificates"),
        ({"keys_age_s": 86_401}, "issuers[0].keys_age_s: "),
        ({"prefix": "Bank"}, "issuers[0].prefix: "),
        ({"verify": False}, "issuers[0].verify: is unknown"),
        ({"strong": {"scopes": ["registry:read"]}}, "issuers[0].strong.acr: is missing"),
        (
            {"strong": {"scopes": ["payments:make"], "acr": ["2"]}},
            "issuers[0].strong.scopes: names payments:make, which it may not say",
        ),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else "",
)
def test_a_mistake_is_named_by_its_place(
    changes: dict[str, Any], mistake: str, tmp_path: Path
) -> None:
    with pytest.raises(PolicyError) as refused:
        read_issuers(described(tmp_path, RIGHT | changes))
    assert str(refused.value).startswith(f"issuers.yaml: {mistake}")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("second", "mistake"),
    [
        (RIGHT | {"prefix": "other:"}, "issuers[1].issuer: is described above already"),
        (RIGHT | {"issuer": "https://b.test"}, "issuers[1].prefix: is another issuer's"),
    ],
    ids=["name", "prefix"],
)
def test_two_issuers_have_names_of_their_own(
    second: dict[str, Any], mistake: str, tmp_path: Path
) -> None:
    with pytest.raises(PolicyError) as refused:
        read_issuers(described(tmp_path, RIGHT, second))
    assert mistake in str(refused.value)


def test_the_file_that_the_guide_shows_is_taken(tmp_path: Path, certificate: Path) -> None:
    guide = (ROOT / "docs" / "identity-providers.md").read_text()
    shown = next(block["code"] for block in FENCE.finditer(guide) if block["language"] == "yaml")
    file = tmp_path / "issuers.yaml"
    file.write_text(shown.replace("/identity/bank-ca.pem", str(certificate)))
    assert [issuer.prefix for issuer in read_issuers(file)] == ["", "bank:"]


def test_no_issuer_at_all_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="issuers: "):
        read_issuers(described(tmp_path))


def test_a_service_with_a_mistake_in_the_file_is_told_it_and_does_not_start(
    tmp_path: Path,
) -> None:
    file = described(tmp_path, RIGHT | {"keys": "http://sso.example.test"})
    with pytest.raises(SettingRefused, match=r"^PKH_ISSUERS_FILE: issuers.yaml: issuers\[0\].keys"):
        issuers({"PKH_ISSUERS_FILE": str(file)})


# -- Keys over https ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of 127.0.0.1 that nobody but itself has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sso")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "sso.pem"
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(
        key.private_bytes(pem, form, serialization.NoEncryption()) + made.public_bytes(pem)
    )
    return file


@asynccontextmanager
async def serving(certificate: Path, answer: bytes) -> AsyncIterator[str]:
    """An address of https that gives one answer to whoever asks."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(give, "127.0.0.1", ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/certs"


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


KEY: Final = ECKey.generate_key("P-256", {"kid": "one"})
KEYS: Final = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()


async def test_keys_come_over_https_from_whom_the_file_of_cas_knows(
    certificate: Path, tmp_path: Path
) -> None:
    async with serving(certificate, http("200 OK", KEYS)) as url:
        entry = RIGHT | {"keys": url, "ca_file": str(certificate)}
        [issuer] = read_issuers(described(tmp_path, entry))
        assert list(await source_of(issuer)()) == ["one"]


async def test_a_server_that_no_ca_knows_gives_no_keys(certificate: Path, tmp_path: Path) -> None:
    async with serving(certificate, http("200 OK", KEYS)) as url:
        [issuer] = read_issuers(described(tmp_path, RIGHT | {"keys": url}))
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await source_of(issuer)()


@pytest.mark.parametrize(
    "answer",
    [
        http("302 Found", b"", "Location: http://127.0.0.1/certs"),
        http("503 Service Unavailable", KEYS),
        http("200 OK", KEYS + b" " * KEYS_BYTES_MAX),
    ],
    ids=["elsewhere", "away", "too large"],
)
async def test_what_is_no_key_set_gives_no_keys(
    answer: bytes, certificate: Path, tmp_path: Path
) -> None:
    async with serving(certificate, answer) as url:
        entry = RIGHT | {"keys": url, "ca_file": str(certificate)}
        [issuer] = read_issuers(described(tmp_path, entry))
        with pytest.raises((httpx.HTTPStatusError, ValueError)):
            await source_of(issuer)()
