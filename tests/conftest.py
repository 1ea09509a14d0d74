"""What every test may ask for, and how long the tests are."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import settings

HERE = Path(__file__).parent

# Brokers and database servers are plugins, so that a test asks for them by name alone.
pytest_plugins = [
    f"tests.{name}" for name in ("brokers", "servers") if (HERE / f"{name}.py").exists()
]

settings.register_profile("default", deadline=None, max_examples=100)
settings.register_profile("nightly", deadline=None, max_examples=5_000)
settings.load_profile("nightly" if os.environ.get("PKH_NIGHTLY") else "default")
