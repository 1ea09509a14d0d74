from pathlib import Path

import pytest

from cli.demo.resuming import CARD, YearRun
from cli.errors import Failed

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"


@pytest.fixture
def run() -> YearRun:
    return YearRun.of(YEAR, "embedded")


def test_a_run_takes_a_fresh_directory_and_knows_it_again(run: YearRun, tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"

    assert not run.take(data)
    (data / "postgres").mkdir()

    assert YearRun.of(YEAR, "embedded").take(data)


def test_a_run_that_was_killed_while_it_took_a_directory_takes_it(
    run: YearRun, tmp_path: Path
) -> None:
    (tmp_path / f"{CARD}.new").write_text('{"fil')

    assert not run.take(tmp_path)
    assert run.take(tmp_path)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (YearRun("0" * 64, "embedded"), "another year's files"),
        (YearRun(YearRun.of(YEAR, "").files, "kafka"), "a run on the kafka bus"),
    ],
)
def test_a_directory_of_another_run_is_refused(
    run: YearRun, tmp_path: Path, other: YearRun, expected: str
) -> None:
    other.take(tmp_path)

    with pytest.raises(Failed, match=expected):
        run.take(tmp_path)


@pytest.mark.parametrize("card", [None, "{", "[]", '{"files": "x"}'])
def test_a_directory_that_holds_something_else_is_refused(
    run: YearRun, tmp_path: Path, card: str | None
) -> None:
    (tmp_path / "something").touch()
    if card is not None:
        (tmp_path / CARD).write_text(card)

    with pytest.raises(Failed, match="is not empty"):
        run.take(tmp_path)


def test_the_same_files_have_the_same_keys_and_others_have_others(tmp_path: Path) -> None:
    for name in ("families.csv", "members.csv"):
        (tmp_path / name).write_text("no_kk\n")
    run = YearRun.of(tmp_path, "embedded")
    same = YearRun.of(tmp_path, "embedded")
    (tmp_path / "members.csv").write_text("no_kk\n1\n")
    changed = YearRun.of(tmp_path, "embedded")

    assert run.key("families.csv") == same.key("families.csv")
    assert run.key("families.csv") != run.key("members.csv")
    assert run.key("families.csv") != changed.key("families.csv")


def test_what_a_year_is_expected_to_come_to_is_no_part_of_it(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text("no_kk\n")
    before = YearRun.of(tmp_path, "embedded")
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / "eligibility.csv").write_text("no_kk\n")

    assert YearRun.of(tmp_path, "embedded") == before
