"""One console for a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Browser, browser
from tests.integration.console.kit import ServedConsole, served_console
from tests.servers import Postgres


@pytest.fixture(scope="module")
def console(
    postgres: Postgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedConsole]:
    """A console with a sample year in it."""
    with served_console(postgres, tmp_path_factory.mktemp("console")) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser of this file's own."""
    with browser() as opened:
        yield opened
