"""A column as one text holds exactly its rows, or is refused."""

from __future__ import annotations

import pytest

from libs.events.store.array_params import numbers, required_texts, texts


def test_texts_stand_apart_and_absent_ones_are_empty() -> None:
    assert texts(["a", None, "c"]) == "a\x1f\x1fc"
    assert texts([]) == ""


def test_numbers_are_an_array_and_absent_ones_null() -> None:
    assert numbers([1, None, -3]) == "{1,null,-3}"
    assert numbers([]) == "{}"


@pytest.mark.parametrize("unfit", ["", "a\x1fb", "\x1f"])
def test_a_name_that_would_be_read_as_none_or_as_two_is_refused(unfit: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        required_texts([unfit])
    with pytest.raises(ValueError, match="control character"):
        required_texts(["a", unfit])


def test_a_text_that_would_be_read_as_two_is_refused() -> None:
    with pytest.raises(ValueError, match="control character"):
        texts(["a\x1fb", None])
