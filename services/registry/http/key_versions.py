"""The versions of the keys: which one is in use, and what is still under an older one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation
from libs.chassis.middleware import resource
from libs.chassis.service import StoreOf
from libs.events.store.watermarks import positions
from libs.privacy.keys import KeyRing
from libs.privacy.recognition import Recognition
from libs.privacy.rotation import keys_under
from libs.privacy.versions import KeyVersions
from services.registry.workers.token_change import read_up_to

Observer = Annotated[Principal, require_nation("platform:read")]
KeysOf = Annotated[KeyRing, resource("keys")]

router = APIRouter(tags=["operations"])


RecognitionOf = Annotated[Recognition, resource("recognition")]


class KeyVersion(BaseModel):
    """A version of a key that registry's file has.

    `left` is what is under no newer version yet: families' and cases' keys of the key-encryption
    key (`kek`), positions of registry's log of the key of tokens. A version may go once that is 0.
    """

    secret: Literal["kek", "token-key"]
    version: int
    state: Literal["IN_USE", "OPENS"]
    left: int


class VersionsOfKeys(BaseModel):
    """The versions of the keys, the oldest first."""

    versions: list[KeyVersion]


@router.get("/keys")
async def key_versions(
    keys: KeysOf, recognition: RecognitionOf, store: StoreOf, observer: Observer
) -> VersionsOfKeys:
    """The versions of the keys, and how far a change of one is; no key is ever told."""
    under, head = await keys_under(keys.pool), (await positions(store)).head
    read = await read_up_to(store, recognition.newer)
    newest = recognition.newest
    kek = keys.wrapper.kek
    wrapping = [_version("kek", kek, version, under.get(version, 0)) for version in kek.numbers]
    naming = [
        _version("token-key", recognition.versions, key, head - (read if key < newest else 0))
        for key in recognition.versions.numbers
    ]
    return VersionsOfKeys(versions=[*wrapping, *naming])


def _version(
    secret: Literal["kek", "token-key"], versions: KeyVersions, version: int, left: int
) -> KeyVersion:
    state: Literal["IN_USE", "OPENS"] = "IN_USE" if version == versions.in_use else "OPENS"
    return KeyVersion(secret=secret, version=version, state=state, left=left)
