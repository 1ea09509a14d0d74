"""Fixtures that every test may ask for by name alone, and how long the tests are."""

import gc
from collections.abc import Generator

import pytest
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback

pytest_plugins = ["tests.brokers", "tests.servers", "tests.tiers"]


def pytest_configure() -> None:
    """Have a logged error shown without the values around it: to draw them takes seconds."""
    *processors, _ = structlog.get_config()["processors"]
    renderer = ConsoleRenderer(exception_formatter=plain_traceback)
    structlog.configure(processors=[*processors, renderer])


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while modules are loaded, and never again among what they hold."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
