"""Officers see terminations that cases ask to take back, and are asked before one is."""

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
CASE, ORDER = "7c0f4d2e-51b7-4c37-9a52-0e8d6f1b2a90", "b1d0a6f3-2f6b-4f0e-8c11-5d9f7a3c4e21"
ASKED = {"family": FAMILY, "case": CASE, "order": ORDER, "asked_by": ["ana", "budi"]}


@dataclass
class FakeTakeBacks:
    """The registry as its HTTP interface describes it: one order that waits."""

    fake: FakePlatform
    asked: list[str] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = f"registry/take-backs/{FAMILY}"
        self.fake.when("GET", "registry/take-backs", self._list)
        self.fake.when("GET", path, answer(ASKED | {"standing": "WAITING"}, ETag='"7"'))
        self.fake.when("POST", f"{path}/decision", self._decide)

    def _list(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.params.get("tahap", ""))
        row = ASKED | {"tahap": "2023-2", "region": "61.03.01.2026"}
        return answer({"items": [row], "next": None})

    def _decide(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["If-Match"] == '"7"'
        decision = json.loads(request.content)["decision"]
        self.done.append((str(self.fake.who(request)["sub"]), decision))
        return httpx.Response(204)


@pytest.fixture
def take_backs(fake: FakePlatform) -> FakeTakeBacks:
    return FakeTakeBacks(fake)


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    places = ["take-back", *words, "--data", str(data_dir)]
    return CliRunner().invoke(app, places, input=answers)


def test_the_list_says_who_asked_for_which_case(data_dir: Path, take_backs: FakeTakeBacks) -> None:
    result = pkh(data_dir, "list", "--tahap", "2023-2")

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} terminated with 2023-2 · 61.03.01.2026 · case {CASE}" in result.output
    assert "asked by ana, budi" in result.output
    assert "1 waiting" in result.output
    assert take_backs.asked == ["2023-2"]


@pytest.mark.parametrize(("verb", "decision"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_another_person_decides(
    data_dir: Path, take_backs: FakeTakeBacks, verb: str, decision: str
) -> None:
    result = pkh(data_dir, verb, FAMILY, "--as", "sari", "--yes")

    assert result.exit_code == 0, result.output
    assert take_backs.done == [("sari", decision)]


@pytest.mark.parametrize(
    ("verb", "question"),
    [
        ("approve", "The family is in the programme again, from its next list on. Sure?"),
        ("reject", "The termination stays. Sure?"),
    ],
)
def test_who_says_no_decides_nothing(
    data_dir: Path, take_backs: FakeTakeBacks, verb: str, question: str
) -> None:
    result = pkh(data_dir, verb, FAMILY, "--as", "sari", answers="n\n")

    assert result.exit_code == 2
    assert question in result.output
    assert take_backs.done == []
