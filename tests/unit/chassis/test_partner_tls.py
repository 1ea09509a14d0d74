"""Partners are asked over https by certificates of both sides, or a service does not start."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from libs.chassis.dev_certificates import CA, DAYS, Authority, client_files, make_certificates
from libs.chassis.partner_tls import CertificateRefused, PartnerTls, read_partner_tls
from libs.chassis.settings import SettingRefused, partner_tls

OWN, KEY = client_files("payments")
KAFKA, EMBEDDED = "kafka://broker:9092", "postgresql:///bus"
BANK = {"treasury": "", "bank": "https://bank.example"}
VARIABLES = "PKH_PARTNER_CA_FILE, PKH_CLIENT_CERTIFICATE_FILE, PKH_CLIENT_KEY_FILE"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    make_certificates(tmp_path, ["bank"], ["payments"], "127.0.0.1")
    return tmp_path


def read(directory: Path, days: int = 0) -> PartnerTls:
    """The TLS as it counts some days from now."""
    at = datetime.now(UTC) + timedelta(days=days)
    return read_partner_tls(directory / CA, directory / OWN, directory / KEY, lambda: at)


def env(directory: Path) -> dict[str, str]:
    """The environment that names the files."""
    files = (CA, OWN, KEY)
    return {v: str(directory / f) for v, f in zip(VARIABLES.split(", "), files, strict=True)}


def test_a_server_has_to_prove_itself_by_the_partners_own_ca(directory: Path) -> None:
    context = read(directory).context

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    [known] = context.get_ca_certs()
    assert known["subject"] == ((("commonName", "Simulated partners"),),)


def test_certificates_are_made_once(directory: Path) -> None:
    made = {path.name: path.read_bytes() for path in directory.iterdir()}
    make_certificates(directory, ["bank"], ["payments"], "127.0.0.1")

    assert {path.name: path.read_bytes() for path in directory.iterdir()} == made
    assert {path.stat().st_mode & 0o077 for path in directory.iterdir()} == {0}


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda directory: (directory / name).write_text(text)


def of_another(directory: Path) -> None:
    (directory / KEY).write_text(Authority.make("x").issue("x")[1])


def with_a_password(directory: Path) -> None:
    key = load_pem_private_key((directory / KEY).read_bytes(), None)
    sealing = BestAvailableEncryption(b"secret")
    (directory / KEY).write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, sealing))


@pytest.mark.parametrize(
    ("change", "file", "why"),
    [
        (written(CA, ""), CA, "holds no certificate"),
        (written(OWN, "BEGIN"), OWN, "holds no certificate"),
        (written(KEY, ""), KEY, "is no private key"),
        (with_a_password, KEY, "is no private key"),
        (of_another, KEY, "is not the key of the certificate"),
        (lambda directory: (directory / KEY).unlink(), KEY, "cannot be read"),
    ],
    ids=["no CA", "no certificate", "no key", "password", "another key", "no file"],
)
def test_a_mistake_is_named_at_start(
    directory: Path, change: Callable[[Path], object], file: str, why: str
) -> None:
    named = env(directory)
    change(directory)

    with pytest.raises(CertificateRefused) as refused:
        read(directory)
    assert f"file={file}, why={why}" in str(refused.value)
    with pytest.raises(SettingRefused, match="PKH_CLIENT_KEY_FILE"):
        partner_tls(named, BANK, KAFKA)


@pytest.mark.parametrize("days", [-1, DAYS + 1], ids=["not yet", "no longer"])
def test_a_certificate_counts_on_its_days_alone(directory: Path, days: int) -> None:
    with pytest.raises(CertificateRefused, match="is not valid today"):
        read(directory, days)


def test_our_own_certificate_ends_before_its_ca(directory: Path) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    authority = Authority.make("partners")
    (directory / CA).write_text(authority.pem)
    for name, text in zip((OWN, KEY), authority.issue("payments", until=soon), strict=True):
        (directory / name).write_text(text)

    found = read(directory, 2)
    assert found.own_until == soon.replace(microsecond=0)
    assert found.ca_until == authority.certificate.not_valid_after_utc > found.own_until
    with pytest.raises(CertificateRefused, match=OWN):
        read(directory, 4)


@pytest.mark.parametrize("missing", VARIABLES.split(", "))
def test_whoever_asks_over_https_needs_all_three(directory: Path, missing: str) -> None:
    with pytest.raises(SettingRefused, match=f"{VARIABLES} must be set"):
        partner_tls(env(directory) | {missing: ""}, BANK, KAFKA)
    with pytest.raises(SettingRefused, match=f"{missing} must name a file that exists"):
        partner_tls(env(directory) | {missing: "/no/such"}, BANK, KAFKA)


@pytest.mark.parametrize(
    ("address", "bus"),
    [
        ("http://bank.example", KAFKA),
        ("http://127.0.0.1:8102", KAFKA),
        ("http://bank.example", EMBEDDED),
        ("http://127.0.0.1.example", EMBEDDED),
    ],
    ids=["bank on Kafka", "loopback on Kafka", "bank", "a name like loopback"],
)
def test_nobody_is_asked_in_clear_but_whom_this_machine_simulates(
    directory: Path, address: str, bus: str
) -> None:
    with pytest.raises(SettingRefused, match=r"PKH_BANK_URL must start with https"):
        partner_tls(env(directory), {"bank": address}, bus)


def test_beside_the_embedded_bus_a_simulated_partner_is_asked_in_clear() -> None:
    addresses = {"treasury": "http://127.0.0.1:8101", "bank": "http://[::1]:8102"}

    assert partner_tls({}, addresses, EMBEDDED) is None
    assert partner_tls({}, {"treasury": "", "bank": ""}, KAFKA) is None


def test_a_real_partner_beside_the_embedded_bus_is_asked_over_https(directory: Path) -> None:
    assert partner_tls(env(directory), BANK, EMBEDDED) is not None
