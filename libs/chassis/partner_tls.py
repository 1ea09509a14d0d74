"""TLS to our partners: a server counts by the partners' own CA, and is shown our certificate.

No other CA is believed, not even those that a browser believes: whoever obtains a certificate for a
bank's name elsewhere is nobody here.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509

from libs.events.domain.errors import CorridorError

KEY_OF_ANOTHER: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")

Clock: TypeAlias = Callable[[], datetime]


class CertificateRefused(CorridorError):
    """A certificate or its key is not as it must be; names the file and what is wrong with it."""


def _now() -> datetime:
    return datetime.now(UTC)


def partner_context(ca: Path, certificate: Path, key: Path, clock: Clock = _now) -> ssl.SSLContext:
    """The TLS by which partners are asked: PEM files with the CA of theirs, our certificate with
    those between it and its CA, and its private key without a password.

    Raises `CertificateRefused` with the first mistake; of the CAs in a file one has to count today.
    """
    if not any(_counts(one, clock()) for one in _read(ca)):
        raise CertificateRefused(file=ca.name, why="is not valid today")
    if not all(_counts(one, clock()) for one in _read(certificate)):
        raise CertificateRefused(file=certificate.name, why="is not valid today")
    context = ssl.create_default_context(cafile=ca)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        another = error.reason in KEY_OF_ANOTHER
        why = "is not the key of the certificate" if another else "is no private key"
        raise CertificateRefused(file=key.name, why=why) from None
    except (OSError, ValueError):
        raise CertificateRefused(file=key.name, why="cannot be read") from None
    return context


def _read(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise CertificateRefused(file=path.name, why="holds no certificate") from None


def _counts(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _no_password() -> str:
    """A key with a password is refused; without this, whoever starts the service would be asked."""
    return ""
