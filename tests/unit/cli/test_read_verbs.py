"""`pkh reads`: what somebody was told, record by record or family by family."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.unit.cli.conftest import SERVICES, FakePlatform, answer
from tests.unit.cli.test_verbs import FAMILY, pkh

OTHER = FAMILY[:-1] + ("0" if FAMILY[-1] != "0" else "1")


def record(*families: str, **changes: object) -> dict[str, object]:
    plain = {"at": "2026-11-30T08:00:00Z", "operation": "GET /families/{family}", "filters": {}}
    return plain | {"purpose": None, "asked": None, "families": list(families)} | changes


@pytest.fixture
def two_services(fake: FakePlatform) -> FakePlatform:
    """A platform where somebody looked one family up and read two in pages."""
    for service in SERVICES:
        fake.when("GET", f"{service}/reads", answer({"items": [], "next": None}))
    look_up = record(FAMILY, operation="POST /identities/lookup", purpose="COMPLAINT", asked=1)
    fake.when("GET", "registry/reads", answer({"items": [look_up], "next": None}))
    rows = record(FAMILY, OTHER, operation="GET /entitlements", filters={"tahap": "2023-1"})
    pages = {None: {"items": [rows], "next": "more"}, "more": {"items": [rows], "next": None}}
    fake.when(
        "GET", "projection/reads", lambda request: answer(pages[request.url.params.get("cursor")])
    )
    return fake


def test_each_record_says_when_what_and_of_how_many(
    data_dir: Path, two_services: FakePlatform
) -> None:
    shown = pkh(data_dir, "reads", "clerk-1", "--since", "2026-11-29", "--until", "2026-11-30")

    assert shown.exit_code == 0, shown.output
    rows = "projection 2026-11-30T08:00:00Z GET /entitlements tahap=2023-1: 2 families"
    assert shown.output.splitlines() == [
        f"registry 2026-11-30T08:00:00Z POST /identities/lookup for COMPLAINT: {FAMILY}",
        *(rows, rows),
        "3 records, of 2 families.",
    ]
    asked = two_services.asked[0]
    assert dict(asked.url.params) | {"limit": ""} == {
        "subject": "clerk-1",
        "since": "2026-11-29T00:00:00Z",
        "until": "2026-12-01T00:00:00Z",
        "limit": "",
    }
    assert two_services.who(asked)["scope"] == "platform:audit"


def test_each_family_is_named_once_with_how_often(
    data_dir: Path, two_services: FakePlatform
) -> None:
    shown = pkh(data_dir, "reads", "clerk-1", "--families")

    expected = sorted([f"{FAMILY} 3", f"{OTHER} 2"])
    assert shown.output.splitlines() == [*expected, "3 records, of 2 families."]


def test_a_moment_goes_as_it_is_and_no_day_is_refused(
    data_dir: Path, two_services: FakePlatform
) -> None:
    moment = "2026-11-30T07:30:00Z"
    assert pkh(data_dir, "reads", "clerk-1", "--until", moment).exit_code == 0
    assert httpx.QueryParams(two_services.asked[0].url.query)["until"] == moment
    assert pkh(data_dir, "reads", "clerk-1", "--since", "2026-13-30").exit_code == 2
