from __future__ import annotations

from pathlib import Path

import pytest

from cli.client.far_copy import send
from cli.errors import Failed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    heads = tmp_path / "heads.jws"
    heads.write_text("one\ntwo\n")
    return heads


@pytest.fixture
def far(tmp_path: Path) -> Path:
    return tmp_path / "far.jws"


def appending(far: Path) -> str:
    """As the far host's command."""
    return f"sh -c 'cat >> {far}; sha256sum < {far}'"


def test_a_copy_gets_what_it_lacks_and_nothing_twice(file: Path, far: Path) -> None:
    assert send(file, appending(far)) == 2
    assert send(file, appending(far)) == 0
    with file.open("a") as heads:
        heads.write("three\n")

    assert send(file, appending(far)) == 1
    assert far.read_text() == file.read_text()


@pytest.mark.parametrize("written", ["one\n2\nthree\n", "one\n", ""])
def test_a_file_that_was_rewritten_or_cut_off_is_told_and_nothing_appended(
    file: Path, far: Path, written: str
) -> None:
    send(file, appending(far))
    file.write_text(written)

    with pytest.raises(Failed, match="does not go on from its copy"):
        send(file, appending(far))
    assert far.read_text() == "one\ntwo\n"


def test_a_copy_that_keeps_something_else_is_told(file: Path, far: Path) -> None:
    with pytest.raises(Failed, match="is not what was sent"):
        send(file, f"sh -c 'sed 1d >> {far}; sha256sum < {far}'")


@pytest.mark.parametrize("command", ["false", "true", "/no/such/program"])
def test_a_host_that_does_not_answer_is_told(file: Path, command: str) -> None:
    with pytest.raises(Failed, match="The witness's copy"):
        send(file, command)
