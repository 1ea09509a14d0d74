"""Conditionality as its HTTP interface describes it: investigations that two people end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.unit.cli.conftest import FakePlatform, answer

TAHAP = "2023-3"


@dataclass
class FakeInvestigations:
    """One tahap's open investigations by family; each step moves the version that it names."""

    fake: FakePlatform
    families: dict[str, dict[str, Any]] = field(default_factory=dict)
    stale: int = 0  # how many steps find that somebody was faster
    page: int = 10
    done: list[tuple[str, str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fake.when("GET", "conditionality/investigations", self._list)

    def opened(self, family: str, finding: dict[str, str] | None = None) -> None:
        """A family has failed three times in a row."""
        shown = {"family": family, "tahap": TAHAP, "outcome": "OPEN", "finding": finding}
        self.families[family] = {"version": 3, "shown": shown | {"held": ["2023-1", TAHAP]}}
        path = f"conditionality/investigations/{family}/{TAHAP}"
        self.fake.when("GET", path, self._look)
        for step in ("finding", "decision"):
            self.fake.when("POST", f"{path}/{step}", self._step)

    def outcome(self, family: str) -> str:
        """The state of a family's investigation."""
        return str(self.families[family]["shown"]["outcome"])

    def _list(self, request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("cursor", "")
        shown = [each["shown"] for _, each in sorted(self.families.items())]
        behind = [e for e in shown if e["outcome"] == "OPEN" and e["family"] > after]
        page = behind[: self.page]
        last = page[-1]["family"] if len(behind) > len(page) else None
        return answer({"items": page, "next": last})

    def _look(self, request: httpx.Request) -> httpx.Response:
        known = self.families[request.url.path.split("/")[2]]
        return answer(known["shown"], ETag=f'"{known["version"]}"')

    def _step(self, request: httpx.Request) -> httpx.Response:
        _, _, family, _, step = request.url.path.split("/")
        known, body = self.families[family], json.loads(request.content)
        if self.stale:
            self.stale -= 1
            known["version"] += 1
        if request.headers["If-Match"] != f'"{known["version"]}"':
            return httpx.Response(412, json={"type": "/problems/version-stale", "title": "stale"})
        who = str(self.fake.who(request)["sub"])
        [said] = body.values()
        self.done.append((step, family, who, said))
        known["version"] += 1
        self._take(known["shown"], step, who, said)
        return httpx.Response(204)

    def _take(self, shown: dict[str, Any], step: str, who: str, said: str) -> None:
        if step == "finding":
            shown["finding"] = {"outcome": said, "maker": who, "decision": "WAITING"}
        elif said == "APPROVED":
            shown["outcome"] = shown["finding"]["outcome"]
