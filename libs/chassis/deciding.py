"""A POST that decides: its key is claimed, a command decided, its answer kept, in one transaction.

@router.post("/purses/{purse}/coins", status_code=204)
async def put_in(purse: str, deciding: DecidingOf, ..., seen: IfMatch) -> Response:
    async def decided(unit: Transaction) -> Reply:
        await seen.ensure_stream(unit, PURSE, f"purse-{purse}")
        return moved(await handle(unit, PURSE, f"purse-{purse}", command))

    return await deciding(decided)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Response

from libs.chassis.etag import etag
from libs.chassis.idempotency import Once, OnceOnly, Reply
from libs.chassis.middleware import Asked
from libs.chassis.service import StoreOf
from libs.events.domain.decider import E, S
from libs.events.store.model import Context, Outcome
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Deciding:
    """One request's decision: where it is kept, who asks for it, and the key that it has once."""

    store: Store
    context: Context
    once: OnceOnly

    async def __call__(self, decide: Callable[[Transaction], Awaitable[Reply]]) -> Response:
        """The answer of `decide`, kept with all that it appends; a known answer as it was.

        A refusal undoes the claim as well: the same key may be sent again. The answer says the
        position, for whoever waits until others have seen this.
        """
        async with self.store.transaction(self.context) as unit:
            await self.once.claim(unit.connection)
            reply = await decide(unit)
            await self.once.keep(unit.connection, reply)
        return reply.response(unit.position)


def moved(outcome: Outcome[S, E]) -> Reply:
    """The answer to a decision on a thing whose version is its stream's: the new version."""
    return Reply(204, None, {"ETag": etag(outcome.version)})


async def deciding_once(store: StoreOf, context: Asked, once: Once) -> Deciding:
    """The decision that a request asks for."""
    return Deciding(store, context, once)


DecidingOf = Annotated[Deciding, Depends(deciding_once)]
