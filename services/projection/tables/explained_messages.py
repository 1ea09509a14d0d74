"""The messages of an explanation, a family's and a tahap's, read at one moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from libs.chassis.reading import Reading
from libs.events.domain.errors import DomainError
from services.projection.explanation.messages import OF_FAMILY, Published
from services.projection.explanation.story import Story
from services.projection.explanation.tahap_messages import OF_TAHAP

MESSAGES_MAX: Final = 5_000  # of one family; a year of six tahaps has about eighty
SOURCE_PREFIX: Final = "/services/"

_FAMILY: Final = {kind.__name__: msgspec.json.Decoder(kind) for kind in OF_FAMILY}
_TAHAP: Final = {kind.__name__: msgspec.json.Decoder(kind) for kind in OF_TAHAP}

_OF_FAMILY: Final = """
SELECT source, position, type, body FROM timeline
WHERE family = $1 AND type = ANY($2) ORDER BY source, position LIMIT $3
"""
_OF_TAHAP: Final = """
SELECT '/services/payments' AS source, position, type, body FROM tahap_event
WHERE tahap = $1 AND type = ANY($2)
UNION ALL
SELECT source, position, type, body FROM tahap_terms WHERE tahap = $1 AND type = ANY($2)
"""
_DISPOSITION: Final = "SELECT disposition FROM entitlement WHERE tahap = $1 AND family = $2"


class HistoryTooLong(DomainError):
    """The family has more messages than one explanation reads."""


async def story(reading: Reading, regions: Sequence[str], family: UUID, tahap: str) -> Story | None:
    """The messages of a family that lives in these regions and of a tahap; None where the tahap
    was never announced."""
    # One snapshot, so that a row never says CREDITED while the credit's message is not read yet.
    async with reading.within(regions, family) as connection:
        rows = await connection.fetch(_OF_FAMILY, family, list(_FAMILY), MESSAGES_MAX + 1)
        of_tahap = await connection.fetch(_OF_TAHAP, tahap, list(_TAHAP))
        disposition = await connection.fetchval(_DISPOSITION, tahap, family)
    if len(rows) > MESSAGES_MAX:
        raise HistoryTooLong(family=family, most=MESSAGES_MAX)
    return Story.of(str(family), tahap, disposition, _read(rows, _FAMILY), _read(of_tahap, _TAHAP))


def _read(
    rows: Sequence[asyncpg.Record], decoders: dict[str, msgspec.json.Decoder[Any]]
) -> list[Published[Any]]:
    return [
        Published(
            row["source"].removeprefix(SOURCE_PREFIX),
            row["position"],
            decoders[row["type"]].decode(row["body"]),
        )
        for row in rows
    ]
