"""The world outside payments: the real treasury and banks, and conditionality's positions."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx

from libs.chassis.dev_partner_keys import OWN, REGISTER, SIMULATED, make_partner_keys
from libs.chassis.partner_keys import PartnerKeys
from libs.events.store.watermarks import Positions
from localstack.environment import PARTNERS
from services.payments.contract import ANNOUNCED_TO
from services.payments.partners.files import content_digest
from simulators import bank, treasury
from simulators.books import Account
from simulators.journal import Journal
from simulators.signing import load

NOTHING_UPSTREAM: Final = Positions("first", 0, 0, {}, {}, 0)


def give_partner_keys(directory: Path) -> None:
    """Put the keys of this process's partners into a directory that has none."""
    for name, text in _partner_keys().items():
        if not (directory / name).exists():
            (directory / name).write_text(text)


@cache
def _partner_keys() -> dict[str, str]:
    with tempfile.TemporaryDirectory() as made:
        make_partner_keys(Path(made), PARTNERS)
        return {name: (Path(made) / name).read_text() for name in (REGISTER, OWN, SIMULATED)}


class LinkCut(httpx.TransportError):
    """The request was taken and its answer was lost on the way."""


@dataclass
class World(httpx.AsyncBaseTransport):
    """Treasury, banks and the other services' doors. `cut_at` loses the n-th request's answer.

    `upstream` and `register` are where conditionality and registry are; `rule_sets` what each
    runs, with the reason where it does not.
    """

    directory: Path
    accounts: dict[tuple[str, str], Account]
    upstream: Positions = NOTHING_UPSTREAM
    register: Positions = NOTHING_UPSTREAM
    rule_sets: dict[str, dict[str, str | None]] = field(
        default_factory=lambda: {name: {"2021-2024": None} for name in ANNOUNCED_TO}
    )
    asked: list[tuple[str, str]] = field(default_factory=list)
    files: dict[str, list[bytes]] = field(default_factory=dict)
    cut_at: int | None = None
    cuts: int = 0
    unreachable: set[str] = field(default_factory=set)
    unheard: set[str] = field(default_factory=set)
    """Parts of addresses whose PUT is taken and whose answer is lost."""
    hanging: set[str] = field(default_factory=set)
    """Parts of addresses whose requests are taken and never answered."""
    instead: dict[str, Callable[[httpx.Response], httpx.Response]] = field(default_factory=dict)
    """By part of an address, what a partner's answer is turned into, by the partner itself."""
    taken_over: dict[str, Callable[[httpx.Request], httpx.Response]] = field(default_factory=dict)
    """By part of an address, who answers there in the partner's place."""

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        give_partner_keys(self.directory)
        register = self.directory / REGISTER
        self.signing = load(self.directory / SIMULATED, register)
        self.keys = PartnerKeys.read(register, self.directory / OWN)
        self.journal = Journal(self.directory / "treasury.journal")
        self.banks = bank.open_banks(self.accounts, self.directory, signing=self.signing)
        treasury_app = treasury.create_app(
            self.accounts, self.journal, signing=self.signing["TREASURY"]
        )
        self._doors = {
            "treasury": httpx.ASGITransport(treasury_app),
            "banks": httpx.ASGITransport(bank.create_app(self.banks)),
        }

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on to whom it is for, and remember it."""
        host = request.url.host
        body = await request.aread()
        self.asked.append((request.method, request.url.path))
        number = len(self.asked)
        if any(name in str(request.url) for name in self.unreachable):
            raise LinkCut("unreachable")
        if any(name in str(request.url) for name in self.hanging):
            await asyncio.Event().wait()
        if request.method == "PUT":
            self.files.setdefault(request.url.path, []).append(body)
        attacker = next(
            (x for name, x in self.taken_over.items() if name in str(request.url)), None
        )
        if attacker is not None:
            return attacker(request)
        if host in ANNOUNCED_TO:
            response = self._service(host, request.url.path)
        else:
            copy = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            response = await self._doors[host].handle_async_request(copy)
            response = httpx.Response(
                response.status_code, headers=response.headers, content=await response.aread()
            )
        if request.method == "PUT" and any(name in str(request.url) for name in self.unheard):
            raise LinkCut("the answer was lost")
        for name, turned in self.instead.items():
            asked = request.method == "GET" or "payment-orders" in str(request.url)
            if name in str(request.url) and asked:
                response = self.by_partner(request, turned(response))
        if self.cut_at == number:
            self.cuts += 1
            raise LinkCut("the answer was lost")
        return response

    def by_partner(self, request: httpx.Request, answer: httpx.Response) -> httpx.Response:
        """An answer as the partner that is asked gives it: with claims that fit, and signed."""
        path = request.url.path.split("/")
        partner = path[2] if path[1] == "banks" else "TREASURY"
        answer = claimed(answer)
        if answer.is_success:
            answer.headers.update(self.signing[partner].headers(content_digest(answer.content)))
        return answer

    def sent(self) -> list[bytes]:
        """Every file that went out."""
        return [
            body
            for path, bodies in self.files.items()
            if "payment-orders" not in path
            for body in bodies
        ]

    def _service(self, name: str, path: str) -> httpx.Response:
        """Another service's answer about itself."""
        if path == "/rule-sets":
            rule_sets = [
                {"id": rule_set, "runs": why is None, "reason": why}
                for rule_set, why in self.rule_sets[name].items()
            ]
            return httpx.Response(200, json={"service": name, "rule_sets": rule_sets})
        positions = self.upstream if name == "conditionality" else self.register
        return httpx.Response(200, json=_positions_of(positions))

    def credited(self) -> dict[str, int]:
        """{payment: rupiah} that the banks' own journals say they credited, each line counted."""
        sums: dict[str, int] = {}
        for path in sorted(self.directory.glob("*.journal")):
            if path.name == "treasury.journal":
                continue
            for record in path.read_text().splitlines():
                kind, *fields = record.split(",")
                if kind == "L" and fields[-1] == "CREDITED":
                    sums[fields[0]] = sums.get(fields[0], 0) + int(fields[1])
        return sums


def claimed(answer: httpx.Response) -> httpx.Response:
    """An answer file with the headers that fit its body; any other answer as it is."""
    body = answer.content
    if answer.status_code != 200 or not body.startswith(b"H,"):
        return answer
    lines = [row.split(",") for row in body.decode().splitlines() if row.startswith("D,")]
    amounts = [row[3] for row in lines if len(row) > 3]
    return httpx.Response(
        200,
        content=body,
        headers={
            "Content-Digest": content_digest(body),
            "X-Record-Count": str(len(lines)),
            "X-Control-Sum": str(sum(int(x) for x in amounts if x.isdigit() and len(x) < 20)),
        },
    )


def _positions_of(positions: Positions) -> dict[str, Any]:
    return {
        "epoch": positions.epoch,
        "head": positions.head,
        "relayed": positions.relayed,
        "topics": positions.topics,
        "consumed": positions.consumed,
        "parked": positions.parked,
    }
