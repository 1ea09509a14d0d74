"""`pkh synth` writes a year into an empty directory, and nothing where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from simulators.synthetic_year.files import COLUMNS


def synth(*args: object) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["synth", *map(str, args)])
    return answer.exit_code, answer.output


def test_a_year_is_written_into_a_directory_that_is_made(tmp_path: Path) -> None:
    year = tmp_path / "some" / "year"

    code, said = synth(year, "--families", 30, "--year", 2025)

    assert code == 0, said
    assert {file.name for file in year.iterdir()} == {*COLUMNS}
    assert "2025-12-31" in (year / "calendar.csv").read_text()


def test_its_families_live_in_the_regencies_that_a_file_of_regions_names(tmp_path: Path) -> None:
    regions = tmp_path / "regions.csv"
    regions.write_text("code,level,parent,name\n11,province,,ACEH\n11.01,regency,11,ACEH SELATAN\n")

    code, said = synth(tmp_path / "year", "--families", 30, "--regions", regions)

    assert code == 0, said
    lines = (tmp_path / "year" / "families.csv").read_text().splitlines()
    assert all(",11.01.01.2001," in line for line in lines[1:])


@pytest.mark.parametrize(
    ("families", "regions", "said"),
    [
        (30, "code,level,parent,name\n11,province,,ACEH\n", "holds no regency"),
        (200_000, "code,level,parent,name\n11.01,regency,11,X\n", "for 121,968 families at most"),
    ],
)
def test_what_cannot_be_written_leaves_nothing(
    families: int, regions: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "regions.csv").write_text(regions)

    code, output = synth(
        tmp_path / "year", "--families", families, "--regions", tmp_path / "regions.csv"
    )

    assert code == 2
    assert said in output
    assert not (tmp_path / "year").exists()


def test_a_directory_that_holds_something_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "families.csv").write_text("mine")

    code, output = synth(tmp_path, "--families", 30)

    assert code == 2
    assert "is not empty" in output
    assert (tmp_path / "families.csv").read_text() == "mine"


@pytest.mark.parametrize("wrong", [("--families", 0), ("--families", 1, "--year", 2019)])
def test_a_number_out_of_range_is_refused(wrong: tuple[object, ...], tmp_path: Path) -> None:
    code, _ = synth(tmp_path / "year", *wrong)

    assert code == 2
    assert not (tmp_path / "year").exists()
