"""TLS to our partners: a server counts by the partners' own CA, and is shown our certificate.

No other CA is believed, not even those that a browser believes: whoever obtains a certificate for a
bank's name elsewhere is nobody here.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from cryptography import x509

from libs.events.domain.errors import CorridorError

KEY_OF_ANOTHER: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH")

Clock: TypeAlias = Callable[[], datetime]


class CertificateRefused(CorridorError):
    """A certificate or its key is not as it must be; names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class PartnerTls:
    """The TLS by which partners are asked, until when our own certificate counts, with those
    between it and its CA, and until when some CA of theirs does."""

    context: ssl.SSLContext
    own_until: datetime
    ca_until: datetime


def _now() -> datetime:
    return datetime.now(UTC)


def read_partner_tls(ca: Path, certificate: Path, key: Path, clock: Clock = _now) -> PartnerTls:
    """The TLS by which partners are asked: PEM files with the CA of theirs, our certificate with
    those between it and its CA, and its private key without a password.

    Raises `CertificateRefused` with the first mistake; of the CAs in a file one has to count today.
    """
    theirs, ours = _read(ca), _read(certificate)
    if not any(_counts(one, clock()) for one in theirs):
        raise CertificateRefused(file=ca.name, why="is not valid today")
    if not all(_counts(one, clock()) for one in ours):
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
    own_until = min(one.not_valid_after_utc for one in ours)
    return PartnerTls(context, own_until, max(one.not_valid_after_utc for one in theirs))


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
