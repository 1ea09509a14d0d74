import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
PATH = f"registry/erasures/{FAMILY}"
PROPOSED = {
    "family": FAMILY,
    "state": "PROPOSED",
    "ground": "SUBJECT_REQUEST",
    "maker": "ana",
    "checker": None,
}


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, ["erasure", *words, "--data", str(data_dir)], input=answers)


@pytest.fixture
def steps(fake: FakePlatform) -> list[tuple[str, Any, str | None]]:
    """The steps that people took: (step, body, If-Match)."""
    taken: list[tuple[str, Any, str | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        taken.append((request.url.path.rsplit("/", 1)[1], body, request.headers.get("If-Match")))
        return httpx.Response(204)

    for step in ("", "/approval"):
        fake.when("POST", PATH + step, take)
    fake.when("GET", PATH, answer(PROPOSED, ETag='"1"'))
    return taken


def test_an_erasure_is_proposed_with_its_ground(data_dir: Path, steps: list[Any]) -> None:
    said = ("--ground", "SUBJECT_REQUEST", "--evidence", "BA-12/2023")
    result = pkh(data_dir, "propose", FAMILY, *said, "--as", "ana")

    assert result.exit_code == 0, result.output
    assert f"pkh erasure approve {FAMILY}" in result.output
    assert steps == [(FAMILY, {"ground": "SUBJECT_REQUEST", "evidence": "BA-12/2023"}, None)]


def test_what_nobody_can_take_back_is_shown_and_asked_for(data_dir: Path, steps: list[Any]) -> None:
    no = pkh(data_dir, "approve", FAMILY, "--as", "budi", answers="n\n")
    yes = pkh(data_dir, "approve", FAMILY, "--as", "budi", "--yes")

    assert (no.exit_code, yes.exit_code) == (2, 0), no.output + yes.output
    assert f"{FAMILY} PROPOSED · SUBJECT_REQUEST · ana" in no.output
    assert "nobody can ever read who it was. Sure?" in no.output
    assert steps == [("approval", None, '"1"')]


def test_the_erased_are_listed_by_id(data_dir: Path, fake: FakePlatform) -> None:
    erased = PROPOSED | {"state": "ERASED", "checker": "budi"}
    lost = PROPOSED | {"state": "ERASED", "ground": "KEY_WAS_DESTROYED", "maker": "", "checker": ""}
    fake.when("GET", "registry/erasures", answer({"items": [erased, lost], "next": None}))

    result = pkh(data_dir, "list", "--state", "ERASED")

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"{FAMILY} ERASED · SUBJECT_REQUEST · ana and budi",
        f"{FAMILY} ERASED · KEY_WAS_DESTROYED",
        "2 families",
    ]
