"""`pkh why`: asked by id or by card, read by people or by programs."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from libs.events.store.model import encode
from tests.unit.cli.conftest import FakePlatform, answer
from tests.unit.projection.kit import FAMILY, INSTRUCTED, TAHAP, credited, entitled, failed
from tests.unit.projection.kit import why as explained

CARD = "6103010101010001"
BY_CARD = ("--card", "--purpose", "COMPLAINT", "--tahap", TAHAP)
WHY = f"projection/families/{FAMILY}/tahap/{TAHAP}/why"


@pytest.fixture
def platform(fake: FakePlatform) -> FakePlatform:
    """A platform that can explain one family's blocked money."""
    explanation = explained("BLOCKED", *failed(), entitled(), INSTRUCTED, credited("HELD"))
    fake.when("GET", WHY, httpx.Response(200, content=encode(explanation)))
    fake.when("POST", "registry/identities/by-card", answer({"family": FAMILY}))
    announced = [{"tahap": name, "phase": "CLOSED"} for name in ("2022-1", TAHAP, "2023-2")]
    fake.when("GET", "payments/tahap", answer({"items": announced, "next": None}))
    return fake


def pkh(data_dir: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, ["why", *arguments, "--data", str(data_dir)], input=typed)


def test_an_explanation_is_read_step_by_step_with_its_sources(
    data_dir: Path, platform: FakePlatform
) -> None:
    explanation = pkh(data_dir, FAMILY, "--tahap", TAHAP)

    assert explanation.exit_code == 0, explanation.output
    text = " ".join(explanation.output.split())
    assert f"Family {FAMILY}, tahap {TAHAP}: BLOCKED" in text
    assert "Member 2 was at school on 17 of 21 days in February 2023" in text
    assert "member 2 2023-02.absent 3" in text
    assert "Rule 2021-2024: Enrolled at SD, aged 6-21. [1]" in text
    assert "Sources [1] Permensos 1/2018" in text
    assert "payments 80 PaymentCredited" in text


def test_it_is_read_in_indonesian_too(data_dir: Path, platform: FakePlatform) -> None:
    explanation = pkh(data_dir, FAMILY, "--tahap", TAHAP, "--lang", "id")

    text = " ".join(explanation.output.split())
    assert "Bantuan Rp975.000 tahap 2023-1 telah dikreditkan dan diblokir." in text
    assert "Sumber" in text
    assert "Sources" not in text


def test_a_program_gets_the_whole_answer(data_dir: Path, platform: FakePlatform) -> None:
    explanation = pkh(data_dir, FAMILY, "--tahap", TAHAP, "--json")

    assert json.loads(explanation.stdout)["amount"] == 975_000


def test_a_number_means_the_latest_tahap_of_that_number(
    data_dir: Path, platform: FakePlatform
) -> None:
    assert pkh(data_dir, FAMILY, "--tahap", "1").exit_code == 0

    assert f"projection/families/{FAMILY}/tahap/{TAHAP}/why" in str(platform.asked[-1].url)


def test_a_number_that_no_tahap_has_is_told(data_dir: Path, platform: FakePlatform) -> None:
    explanation = pkh(data_dir, FAMILY, "--tahap", "4")

    assert explanation.exit_code == 2
    assert "No tahap 4 was announced." in explanation.stderr


def test_a_card_is_read_and_goes_in_no_url_and_no_output(
    data_dir: Path, platform: FakePlatform
) -> None:
    explanation = pkh(data_dir, *BY_CARD, "--as", "officer", typed=f"{CARD}\n")

    assert explanation.exit_code == 0, explanation.output
    looked_up, asked = platform.asked
    assert json.loads(looked_up.content) == {"no_kk": CARD, "purpose": "COMPLAINT"}
    assert platform.who(looked_up)["scope"] == "registry:identify"
    assert "registry:identify" not in platform.who(asked)["scope"]
    assert CARD not in explanation.output + "".join(str(each.url) for each in platform.asked)


def test_no_card_is_asked_about_where_none_was_given(
    data_dir: Path, platform: FakePlatform
) -> None:
    explanation = pkh(data_dir, *BY_CARD, typed="\n")

    assert (explanation.exit_code, platform.asked) == (2, [])
    assert "No card number was given." in explanation.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        ["--tahap", TAHAP],
        [FAMILY, *("--card", "--tahap", TAHAP)],
        ["--card", "--tahap", TAHAP],
        [CARD, "--tahap", TAHAP],
        [FAMILY],
        [FAMILY, "--tahap", TAHAP, "--lang", "nl"],
    ],
    ids=["neither", "both", "no purpose", "a card's number", "no tahap", "no such language"],
)
def test_what_can_not_be_meant_is_refused_before_anybody_is_asked(
    data_dir: Path, platform: FakePlatform, wrong: list[str]
) -> None:
    assert pkh(data_dir, *wrong).exit_code == 2
    assert platform.asked == []


def test_a_family_that_nobody_knows_is_a_sentence(data_dir: Path, fake: FakePlatform) -> None:
    problem = {"type": "/problems/family-unknown", "title": "Nothing is known of this family."}
    fake.when("GET", WHY, httpx.Response(404, json=problem | {"status": 404}))

    explanation = pkh(data_dir, FAMILY, "--tahap", TAHAP)

    assert explanation.exit_code == 2
    assert "projection refused (404): Nothing is known of this family." in explanation.stderr
