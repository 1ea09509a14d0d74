"""Clerks say the number of a member without one, and whose a person of two families is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

FAMILY: Final = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"
MEMBER: Final = f"registry/families/{FAMILY}/members/3"
DUPLICATE: Final = {
    "family": FAMILY,
    "member": 3,
    "region": "61.03.01.2026",
    "counts_here": False,
    "decided": False,
}


def pkh(data_dir: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["member", *words, "--data", str(data_dir)], input=typed)


def test_duplicates_are_listed_with_where_they_count(data_dir: Path, fake: FakePlatform) -> None:
    ours = DUPLICATE | {"counts_here": True, "decided": True}
    fake.when("GET", "registry/duplicates", answer({"items": [DUPLICATE, ours], "next": None}))

    result = pkh(data_dir, "duplicates", "--region", "61.03", "--decided")

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"{FAMILY} 3 · 61.03.01.2026 · counts elsewhere, named first",
        f"{FAMILY} 3 · 61.03.01.2026 · counts here, decided",
        "2 members",
    ]
    asked = fake.asked[-1].url.params
    assert (asked["region"], asked["decided"], "family" in asked) == ("61.03", "true", False)


@pytest.mark.parametrize(
    ("verb", "words", "path", "typed", "body"),
    [
        (
            "adjudicate",
            ("--evidence", "KK-7/2023"),
            "adjudication",
            "",
            {"evidence": "KK-7/2023"},
        ),
        ("nik", (), "nik", "6103011005230003\n", {"nik": "6103011005230003"}),
    ],
)
def test_what_is_said_of_a_member_waits_for_another_person(
    data_dir: Path,
    fake: FakePlatform,
    verb: str,
    words: tuple[str, ...],
    path: str,
    typed: str,
    body: dict[str, str],
) -> None:
    fake.when("POST", f"{MEMBER}/{path}", httpx.Response(204))

    result = pkh(data_dir, verb, FAMILY, "3", *words, "--as", "clerk", typed=typed)

    assert result.exit_code == 0, result.output
    assert f"pkh changes approve --kind {path.upper()} --family {FAMILY}" in result.output
    assert json.loads(fake.asked[-1].content) == body
    assert fake.who(fake.asked[-1])["scope"] == "registry:import"


def test_no_number_is_none(data_dir: Path, fake: FakePlatform) -> None:
    result = pkh(data_dir, "nik", FAMILY, "3", "--as", "clerk")

    assert result.exit_code == 2
    assert fake.asked == []
