"""Officers see re-openings, and are asked before one takes effect."""

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
TAHAP = "2023-2"
SHOWN = {
    "family": FAMILY,
    "tahap": TAHAP,
    "reopening": 1,
    "standing": "WAITING",
    "region": "61.03.01.2026",
    "late": [
        {
            "fact": "MemberBorn",
            "effective_on": "2023-05-05",
            "reported_on": "2023-07-12",
            "recorded_by": "budi",
        }
    ],
    "members": [{"member": 1, "categories": []}, {"member": 3, "categories": ["EARLY_CHILD"]}],
    "payee_valid": True,
    "bank": "BNI",
}


@dataclass
class FakeReopenings:
    """The registry as its HTTP interface describes it: one re-opening that waits."""

    fake: FakePlatform
    version: int = 7
    done: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = f"registry/reopenings/{FAMILY}/{TAHAP}"
        self.fake.when("GET", "registry/reopenings", self._list)
        self.fake.when("GET", path, self._look)
        self.fake.when("POST", f"{path}/decision", self._decide)

    def _list(self, request: httpx.Request) -> httpx.Response:
        return answer({"items": [SHOWN], "next": None})

    def _look(self, request: httpx.Request) -> httpx.Response:
        return answer(SHOWN, ETag=f'"{self.version}"')

    def _decide(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["If-Match"] == f'"{self.version}"'
        decision = json.loads(request.content)["decision"]
        self.done.append((str(self.fake.who(request)["sub"]), decision))
        return httpx.Response(204)


@pytest.fixture
def reopenings(fake: FakePlatform) -> FakeReopenings:
    return FakeReopenings(fake)


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    places = ["reopening", *words, "--data", str(data_dir)]
    return CliRunner().invoke(app, places, input=answers)


def test_the_list_says_because_of_which_facts(data_dir: Path, reopenings: FakeReopenings) -> None:
    result = pkh(data_dir, "list", "--tahap", TAHAP)

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} 2023-2 WAITING · 61.03.01.2026 · BNI · 3 EARLY_CHILD" in result.output
    assert "MemberBorn of 2023-05-05, reported 2023-07-12 by budi" in result.output
    assert "1 waiting" in result.output


@pytest.mark.parametrize(("verb", "decision"), [("approve", "APPROVED"), ("reject", "REJECTED")])
def test_a_second_person_decides(
    data_dir: Path, reopenings: FakeReopenings, verb: str, decision: str
) -> None:
    result = pkh(data_dir, verb, FAMILY, TAHAP, "--as", "sari", "--yes")

    assert result.exit_code == 0, result.output
    assert reopenings.done == [("sari", decision)]


@pytest.mark.parametrize(
    ("verb", "question"),
    [
        ("approve", "a supplementary run pays what it is owed. Sure?"),
        ("reject", "The tahap stays as it is. Sure?"),
    ],
)
def test_who_says_no_decides_nothing(
    data_dir: Path, reopenings: FakeReopenings, verb: str, question: str
) -> None:
    result = pkh(data_dir, verb, FAMILY, TAHAP, "--as", "sari", answers="n\n")

    assert result.exit_code == 2
    assert question in result.output
    assert reopenings.done == []
