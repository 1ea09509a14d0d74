import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app


@pytest.fixture
def platform_dir(tmp_path: Path) -> Path:
    """The directory of a platform that runs on Kafka."""
    card = {
        "services": {"payments": "http://127.0.0.1:1"},
        "simulators": {"bank": "http://127.0.0.1:2"},
        "bus": {"kind": "kafka", "url": "kafka://127.0.0.1:3"},
    }
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "platform.json").write_text(json.dumps(card))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "place"),
    [("payments", "http://127.0.0.1:1"), ("bank", "http://127.0.0.1:2"), ("kafka", "127.0.0.1:3")],
)
def test_a_place_is_printed_alone_so_that_a_shell_can_use_it(
    platform_dir: Path, name: str, place: str
) -> None:
    result = CliRunner().invoke(app, ["where", name, "--data", str(platform_dir)])

    assert (result.exit_code, result.stdout) == (0, f"{place}\n")


def test_without_a_name_every_place_is_printed(platform_dir: Path) -> None:
    result = CliRunner().invoke(app, ["where", "--data", str(platform_dir)])

    assert result.stdout.split() == [
        "payments", "http://127.0.0.1:1", "bank", "http://127.0.0.1:2", "kafka", "127.0.0.1:3",
    ]  # fmt: skip


def test_a_part_that_is_not_there_is_refused_by_name(platform_dir: Path) -> None:
    result = CliRunner().invoke(app, ["where", "coffee", "--data", str(platform_dir)])

    assert result.exit_code == 2
    assert "payments" in result.stderr
