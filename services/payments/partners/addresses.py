"""Addresses of the partners and services that payments asks over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from services.payments.contract import ANNOUNCED_TO


@dataclass(frozen=True, slots=True)
class Partners:
    """Base addresses: treasury, banks (below /banks/{bank}), the services that are asked.

    A platform without simulators or partners pays nobody: theirs are empty there.
    """

    treasury: str
    banks: str
    services: Mapping[str, str]

    @classmethod
    def at(cls, addresses: Mapping[str, str]) -> Self:
        """Those among the addresses of a service's settings."""
        asked = {name: addresses[name] for name in ANNOUNCED_TO}
        return cls(addresses["treasury"], addresses["bank"], asked)
