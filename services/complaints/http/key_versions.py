"""The versions of the key that wraps the keys of cases, which is complaints' own."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter

from libs.chassis.catalogue import own_kek
from libs.chassis.key_versions import KeysObserver, VersionsOfKeys, wrapping_versions
from services.complaints.contract import SERVICE
from services.complaints.http.words import CaseKeysOf

SECRET: Final = own_kek(SERVICE)

router = APIRouter(tags=["operations"])


@router.get("/keys")
async def key_versions(case_keys: CaseKeysOf, observer: KeysObserver) -> VersionsOfKeys:
    """The versions of the key-encryption key, and how many cases' keys are still under each."""
    return VersionsOfKeys(versions=await wrapping_versions(SECRET, case_keys.keys))
