"""Reports by topic over HTTP: the keys that numbers are closed for, and messages not taken in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from libs.chassis.auth import Principal, require_nation, require_one_of
from libs.chassis.middleware import resource
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import RegionWithin
from libs.chassis.service import StoreOf
from libs.privacy.closed_numbers import NumberKeys
from services.conditionality.contract import EDUCATION_TOPIC, HEALTH_TOPIC
from services.conditionality.domain.writers import Withheld
from services.conditionality.http.unmatched import Asker, Reporter
from services.conditionality.tables.inbound import WithheldFilter, list_withheld, unaccounted

AnyWriter = Annotated[Principal, require_one_of("conditionality:read", "conditionality:record")]
Auditor = Annotated[Principal, require_nation("conditionality:read")]
NumberKeysOf = Annotated[NumberKeys, resource("number_keys")]
WriterName = Annotated[
    str | None, Query(pattern="^[a-z][a-z0-9_]{0,31}$", description="As it is registered.")
]
Reason = Annotated[
    str | None,
    Query(pattern=f"^({'|'.join(Withheld.__members__)})$", description="Why it was not taken in."),
]

router = APIRouter(tags=["conditionality"])


class NumberKey(BaseModel):
    """A public key on P-256 as a JWK: numbers are closed for it, and name its `kid`."""

    kty: str
    crv: str
    x: str
    y: str
    use: str
    alg: str
    kid: str


class NumberKeySet(BaseModel):
    """The public keys of the platform, the one to close with first; others still open."""

    keys: list[NumberKey]


class WithheldItem(BaseModel):
    """A message that was not taken in; `detail` says what its `reason` means.

    `message` is its id, empty where that could be somebody's number; `field` is at fault, where one
    is; `sha256` is of the whole record. Nothing of what it said of a person is kept.
    """

    topic: str
    partition: int
    offset: int
    writer: str
    reporter: str
    message: str
    reason: str
    field: str
    detail: str
    sha256: str


@router.get("/inbound-keys")
async def inbound_keys(keys: NumberKeysOf, writer: AnyWriter) -> NumberKeySet:
    """The keys for which writers close the numbers of persons, as a JWK set."""
    return NumberKeySet.model_validate(keys.public_set())


class InboundCheck(BaseModel):
    """A check of what was taken in by topic: a sentence for each sum that does not come out."""

    broken: list[str]


@router.get("/inbound-check")
async def inbound_check(store: StoreOf, auditor: Auditor) -> InboundCheck:
    """Hold what was consumed of the topics from outside against what was noted of it."""
    return InboundCheck(broken=await unaccounted(store, (EDUCATION_TOPIC, HEALTH_TOPIC)))


@router.get("/withheld-messages")
async def withheld_messages(
    store: StoreOf,
    asker: Asker,
    paging: Paging,
    writer: WriterName = None,
    reporter: Reporter = None,
    reason: Reason = None,
    region: RegionWithin = None,
) -> Page[WithheldItem]:
    """Messages of registered writers that were not taken in, in order of topic and offset.

    Nothing of them counts; a writer sends what it meant under the same id or another. Those of
    writers who may speak in the token's regions are shown.
    """
    wanted = WithheldFilter(writer, reporter, reason, asker.within(region))
    rows = await list_withheld(store, wanted, paging.after(tuple[str, int, str, int]), paging.rows)
    found, following = paging.cut(
        rows, lambda row: (row["topic"], row["partition"], row["life"], row["offset"])
    )
    items = [WithheldItem(**row, detail=Withheld[row["reason"]].value) for row in found]
    return Page[WithheldItem](items=items, next=following)
