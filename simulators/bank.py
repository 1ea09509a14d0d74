"""The four banks: credit payments from files, each payment at most once, and answer for it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from simulators import answer_file, books
from simulators.answer_file import Tally
from simulators.books import BANKS, Books
from simulators.check import Answer, check
from simulators.decided import Decided
from simulators.desk import Desk
from simulators.journal import Block, Journal, Line
from simulators.misbehaviour import (
    CREDITED,
    Misbehaviour,
    with_contradiction,
    with_stray_line,
)
from simulators.refusals import Code, Refusal
from simulators.request_file import Instruction, Kind, RequestReader, claimed
from simulators.serve import Id, Reference, new_app, options, serve, signing_of
from simulators.signing import Signing


class Bank:
    """One bank: its desk for credit files, its memory of payments, its journal."""

    def __init__(
        self,
        name: str,
        accounts: Books,
        journal: Journal,
        *,
        answer_after_asks: int = 0,
        misbehaves: Collection[Misbehaviour] = (),
        signing: Signing | None = None,
    ) -> None:
        self.name, self.signing = name, signing
        self.decided = Decided(
            journal, accept_duplicates=Misbehaviour.ACCEPT_DUPLICATES in misbehaves
        )
        self._accounts, self._journal, self._misbehaves = accounts, journal, misbehaves
        self.desk = Desk(journal, self._decide, self.decided, answer_after_asks=answer_after_asks)

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    def rows(self, block: Block, times_before: int, tally: Tally) -> Iterator[str]:
        """The result file of a credit file that was taken."""
        yield answer_file.header("CREDIT_RESULT", block)
        lines = self._lines(block, times_before)
        for line in answer_file.counted(lines, tally, CREDITED):
            reference = bank_reference(self.name, line.reference, line.status) or ""
            yield f"D,{line.reference},{line.status},{line.amount},{reference}"
        yield f"T,{tally.count},{tally.sum},{tally.good_count},{tally.good_sum}"

    def payment(self, reference: str) -> dict[str, str | int | None]:
        """The outcome of one payment; `Refusal` when this bank never took it."""
        outcome = self.decided.of(reference)
        if outcome is None:
            raise Refusal(Code.UNKNOWN_PAYMENT)
        amount, status = outcome
        return {
            "reference": reference,
            "status": status,
            "amount": amount,
            "bank_reference": bank_reference(self.name, reference, status),
        }

    def _decide(self, asked: Instruction, on: date) -> str:
        account = self._accounts.get((self.name, asked.account_no))
        answer = check(account, on, asked.name, asked.nik)
        return CREDITED if answer is Answer.OK else answer

    def _lines(self, block: Block, times_before: int) -> Iterator[Line]:
        lines = self._journal.lines(block)
        if Misbehaviour.CONTRADICT in self._misbehaves and times_before > 0:
            lines = with_contradiction(lines)
        if Misbehaviour.STRAY_LINE in self._misbehaves:
            lines = with_stray_line(lines, block.file_id)
        return lines


def bank_reference(bank: str, reference: str, status: str) -> str | None:
    """A bank's own number for a credit, the same whenever it is asked; None without a credit.

    In groups of eight, so that no run of digits is ever as long as a person's number.
    """
    if status != CREDITED:
        return None
    digest = hashlib.sha256(f"{bank}|{reference}".encode()).hexdigest().upper()
    return f"{bank}-{digest[:8]}-{digest[8:16]}-{digest[16:24]}"


def create_app(banks: Mapping[str, Bank]) -> FastAPI:
    """The banks' HTTP interface, as README.md describes it."""
    app = new_app("Banks")

    def bank_of(name: str) -> Bank:
        if name not in banks:
            raise Refusal(Code.UNKNOWN_BANK)
        return banks[name]

    @app.put("/banks/{name}/credit-files/{file_id}", status_code=202)
    async def take(name: str, file_id: Id, request: Request) -> Response:
        bank, claim = bank_of(name), claimed(request.headers)
        if bank.signing is not None:
            bank.signing.require(request.headers, f"sha-256=:{claim.digest}:")
        reader = RequestReader(Kind.CREDIT, file_id, (name,))
        return answer_file.taken(
            await bank.desk.take(reader, request.stream(), claim), bank.signing
        )

    @app.get("/banks/{name}/credit-files/{file_id}")
    async def result(name: str, file_id: Id) -> Response:
        bank = bank_of(name)
        ready = bank.desk.answer(file_id)
        if ready is None:
            return answer_file.not_ready()
        return await answer_file.respond(
            lambda tally: bank.rows(*ready, tally), bank.signing, with_sum=True
        )

    @app.get("/banks/{name}/payments/{reference}")
    async def payment(name: str, reference: Reference) -> Response:
        return JSONResponse(bank_of(name).payment(reference))

    return app


def open_banks(
    accounts: Books,
    directory: Path,
    *,
    answer_after_asks: int = 0,
    misbehaves: Collection[Misbehaviour] = (),
    signing: Mapping[str, Signing] | None = None,
) -> dict[str, Bank]:
    """The four banks, each with its journal in `directory`, and its key where there are any."""
    directory.mkdir(parents=True, exist_ok=True)
    return {
        name: Bank(
            name,
            accounts,
            Journal(directory / f"{name}.journal"),
            answer_after_asks=answer_after_asks,
            misbehaves=misbehaves,
            signing=signing[name] if signing else None,
        )
        for name in BANKS
    }


def main() -> None:
    """Run the four banks until they are told to stop."""
    parser = options("bank", __doc__ or "")
    parser.add_argument(
        "--misbehave", type=Misbehaviour, choices=list(Misbehaviour), action="append", default=[]
    )
    given = parser.parse_args()
    banks = open_banks(
        books.load(given.books),
        given.journal,
        answer_after_asks=given.answer_after_asks,
        misbehaves=frozenset(given.misbehave),
        signing=signing_of(given),
    )
    serve("bank", create_app(banks), given)


if __name__ == "__main__":
    main()
