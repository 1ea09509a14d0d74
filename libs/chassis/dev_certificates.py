"""Certificates of a platform whose treasury and banks are simulated: made once, in a directory of
secrets, by a CA whose own key is not kept.

`partner-ca.pem` is the CA's, `NAME.server.pem` a simulator's and `NAME.client.pem` a service's own;
each key stands beside its certificate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from libs.chassis.durable_files import write_private

CA: Final = "partner-ca.pem"
DAYS: Final = 825
AN_HOUR: Final = timedelta(hours=1)  # the clock of another machine may be behind
ISSUES_CERTIFICATES: Final = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA and its key, which issues certificates of servers and of clients."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, name: str) -> Self:
        """A new one."""
        key = ec.generate_private_key(ec.SECP256R1())
        last = datetime.now(UTC) + timedelta(days=DAYS)
        certificate = (
            _begun(_named(name), _named(name), key.public_key(), last)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(ISSUES_CERTIFICATES, critical=True)
            .sign(key, SHA256())
        )
        return cls(certificate, key)

    @property
    def pem(self) -> str:
        """The certificate by which others are known."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self,
        name: str,
        *,
        address: str | None = None,
        until: datetime | None = None,
        peer: bool = False,
    ) -> tuple[str, str]:
        """(certificate, key) in PEM: of a server at an IP address, without one of a client; a peer
        is both."""
        key = ec.generate_private_key(ec.SECP256R1())
        last = until or self.certificate.not_valid_after_utc
        asked, asks = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
        purposes = [*([asked] if address else []), *([asks] if peer or not address else [])]
        begun = (
            _begun(_named(name), self.certificate.subject, key.public_key(), last)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
        )
        if address:
            here = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            begun = begun.add_extension(here, critical=False)
        certificate = begun.sign(self.key, SHA256()).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return certificate.decode(), private.decode()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, last: datetime
) -> x509.CertificateBuilder:
    """A certificate that is not signed yet: whose it is, by whom, of which key, until when."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(datetime.now(UTC), last) - AN_HOUR)
        .not_valid_after(last)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def make_certificates(
    directory: Path, servers: Sequence[str], clients: Sequence[str], address: str
) -> None:
    """Make all of them, for servers at one address, where they are not there yet."""
    if (directory / CA).exists():
        return
    authority = Authority.make("Simulated partners")
    issued = {
        **{server_files(name): authority.issue(name, address=address) for name in servers},
        **{client_files(name): authority.issue(name) for name in clients},
    }
    for files, texts in issued.items():
        for file, text in zip(files, texts, strict=True):
            write_private(directory / file, text)
    # The CA's last: where it is there, the others are.
    write_private(directory / CA, authority.pem)


def server_files(name: str) -> tuple[str, str]:
    """The names of a simulator's certificate and key."""
    return f"{name}.server.pem", f"{name}.server.key"


def client_files(name: str) -> tuple[str, str]:
    """The names of the certificate and key that a service shows its partners."""
    return f"{name}.client.pem", f"{name}.client.key"
