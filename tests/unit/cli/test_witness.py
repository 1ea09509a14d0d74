from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import OKPKey

from cli.client.http import Connected
from cli.client.witness import (
    LogRewritten,
    Seen,
    append,
    by_source,
    hash_of_line,
    look,
    read,
    signing_key,
)
from cli.errors import Failed
from tests.unit.cli.conftest import FakePlatform, answer

ONE, OTHER = "ab" * 32, "cd" * 32
NO_HEAD = httpx.Response(404, json={"type": "problems/position-without", "title": "No block."})


@pytest.fixture
def key(tmp_path: Path) -> OKPKey:
    return signing_key(tmp_path / "key.json")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "witness.jws"


def given_chain(fake: FakePlatform, position: int, head: str) -> None:
    body = {"source": "registry", "epoch": "e", "position": position, "head": head}
    fake.when("GET", "registry/chain", answer(body))


async def seen(platform: Connected, file: Path, key: OKPKey) -> list[Seen]:
    return await look(platform.client("witness", "platform:read"), ["registry"], file, key)


async def test_what_is_seen_is_signed_and_read_again(
    platform: Connected, fake: FakePlatform, file: Path, key: OKPKey
) -> None:
    given_chain(fake, 40, ONE)

    found = await seen(platform, file, key)

    assert [(each.number, each.source, each.position) for each in found] == [(1, "registry", 40)]
    assert read(file, key) == found
    assert by_source(found) == {"registry": {40: bytes.fromhex(ONE)}}


async def test_a_log_that_has_not_grown_is_seen_again(
    platform: Connected, fake: FakePlatform, file: Path, key: OKPKey
) -> None:
    """Whoever looks only at what grows says nothing of a log that stands still or was cut off."""
    given_chain(fake, 40, ONE)
    await seen(platform, file, key)
    await seen(platform, file, key)

    assert [(each.number, each.position) for each in read(file, key)] == [(1, 40), (2, 40)]
    assert by_source(read(file, key)) == {"registry": {40: bytes.fromhex(ONE)}}


async def test_a_log_that_says_something_else_than_before_is_refused_and_nothing_is_added(
    platform: Connected, fake: FakePlatform, file: Path, key: OKPKey
) -> None:
    given_chain(fake, 40, ONE)
    await seen(platform, file, key)
    given_chain(fake, 40, OTHER)

    with pytest.raises(LogRewritten, match="registry: position 40 is not what was seen there"):
        await seen(platform, file, key)
    assert len(read(file, key)) == 1


async def test_a_log_that_is_empty_again_is_refused(
    platform: Connected, fake: FakePlatform, file: Path, key: OKPKey
) -> None:
    fake.when("GET", "registry/chain", NO_HEAD)
    [empty] = await seen(platform, file, key)
    assert (empty.position, by_source([empty])) == (0, {})
    given_chain(fake, 40, ONE)
    await seen(platform, file, key)
    fake.when("GET", "registry/chain", NO_HEAD)

    with pytest.raises(LogRewritten, match="rewritten, cut off or restored"):
        await seen(platform, file, key)


def lines_of_two(file: Path, key: OKPKey) -> tuple[str, str]:
    sign = partial(append, file, key)
    for number, previous in ((1, ""), (2, None)):
        line = Seen(number, datetime(2023, 4, 1, tzinfo=UTC), "registry", "e", number * 10, ONE)
        sign([line], hash_of_line(file.read_text()) if previous is None else previous)
    first, second = file.read_text().splitlines()
    return first, second


def test_a_line_that_was_taken_out_is_named(file: Path, key: OKPKey) -> None:
    _, second = lines_of_two(file, key)
    file.write_text(f"{second}\n")

    with pytest.raises(Failed, match="line 1: is line 2 of what was signed"):
        read(file, key)


def test_a_line_that_was_changed_is_named(file: Path, key: OKPKey) -> None:
    first, second = lines_of_two(file, key)
    header, payload, _ = first.split(".")
    file.write_text(f"{first}\n{header}.{payload}.{second.rpartition('.')[2]}\n")

    with pytest.raises(Failed, match="line 2: was not signed by this witness"):
        read(file, key)


def test_the_key_is_the_owners_alone(tmp_path: Path, key: OKPKey) -> None:
    assert (tmp_path / "key.json").stat().st_mode & 0o077 == 0
    assert signing_key(tmp_path / "key.json").kid == key.kid
