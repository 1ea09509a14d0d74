"""A clerk sees which messages of writers were not taken in, where they stand, and why."""

from __future__ import annotations

from pathlib import Path

from tests.unit.cli.conftest import FakePlatform, answer
from tests.unit.cli.test_verbs import pkh

ITEM = {
    "topic": "pkh.inbound.education-attendance.v1",
    "partition": 3,
    "offset": 17,
    "writer": "dapodik",
    "reporter": "30141147",
    "message": "m-1",
    "reason": "IMPOSSIBLE",
    "field": "absent",
    "detail": "What it reports cannot be true as it stands.",
    "sha256": "00",
}


def test_what_was_withheld_is_told_with_its_place_and_reason(
    data_dir: Path, fake: FakePlatform
) -> None:
    bare = ITEM | {"reporter": "", "message": "", "field": "", "reason": "UNREADABLE"}
    fake.when(
        "GET", "conditionality/withheld-messages", answer({"items": [ITEM, bare], "next": None})
    )

    shown = pkh(data_dir, "withheld", "--writer", "dapodik")

    at = "pkh.inbound.education-attendance.v1/3@17 dapodik"
    said = "What it reports cannot be true as it stands."
    assert shown.exit_code == 0, shown.output
    assert shown.output.splitlines() == [
        f"{at} 30141147 m-1: IMPOSSIBLE (absent). {said}",
        f"{at} - -: UNREADABLE. {said}",
        "2 messages were not taken in.",
    ]
    assert fake.asked[0].url.params["writer"] == "dapodik"
