import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

NUMBER = "0d9f2a34-6f0e-4b6e-a6a0-4f4f7f0c9b7a"
PATH = "conditionality/exceptions"
TERMS = {
    "reason": "DISASTER",
    "first_day": "2023-01-01",
    "last_day": "2023-03-31",
    "region": "61.03.01",
    "family": None,
}
WAITS = {"maker": "ana", "terms": TERMS}
SAID = ("--reason", "DISASTER", "--first-day", "2023-01-01", "--last-day", "2023-03-31")


def shown(**changes: Any) -> dict[str, Any]:
    """An exception that somebody proposes."""
    found = {"exception": NUMBER, "state": "PROPOSED", "terms": None, "proposed": WAITS}
    return found | changes


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["exception", *words, "--data", str(data_dir)], input=answers)


@pytest.fixture
def steps(fake: FakePlatform) -> list[tuple[str, Any, str | None]]:
    """The steps that people took: (step, body, If-Match)."""
    taken: list[tuple[str, Any, str | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        step = request.url.path.rsplit("/", 1)[1]
        taken.append((step, body, request.headers.get("If-Match")))
        return httpx.Response(201, json={"exception": NUMBER})

    fake.when("POST", PATH, take)
    for step in ("correction", "end", "withdrawal", "decision"):
        fake.when("POST", f"{PATH}/{NUMBER}/{step}", take)
    fake.when("GET", f"{PATH}/{NUMBER}", answer(shown(), ETag='"3"'))
    return taken


def test_an_exception_is_proposed_for_an_area(data_dir: Path, steps: list[Any]) -> None:
    result = pkh(data_dir, "propose", *SAID, "--region", "61.03.01", "--as", "ana")

    assert result.exit_code == 0, result.output
    assert f"pkh exception decide {NUMBER} APPROVED" in result.output
    wanted = {name: value for name, value in TERMS.items() if value is not None}
    assert steps == [("exceptions", wanted, None)]


def test_what_is_decided_is_shown_and_asked_for(data_dir: Path, steps: list[Any]) -> None:
    no = pkh(data_dir, "decide", NUMBER, "APPROVED", "--as", "budi", answers="n\n")
    yes = pkh(data_dir, "decide", NUMBER, "REJECTED", "--as", "budi", "--yes")

    assert (no.exit_code, yes.exit_code) == (2, 0), no.output + yes.output
    assert "ana proposes DISASTER 2023-01-01 to 2023-03-31 in 61.03.01" in no.output
    assert "The cycles that it bears on are judged again. Sure?" in no.output
    assert steps == [("decision", {"decision": "REJECTED"}, '"3"')]


def test_each_change_is_proposed_of_what_was_seen(data_dir: Path, steps: list[Any]) -> None:
    ended = pkh(data_dir, "end", NUMBER, "--last-day", "2023-02-28", "--as", "ana")
    withdrawn = pkh(data_dir, "withdraw", NUMBER, "--as", "ana")
    corrected = pkh(data_dir, "correct", NUMBER, *SAID, "--family", "f-1", "--as", "ana")

    assert (ended.exit_code, withdrawn.exit_code, corrected.exit_code) == (0, 0, 0)
    assert [(step, tag) for step, _, tag in steps] == [
        ("end", '"3"'),
        ("withdrawal", '"3"'),
        ("correction", '"3"'),
    ]
    assert steps[0][1] == {"last_day": "2023-02-28"}
    assert steps[2][1]["family"] == "f-1"


def test_a_wrong_word_or_nothing_to_decide_is_refused(
    data_dir: Path, fake: FakePlatform, steps: list[Any]
) -> None:
    assert pkh(data_dir, "decide", NUMBER, "MAYBE", "--as", "budi").exit_code == 2
    fake.when("GET", f"{PATH}/{NUMBER}", answer(shown(terms=TERMS, proposed=None), ETag='"4"'))

    result = pkh(data_dir, "decide", NUMBER, "APPROVED", "--as", "budi", "--yes")

    assert result.exit_code == 2
    assert "Nobody has proposed anything" in result.stderr
    assert steps == []


def test_the_list_says_what_holds_where(data_dir: Path, fake: FakePlatform) -> None:
    holds = shown(state="HOLDS", terms=TERMS, proposed=None)
    fake.when("GET", PATH, answer({"items": [holds], "next": None}))

    result = pkh(data_dir, "list", "--state", "HOLDS")

    assert result.exit_code == 0, result.output
    assert f"{NUMBER} HOLDS · DISASTER 2023-01-01 to 2023-03-31 in 61.03.01" in result.output
    assert "1 exceptions" in result.output
    assert fake.asked[-1].url.params["state"] == "HOLDS"
