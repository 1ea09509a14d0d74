"""Events that stand in somebody's database stay readable, whatever the code has become since."""

from __future__ import annotations

import json
from typing import Any

import pytest

from libs.events.store.codec import codec_of
from libs.events.store.model import StreamType
from tests.contract.stored_events import (
    CORPUS,
    Stored,
    as_stored,
    kinds,
    shape,
    shape_path,
    stored,
    without_descriptions,
)
from tests.contract.test_contracts import is_part_of

EVENTS = stored()
SNAPSHOTS = [(service, kind) for service, kind in kinds() if kind.snapshot is not None]


@pytest.mark.parametrize("each", EVENTS, ids=str)
def test_a_stored_event_is_read_and_nothing_of_it_is_lost(each: Stored) -> None:
    assert each.path.exists(), "write it: python -m tests.contract.stored_events"
    text = each.path.read_text("utf-8")

    event = codec_of(each.kind).decode_event(each.name, each.version, text)

    if each.version == each.kind.versions.get(each.name, 1):
        assert is_part_of(json.loads(text), as_stored(each.kind, event))


def test_no_type_or_version_that_was_ever_stored_is_forgotten() -> None:
    known = {each.path for each in EVENTS}

    assert set(CORPUS.glob("*/*/*.v*.json")) == known


@pytest.mark.parametrize(
    ("service", "kind"), SNAPSHOTS, ids=[f"{service}/{kind.name}" for service, kind in SNAPSHOTS]
)
def test_a_snapshot_of_another_form_has_another_shape_number(
    service: str, kind: StreamType[Any, Any, Any]
) -> None:
    path = shape_path(service, kind)
    assert path.exists(), "a new shape: python -m tests.contract.stored_events"

    kept = without_descriptions(json.loads(path.read_text("utf-8")))
    assert kept == json.loads(shape(kind)), "raise the kind's shape number in contract.py"


def test_a_docstring_is_no_part_of_a_form_and_a_field_of_that_name_is() -> None:
    field = {"type": "string"}

    assert without_descriptions({"description": "Said.", "properties": {"description": field}}) == {
        "properties": {"description": field}
    }
