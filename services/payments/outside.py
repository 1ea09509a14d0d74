"""The partners over HTTP. Every call may be made again: its id says that it is the same one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec

from libs.events.errors import CorridorError
from libs.events.positions import Positions
from services.payments.files import FileOf, Rendered, Renderer
from services.payments.settings import Partners

PARTNER_TIMEOUT_S = 60.0


class PartnerRefused(CorridorError):
    """A partner refused what was sent; a person must look at why."""


class PartnerSilent(CorridorError):
    """A partner did not answer; the outcome is unknown until it is asked again."""


class PartnerUnreadable(CorridorError):
    """A partner's answer is not what was agreed."""


class _Released(msgspec.Struct):
    """The treasury's answer to a payment order: the number of its release (SP2D)."""

    sp2d: str


@dataclass(frozen=True, slots=True)
class Outside:
    """The treasury, the banks, and conditionality's positions."""

    client: httpx.AsyncClient
    partners: Partners
    token_file: Path

    async def answer_to(self, which: FileOf, sent: Rendered, renderer: Renderer) -> bytes | None:
        """The answer to a file, which is sent first where the partner never took it.

        None while the partner is still at work. So a crash between sending and recording is
        resolved by asking: the partner knows whether it has the file.
        """
        address = self._address(which)
        response = await self._ask("GET", address)
        if response.status_code == 404:
            response = await self._ask(
                "PUT", address, content=renderer.content(which), headers=sent.headers()
            )
            if response.status_code not in (200, 202):
                raise PartnerRefused(file=which.file, status=response.status_code)
            response = await self._ask("GET", address)
        if response.status_code == 202:
            return None
        if response.status_code != 200:
            raise PartnerRefused(file=which.file, status=response.status_code)
        return response.content

    def _address(self, which: FileOf) -> str:
        if which.bank is None:
            return f"{self.partners.treasury}/account-checks/{which.file}"
        return f"{self.partners.banks}/banks/{which.bank}/credit-files/{which.file}"

    async def release_funds(self, order: str, count: int, rupiah: int, order_hash: str) -> str:
        """The treasury's SP2D number for a payment order; the same however often it is asked."""
        body = {"count": count, "rupiah": rupiah, "hash": order_hash}
        address = f"{self.partners.treasury}/payment-orders/{order}"
        response = await self._ask("PUT", address, json=body)
        if response.status_code not in (200, 201):
            raise PartnerRefused(order=order, status=response.status_code)
        try:
            return msgspec.json.decode(response.content, type=_Released).sp2d
        except msgspec.DecodeError:
            raise PartnerUnreadable(order=order) from None

    async def conditionality(self) -> Positions:
        """Where conditionality is at this moment."""
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        address = f"{self.partners.conditionality}/positions"
        response = await self._ask("GET", address, headers=headers)
        if response.status_code != 200:
            raise PartnerRefused(service="conditionality", status=response.status_code)
        try:
            return msgspec.json.decode(response.content, type=Positions)
        except msgspec.DecodeError:
            raise PartnerUnreadable(service="conditionality") from None

    async def _ask(self, method: str, address: str, **more: object) -> httpx.Response:
        try:
            return await self.client.request(method, address, **more)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise PartnerSilent(error=type(error).__name__) from None
