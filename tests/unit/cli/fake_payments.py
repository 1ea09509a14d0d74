"""Payments as its HTTP interface describes it: phases that move on when two people say so."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from libs.events.store.watermarks import Positions
from tests.unit.cli.conftest import SERVICES, FakePlatform, answer

TAHAP = "2023-1"
DIFF = {
    "against": "2022-4",
    "to_acknowledge": "c0de",
    "families": {"ACCOUNT": 1, "INCREASE": 1},
    "members": 0,
    "increase": 750_000,
}
DIFFERENT = {
    "family": "f1",
    "region": "61.03.01.2026",
    "changes": ["ACCOUNT", "INCREASE"],
    "before": 225_000,
    "after": 975_000,
}


@dataclass
class FakePayments:
    """One tahap of ten families; every look at it moves what moves by itself one step on."""

    fake: FakePlatform
    order: bool = True
    candidates: list[dict[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    phase: str = ""
    run_phase: str = ""
    cut: int = 0
    diff: dict[str, Any] | None = None
    unanswered: dict[str, Any] | None = None
    closing: dict[str, Any] | None = None
    done: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake.when("POST", "payments/tahap", self._propose)
        approval = f"payments/tahap/{TAHAP}/announcement-approval"
        self.fake.when("POST", approval, self._announce)
        withdrawal = f"payments/tahap/{TAHAP}/announcement-withdrawal"
        self.fake.when("POST", withdrawal, self._withdraw)
        self.fake.when("GET", f"payments/tahap/{TAHAP}", self._look)
        self.fake.when("GET", f"payments/tahap/{TAHAP}/diff", self._differences)
        for step in ("freeze-proposal", "freeze-approval"):
            self.fake.when("POST", f"payments/tahap/{TAHAP}/{step}", self._freeze)
        for step in ("order-proposal", "order-approval"):
            self.fake.when("POST", f"payments/tahap/{TAHAP}/runs/REGULAR/{step}", self._order)
        for step in ("unanswered-proposal", "unanswered-approval"):
            self.fake.when("POST", f"payments/tahap/{TAHAP}/runs/REGULAR/{step}", self._let_go)
        for step in ("close-proposal", "close-approval"):
            self.fake.when("POST", f"payments/tahap/{TAHAP}/{step}", self._close)
        self.fake.when("GET", "registry/changes", answer({"items": [], "next": None}))
        for name in SERVICES:
            quiet = asdict(Positions("e", 0, 0, {}, {}, 0))
            self.fake.when("GET", f"{name}/positions", answer(quiet))

    @property
    def tag(self) -> str:
        """The ETag of what stands now."""
        return f'"{self.phase}-{self.run_phase}"'

    def _differences(self, _request: httpx.Request) -> httpx.Response:
        families = [DIFFERENT] if self.diff else []
        return answer({"figures": self.diff, "families": families, "largest": families})

    def _stale(self, request: httpx.Request) -> httpx.Response | None:
        if request.headers.get("If-Match") == self.tag:
            return None
        return httpx.Response(412, json={"type": "/problems/version-stale", "title": "stale"})

    def _note(self, request: httpx.Request) -> str:
        step = request.url.path.rpartition("/")[2]
        who = self.fake.who(request)["sub"]
        self.done.append((step, who, json.loads(request.content)))
        return step

    def _propose(self, request: httpx.Request) -> httpx.Response:
        self._note(request)
        self.phase = "PROPOSED"
        return answer({"tahap": TAHAP, "rule_set": "2021-2024", "revision": 1, "hash": "a1b2"})

    def _announce(self, request: httpx.Request) -> httpx.Response:
        self._note(request)
        if stale := self._stale(request):
            return stale
        self.phase = "COLLECTING"
        return httpx.Response(204, headers={"ETag": self.tag})

    def _withdraw(self, request: httpx.Request) -> httpx.Response:
        self._note(request)
        if stale := self._stale(request):
            return stale
        self.phase = ""
        return httpx.Response(204)

    def _freeze(self, request: httpx.Request) -> httpx.Response:
        step = self._note(request)
        if stale := self._stale(request):
            return stale
        if self.refusals:
            kind = self.refusals.pop(0)
            self.phase = "READY"
            return httpx.Response(409, json={"type": f"/problems/{kind}", "title": kind})
        self.phase = "FREEZE_PROPOSED" if step == "freeze-proposal" else "PAYING"
        self.run_phase = "ENTITLING" if self.phase == "PAYING" else ""
        return httpx.Response(204, headers={"ETag": self.tag})

    def _order(self, request: httpx.Request) -> httpx.Response:
        step = self._note(request)
        if stale := self._stale(request):
            return stale
        self.run_phase = "ORDER_PROPOSED" if step == "order-proposal" else "RELEASING_FUNDS"
        return httpx.Response(204, headers={"ETag": self.tag})

    def _let_go(self, request: httpx.Request) -> httpx.Response:
        step = self._note(request)
        if step == "unanswered-proposal" and self.unanswered:
            self.unanswered |= {"maker": self.done[-1][1]}
        return httpx.Response(204, headers={"ETag": self.tag})

    def _close(self, request: httpx.Request) -> httpx.Response:
        step = self._note(request)
        if step == "close-proposal":
            _, maker, body = self.done[-1]
            self.closing = {"hash": "c105", "maker": maker, "count": len(body["lapsed"])}
        return httpx.Response(204, headers={"ETag": self.tag})

    def _look(self, _request: httpx.Request) -> httpx.Response:
        if not self.phase:
            return httpx.Response(404, json={"type": "/problems/tahap-unknown", "title": "none"})
        shown = answer(self._state(), ETag=self.tag)
        self._move()
        return shown

    def _move(self) -> None:
        after = {
            "ENTITLING": "CHECKING_ACCOUNTS",
            "CHECKING_ACCOUNTS": self._checked(),
            "RELEASING_FUNDS": "RECONCILED",
        }
        if self.phase == "COLLECTING":
            self.phase = "READY"
        elif self.run_phase == "RECONCILED":
            self.phase = "SETTLED" if self.candidates else "CLOSED"
        else:
            self.run_phase = after.get(self.run_phase, self.run_phase)

    def _checked(self) -> str:
        if self.unanswered:
            return "CHECKING_ACCOUNTS"
        return "ORDER_READY" if self.order else "RECONCILED"

    def _state(self) -> dict[str, Any]:
        ready = self.phase not in ("PROPOSED", "COLLECTING")
        lines = {
            "hash": "5f2b" if ready else None,
            "count": 10 if ready else None,
            "rupiah": 1_000 if ready else None,
            "cut": self.cut if ready else None,
            "listed": 10,
            "graduated": 1,
            "evaluated": 10 if ready else 4,
            "listed_expected": 10 if ready else None,
            "deferred_candidates": self.candidates,
            "differences": self.diff if ready else None,
        }
        runs = [self._run()] if self.run_phase else []
        heads = {"registry": 4180, "conditionality": 5120}
        proposal = {"what": "ANNOUNCEMENT", "hash": "a1b2", "maker": "ana", "heads": heads}
        return {
            "tahap": TAHAP,
            "phase": self.phase,
            "months": ["2023-01", "2023-02", "2023-03"],
            "closing_date": "2023-03-31",
            "rule_set": "2021-2024",
            "list": lines,
            "runs": runs,
            "closing": self.closing,
            "proposal": proposal if self.phase == "PROPOSED" else None,
        }

    def _run(self) -> dict[str, Any]:
        paid = self.run_phase == "RECONCILED" and self.order
        order = {"hash": "7b6a", "count": 9, "rupiah": 900}
        return {
            "kind": "REGULAR",
            "phase": self.run_phase,
            "count": 10,
            "order": order if self.order and self.run_phase.startswith("ORDER") else None,
            "credited": {"count": 9 if paid else 0, "rupiah": 900 if paid else 0},
            "failed": {"count": 0, "rupiah": 0},
            "trouble": None,
            "unanswered": self.unanswered,
        }
