"""The versions of a service's keys, as operations ask for them: no key is ever told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.privacy.keys import KeyRing
from libs.privacy.rotation import keys_under
from libs.privacy.versions import KeyVersions

KeysObserver = Annotated[Principal, require_nation("platform:read")]


class KeyVersion(BaseModel):
    """A version of a key that the service's file has; `secret` is that file's name.

    `left` is what is under no newer version yet: keys of the key-encryption key, positions of the
    service's log of the key of tokens. A version may go once that is 0.
    """

    secret: str
    version: int
    state: Literal["IN_USE", "OPENS"]
    left: int


class VersionsOfKeys(BaseModel):
    """The versions of the keys, the oldest first."""

    versions: list[KeyVersion]


def key_version(secret: str, versions: KeyVersions, version: int, left: int) -> KeyVersion:
    """One of the versions of a file."""
    state: Literal["IN_USE", "OPENS"] = "IN_USE" if version == versions.in_use else "OPENS"
    return KeyVersion(secret=secret, version=version, state=state, left=left)


async def wrapping_versions(secret: str, keys: KeyRing) -> list[KeyVersion]:
    """Those of the key-encryption key, and how many keys are still under each."""
    kek, under = keys.wrapper.kek, await keys_under(keys.pool)
    return [key_version(secret, kek, version, under.get(version, 0)) for version in kek.numbers]
