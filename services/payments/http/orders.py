"""Orders of two people over HTTP, what families were paid, and the books."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel

from libs.chassis.auth import Principal, is_outside
from libs.chassis.bodies import FamilyUnknown, TahapId
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch, etag
from libs.chassis.middleware import Asked
from libs.chassis.noting import Noted
from libs.chassis.openapi import UNCHANGED, refuses
from libs.chassis.pagination import Page, Paging
from libs.chassis.regions import require_family
from libs.chassis.service import StoreOf
from libs.events.domain.errors import NotFound
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction
from services.payments.contract import PAYMENT
from services.payments.domain.payment.state import (
    PaymentState,
    Unentitled,
    answer_of,
    identity_of,
)
from services.payments.domain.run.messages import ApproveOrder, ProposeOrder
from services.payments.domain.shared.ids import order_id, request_id
from services.payments.http import answers, refusals
from services.payments.http.schemas import Approval, Kind
from services.payments.http.tahap import Checker, Maker, NationReader, Reader, deciding_on
from services.payments.tables import ledger
from services.payments.tables.payments import run
from services.payments.tables.run_lines import order_of
from services.payments.tables.versions import Standing

FamilyReader = Annotated[Principal, require_family("payments:read")]

router = APIRouter(tags=["payments"])


class PaymentUnknown(NotFound):
    """There is no payment of this id."""


# -- Payment order --------------------------------------------------------------------------------


@router.post(
    "/tahap/{tahap}/runs/{kind}/order-proposal",
    status_code=204,
    responses=refusals.ORDER_PROPOSED,
)
async def propose_order(
    tahap: TahapId,
    kind: Kind,
    body: Approval,
    deciding: DecidingOf,
    maker: Maker,
    seen: IfMatch,
) -> Response:
    """Request the payments whose accounts passed the check (SPP)."""

    async def proposed(unit: Transaction, standing: Standing) -> None:
        stands, totals = await order_of(unit, tahap, kind)
        if stands != body.hash:
            raise answers.OrderDiffers(tahap=tahap, kind=kind, stands=stands)
        request = request_id(tahap, kind, standing.tahap.revision)
        command = ProposeOrder(maker.subject, request, stands, totals.count, totals.rupiah)
        standing.runs[kind] = await run(unit, tahap, kind, command)

    return await deciding_on(deciding, tahap, seen, proposed)


@router.post(
    "/tahap/{tahap}/runs/{kind}/order-approval",
    status_code=204,
    responses=refusals.ORDERED,
)
async def approve_order(
    tahap: TahapId,
    kind: Kind,
    body: Approval,
    deciding: DecidingOf,
    checker: Checker,
    seen: IfMatch,
) -> Response:
    """Order the payments that another person requested (SPM); from here on the money moves."""

    async def ordered(unit: Transaction, standing: Standing) -> None:
        order = order_id(tahap, kind, standing.tahap.revision)
        command = ApproveOrder(checker.subject, order, body.hash)
        standing.runs[kind] = await run(unit, tahap, kind, command)

    return await deciding_on(deciding, tahap, seen, ordered)


# -- Payments and the ledger ----------------------------------------------------------------------


class PaymentView(BaseModel):
    """One payment; amounts in whole rupiah. What is paid is `amount` less `cut`."""

    payment: UUID
    tahap: str
    family: UUID
    kind: str
    amount: int
    cut: int
    payee_valid: bool
    transfer: str
    answer: str
    hold: str


@router.get("/payments/{payment}", responses=refuses(PaymentUnknown) | UNCHANGED)
async def payment_view(
    payment: UUID,
    store: StoreOf,
    context: Asked,
    reader: Reader,
    noted: Noted,
    response: Response,
) -> PaymentView:
    """One payment as it stands; that of a foreign family is as unknown as one that is not there."""
    stream = PAYMENT.stream(str(payment))
    found = (await store.read(PAYMENT, [stream])).get(stream)
    view = _payment(found.state) if found else None
    if found is None or view is None:
        raise PaymentUnknown(payment=payment)
    region = await ledger.lives(store, view.family, context.at.date())
    if is_outside(reader, region or ""):
        raise PaymentUnknown(payment=payment)
    response.headers["ETag"] = etag(found.version)
    return await noted(view)


@router.get("/families/{family}/payments", responses=refuses(FamilyUnknown))
async def family_payments(
    family: UUID, store: StoreOf, reader: FamilyReader, paging: Paging
) -> Page[PaymentView]:
    """The payments of a family, by tahap."""
    after, limit = paging.after(str) or "", paging.rows
    rows = await ledger.payments_of_family(store, str(family), after, limit)
    found, following = paging.cut(rows, lambda row: row[0])
    items = await _payments(store, [payment for _, payment in found])
    return Page[PaymentView](items=items, next=following)


async def _payments(store: Store, payments: list[str]) -> list[PaymentView]:
    streams = [PAYMENT.stream(payment) for payment in payments]
    found = await store.read(PAYMENT, streams)
    views = [_payment(found[stream].state) for stream in streams if stream in found]
    return [view for view in views if view is not None]


def _payment(state: PaymentState) -> PaymentView | None:
    """The payment as it is shown; None where nobody was ever entitled to it."""
    of = identity_of(state)
    if of is None:
        return None
    terms = None if isinstance(state, Unentitled) else state.terms
    return PaymentView(
        payment=UUID(of.payment),
        tahap=of.tahap,
        family=UUID(of.family),
        kind=of.kind,
        amount=terms.amount if terms else 0,
        cut=terms.cut if terms else 0,
        payee_valid=terms is not None and terms.payee_valid,
        transfer=state.transfer,
        answer=answer_of(state),
        hold=state.hold.status,
    )


@router.get("/ledger/balances")
async def balances(store: StoreOf, reader: NationReader) -> dict[str, int]:
    """Each account's balance in whole rupiah; they sum to zero."""
    return await ledger.balances(store)


@router.get("/ledger/check")
async def check(store: StoreOf, reader: NationReader) -> ledger.Books:
    """The rules that do not hold in the books; `broken` is empty when everything does."""
    return await ledger.books(store)
