"""The sample years that the domains are held against, as they are and set in other years."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.sample_years import EXAMPLES, YEARS, moved

MOVED: Final = {"kalbar-small in 2024": 1, "kalbar-2025 in 2026": 1}


@pytest.fixture(scope="session", params=[*(year.name for year in YEARS), *MOVED])
def sample_year(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample year's folder; one that is set in another year closes in the January after it."""
    name: str = request.param
    if name not in MOVED:
        return EXAMPLES / name
    year = EXAMPLES / name.partition(" ")[0]
    to = tmp_path_factory.mktemp("moved") / year.name
    return moved(year, to, MOVED[name], closing_in_january=True)
