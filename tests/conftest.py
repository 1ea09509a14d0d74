"""Fixtures that every test may ask for by name alone, and how long the tests are."""

import contextlib
import gc
import importlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

import pytest
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

TESTS: Final = Path(__file__).parent

pytest_plugins = ["tests.brokers", "tests.servers", "tests.tiers"]


def pytest_configure() -> None:
    """Have a logged error shown without the values around it: to draw them takes seconds."""
    *processors, _ = structlog.get_config()["processors"]
    renderer = ConsoleRenderer(exception_formatter=plain_traceback)
    structlog.configure(processors=[*processors, renderer])


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for no garbage while modules are loaded, and never again among what they hold."""
    gc.disable()
    try:
        _load_own_share(session.config)
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def _load_own_share(config: pytest.Config) -> None:
    """Load a worker's share of all tests first, before those that the others load meanwhile.

    In a fresh clone pytest compiles every test, which takes each worker as long as all the rest
    of its collection; what another one has compiled is only read.
    """
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count == 1 or [Path(each).absolute() for each in config.args] != [TESTS]:
        return
    own = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    for file in sorted(TESTS.rglob("test_*.py"))[own::count]:
        name = ".".join(file.relative_to(TESTS.parent).with_suffix("").parts)
        with contextlib.suppress(Exception, pytest.skip.Exception):  # collection tells of it
            importlib.import_module(name)
