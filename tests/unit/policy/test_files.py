"""Policy files: what is read of them, and by which file and key a mistake is refused."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from libs.policy.files import Count, PolicyError, Shape, read


class Numbers(Shape):
    count: Count
    by_category: dict[str, int]
    note: str = ""
    since: dict[date, int] = msgspec.field(default_factory=dict)


def written(directory: Path, text: str) -> Path:
    file = directory / "numbers.yaml"
    file.write_text(text)
    return file


def test_a_whole_file_is_read_in_its_shape(tmp_path: Path) -> None:
    file = written(tmp_path, "count: 3\nby_category: {SD: 225_000, SMP: 375_000}")

    assert read(file, Numbers) == Numbers(3, {"SD": 225_000, "SMP": 375_000})


@pytest.mark.parametrize(
    ("text", "key", "why"),
    [
        ("count: 3\ncount: 4\nby_category: {}", "line 2", "count stands here twice"),
        ("count: 3\nby_category: {SD: 1, SD: 2}", "line 2", "SD stands here twice"),
        ("count: 3\nby_category: {}\n'count': 4", "line 3", "count stands here twice"),
        (
            'count: 3\nby_category: {}\nsince:\n  2017-01-01: 85\n  "2017-01-01": 90',
            "line 5",
            "2017-01-01 stands here twice",
        ),
        ("count: 3\nby_category: {}\n? [a, b]\n: c", "line 3", "a key must be one word"),
        ("count: 3\nby_category: {}\n? {a: b}\n: c", "line 3", "a key must be one word"),
        ("count: 3\nby_category: {}\nnote: 2021-02-30", "line 3", "no day of the calendar"),
        ("count: 3\nby_category: {}\nnotes: a", "notes", "is unknown"),
        ("count: 3", "by_category", "is missing"),
        ("count: 0\nby_category: {}", "count", "Expected `int` >= 1"),
        ("count: 1.5\nby_category: {}", "count", "Expected `int`, got `float`"),
        ("count: yes\nby_category: {}", "count", "Expected `int`, got `bool`"),
        ("count: 1\nby_category: {SD: '1'}", "by_category[...]", "Expected `int`, got `str`"),
        ("count: 1: 2", "line 1", "mapping values are not allowed"),
        ("[]", "the file", "Expected `object`, got `array`"),
        ("", "the file", "Expected `object`, got `null`"),
    ],
)
def test_a_mistake_names_its_file_its_key_and_why(
    tmp_path: Path, text: str, key: str, why: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        read(written(tmp_path, text), Numbers)

    assert (refused.value.file, refused.value.key) == ("numbers.yaml", key)
    assert why in refused.value.why
    assert str(refused.value) == f"numbers.yaml: {key}: {refused.value.why}"


@pytest.mark.parametrize(
    "amount",
    ["0225000", "1:30", "0x10", "0b11", "+225000", "22_50_00", "225_00", "2_25", "9" * 16],
)
def test_a_number_that_people_read_in_another_way_than_yaml_is_refused(
    tmp_path: Path, amount: str
) -> None:
    with pytest.raises(PolicyError, match="line 2: is no whole number") as refused:
        read(written(tmp_path, f"count: 1\nby_category: {{SD: {amount}}}"), Numbers)

    assert refused.value.file == "numbers.yaml"


def test_of_two_equal_keys_neither_wins(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="line 3: SD stands here twice"):
        read(written(tmp_path, "count: 1\nby_category: {SD: 225_000,\n  SD: 252_000}"), Numbers)


def test_a_tag_that_would_run_code_is_refused(tmp_path: Path) -> None:
    text = "count: !!python/object/apply:os.getpid []\nby_category: {}"

    with pytest.raises(PolicyError, match="could not determine a constructor"):
        read(written(tmp_path, text), Numbers)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"gone\.yaml: the file: No such file"):
        read(tmp_path / "gone.yaml", Numbers)

    (tmp_path / "bytes.yaml").write_bytes(b"count: \xff")
    with pytest.raises(PolicyError, match=r"bytes\.yaml: the file: is not YAML in UTF-8"):
        read(tmp_path / "bytes.yaml", Numbers)
