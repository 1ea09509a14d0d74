"""Payments over HTTP: where a family's money is, asked before the family is erased."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec

from libs.events.domain.errors import CorridorError

TIMEOUT_S: Final = 5.0  # somebody waits at the door meanwhile
ANSWER_BYTES_MAX: Final = 100_000


class PaymentsSilent(CorridorError):
    """Payments did not say where a family's money is, so nobody knows that none is under way."""


class UnderWay(msgspec.Struct, frozen=True):
    """A payment that is not settled, and the code of why."""

    tahap: str
    kind: str
    why: str


class Money(msgspec.Struct, frozen=True):
    """Where a family's money is; `stopped`: nothing more is sent to it."""

    stopped: bool
    under_way: tuple[UnderWay, ...]


@dataclass(frozen=True, slots=True)
class Payments:
    """The payments service as the registry asks it, with a token of its own."""

    client: httpx.AsyncClient
    address: str
    token_file: Path

    async def money_of(self, family: str) -> Money:
        """Where a family's money is. Raises `PaymentsSilent` for any answer but that."""
        address = f"{self.address}/families/{family}/money"
        content = bytearray()
        try:
            headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
            async with self.client.stream("GET", address, headers=headers) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > ANSWER_BYTES_MAX:
                        raise PaymentsSilent(bytes_max=ANSWER_BYTES_MAX)
            if response.status_code != 200:
                raise PaymentsSilent(status=response.status_code)
            return msgspec.json.decode(content, type=Money)
        except (OSError, httpx.HTTPError, msgspec.MsgspecError) as error:
            raise PaymentsSilent(error=type(error).__name__) from None
