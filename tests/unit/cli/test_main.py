from pathlib import Path

import pytest
from joserfc import jwt
from typer.testing import CliRunner

from cli.main import app
from libs.chassis.dev_issuer import Issuer

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def test_a_token_is_printed_alone_so_that_a_shell_can_use_it(
    runner: CliRunner, issuer: Issuer, tmp_path: Path
) -> None:
    asked = ["--subject", "ana", "--scope", "b:c a:b", "--region", "61.03", "--lifetime", "60"]

    result = runner.invoke(app, ["token", *asked, "--data", str(tmp_path)])

    assert result.exit_code == 0
    claims = jwt.decode(result.stdout.strip(), issuer.key, algorithms=["ES256"]).claims
    assert (claims["sub"], claims["scope"], claims["regions"]) == ("ana", "a:b b:c", ["61.03"])
    assert claims["exp"] - claims["iat"] == 60


def test_a_token_may_have_a_role_in_place_of_scopes(
    runner: CliRunner, issuer: Issuer, tmp_path: Path
) -> None:
    asked = ["token", "--subject", "ana", "--region", "61.03", "--data", str(tmp_path)]

    result = runner.invoke(app, [*asked, "--role", "regency"])

    claims = jwt.decode(result.stdout.strip(), issuer.key, algorithms=["ES256"]).claims
    assert (claims["role"], claims["scope"]) == ("regency", "")
    assert runner.invoke(app, asked).exit_code == 2


def test_no_token_lives_longer_than_the_services_believe(
    runner: CliRunner, issuer: Issuer, tmp_path: Path
) -> None:
    asked = ["--subject", "ana", "--scope", "a:b", "--lifetime", "601", "--data", str(tmp_path)]

    assert runner.invoke(app, ["token", *asked]).exit_code == 2


@pytest.mark.parametrize("command", ["token --subject a --scope b:c", "verify"])
def test_where_no_platform_is_one_sentence_says_so(
    runner: CliRunner, tmp_path: Path, command: str
) -> None:
    result = runner.invoke(app, [*command.split(), "--data", str(tmp_path)])

    assert result.exit_code == 2
    assert "start one with: pkh up" in result.stderr
    assert "Traceback" not in result.output


def test_a_year_without_books_is_refused_before_anything_starts(
    runner: CliRunner, tmp_path: Path
) -> None:
    (tmp_path / "calendar.csv").write_bytes((YEAR / "calendar.csv").read_bytes())

    result = runner.invoke(app, ["demo", str(tmp_path), "--out", str(tmp_path / "out")])

    assert result.exit_code == 2
    assert "bank_accounts.csv is missing" in result.stderr.replace("\n", "")


def test_a_demo_wants_a_directory_that_nothing_stands_in(runner: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    places = ["--out", str(tmp_path / "out"), "--data", str(tmp_path)]

    result = runner.invoke(app, ["demo", str(YEAR), *places])

    assert result.exit_code == 2
    assert "is not empty" in result.stderr


def test_a_range_that_names_no_tahap_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    asked = ["demo", str(YEAR), "--out", str(tmp_path), "--tahap", "9"]

    result = runner.invoke(app, asked)

    assert result.exit_code == 2
    assert "names none of the calendar's tahaps" in result.stderr


def test_a_bus_that_nobody_knows_is_refused(runner: CliRunner, tmp_path: Path) -> None:
    asked = ["demo", str(YEAR), "--out", str(tmp_path), "--bus", "pigeons"]

    assert runner.invoke(app, asked).exit_code == 2
