from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from libs.privacy.pseudonyms import rows_key
from libs.privacy.versions import KeyVersions
from tests.unit.cli.conftest import FakePlatform, answer

FIRST = KeyVersions.of(bytes(range(32)))


def pkh(*words: str) -> Result:
    return CliRunner().invoke(app, ["keys", *words])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "kek"
    file.write_text(FIRST.written())
    file.chmod(0o444)
    return file


def test_the_versions_are_shown_with_what_is_under_each(data_dir: Path, fake: FakePlatform) -> None:
    first = {"secret": "kek", "version": 1, "state": "OPENS", "left": 1_790}
    second = {"secret": "kek", "version": 2, "state": "IN_USE", "left": 210}
    of_cases = {"secret": "complaints.kek", "version": 1, "state": "IN_USE", "left": 12}
    fake.when("GET", "registry/keys", answer({"versions": [first, second]}))
    fake.when("GET", "complaints/keys", answer({"versions": [of_cases]}))

    result = pkh("list", "--data", str(data_dir))

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "kek 1 OPENS: 1,790", "kek 2 IN_USE: 210", "complaints.kek 1 IN_USE: 12"
    ]  # fmt: skip


def test_a_key_is_changed_in_three_steps(file: Path) -> None:
    added = pkh("add", str(file))
    both = KeyVersions.read(file.read_text())
    used = pkh("use", str(file), "2")
    in_use = KeyVersions.read(file.read_text())
    dropped = pkh("drop", str(file), "1")
    alone = KeyVersions.read(file.read_text())

    assert [one.exit_code for one in (added, used, dropped)] == [0, 0, 0]
    assert (both.in_use, in_use.in_use, alone.in_use) == (1, 2, 2)
    assert both.secrets == in_use.secrets == {1: FIRST.secrets[1], **alone.secrets}
    assert list(alone.secrets) == [2]
    assert alone.rows == rows_key(FIRST.secrets[1])
    assert file.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("words", [("use", "3"), ("drop", "3"), ("drop", "1")])
def test_the_key_in_use_and_one_that_is_not_there_are_not_touched(
    file: Path, words: tuple[str, str]
) -> None:
    before = file.read_text()

    assert pkh(words[0], str(file), words[1]).exit_code == 2
    assert file.read_text() == before


def test_what_is_no_file_of_keys_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes"
    file.write_text("hunter2 is it")

    result = pkh("add", str(file))

    assert result.exit_code == 2
    assert "hunter2" not in result.output
    assert file.read_text() == "hunter2 is it"
