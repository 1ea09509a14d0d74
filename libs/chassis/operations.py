"""Operations' interface of every service: where it is, what is parked, try it again, drop it."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, StringConstraints

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import Strict
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import Unconditional
from libs.chassis.forms import BIGINT_MAX, ID, INTEGER_MAX
from libs.chassis.idempotency import Reply
from libs.chassis.jobs import Job
from libs.chassis.noting import Noted
from libs.chassis.openapi import refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.replay_jobs import begin
from libs.chassis.service import StoreOf
from libs.events.consumer.parking import START, NothingParked, Selection, drop, list_parked
from libs.events.domain.errors import NotFound
from libs.events.store.transaction import Transaction
from libs.events.store.watermarks import positions

Operator = Annotated[Principal, require_nation("platform:operate")]
Observer = Annotated[Principal, require_nation("platform:read")]

POSITION_MAX: Final = BIGINT_MAX
Partition = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]

Filter = Annotated[str | None, StringConstraints(max_length=200, pattern="^[^\\x00]*$")]

router = APIRouter(tags=["operations"])


class Positions(BaseModel):
    """Positions of this service's own log, and of each partition it publishes to and reads."""

    epoch: str
    head: int
    relayed: int
    topics: dict[str, dict[int, int]]
    consumed: dict[str, dict[int, int]]
    parked: int


class ChainHead(BaseModel):
    """The head of the hash chain over a log at one position, as hex digits."""

    source: str
    epoch: str
    position: int
    head: str


class PositionWithout(NotFound):
    """No block of this log ends at this position."""


class ParkedMessage(BaseModel):
    """A message that could not be handled, or that waits behind one of its key.

    A record that is no message has no key, and `offset` says where on the bus it stands; its
    `position` is -1 less that. Nothing is taken in behind one that `stops`, until it is dropped.
    """

    subscription: str
    topic: str
    partition: int
    key: str
    position: int
    error: str
    offset: int | None = None
    stops: bool = False


class Drop(Strict):
    """One parked message, and the code of why nobody is to handle it."""

    topic: Annotated[str, StringConstraints(max_length=200, pattern="^[^\\x00]+$")]
    partition: Annotated[int, Field(ge=0, le=INTEGER_MAX)]
    position: Annotated[int, Field(ge=-POSITION_MAX, le=POSITION_MAX)]
    reason: Annotated[str, Field(pattern="^[A-Z][A-Z_]{1,39}$")]


class Replay(Strict):
    """The messages to handle again: of a topic or of all, of a key or of all."""

    topic: Filter = None
    key: Filter = None


@router.get("/positions")
async def read_positions(store: StoreOf, observer: Observer) -> Positions:
    """Where this service is; wait on this instead of on time."""
    found = await positions(store)
    return Positions(
        epoch=found.epoch,
        head=found.head,
        relayed=found.relayed,
        topics=found.topics,
        consumed=found.consumed,
        parked=found.parked,
    )


@router.get("/chain", responses=refuses(PositionWithout))
async def read_chain(
    store: StoreOf,
    observer: Observer,
    at: Annotated[int | None, Query(ge=1, le=POSITION_MAX)] = None,
) -> ChainHead:
    """The head of the hash chain, for a witness to keep; `at` asks for an earlier block's end."""
    last, epoch = await store.head()
    position = last if at is None else at
    head = await store.head_at(position)
    if head is None:
        raise PositionWithout(position=position)
    return ChainHead(source=store.source, epoch=epoch, position=position, head=head.hex())


@router.get("/parked")
async def read_parked(
    store: StoreOf,
    observer: Observer,
    paging: Paging,
    noted: Noted,
    topic: Filter = None,
    key: Filter = None,
) -> Page[ParkedMessage]:
    """The parked messages, in the order in which they would be replayed; of a topic, of a key.

    A key may be a family: whose messages are shown is on record.
    """
    after = paging.after(tuple[str, str, Partition, int]) or START
    rows = await list_parked(store, paging.rows, after, Selection(topic, key))
    found, following = paging.cut(
        rows, lambda parked: (parked.subscription, parked.topic, parked.partition, parked.position)
    )
    items = [
        ParkedMessage(
            subscription=parked.subscription,
            topic=parked.topic,
            partition=parked.partition,
            key=parked.key,
            position=parked.position,
            error=parked.error,
            offset=parked.offset,
            stops=parked.stops,
        )
        for parked in found
    ]
    page = Page[ParkedMessage](items=items, next=following)
    if families := {item.key for item in items if ID.fullmatch(item.key)}:
        await noted.read(*families)
        return page
    return await noted(page)


@router.post(
    "/parked/replay",
    status_code=202,
    response_model=Job,
    responses=refuses(NothingParked),
    dependencies=[Unconditional],
)
async def replay_parked(body: Replay, deciding: DecidingOf, operator: Operator) -> Response:
    """Have parked messages handled again, in the order of each key; what goes through stays so.

    The job says how far it is. A message that is still not fit stays parked with every later one
    of its key, and says what is wrong with it now.
    """

    async def begun(unit: Transaction) -> Reply:
        job = await begin(unit, deciding.once, Selection(body.topic, body.key))
        return Reply(202, job.model_dump(mode="json"), {"Location": f"/jobs/{job.id}"})

    return await deciding(begun)


@router.post(
    "/parked/drop",
    status_code=204,
    response_class=Response,
    responses=refuses(NothingParked),
    dependencies=[Unconditional],
)
async def drop_parked(body: Drop, deciding: DecidingOf, operator: Operator) -> Response:
    """Have one parked message never be handled, for a reason; it stays on record as it came.

    What waits behind it in its key can be replayed then. A record at which the consumer stopped is
    passed over; were it real, the consumer would miss it at the next one and stop again.
    """

    async def dropped(unit: Transaction) -> Reply:
        await drop(unit, body.topic, body.partition, body.position, body.reason)
        return Reply(204)

    return await deciding(dropped)
