"""A migration is known in a database by its name, so that a name outlasts every move."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.events.store import migrate
from libs.privacy.migrate import MIGRATIONS

EVENTS = [
    "001_corridor",
    "002_jobs",
    "003_replays",
    "004_singles",
    "005_advance",
    "006_singles",
    "007_by_index",
    "008_failing_work",
    "009_dropped",
]


@pytest.mark.parametrize(
    ("directory", "applied"),
    [
        (migrate.CORRIDOR, [f"events/{name}.sql" for name in EVENTS]),
        (MIGRATIONS, ["privacy/001_keys.sql"]),
    ],
    ids=["events", "privacy"],
)
def test_a_migration_that_was_applied_keeps_its_name(directory: Path, applied: list[str]) -> None:
    names = [name for name, _ in migrate._files([directory])]

    assert names[: len(applied)] == applied
