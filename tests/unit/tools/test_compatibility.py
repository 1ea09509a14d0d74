from typing import Any

import pytest

from tools.contracts.compatibility import breaks

PLACE = {"type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"]}
MESSAGE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "family": {"type": "string"},
        "status": {"enum": ["ELIGIBLE", "HOLD"]},
        "months": {"type": "array", "items": {"type": "string"}},
        "place": {"$ref": "#/$defs/Place"},
        "buckets": {"type": "object", "additionalProperties": {"type": "integer"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    },
    "required": ["family", "status", "months", "place", "buckets"],
    "$defs": {"Place": PLACE},
}


def changed(name: str, form: dict[str, Any]) -> dict[str, Any]:
    return {**MESSAGE, "properties": {**MESSAGE["properties"], name: form}}


def test_the_same_schema_breaks_nothing() -> None:
    assert breaks(MESSAGE, MESSAGE) == []


def test_a_field_with_a_default_may_be_added() -> None:
    assert breaks(MESSAGE, changed("added", {"type": "integer", "default": 0})) == []


def test_a_description_may_change_and_an_enum_be_sorted_otherwise() -> None:
    after = changed("status", {"enum": ["HOLD", "ELIGIBLE"], "description": "How it stands."})

    assert breaks(MESSAGE, after) == []


def test_a_field_that_is_required_all_at_once_is_missing_in_older_messages() -> None:
    after = changed("added", {"type": "integer"}) | {"required": [*MESSAGE["required"], "added"]}

    assert breaks(MESSAGE, after) == [
        "added is new and stands in no older message: give it a default."
    ]


def test_a_field_that_goes_is_missed() -> None:
    fewer = {name: form for name, form in MESSAGE["properties"].items() if name != "note"}

    assert breaks(MESSAGE, {**MESSAGE, "properties": fewer}) == ["note is gone."]


def test_a_field_that_may_be_left_out_now_is_missed_by_who_counts_on_it() -> None:
    assert breaks(MESSAGE, {**MESSAGE, "required": MESSAGE["required"][1:]}) == [
        "family may be left out now."
    ]


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("family", {"type": "integer"}, "family: type is another."),
        ("status", {"enum": ["ELIGIBLE", "HOLD", "GONE"]}, "status: enum is another."),
        ("months", {"type": "array", "items": {"type": "integer"}}, "months[]: type is another."),
        (
            "buckets",
            {"type": "object", "additionalProperties": {"type": "string"}},
            "buckets[]: type is another.",
        ),
        ("note", {"anyOf": [{"type": "string"}]}, "note: anyOf are others."),
    ],
)
def test_another_form_is_no_form_for_an_old_reader(
    name: str, form: dict[str, Any], said: str
) -> None:
    assert breaks(MESSAGE, changed(name, form)) == [said]


def test_what_a_reference_names_is_compared_by_what_it_holds() -> None:
    renamed = changed("place", {"$ref": "#/$defs/Where"}) | {"$defs": {"Where": PLACE}}
    wider = {**MESSAGE, "$defs": {"Place": {**PLACE, "required": []}}}

    assert breaks(MESSAGE, renamed) == []
    assert breaks(MESSAGE, wider) == ["place.code may be left out now."]


def test_a_form_that_holds_itself_is_compared_once() -> None:
    tree = {
        "type": "object",
        "properties": {"inner": {"$ref": "#/$defs/Tree"}},
    }
    message = {"$ref": "#/$defs/Tree", "$defs": {"Tree": tree}}

    assert breaks(message, message) == []
