"""The treasury: checks accounts before money moves, releases an order's funds, takes them back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from simulators import answer_file, books
from simulators.answer_file import Tally
from simulators.books import BANKS, Books
from simulators.check import Answer, check
from simulators.desk import Desk
from simulators.journal import Block, Cancelled, Journal, Order
from simulators.refusals import Code, Refusal
from simulators.request_file import Instruction, Kind, RequestReader, claimed
from simulators.serve import Id, new_app, options, serve, signing_of
from simulators.signing import Signing, digest_of, signed_json


class PaymentOrder(BaseModel):
    """The release that a payment order asks for: payments, rupiah, of which list."""

    model_config = ConfigDict(strict=True, extra="forbid")

    count: Annotated[int, Field(ge=1, le=10**9)]
    rupiah: Annotated[int, Field(ge=1, le=10**18)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Funds:
    """Releases funds once for an order, unless it was cancelled; the journal remembers."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._released = {order.order_id: order for order in journal.orders}
        self._cancelled = {order.order_id: order for order in journal.cancelled}

    def release(self, order_id: str, asked: PaymentOrder) -> tuple[Order, bool]:
        """The released order, and whether it is new; `Refusal` when the figures differ."""
        if order_id in self._cancelled:
            raise Refusal(Code.ORDER_CANCELLED)
        order = _order(order_id, asked)
        recorded = self._released.get(order_id)
        if recorded is None:
            self._journal.release(order)
            self._released[order_id] = order
            return order, True
        if recorded != order:
            raise Refusal(Code.ORDER_CONTRADICTS)
        return recorded, False

    def cancel(self, order_id: str, asked: PaymentOrder) -> tuple[Cancelled, bool]:
        """The cancelled order, and whether that is new; `Refusal` when the figures differ.

        From then on nothing is released for it, also where it comes only now.
        """
        released = self._released.get(order_id)
        if released is not None and released != _order(order_id, asked):
            raise Refusal(Code.ORDER_CONTRADICTS)
        sp2d = released.sp2d if released else ""
        figures = asked.count, asked.rupiah, asked.hash
        order = Cancelled(order_id, *figures, sp2d, _number("CANCELLED", order_id))
        recorded = self._cancelled.get(order_id)
        if recorded is None:
            self._journal.cancel(order)
            self._cancelled[order_id] = order
            return order, True
        if recorded != order:
            raise Refusal(Code.ORDER_CONTRADICTS)
        return recorded, False

    def of(self, order_id: str) -> Order:
        """An order that was released; `Refusal` when there is none, or it was cancelled."""
        if order_id in self._cancelled:
            raise Refusal(Code.ORDER_CANCELLED)
        if order_id not in self._released:
            raise Refusal(Code.UNKNOWN_ORDER)
        return self._released[order_id]


def _order(order_id: str, asked: PaymentOrder) -> Order:
    return Order(order_id, asked.count, asked.rupiah, asked.hash, _number("SP2D", order_id))


def _number(paper: str, order_id: str) -> str:
    """The number of an order's paper, such as its release (SP2D): 15 digits, always the same."""
    digest = hashlib.sha256(f"{paper}|{order_id}".encode()).digest()
    return f"{int.from_bytes(digest) % 10**15:015d}"


def create_app(
    accounts: Books,
    journal: Journal,
    *,
    answer_after_asks: int = 0,
    signing: Signing | None = None,
) -> FastAPI:
    """The treasury's HTTP interface, as README.md describes it."""

    def decide(asked: Instruction, on: date) -> str:
        return check(accounts.get((asked.bank, asked.account_no)), on, asked.name, asked.nik)

    app = new_app("Treasury")
    desk = Desk(journal, decide, answer_after_asks=answer_after_asks)
    _account_checks(app, desk, journal, signing)
    _payment_orders(app, Funds(journal), signing)
    return app


def _account_checks(app: FastAPI, desk: Desk, journal: Journal, signing: Signing | None) -> None:
    @app.put("/account-checks/{file_id}", status_code=202)
    async def take(file_id: Id, request: Request) -> Response:
        claim = claimed(request.headers)
        if signing is not None:
            signing.require(request.headers, f"sha-256=:{claim.digest}:")
        reader = RequestReader(Kind.ACCOUNT_CHECK, file_id, BANKS)
        receipt = await desk.take(reader, request.stream(), claim)
        return answer_file.taken(receipt, signing)

    @app.get("/account-checks/{file_id}")
    async def answer(file_id: Id) -> Response:
        ready = desk.answer(file_id)
        if ready is None:
            return answer_file.not_ready()
        return await answer_file.respond(
            lambda tally: _rows(journal, ready[0], tally), signing, with_sum=False
        )


def _payment_orders(app: FastAPI, funds: Funds, signing: Signing | None) -> None:
    async def require_signed(request: Request) -> None:
        if signing is not None:
            signing.require(request.headers, digest_of(await request.body()))

    @app.put("/payment-orders/{order_id}", status_code=201)
    async def release(order_id: Id, asked: PaymentOrder, request: Request) -> Response:
        await require_signed(request)
        order, new = funds.release(order_id, asked)
        return signed_json(signing, _described(order), 201 if new else 200)

    @app.put("/payment-orders/{order_id}/cancellation", status_code=201)
    async def cancel(order_id: Id, asked: PaymentOrder, request: Request) -> Response:
        await require_signed(request)
        order, new = funds.cancel(order_id, asked)
        return signed_json(signing, _given_back(order), 201 if new else 200)

    @app.get("/payment-orders/{order_id}")
    async def order(order_id: Id) -> Response:
        return signed_json(signing, _described(funds.of(order_id)), 200)


def _rows(journal: Journal, block: Block, tally: Tally) -> Iterator[str]:
    yield answer_file.header("ACCOUNT_CHECK_RESULT", block)
    for line in answer_file.counted(journal.lines(block), tally, Answer.OK):
        yield f"D,{line.reference},{line.status}"
    yield f"T,{tally.count},{tally.good_count}"


def _described(order: Order) -> dict[str, str | int]:
    return {
        "order": order.order_id,
        "sp2d": order.sp2d,
        "count": order.count,
        "rupiah": order.rupiah,
        "hash": order.hash,
    }


def _given_back(order: Cancelled) -> dict[str, str | int]:
    """The answer to a cancellation: the figures that had been released, zeros where none had."""
    released = order.sp2d != ""
    return {
        "order": order.order_id,
        "receipt": order.receipt,
        "sp2d": order.sp2d,
        "count": order.count if released else 0,
        "rupiah": order.rupiah if released else 0,
        "hash": order.hash,
    }


def main() -> None:
    """Run the treasury until it is told to stop."""
    given = options("treasury", __doc__ or "").parse_args()
    directory: Path = given.journal
    directory.mkdir(parents=True, exist_ok=True)
    signing = signing_of(given)
    app = create_app(
        books.load(given.books),
        Journal(directory / "treasury.journal"),
        answer_after_asks=given.answer_after_asks,
        signing=signing["TREASURY"] if signing else None,
    )
    serve("treasury", app, given)


if __name__ == "__main__":
    main()
