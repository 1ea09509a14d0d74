"""Partners and other services over HTTP; a call made again has the same id and counts once.

What they answer is bounded: a word of theirs that is longer than agreed is no word of theirs.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self, TypeAlias, TypeVar

import httpx
import msgspec

from libs.chassis.partner_keys import HEADER, PartnerKeys
from libs.events.domain.errors import CorridorError
from libs.events.store.watermarks import Positions
from services.payments.contract import ANNOUNCED_TO
from services.payments.domain.run.messages import PaymentOrdered, RecordOrderCancelled
from services.payments.domain.tahap.messages import ServiceAnswer
from services.payments.partners.answers import (
    REFERENCE,
    TREASURY,
    AnotherFileTaken,
    NotSigned,
    bytes_max,
)
from services.payments.partners.files import FileOf, Rendered, Renderer, content_digest

T = TypeVar("T")

PARTNER_TIMEOUT_S: Final = 60.0
SERVICE_TIMEOUT_S: Final = 5.0  # somebody waits at the door meanwhile
CLAIMS: Final = ("Content-Digest", "X-Record-Count", "X-Control-Sum", HEADER)
"""The headers of an answer that are held against its body."""
ANSWER_BYTES_MAX: Final = 1_000_000  # but for answer files, whose length follows from their lines


class PartnerRefused(CorridorError):
    """A partner refused what was sent; a person must look at why."""


class PartnerSilent(CorridorError):
    """A partner did not answer; the outcome is unknown until it is asked again."""


class NoKeys(CorridorError):
    """No keys of partners are set, so none of them can be asked."""


class PartnerUnreadable(CorridorError):
    """A partner's answer is not what was agreed."""


Figure: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
"""A count, or whole rupiah, as a partner may say it."""


class _Receipt(msgspec.Struct):
    """A partner's word that it took a file: which, and what it found in it."""

    file: str
    count: Figure
    sum: Figure
    sha256: str


class _Released(msgspec.Struct):
    """The treasury's answer to a payment order: the order, and the number of its release (SP2D)."""

    order: str
    hash: str
    count: Figure
    rupiah: Figure
    sp2d: str


class _Cancelled(msgspec.Struct):
    """The treasury's answer to a cancelled order: its receipt, and the release it has back."""

    order: str
    hash: str
    receipt: str
    sp2d: str
    count: Figure
    rupiah: Figure


class _RuleSet(msgspec.Struct):
    """A rule set that a service knows; `reason` says why it does not run it."""

    id: str
    runs: bool
    reason: str | None = None


class _RuleSets(msgspec.Struct):
    """A service's answer to which rule sets it can run."""

    rule_sets: tuple[_RuleSet, ...]


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


@dataclass(frozen=True, slots=True)
class Outside:
    """The treasury, the banks, and the other services' answers.

    `client` asks services, `partner_client` treasury and banks: by certificates of both sides.
    """

    client: httpx.AsyncClient
    partner_client: httpx.AsyncClient
    partners: Partners
    token_file: Path
    keys: PartnerKeys | None = None
    """Without keys no partner is asked anything."""

    async def answer_to(self, which: FileOf, sent: Rendered, renderer: Renderer) -> bytes | None:
        """The answer to a file, which is sent first where the partner never took it.

        None while the partner is still at work. So a crash between sending and recording is
        resolved by asking: the partner knows whether it has the file.
        """
        keys, address = self._signing(), self._address(which)
        most = bytes_max(sent.totals.count)
        response = await self._ask("GET", address, most)
        if response.status_code == 404:
            response = await self._ask(
                "PUT",
                address,
                content=renderer.content(which),
                headers={**sent.headers(), HEADER: keys.sign(sent.digest)},
            )
            _require_signed(keys, which.bank or TREASURY, response)
            _require_taken(which, sent, response)
            response = await self._ask("GET", address, most)
        if response.status_code == 202:
            return None
        if response.status_code != 200:
            raise PartnerRefused(file=which.file, status=response.status_code)
        _require_signed(keys, which.bank or TREASURY, response)
        return _whole(which, sent, response)

    async def answer_known(self, which: FileOf, sent: Rendered) -> bytes | None:
        """The answer to a file as it stands; None where its partner has none. Nothing is sent."""
        response = await self._ask("GET", self._address(which), bytes_max(sent.totals.count))
        if response.status_code != 200:
            return None
        _require_signed(self._signing(), which.bank or TREASURY, response)
        return _whole(which, sent, response)

    def _signing(self) -> PartnerKeys:
        """The keys by which partners are known. Raises `NoKeys`."""
        if self.keys is None:
            raise NoKeys
        return self.keys

    def _address(self, which: FileOf) -> str:
        if which.bank is None:
            return f"{self.partners.treasury}/account-checks/{which.file}"
        return f"{self.partners.banks}/banks/{which.bank}/credit-files/{which.file}"

    async def release_funds(self, order: PaymentOrdered) -> str:
        """The treasury's SP2D number for a payment order; the same however often it is asked."""
        record = await self._treasury_on(order, "", _Released)
        ordered = order.order, order.hash, order.count, order.rupiah
        _require_fields(
            order,
            figures=(record.order, record.hash, record.count, record.rupiah) == ordered,
            sp2d=REFERENCE.fullmatch(record.sp2d) is not None,
        )
        return record.sp2d

    async def cancel_order(self, order: PaymentOrdered) -> RecordOrderCancelled:
        """The treasury's word that it never releases an order any more, and what it has back.

        The same however often it is asked. Its figures are the run's to hold against the order.
        """
        record = await self._treasury_on(order, "/cancellation", _Cancelled)
        _require_fields(
            order,
            order=record.order == order.order,
            hash=record.hash == order.hash,
            receipt=REFERENCE.fullmatch(record.receipt) is not None,
            sp2d=record.sp2d == "" or REFERENCE.fullmatch(record.sp2d) is not None,
        )
        return RecordOrderCancelled(
            record.order, record.receipt, record.sp2d, record.count, record.rupiah
        )

    async def _treasury_on(self, order: PaymentOrdered, what: str, kind: type[T]) -> T:
        """The treasury's answer about an order, or what is asked of it."""
        keys = self._signing()
        figures = {"count": order.count, "rupiah": order.rupiah, "hash": order.hash}
        body = msgspec.json.encode(figures)
        headers = {
            "Content-Type": "application/json",
            HEADER: keys.sign(content_digest(body)),
        }
        address = f"{self.partners.treasury}/payment-orders/{order.order}{what}"
        response = await self._ask("PUT", address, content=body, headers=headers)
        if response.status_code not in (200, 201):
            raise PartnerRefused(order=order.order, status=response.status_code)
        _require_signed(keys, TREASURY, response)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError:
            raise PartnerUnreadable(order=order.order) from None

    async def conditionality(self) -> Positions:
        """Where conditionality is at this moment."""
        return await self._asked("conditionality", "/positions", Positions, PARTNER_TIMEOUT_S)

    async def answer_of(self, service: str) -> ServiceAnswer:
        """A service's own word before a tahap is announced to it: its head, and what it runs."""
        at, listed = await asyncio.gather(
            self._asked(service, "/positions", Positions, SERVICE_TIMEOUT_S),
            self._asked(service, "/rule-sets", _RuleSets, SERVICE_TIMEOUT_S),
        )
        rule_sets = {
            rule_set.id: None if rule_set.runs else rule_set.reason or ""
            for rule_set in listed.rule_sets
        }
        return ServiceAnswer(service, at.head, rule_sets)

    async def _asked(self, service: str, path: str, kind: type[T], timeout_s: float) -> T:
        """The answer of another service to payments itself."""
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        address = f"{self.partners.services[service]}{path}"
        response = await _answer(self.client, "GET", address, headers=headers, timeout=timeout_s)
        if response.status_code != 200:
            raise PartnerRefused(service=service, status=response.status_code)
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError:
            raise PartnerUnreadable(service=service) from None

    async def _ask(
        self, method: str, address: str, most: int = ANSWER_BYTES_MAX, **more: Any
    ) -> httpx.Response:
        """A partner's answer, of at most so many bytes."""
        return await _answer(self.partner_client, method, address, most, **more)


async def _answer(
    client: httpx.AsyncClient,
    method: str,
    address: str,
    most: int = ANSWER_BYTES_MAX,
    **more: Any,
) -> httpx.Response:
    """The answer to a request, of at most so many bytes, with the headers that are looked at."""
    try:
        async with client.stream(method, address, **more) as response:
            content = bytearray()
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > most:
                    raise PartnerUnreadable(bytes_max=most)
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise PartnerSilent(error=type(error).__name__, **_tls_fault(error)) from None
    headers = {name: x for name in CLAIMS if (x := response.headers.get(name)) is not None}
    return httpx.Response(response.status_code, headers=headers, content=bytes(content))


def _tls_fault(error: BaseException | None) -> dict[str, str]:
    """The fault of a certificate of either side; nothing where an error is of another kind."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return {"certificate": error.verify_message}
        if isinstance(error, ssl.SSLError):
            return {"tls": error.reason or ""}
        error = error.__cause__ or error.__context__
    return {}


def _require_fields(ordered: PaymentOrdered, **proven: bool) -> None:
    """Raise `PartnerUnreadable` with the first field of an answer that is not as agreed."""
    for field, good in proven.items():
        if not good:
            raise PartnerUnreadable(order=ordered.order, field=field)


def _require_signed(keys: PartnerKeys, partner: str, response: httpx.Response) -> None:
    """Raise `NotSigned` unless an answer that says yes is signed by the partner it is asked of."""
    if response.is_success:
        digest = content_digest(response.content)
        fault = keys.fault(partner, digest, response.headers.get(HEADER))
        if fault is not None:
            raise NotSigned(partner=partner, why=fault)


def _require_taken(which: FileOf, sent: Rendered, response: httpx.Response) -> None:
    """Raise `AnotherFileTaken` where a partner does not take a file because it has another one of
    that id, or says that it took another one; `PartnerRefused` where it does not take it."""
    if response.status_code == 409:
        raise AnotherFileTaken(file=which.file, status=409)
    if response.status_code not in (200, 202):
        raise PartnerRefused(file=which.file, status=response.status_code)
    try:
        receipt = msgspec.json.decode(response.content, type=_Receipt)
    except msgspec.DecodeError:
        raise PartnerUnreadable(file=which.file) from None
    mine = _Receipt(which.file, sent.totals.count, sent.totals.rupiah, sent.sha256)
    if receipt != mine:
        raise AnotherFileTaken(file=which.file)


def _whole(which: FileOf, sent: Rendered, response: httpx.Response) -> bytes:
    """The bytes of an answer file. Raises `PartnerUnreadable` with the header that does not fit
    them, or not the file that was sent."""
    body = response.content
    claims = {
        "Content-Digest": content_digest(body),
        "X-Record-Count": str(sent.totals.count),
        **({"X-Control-Sum": str(sent.totals.rupiah)} if which.bank else {}),
    }
    for name, claim in claims.items():
        if response.headers.get(name) != claim:
            raise PartnerUnreadable(file=which.file, field=name)
    return body
