from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform
from tests.unit.cli.fake_investigations import TAHAP, FakeInvestigations

FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"


@pytest.fixture
def investigations(fake: FakePlatform) -> FakeInvestigations:
    """One family under investigation."""
    found = FakeInvestigations(fake)
    found.opened(FAMILY)
    return found


def pkh(data_dir: Path, *arguments: str, answers: str = "") -> Result:
    places = ["investigation", *arguments, "--data", str(data_dir)]
    return CliRunner().invoke(app, places, input=answers)


def test_the_list_says_who_waits_for_what(
    data_dir: Path, investigations: FakeInvestigations
) -> None:
    result = pkh(data_dir, "list", "--tahap", TAHAP)

    assert result.exit_code == 0, result.output
    assert f"{FAMILY} 2023-3 OPEN · held: 2023-1, 2023-3" in result.output
    assert "1 under investigation" in result.output


def test_two_people_end_an_investigation(
    data_dir: Path, investigations: FakeInvestigations
) -> None:
    found = pkh(data_dir, "find", FAMILY, TAHAP, "CONFIRMED", "--as", "ana")
    decided = pkh(data_dir, "decide", FAMILY, TAHAP, "APPROVED", "--as", "budi", "--yes")

    assert (found.exit_code, decided.exit_code) == (0, 0), found.output + decided.output
    assert f"pkh investigation decide {FAMILY} {TAHAP}" in found.output
    assert "ana found CONFIRMED: WAITING" in decided.output
    assert investigations.done == [
        ("finding", FAMILY, "ana", "CONFIRMED"),
        ("decision", FAMILY, "budi", "APPROVED"),
    ]


@pytest.mark.parametrize(
    ("outcome", "decision", "question"),
    [
        ("CONFIRMED", "APPROVED", "It ends the family's participation and returns what is held."),
        ("NOT_CONFIRMED", "APPROVED", "It releases what is held and begins to count anew."),
        ("CONFIRMED", "REJECTED", "The investigation goes on."),
    ],
)
def test_a_person_is_told_what_follows_and_may_say_no(
    data_dir: Path, fake: FakePlatform, outcome: str, decision: str, question: str
) -> None:
    investigations = FakeInvestigations(fake)
    investigations.opened(FAMILY, {"outcome": outcome, "maker": "ana", "decision": "WAITING"})

    result = pkh(data_dir, "decide", FAMILY, TAHAP, decision, "--as", "budi", answers="n\n")

    assert result.exit_code == 2
    assert question in result.output
    assert investigations.done == []


def test_what_changed_while_a_person_thought_is_not_decided(
    data_dir: Path, investigations: FakeInvestigations
) -> None:
    pkh(data_dir, "find", FAMILY, TAHAP, "CONFIRMED", "--as", "ana")
    investigations.stale = 1

    result = pkh(data_dir, "decide", FAMILY, TAHAP, "APPROVED", "--as", "budi", "--yes")

    assert result.exit_code == 2
    assert "(412)" in result.stderr
    assert investigations.outcome(FAMILY) == "OPEN"


def test_there_is_nothing_to_decide_before_somebody_found(
    data_dir: Path, investigations: FakeInvestigations
) -> None:
    result = pkh(data_dir, "decide", FAMILY, TAHAP, "APPROVED", "--as", "budi", "--yes")

    assert result.exit_code == 2
    assert "Nobody has brought a finding" in result.stderr


@pytest.mark.parametrize("wrong", [("find", "MAYBE"), ("decide", "MAYBE")])
def test_what_nobody_can_say_is_refused_at_once(
    data_dir: Path, fake: FakePlatform, wrong: tuple[str, str]
) -> None:
    verb, said = wrong

    assert pkh(data_dir, verb, FAMILY, TAHAP, said, "--as", "ana").exit_code == 2
    assert fake.asked == []
