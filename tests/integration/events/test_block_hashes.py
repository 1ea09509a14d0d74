"""A root from what COPY writes is the root over the hashes of the rows, whatever stands in them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from libs.events.store.block_hashes import Roots, roots
from libs.events.store.chain import EventRow, event_hash
from libs.events.store.postgres import Store

AT: Final = datetime(2023, 3, 31, 12, 30, 59, 123_456, tzinfo=UTC)
BACKSLASHES: Final = r"\N \\N \x1f \. \n \t"
CONTROLS: Final = "".join(map(chr, range(1, 0x21))) + "\x7f\x1f\\\x1f"
OTHERS: Final = "Ünïcödé → 家族 🏠"

ROWS: Final[list[EventRow]] = [
    (1, 0, "s", 1, "T", 1, "{}", None, None, None, None, AT),
    (1, 1, "s", 2**63 - 1, "T", 32_767, '{"a": "b"}', "{}", "topic", "key", "true", AT),
    (1, 2, BACKSLASHES, 1, CONTROLS, 1, "{}", None, BACKSLASHES, CONTROLS, None, AT),
    (2, 0, OTHERS, 1, r"\N", -1, r'"\\ \" \n \u001f \/"', "null", r"\N", "", "[]", AT),
    (2, 1, "", -1, "\\", 1, '{ "a" :\n\t[1,  2] }', None, "\n", "\\\n", None, AT),
    (3, 0, "s", 1, "T", 1, "{}", None, None, "\x1f", None, datetime(1970, 1, 1, tzinfo=UTC)),
    (3, 1, "s", 1, "T", 1, "{}", None, None, None, None, AT - timedelta(days=40_000)),
    (3, 2, "s", 1, "T", 1, "{}", None, None, None, None, datetime(9999, 12, 31, tzinfo=UTC)),
    (9, 7, "s", 1, "T", 1, '"' + "x" * 1_000_000 + '"', None, None, None, "{}", AT),
]


def expected(rows: list[EventRow]) -> dict[int, tuple[int, bytes]]:
    hashes: dict[int, list[bytes]] = {}
    for row in rows:
        hashes.setdefault(row[0], []).append(event_hash(row))
    return {block: (len(own), root_over(own)) for block, own in hashes.items()}


def root_over(hashes: list[bytes]) -> bytes:
    return hashlib.sha256(b"".join(hashes)).digest()


async def test_roots_are_those_over_the_hashes_of_the_rows(store: Store) -> None:
    async with store.pool.acquire() as connection:
        await connection.copy_records_to_table("events", records=ROWS)

        assert await roots(connection, 1, 9) == expected(ROWS)
        assert await roots(connection, 2, 3) == expected(ROWS[3:-1])
        assert await roots(connection, 4, 8) == {}


@pytest.mark.parametrize("size", [1, 2, 7, 100])
async def test_a_row_may_arrive_in_pieces(size: int) -> None:
    """The server sends each row as a whole, and does not promise to."""
    lines = b"1\x1fs\x1f\\N\x1f\\\\N\n1\x1f\\\x1f\\t\n20\x1f\\N\n"
    found = Roots()

    for start in range(0, len(lines), size):
        await found.take(lines[start : start + size])

    texts = {1: [b"s\x1f\x00\x1f\\N", b"\x1f\t"], 20: [b"\x00"]}
    assert found.close() == {
        block: (len(own), root_over([hashlib.sha256(text).digest() for text in own]))
        for block, own in texts.items()
    }
