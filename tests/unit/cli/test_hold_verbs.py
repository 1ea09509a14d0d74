import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
PATH = f"payments/families/{FAMILY}/holds"
TERMS = {
    "kind": "HOLD",
    "reason": "DATA_UNDER_REVIEW",
    "evidence": "BA-12/2023",
    "from_tahap": None,
    "last_day": "2023-06-30",
}
WAITS = {"maker": "ana", "reason": "DATA_UNDER_REVIEW", "terms": TERMS}
SAID = ("--reason", "DATA_UNDER_REVIEW", "--evidence", "BA-12/2023")


def shown(**changes: Any) -> dict[str, Any]:
    """A family that somebody proposes to hold."""
    hold = {"family": FAMILY, "state": "PROPOSED", "number": 0, "terms": None, "proposed": WAITS}
    return hold | changes


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["hold", *words, "--data", str(data_dir)], input=answers)


@pytest.fixture
def steps(fake: FakePlatform) -> list[tuple[str, Any, str | None]]:
    """The steps that people took: (step, body, If-Match)."""
    taken: list[tuple[str, Any, str | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        taken.append((request.url.path.rsplit("/", 1)[1], body, request.headers.get("If-Match")))
        return httpx.Response(204)

    for step in ("", "/approval", "/end-proposal", "/end-approval"):
        fake.when("POST", PATH + step, take)
    fake.when("GET", PATH, answer(shown(), ETag='"3"'))
    return taken


def test_a_hold_is_proposed_with_its_evidence_and_its_last_day(
    data_dir: Path, steps: list[Any]
) -> None:
    result = pkh(data_dir, "propose", FAMILY, *SAID, "--last-day", "2023-06-30", "--as", "ana")

    assert result.exit_code == 0, result.output
    assert f"pkh hold approve {FAMILY}" in result.output
    wanted = {name: value for name, value in TERMS.items() if value is not None}
    assert steps == [("holds", wanted, None)]


def test_an_exclusion_is_proposed_by_its_own_word(data_dir: Path, steps: list[Any]) -> None:
    result = pkh(data_dir, "propose", FAMILY, *SAID, "--exclusion", "--as", "ana")

    assert result.exit_code == 0, result.output
    assert steps[0][1]["kind"] == "EXCLUSION"


def test_what_is_approved_is_shown_and_asked_for(data_dir: Path, steps: list[Any]) -> None:
    no = pkh(data_dir, "approve", FAMILY, "--as", "budi", answers="n\n")
    yes = pkh(data_dir, "approve", FAMILY, "--as", "budi", "--yes")

    assert (no.exit_code, yes.exit_code) == (2, 0), no.output + yes.output
    assert "ana proposes HOLD DATA_UNDER_REVIEW until 2023-06-30 · BA-12/2023" in no.output
    assert "What is not sent yet is kept back until the hold ends. Sure?" in no.output
    assert steps == [("approval", None, '"3"')]


def test_an_end_is_proposed_and_approved_by_the_same_verbs(
    data_dir: Path, fake: FakePlatform, steps: list[Any]
) -> None:
    held = shown(state="HELD", terms=TERMS, proposed=None)
    fake.when("GET", PATH, answer(held, ETag='"4"'))
    proposed = pkh(data_dir, "end", FAMILY, "--reason", "REVIEW_DONE", "--as", "ana")
    ends = {"maker": "ana", "reason": "REVIEW_DONE", "terms": None}
    fake.when("GET", PATH, answer(held | {"proposed": ends}, ETag='"5"'))
    approved = pkh(data_dir, "approve", FAMILY, "--as", "budi", "--yes")

    assert (proposed.exit_code, approved.exit_code) == (0, 0), proposed.output + approved.output
    assert steps == [
        ("end-proposal", {"reason": "REVIEW_DONE"}, '"4"'),
        ("end-approval", None, '"5"'),
    ]


def test_there_is_nothing_to_approve_before_somebody_proposed(
    data_dir: Path, fake: FakePlatform, steps: list[Any]
) -> None:
    fake.when("GET", PATH, answer(shown(state="HELD", terms=TERMS, proposed=None), ETag='"4"'))

    result = pkh(data_dir, "approve", FAMILY, "--as", "budi", "--yes")

    assert result.exit_code == 2
    assert "Nobody has proposed anything" in result.stderr
    assert steps == []


def test_the_list_says_who_is_held_on_what_terms(data_dir: Path, fake: FakePlatform) -> None:
    held = shown(state="HELD", terms=TERMS, proposed=None)
    fake.when("GET", "payments/holds", answer({"items": [held], "next": None}))

    result = pkh(data_dir, "list", "--state", "HELD")

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} HELD · HOLD DATA_UNDER_REVIEW until 2023-06-30 · BA-12/2023" in result.output
    assert fake.asked[-1].url.params["state"] == "HELD"
