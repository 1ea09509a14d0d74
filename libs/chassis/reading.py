"""Reads of requests as a role that sees nothing of itself: a transaction says for whom it reads.

Policies of the database compare that with each row (projection's 010_regions.sql): a query that
forgets its regions finds nothing that they do not hold. What was said ends with the transaction,
however it ends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID

from libs.chassis.auth import REGION
from libs.chassis.middleware import resource

if TYPE_CHECKING:
    from libs.events.store.postgres import Pool
    from libs.events.store.transaction import Connection

# A statement of its own, where `set_config` could be called from within another.
FOR_WHOM: Final = "SET LOCAL pkh.regions = '{}'; SET LOCAL pkh.family = '{}'"


class Reading:
    """The connections of a service's reading role."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    @asynccontextmanager
    async def within(
        self, regions: Sequence[str], family: UUID | None = None
    ) -> AsyncIterator[Connection]:
        """A connection that sees, at one moment, the rows of these regions, and all of one family
        if it lives within them today. Raises ValueError for what is no region."""
        if not all(REGION.fullmatch(region) for region in regions):
            raise ValueError("no region")
        async with (
            self.pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(FOR_WHOM.format(",".join(regions), family or ""))
            yield connection


ReadingOf = Annotated[Reading, resource("reading")]
