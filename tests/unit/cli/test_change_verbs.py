"""Officers see what changes would change, and decide on what they were shown."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
SHOWN = {
    "family": FAMILY,
    "change": 1,
    "kind": "PAYEE_CHANGE",
    "region": "61.03.01.2026",
    "maker": "clerk",
    "batch": "job-1",
    "reported_on": "2023-01-13",
}
DIFF = SHOWN | {
    "effective_on": "2023-01-12",
    "evidence": "",
    "differences": [
        {"what": "bank", "before": "BNI", "after": "BRI"},
        {"what": "payee", "before": "member 1", "after": "member 1"},
    ],
    "families_of_account": 3,
    "families_of_payee": 1,
}


@dataclass
class FakeChanges:
    """The registry as its HTTP interface describes it: one change that waits."""

    fake: FakePlatform
    done: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = {"items": [SHOWN], "next": None}
        diff = answer({"items": [DIFF], "next": None}, ETag='"seen"')
        self.fake.when("GET", "registry/changes", answer(page))
        self.fake.when("GET", "registry/changes/diff", diff)
        self.fake.when("POST", "registry/changes/decision", self._decide)
        self.fake.when("POST", "registry/changes/withdrawal", self._withdraw)

    def _decide(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["If-Match"] == '"seen"'
        self._note(request, json.loads(request.content)["decision"])
        return httpx.Response(204)

    def _withdraw(self, request: httpx.Request) -> httpx.Response:
        self._note(request, "WITHDRAWN")
        return httpx.Response(204)

    def _note(self, request: httpx.Request, what: str) -> None:
        [change] = json.loads(request.content)["changes"]
        assert change == {"family": FAMILY, "change": 1}
        self.done.append((str(self.fake.who(request)["sub"]), what, change["family"]))


@pytest.fixture
def changes(fake: FakePlatform) -> FakeChanges:
    return FakeChanges(fake)


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    places = ["changes", *words, "--data", str(data_dir)]
    return CliRunner().invoke(app, places, input=answers)


def test_the_list_says_what_waits_and_by_whom(data_dir: Path, changes: FakeChanges) -> None:
    result = pkh(data_dir, "list", "--kind", "PAYEE_CHANGE")

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} 1 PAYEE_CHANGE · 61.03.01.2026 · by clerk in job-1" in result.output
    assert changes.fake.asked[-1].url.params["kind"] == "PAYEE_CHANGE"


def test_the_differences_are_told_with_who_shares_the_account(
    data_dir: Path, changes: FakeChanges
) -> None:
    result = pkh(data_dir, "diff", "--as", "ben")

    assert "bank BNI > BRI · the account is that of 3 families" in result.output
    assert "payee" not in result.output
    assert changes.done == []


@pytest.mark.parametrize(("verb", "what"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_what_was_shown_is_decided_once_a_person_says_so(
    data_dir: Path, changes: FakeChanges, verb: str, what: str
) -> None:
    assert pkh(data_dir, verb, "--as", "ben", answers="n\n").exit_code != 0
    assert changes.done == []

    result = pkh(data_dir, verb, "--as", "ben", answers="y\n")

    assert f"1 {what.lower()}." in result.output
    assert changes.done == [("ben", what, FAMILY)]


def test_a_maker_takes_back_their_own(data_dir: Path, changes: FakeChanges) -> None:
    result = pkh(data_dir, "withdraw", FAMILY, "--as", "clerk")

    assert "1 withdrawn." in result.output
    assert changes.fake.asked[-2].url.params["maker"] == "clerk"
    assert changes.done == [("clerk", "WITHDRAWN", FAMILY)]
