"""One way to do a thing: what the corridor and the chassis do is done by no service by itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.tree import python_files

LOG: Final = re.compile(
    r"\b(FROM|JOIN|INTO|UPDATE) (events|blocks|streams|head|relay|consumed|parked|idempotency)\b"
)
"""SQL on the corridor's tables: `Transaction`, `recorded` and `OwnLog` read them."""
ONCE: Final = re.compile(r"\bonce\.(claim|keep)\(")
"""A key that is claimed by hand: `DecidingOf` does it, `import_route`, and the appender."""
OWN: Final = {
    Path("services/registry/tables/identity_rows.py"): "lines of one list, told by their data",
    Path("services/registry/tables/person_claims.py"): "rows by the position of their block",
}


def by_hand(text: str) -> list[str]:
    """The lines of a service that do by themselves what a library does."""
    return [line for line in text.splitlines() if LOG.search(line) or ONCE.search(line)]


def test_a_service_reads_the_log_and_claims_a_key_by_the_library() -> None:
    found = {path: by_hand(path.read_text()) for path in python_files("services")}

    assert {str(path): lines for path, lines in found.items() if lines and path not in OWN} == {}


@pytest.mark.parametrize(
    "planted",
    [
        'await pool.fetch("SELECT stream_id FROM streams")',
        "SELECT type FROM job JOIN events USING (stream_id)",
        "INSERT INTO consumed (subscription) VALUES ($1)",
        "await once.claim(unit.connection)",
    ],
)
def test_what_is_done_by_hand_is_found(planted: str) -> None:
    assert by_hand(planted)
