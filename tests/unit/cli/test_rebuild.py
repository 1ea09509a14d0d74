import json
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.client.screen import Screen
from cli.commands.rebuild import rebuild
from cli.errors import Failed
from cli.main import app


async def test_where_no_platform_runs_nothing_is_rebuilt(tmp_path: Path) -> None:
    with (
        Screen(Console(quiet=True)) as screen,
        pytest.raises(Failed, match="start one with: pkh up"),
    ):
        await rebuild(tmp_path, "projection", screen)


async def test_a_password_that_is_not_there_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    card = {"services": {"projection": "http://127.0.0.1:1"}, "bus": {"kind": "embedded"}}
    (tmp_path / "run" / "platform.json").write_text(json.dumps(card))

    with (
        Screen(Console(quiet=True)) as screen,
        pytest.raises(Failed, match="password of projection's owner cannot be read"),
    ):
        await rebuild(tmp_path, "projection", screen)


def test_a_service_that_keeps_events_of_its_own_can_not_be_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["rebuild", "payments", "--data", str(tmp_path)])

    assert answer.exit_code == 2
    assert "must be one of projection" in answer.output
