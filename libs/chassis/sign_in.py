"""The way to sign in to the console: the file that PKH_CONSOLE_FILE names, checked whole at start.

Addresses are https, but for those of this machine: a code or a token that crosses a network in
clear is anybody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta

from libs.chassis.database_tls import THIS_MACHINE
from libs.policy.files import PolicyError, Shape, Text, read

RETURN_PATH: Final = "/console/signed-in"
"""Where the identity provider sends a browser back to; registered there to the letter."""


class SignIn(Shape):
    """One identity provider as the console speaks to it.

    `address` is the console's own origin, as browsers see it. `issuer` is one of those of
    PKH_ISSUERS_FILE; `client` is the console's name there, `scope` what it asks for. `authorize`
    is where browsers go, `token` where the console exchanges codes for tokens.
    """

    address: Annotated[str, Meta(pattern=r"^https?://[^/?#@\s]+$")]
    issuer: Text
    authorize: Annotated[str, Meta(pattern=r"^https?://[^?#@\s]+$")]
    token: Annotated[str, Meta(pattern=r"^https?://[^?#@\s]+$")]
    client: Text = "pkh-console"
    scope: Text = "openid"

    @property
    def returns_to(self) -> str:
        """The redirect URI, exactly as it is registered."""
        return self.address + RETURN_PATH

    @property
    def is_secure(self) -> bool:
        """True where browsers come over https; only this machine's own come otherwise."""
        return self.address.startswith("https:")


def read_sign_in(file: Path) -> SignIn:
    """The sign-in of a file; raises `PolicyError` with its first mistake and where it stands."""
    found = read(file, SignIn)
    for key, why in _mistakes(found):
        raise PolicyError(file.name, key, why)
    return found


def _mistakes(found: SignIn) -> Iterator[tuple[str, str]]:
    for key in ("address", "authorize", "token"):
        parts = urlsplit(getattr(found, key))
        if parts.scheme != "https" and parts.hostname not in THIS_MACHINE:
            yield key, "must start with https: it is on another machine"
