"""The versions of the keys: which one is in use, and what is still under an older one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from libs.chassis.key_versions import (
    KeysObserver,
    VersionsOfKeys,
    key_version,
    wrapping_versions,
)
from libs.chassis.middleware import resource
from libs.chassis.service import StoreOf
from libs.events.store.watermarks import positions
from libs.privacy.keys import KeyRing
from libs.privacy.recognition import Recognition
from services.registry.workers.token_change import read_up_to

KeysOf = Annotated[KeyRing, resource("keys")]
RecognitionOf = Annotated[Recognition, resource("recognition")]

router = APIRouter(tags=["operations"])


@router.get("/keys")
async def key_versions(
    keys: KeysOf, recognition: RecognitionOf, store: StoreOf, observer: KeysObserver
) -> VersionsOfKeys:
    """The versions of the keys, and how far a change of one is; no key is ever told."""
    head, newest = (await positions(store)).head, recognition.newest
    read = await read_up_to(store, recognition.newer)
    naming = [
        key_version("token-key", recognition.versions, key, head - (read if key < newest else 0))
        for key in recognition.versions.numbers
    ]
    return VersionsOfKeys(versions=[*await wrapping_versions("kek", keys), *naming])
