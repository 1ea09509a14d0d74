"""Settings of a service from its environment, read once at start; every mistake is a sentence."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeAlias
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from libs.chassis.database_tls import THIS_MACHINE, DatabaseTlsRefused, is_here, over_tls
from libs.chassis.issuers import TrustedIssuer, read_issuers
from libs.chassis.limits import Limits
from libs.chassis.partner_keys import KeysRefused, NoSigningKey, PartnerKeys
from libs.chassis.partner_tls import CertificateRefused, PartnerTls, read_partner_tls
from libs.chassis.sign_in import SignIn, read_sign_in
from libs.events.bus.kafka_settings import Cluster, KafkaSecurity
from libs.policy.files import PolicyError
from libs.privacy.closed_numbers import NumberKeys
from libs.privacy.security_module import ModuleAddress
from libs.privacy.versions import KeyVersions

Environment: TypeAlias = Mapping[str, str]

POSTGRES: Final = ("postgresql", "postgres")
WEB: Final = ("http", "https")
LIMIT_MAX: Final = 2**50
ISSUERS: Final = "PKH_ISSUERS_FILE"
GONE: Final = ("PKH_JWKS_URL", "PKH_PERSON_CLAIM")
"""Variables that named an identity provider before; passed over, they would let in others."""
CONSOLE: Final = "PKH_CONSOLE_FILE"
INBOUND_KEYS: Final = "PKH_INBOUND_KEYS_FILE"
PARTNER_KEYS: Final = "PKH_PARTNER_KEYS_FILE"
SIGNING_KEYS: Final = "PKH_SIGNING_KEYS_FILE"
PARTNER_CA: Final = "PKH_PARTNER_CA_FILE"
CLIENT_CERTIFICATE: Final = "PKH_CLIENT_CERTIFICATE_FILE"
CLIENT_KEY: Final = "PKH_CLIENT_KEY_FILE"
KAFKA_PROTOCOL: Final = "PKH_KAFKA_SECURITY_PROTOCOL"
KAFKA_PROTOCOLS: Final = ("plaintext", "sasl_ssl", "ssl")
KAFKA_MECHANISMS: Final = ("scram-sha-512", "scram-sha-256")
KAFKA_CA: Final = "PKH_KAFKA_CA_FILE"
KAFKA_SECRET: Final = "PKH_KAFKA_PASSWORD_FILE"  # noqa: S105 - the name of a file
KAFKA_CERTIFICATE: Final = ("PKH_KAFKA_CERTIFICATE_FILE", "PKH_KAFKA_KEY_FILE")
COPIES_MAX: Final = 32
PKCS11: Final = ("PKH_PKCS11_LIBRARY", "PKH_PKCS11_TOKEN", "PKH_PKCS11_PIN_FILE")
DATABASE_CA: Final = "PKH_DATABASE_CA_FILE"
DATABASE_CLIENT: Final = ("PKH_DATABASE_CLIENT_CERTIFICATE_FILE", "PKH_DATABASE_CLIENT_KEY_FILE")
LOG_LEVELS: Final = ("debug", "info", "warning", "error")


NEEDED: Final[Mapping[str, Sequence[str]]] = {
    "sealing-keys": ("PKH_KEYS_URL", "PKH_KEK_FILE"),
    "own-keys": ("PKH_KEYS_URL", "PKH_KEK_FILE"),
    "eraser": ("PKH_ERASER_URL",),
    "reader": ("PKH_READER_URL",),
    "token-key": ("PKH_TOKEN_KEY_FILE", "PKH_KEYS_URL"),
    "inbound-keys": ("PKH_INBOUND_KEYS_FILE",),
    "service-token": ("PKH_SERVICE_TOKEN_FILE",),
    "console": (),  # without its file nobody signs in, and all else works
    "field-key": ("PKH_FIELD_KEY_FILE",),
}
"""{need of a service: the variables that must be set for it}."""


class SettingRefused(Exception):
    """A setting is missing or wrong; the text names the variable, never its value."""


def text(env: Environment, name: str, default: str | None = None) -> str:
    """A variable's text; without a default it must be there and not be empty."""
    value = env.get(name, "").strip() or default
    if value is None:
        raise SettingRefused(f"{name} must be set.")
    return value


def choice(env: Environment, name: str, choices: Collection[str], default: str) -> str:
    """One of a few words."""
    value = text(env, name, default).lower()
    if value not in choices:
        raise SettingRefused(f"{name} must be one of {', '.join(choices)}.")
    return value


def whole(
    env: Environment, name: str, default: int | None = None, *, at_least: int, at_most: int = 2**31
) -> int:
    """A whole number within limits, both included."""
    value = text(env, name, None if default is None else str(default))
    if not value.isascii() or not value.isdigit() or not at_least <= int(value) <= at_most:
        raise SettingRefused(f"{name} must be a whole number from {at_least} to {at_most}.")
    return int(value)


def file(env: Environment, name: str) -> Path | None:
    """The path of a file that must exist where it is named; None where it is not."""
    if not env.get(name):
        return None
    path = Path(env[name])
    if not path.is_file():
        raise SettingRefused(f"{name} must name a file that exists.")
    return path


def directory(env: Environment, name: str) -> Path | None:
    """The path of a directory that can be written to; None where none is named."""
    if not env.get(name):
        return None
    path = Path(env[name])
    if not path.is_dir() or not os.access(path, os.W_OK):
        raise SettingRefused(f"{name} must name a directory that can be written to.")
    return path


def secret(env: Environment, name: str) -> str | None:
    """The text that stands in the file that a variable names, without the end of its line."""
    path = file(env, name)
    try:
        return None if path is None else path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        raise SettingRefused(f"{name} must name a readable file of text.") from None


def secret_key(env: Environment, name: str, length: int = 32) -> bytes | None:
    """The key of `length` bytes that stands as one line of base64 in the file a variable names."""
    line = secret(env, name)
    if line is None:
        return None
    try:
        key = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != length:
        raise SettingRefused(f"{name} must name a file with {length} bytes as a line of base64.")
    return key


def key_versions(env: Environment, name: str) -> KeyVersions:
    """The versions of the key in the file that a variable names; none where it names no file."""
    text = secret(env, name)
    try:
        return KeyVersions() if text is None else KeyVersions.read(text)
    except ValueError as error:
        raise SettingRefused(f"{name} must name a file of keys. {error}.") from None


def held_key(env: Environment, name: str) -> KeyVersions:
    """The versions of a key that is no security module's: other keys are made from it here."""
    versions = key_versions(env, name)
    if versions.labels:
        raise SettingRefused(f"{name} must hold its keys itself.")
    return versions


def inbound_keys(env: Environment) -> NumberKeys | None:
    """The keys for which numbers are closed outside; None in a service that opens none."""
    versions = held_key(env, INBOUND_KEYS)
    try:
        return NumberKeys(versions) if versions.in_use else None
    except ValueError:
        raise SettingRefused(f"{INBOUND_KEYS} holds a version that is no key of P-256.") from None


def security_module(env: Environment) -> ModuleAddress | None:
    """Where the keys stand that a file of keys names by their labels; None where it is not said."""
    if not any(env.get(name) for name in PKCS11):
        return None
    library, pin = file(env, PKCS11[0]), secret(env, PKCS11[2])
    if library is None or not pin:
        raise SettingRefused(f"{', '.join(PKCS11)} must be set together.")
    return ModuleAddress(library, text(env, PKCS11[1]), pin)


def sealing_key(env: Environment) -> KeyVersions:
    """The key-encryption key, of which versions may stand in a security module."""
    versions = key_versions(env, "PKH_KEK_FILE")
    if versions.labels and security_module(env) is None:
        raise SettingRefused(f"{', '.join(PKCS11)} must be set: PKH_KEK_FILE names a key there.")
    return versions


def url(env: Environment, name: str, schemes: Collection[str], *, optional: bool = False) -> str:
    """A URL of one of `schemes`, or "" where it is optional and missing.

    A password belongs into the file that the variable's companion names (PKH_BUS_URL and
    PKH_BUS_PASSWORD_FILE): an environment is read by more people than a file.
    """
    if optional and not env.get(name):
        return ""
    parts = urlsplit(text(env, name))
    if parts.scheme not in schemes:
        raise SettingRefused(f"{name} must be a URL that starts with {' or '.join(schemes)}.")
    if parts.scheme in POSTGRES:
        parts = _over_tls(env, name, parts)
    password = secret(env, name.removesuffix("_URL") + "_PASSWORD_FILE")
    if password is None:
        return urlunsplit(parts)
    user, _, host = parts.netloc.rpartition("@")
    credentials = f"{user.partition(':')[0]}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{credentials}@{host}"))


def _over_tls(env: Environment, name: str, address: SplitResult) -> SplitResult:
    """A database's address, over TLS where it is on another machine."""
    try:
        if is_here(address, env):
            return address
    except DatabaseTlsRefused as refused:
        raise SettingRefused(f"{name}: {refused}; {DATABASE_CA} does.") from None
    variables = DATABASE_CA, *DATABASE_CLIENT
    ca, certificate, key = (file(env, variable) for variable in variables)
    if ca is None:
        raise SettingRefused(f"{DATABASE_CA} must be set: {name} is on another machine.")
    if (certificate is None) != (key is None):
        raise SettingRefused(f"{' and '.join(DATABASE_CLIENT)} must be set together.")
    own = (certificate, key) if certificate and key else None
    try:
        return over_tls(address, ca, own)
    except DatabaseTlsRefused as refused:
        raise SettingRefused(f"{', '.join(variables)}: {refused}.") from None


def issuers(env: Environment) -> Sequence[TrustedIssuer]:
    """Those whose tokens are believed: described in a file, or the platform's own alone."""
    for name in GONE:
        if env.get(name):
            raise SettingRefused(f"{name} is read no more: describe the issuer in {ISSUERS}.")
    described, key_set = file(env, ISSUERS), file(env, "PKH_JWKS_FILE")
    if (described is None) == (key_set is None):
        raise SettingRefused(f"One of {ISSUERS} and PKH_JWKS_FILE must be set, and not both.")
    if key_set is not None:
        name, audience = text(env, "PKH_ISSUER"), text(env, "PKH_AUDIENCE")
        return (TrustedIssuer.of_this_machine(name, audience, key_set),)
    try:
        return read_issuers(described) if described else ()
    except PolicyError as mistake:
        raise SettingRefused(f"{ISSUERS}: {mistake}") from None


def sign_in(env: Environment, believed: Sequence[TrustedIssuer]) -> SignIn | None:
    """The way to sign in to the console, at one whose tokens are believed; None where it is not
    said, and nobody signs in."""
    path = file(env, CONSOLE)
    if path is None:
        return None
    try:
        found = read_sign_in(path)
    except PolicyError as mistake:
        raise SettingRefused(f"{CONSOLE}: {mistake}") from None
    if found.issuer not in {issuer.issuer for issuer in believed}:
        raise SettingRefused(f"{CONSOLE}: {path.name}: issuer: is none whose tokens are believed")
    return found


def partner_keys(env: Environment) -> PartnerKeys:
    """The register of partners' keys and our own signing keys, checked whole."""
    register, own = (file(env, name) for name in (PARTNER_KEYS, SIGNING_KEYS))
    if register is None or own is None:
        raise SettingRefused(f"{PARTNER_KEYS} and {SIGNING_KEYS} must be set to ask partners.")
    try:
        return PartnerKeys.read(register, own)
    except (KeysRefused, NoSigningKey) as refused:
        raise SettingRefused(f"{PARTNER_KEYS} or {SIGNING_KEYS}: {refused}") from None


def partner_tls(env: Environment, addresses: Mapping[str, str], bus_url: str) -> PartnerTls | None:
    """The TLS to the partners at these addresses; None where all of them are simulated here.

    That is what http is for: a platform on the embedded bus, whose partners are on its machine.
    """
    parts = {name: urlsplit(address) for name, address in addresses.items() if address}
    alone = urlsplit(bus_url).scheme in POSTGRES
    for name, part in parts.items():
        if part.scheme != "https" and not (alone and part.hostname in THIS_MACHINE):
            raise SettingRefused(
                f"{address_of(name)} must start with https; http is for partners that are simulated"
                " on this machine, beside the embedded bus."
            )
    if not any(part.scheme == "https" for part in parts.values()):
        return None
    variables = PARTNER_CA, CLIENT_CERTIFICATE, CLIENT_KEY
    ca, certificate, key = (file(env, name) for name in variables)
    if ca is None or certificate is None or key is None:
        raise SettingRefused(f"{', '.join(variables)} must be set to ask partners over https.")
    try:
        return read_partner_tls(ca, certificate, key)
    except CertificateRefused as refused:
        raise SettingRefused(f"{', '.join(variables)}: {refused}") from None


def cluster(env: Environment, bus_url: str) -> Cluster:
    """The terms on which a process speaks to its Kafka cluster; none where the bus is another."""
    if urlsplit(bus_url).scheme != "kafka":
        return Cluster()
    replication = whole(env, "PKH_KAFKA_REPLICATION", 1, at_least=1, at_most=COPIES_MAX)
    in_sync = whole(env, "PKH_KAFKA_IN_SYNC", 0, at_least=0, at_most=replication) or None
    return Cluster(kafka_security(env, bus_url), replication, in_sync)


def kafka_security(env: Environment, bus_url: str) -> KafkaSecurity | None:
    """The identity of the process at its brokers, over TLS; None in clear, here alone."""
    protocol = choice(env, KAFKA_PROTOCOL, KAFKA_PROTOCOLS, "plaintext")
    if protocol == "plaintext":
        brokers = urlsplit(bus_url).netloc.split(",")
        if not all(urlsplit(f"//{broker}").hostname in THIS_MACHINE for broker in brokers):
            raise SettingRefused(
                f"{KAFKA_PROTOCOL} must be SASL_SSL: PKH_BUS_URL names a broker that is not on"
                " this machine."
            )
        return None
    ca = file(env, KAFKA_CA)
    authority = None if ca is None else str(ca)
    if protocol == "ssl":
        certificate, key = (file(env, name) for name in KAFKA_CERTIFICATE)
        if certificate is None or key is None:
            raise SettingRefused(f"{' and '.join(KAFKA_CERTIFICATE)} must be set for SSL.")
        security = KafkaSecurity(ca_file=authority, certificate=(str(certificate), str(key)))
    else:
        user, password = text(env, "PKH_KAFKA_USER"), secret(env, KAFKA_SECRET)
        if not password:
            raise SettingRefused(f"{KAFKA_SECRET} must be set, and its file not be empty.")
        mechanism = choice(env, "PKH_KAFKA_SASL_MECHANISM", KAFKA_MECHANISMS, KAFKA_MECHANISMS[0])
        security = KafkaSecurity(user, password, mechanism.upper(), authority)
    try:
        security.options()
    except OSError:
        named = ", ".join((KAFKA_CA, *(KAFKA_CERTIFICATE if security.certificate else ())))
        raise SettingRefused(f"{named} must name certificates in PEM, with their key.") from None
    return security


def address_of(name: str) -> str:
    """The variable that holds the base address of a service or a partner."""
    return f"PKH_{name.upper()}_URL"


def metrics_port(env: Environment) -> int:
    """Where a process shows what it measures; 0 where it is not told to."""
    return whole(env, "PKH_METRICS_PORT", 0, at_least=0, at_most=65_535)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every service. URLs hold passwords, so neither they nor keys have a repr."""

    service: str
    database_url: str = field(repr=False)
    bus_url: str = field(repr=False)
    issuers: Sequence[TrustedIssuer]
    """Whose tokens are believed."""
    bus_session_s: int | None = None
    """Seconds of silence after which others get a consumer's partitions; None: the bus's own."""
    cluster: Cluster = field(default_factory=Cluster)
    """Who it is at Kafka and how many copies are kept there."""
    denied_file: Path | None = None
    """Subjects and token ids that are refused at once, one a line; may change at any time."""
    keys_url: str = field(default="", repr=False)
    eraser_url: str = field(default="", repr=False)
    """The database of the families' keys, for the role that destroys them."""
    reader_url: str = field(default="", repr=False)
    """The service's database, for the role under which requests read."""
    kek: KeyVersions = field(default_factory=KeyVersions)
    security_module: ModuleAddress | None = None
    """Where those versions of `kek` stand that its file names by a label."""
    token_key: KeyVersions = field(default_factory=KeyVersions)
    field_key: KeyVersions = field(default_factory=KeyVersions)
    """Opens what was entered without a network and waited in a browser; none where nothing is."""
    inbound_keys: NumberKeys | None = field(default=None, repr=False)
    """The keys for which writers from outside close persons' numbers."""
    cursor_key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)
    """Signs the cursors of lists; where none is set, they end with the process that gave them."""
    service_token_file: Path | None = None
    """Where the service finds its own bearer token; whoever issues it renews the file."""
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 0
    """Where GET /metrics answers, without a token; 0 is nowhere."""
    contracts_dir: Path = Path("contracts")
    log_level: str = "info"
    body_bytes_max: int = 1_048_576
    spool_dir: Path | None = None
    """Where uploads wait until they are here whole; None: where the system keeps such files."""
    token_lifetime_s_max: int = 600
    shutdown_s_max: int = 15
    limits: Limits = field(default_factory=Limits)
    sign_in: SignIn | None = None
    """The way to sign in to the console; None where nobody does."""
    addresses: Mapping[str, str] = field(default_factory=dict)
    """{service or partner: its base address}; "" for a partner whom nobody stands for."""
    partner_keys: PartnerKeys | None = field(default=None, repr=False)
    """The keys by which we and our partners sign; None where nobody stands for one."""
    partner_tls: PartnerTls | None = field(default=None, repr=False)
    """The TLS by which partners are asked; None where they are simulated on this machine."""

    @classmethod
    def from_environment(
        cls,
        service: str,
        env: Environment = os.environ,
        *,
        needs: Collection[str] = (),
        calls: Collection[str] = (),
        partners: Collection[str] = (),
        shows: Collection[str] = (),
    ) -> Self:
        """Read everything at once, so that a service with a wrong setting does not start.

        `needs`, `calls`, `partners` and `shows` are those of its entry in deploy/services.toml.
        """
        for name in (name for need in needs for name in NEEDED[need]):
            text(env, name)
        called = {name: url(env, address_of(name), WEB) for name in calls}
        shown = {name: url(env, address_of(name), WEB, optional=True) for name in shows}
        outside = {name: url(env, address_of(name), WEB, optional=True) for name in partners}
        bus_url = url(env, "PKH_BUS_URL", (*POSTGRES, "kafka"))
        believed = issuers(env)
        return cls(
            service=service,
            database_url=url(env, "PKH_DATABASE_URL", POSTGRES),
            bus_url=bus_url,
            bus_session_s=whole(env, "PKH_BUS_SESSION_S", 0, at_least=0) or None,
            cluster=cluster(env, bus_url),
            issuers=believed,
            denied_file=file(env, "PKH_DENIED_FILE"),
            keys_url=url(env, "PKH_KEYS_URL", POSTGRES, optional=True),
            eraser_url=url(env, "PKH_ERASER_URL", POSTGRES, optional=True),
            reader_url=url(env, "PKH_READER_URL", POSTGRES, optional=True),
            kek=sealing_key(env),
            security_module=security_module(env),
            token_key=held_key(env, "PKH_TOKEN_KEY_FILE"),
            field_key=held_key(env, "PKH_FIELD_KEY_FILE"),
            inbound_keys=inbound_keys(env),
            cursor_key=secret_key(env, "PKH_CURSOR_KEY_FILE") or os.urandom(32),
            service_token_file=file(env, "PKH_SERVICE_TOKEN_FILE"),
            host=text(env, "PKH_HOST", "127.0.0.1"),
            port=whole(env, "PKH_PORT", 8000, at_least=1, at_most=65_535),
            metrics_port=metrics_port(env),
            contracts_dir=Path(text(env, "PKH_CONTRACTS_DIR", "contracts")),
            log_level=choice(env, "PKH_LOG_LEVEL", LOG_LEVELS, "info"),
            body_bytes_max=whole(env, "PKH_BODY_BYTES_MAX", 1_048_576, at_least=1_024),
            spool_dir=directory(env, "PKH_SPOOL_DIR"),
            token_lifetime_s_max=whole(env, "PKH_TOKEN_LIFETIME_S_MAX", 600, at_least=1),
            shutdown_s_max=whole(env, "PKH_SHUTDOWN_S_MAX", 15, at_least=0),
            limits=Limits.read(
                lambda name, default: whole(env, name, default, at_least=1, at_most=LIMIT_MAX)
            ),
            sign_in=sign_in(env, believed),
            addresses={**called, **shown, **outside},
            partner_keys=partner_keys(env) if any(outside.values()) else None,
            partner_tls=partner_tls(env, outside, bus_url),
        )
