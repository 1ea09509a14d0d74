"""Certificates and keys by which partners and we know each other: how many days each still counts.

A partner's own certificate is seen where it answers; before its first answer nobody knows of it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from libs.chassis.partner_keys import US, PartnerKeys
from libs.chassis.partner_tls import PartnerTls
from libs.events import telemetry
from libs.events.telemetry.metrics import Sample
from services.payments.partners.answers import TREASURY

BANKS: Final = "BANKS"
"""Whoever answers at the one address of all banks."""
A_DAY: Final = timedelta(days=1)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Those of both sides; `servers` are the partners by the host and port at which they answer."""

    tls: PartnerTls | None
    keys: PartnerKeys | None
    servers: Mapping[bytes, str]
    clock: Callable[[], datetime] = _now
    seen: dict[str, datetime] = field(default_factory=dict)
    """By partner, until when the certificate counts that it last showed."""

    @classmethod
    def at(
        cls, addresses: Mapping[str, str], tls: PartnerTls | None, keys: PartnerKeys | None
    ) -> Self:
        """Those of the treasury and the banks at the addresses of a service's settings."""
        found = {"treasury": TREASURY, "bank": BANKS}
        servers = {
            httpx.URL(addresses[name]).netloc: partner
            for name, partner in found.items()
            if urlsplit(addresses[name]).scheme == "https"
        }
        return cls(tls, keys, servers)

    async def note(self, response: httpx.Response) -> None:
        """Note until when the certificate counts by which a partner has just answered."""
        partner = self.servers.get(response.request.url.netloc)
        stream = response.extensions.get("network_stream")
        shown = stream.get_extra_info("ssl_object") if partner and stream else None
        if partner and shown is not None:
            until = ssl.cert_time_to_seconds(shown.getpeercert()["notAfter"])
            self.seen[partner] = datetime.fromtimestamp(until, UTC)

    async def readings(self) -> list[Sample]:
        """The gauge of whole days that are left, below zero where something has ended."""
        today = self.clock()
        return [
            Sample(telemetry.CERTIFICATE_DAYS, (until - today) // A_DAY, (partner, kind))
            for partner, kind, until in self._ends()
        ]

    def _ends(self) -> Iterator[tuple[str, str, datetime]]:
        if self.tls is not None:
            yield US, "CLIENT", self.tls.own_until
            yield BANKS, "CA", self.tls.ca_until
        for partner, until in self.seen.items():
            yield partner, "SERVER", until
        if self.keys is not None:
            for partner, last in self.keys.last_days().items():
                yield partner, "KEY", datetime(last.year, last.month, last.day, tzinfo=UTC) + A_DAY
