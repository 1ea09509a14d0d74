"""TLS to databases: one that is not on this machine is asked over it, as the host of its address.

It is known by a CA of its own. What the driver would take from elsewhere, a weaker mode in an
address or in the environment, counts for nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode

THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
HOW: Final = ("ssl", "service")
"""The beginnings of parameters by which an address says how it is asked."""


class DatabaseTlsRefused(Exception):
    """An address, or a file by which databases are known, is not as it must be."""


def is_here(address: SplitResult, env: Mapping[str, str]) -> bool:
    """True where a PostgreSQL address leads to sockets and to this machine alone, by the driver's
    rules. Raises `DatabaseTlsRefused` where it says itself how it is asked."""
    parameters = dict(parse_qsl(address.query))
    if any(name.startswith(HOW) for name in parameters):
        raise DatabaseTlsRefused("it must not say how it is encrypted")
    before, at, behind = address.netloc.partition("@")
    named = (behind if at else before) or parameters.get("host") or env.get("PGHOST", "")
    if not named:
        return not env.get("PGSERVICE")
    return all(_host(one) in ("", *THIS_MACHINE) for one in unquote(named).split(","))


def _host(host_port: str) -> str:
    """The host of one that may have a port; "" for the directory of a socket."""
    if host_port.startswith("/"):
        return ""
    if host_port.startswith("["):
        return host_port[1:].partition("]")[0]
    return host_port.partition(":")[0]


def over_tls(address: SplitResult, ca: Path, own: tuple[Path, Path] | None) -> SplitResult:
    """The address, to be asked over TLS: its host is known by the CAs of a PEM file, and shown our
    own certificate and key where there are any.

    Raises `DatabaseTlsRefused` where one of the files is none.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
        if own is not None:
            context.load_cert_chain(*own, password=_no_password)
    except (OSError, ValueError):  # what is wrong with TLS is an OSError too
        raise DatabaseTlsRefused("they are no certificates, or no key of theirs") from None
    parameters = {"sslmode": "verify-full", "sslrootcert": str(ca)}
    if own is not None:
        parameters |= {"sslcert": str(own[0]), "sslkey": str(own[1])}
    return address._replace(query=urlencode([*parse_qsl(address.query), *parameters.items()]))


def _no_password() -> str:
    """A key with a password is refused; without this, whoever starts the service would be asked."""
    return ""
