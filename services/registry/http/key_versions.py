"""The versions of the keys: which one is in use, and what is still under an older one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.chassis.middleware import resource
from libs.privacy.keys import KeyRing
from libs.privacy.rotation import KEK, keys_under

Observer = Annotated[Principal, require_nation("platform:read")]
KeysOf = Annotated[KeyRing, resource("keys")]

router = APIRouter(tags=["operations"])


class KeyVersion(BaseModel):
    """A version of a key that registry's file has, and what is under it.

    `left` counts what is not under a newer version yet; a version that is not IN_USE may be taken
    out of the files once that is 0.
    """

    secret: Literal["kek"]
    version: int
    state: Literal["IN_USE", "OPENS"]
    left: int


class KeyVersions(BaseModel):
    """The versions of the keys, the oldest first."""

    versions: list[KeyVersion]


@router.get("/keys")
async def key_versions(keys: KeysOf, observer: Observer) -> KeyVersions:
    """The versions of the keys, and how far a change of one is; no key is ever told."""
    under = await keys_under(keys.pool)
    versions = [
        KeyVersion(
            secret=KEK,
            version=version,
            state="IN_USE" if version == keys.kek.in_use else "OPENS",
            left=under.get(version, 0),
        )
        for version in sorted(keys.kek.secrets)
    ]
    return KeyVersions(versions=versions)
