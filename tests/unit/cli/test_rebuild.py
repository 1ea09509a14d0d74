from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.demo.screen import Screen
from cli.errors import Failed
from cli.main import app
from cli.rebuild import rebuild


async def test_where_no_platform_runs_nothing_is_rebuilt(tmp_path: Path) -> None:
    with (
        Screen(Console(quiet=True)) as screen,
        pytest.raises(Failed, match="start one with: pkh up"),
    ):
        await rebuild(tmp_path, "projection", screen)


def test_a_service_that_keeps_events_of_its_own_can_not_be_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["rebuild", "payments", "--data", str(tmp_path)])

    assert answer.exit_code == 2
    assert "must be one of projection" in answer.output
