"""A service is laid whole or not at all, and what is wrong with its name is said before."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from libs.chassis.catalogue import load
from tests.architecture.tree import ROOT
from tools.service.__main__ import ServiceRefused, lay, main, take_away, topic_of

NAME, TITLE = "purses", "Purses of families"
DESCRIBED = ("deploy/services.toml", "contracts/topics.yaml", "contracts/released.json")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the descriptions, with a room for each service."""
    for path in DESCRIBED:
        (tmp_path / path).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    for name in load(ROOT).names:
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "main.py").touch()
    return tmp_path


def texts(tree: Path) -> dict[Path, str]:
    return {path: path.read_text() for path in tree.rglob("*") if path.is_file()}


def nothing(_root: Path) -> None:
    """Generates nothing."""


def fails(_root: Path) -> None:
    raise OSError("no space left on device")


def test_a_laid_service_is_described_with_a_port_and_a_topic_of_its_own(tree: Path) -> None:
    lay(tree, NAME, TITLE, nothing)

    known = load(tree).services
    assert known[NAME].title == TITLE
    assert known[NAME].port == 1 + max(known[name].port for name in known.keys() - {NAME})
    assert known[NAME].publishes == (topic_of(NAME),)
    assert topic_of(NAME) in known["projection"].reads


def test_what_is_taken_away_leaves_nothing(tree: Path) -> None:
    before = texts(tree)

    lay(tree, NAME, TITLE, nothing)
    lay(tree, "wallets", TITLE, nothing)
    take_away(tree, NAME, nothing)
    take_away(tree, "wallets", nothing)

    assert texts(tree) == before


def test_a_step_that_fails_leaves_nothing(tree: Path) -> None:
    before = texts(tree)

    with pytest.raises(OSError, match="no space"):
        lay(tree, NAME, TITLE, fails)

    assert texts(tree) == before


@pytest.mark.parametrize(
    ("name", "title", "sentence"),
    [
        ("", TITLE, "NAME must be 3 to 24 small letters and digits"),
        ("My-Purses", TITLE, "NAME must be 3 to 24 small letters and digits"),
        ("class", TITLE, "class is taken"),
        ("registry", TITLE, "registry is taken"),
        ("kafka", TITLE, "kafka is taken"),
        (NAME, "", "TITLE must be 3 to 60 characters"),
        (NAME, 'Purses"\nport = 1', "TITLE must be 3 to 60 characters"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_laid(
    tree: Path, name: str, title: str, sentence: str
) -> None:
    before = texts(tree)

    with pytest.raises(ServiceRefused, match=sentence):
        lay(tree, name, title, nothing)

    assert texts(tree) == before


@pytest.mark.parametrize("name", ["registry", "projection", "nowhere"])
def test_a_service_that_was_not_only_laid_stays(tree: Path, name: str) -> None:
    before = texts(tree)

    with pytest.raises(ServiceRefused):
        take_away(tree, name, nothing)

    assert texts(tree) == before


def test_a_refusal_is_a_sentence_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kafka", TITLE]) == 1
    assert capsys.readouterr().err == "kafka is taken.\n"
