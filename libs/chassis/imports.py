"""Takes an uploaded CSV file in: all of it in one transaction, or only its good rows if asked.

@import_route(router, "families", FAMILY_COLUMNS, ImportReport)
async def import_families(csv_import: CsvImportOf, importer: Importer) -> Take[ImportReport]:
    return csv_import.for_(importer).families
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from inspect import cleandoc
from typing import Annotated, Any, Final, TypeVar

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from libs.chassis.csv_upload import CSV_BODY, Columns, ImportReport, Malformed, Row, read_rows
from libs.chassis.etag import Unconditional
from libs.chassis.idempotency import OnceOnly, OnceStreamed, Reply
from libs.chassis.import_jobs import ImportJob
from libs.chassis.middleware import Asked, resource, upload_up_to
from libs.chassis.problems import Refusal
from libs.chassis.service import StoreOf
from libs.chassis.spool import Spool
from libs.events.consumer.batch_bisection import by_halves
from libs.events.domain.errors import ConcurrencyConflict, safe_text
from libs.events.store.model import Context
from libs.events.store.postgres import Store
from libs.events.store.transaction import Transaction

IMPORT_BYTES_MAX: Final = 4 * 1024**3

UNREADABLE_MAX: Final = 100
"""Rows of a file that are set aside because of what is stored; of more the fault is not theirs."""
WHOLE_FILE: Final = (Refusal, ConcurrencyConflict)
"""Faults that no single row is to blame for."""

log = structlog.get_logger("import")

Partial = Annotated[bool, Query(description="Take the good rows even if others are refused.")]
R = TypeVar("R", bound=ImportReport)
Take = Callable[[Transaction, list[Row], R], Awaitable[None]]
TakeOf = Callable[..., Awaitable[Take[R]]]


class RefusedRow(BaseModel):
    """A place where a row was refused or is to be looked at, and why; never its value."""

    line: int
    column: str
    code: str
    message: str


class Report(BaseModel):
    """The outcome of a file's rows."""

    file: str
    job: str
    accepted: int
    unchanged: int
    refused: int
    errors: list[RefusedRow]
    warnings: list[RefusedRow] = []


def import_route(
    router: APIRouter,
    name: str,
    columns: Columns,
    report: type[R],
    model: type[Report] = Report,
) -> Callable[[TakeOf[R]], TakeOf[R]]:
    """The route POST /imports/{name}: a file of these columns, answered by a `model` of its report.

    The function beneath is a dependency: it says who may send the file, and gives what takes its
    rows. Its name and docstring describe the route.
    """

    def routed(take_of: TakeOf[R]) -> TakeOf[R]:
        async def imported(
            request: Request,
            store: StoreOf,
            context: Asked,
            once: OnceStreamed,
            spool: Annotated[Spool, resource("spool")],
            partial: Partial = False,
            take: Any = Depends(take_of),
        ) -> Response:
            rows = report(f"{name.replace('-', '_')}.csv")
            return await take_file(
                request, store, context, once, spool, rows, columns, take, partial=partial
            )

        router.post(
            f"/imports/{name}",
            name=take_of.__name__,
            description=cleandoc(take_of.__doc__ or ""),
            dependencies=[upload_up_to(IMPORT_BYTES_MAX), Unconditional],
            openapi_extra=CSV_BODY,
            response_model=model,
        )(imported)
        return take_of

    return routed


async def take_file(
    request: Request,
    store: Store,
    context: Context,
    once: OnceOnly,
    spool: Spool,
    report: R,
    columns: Columns,
    take: Take[R],
    *,
    partial: bool,
) -> Response:
    """Receive a file whole, stream its rows through `take` in one transaction, answer its report.

    Unless `partial`, a refused row refuses the file: a 422 problem with the report, and nothing
    of it is kept. A job beside the transaction shows how far it is.
    """
    async with spool.received(once.client, once.following(request.stream())) as upload:
        job = ImportJob(store, once, report.file, upload.size)
        async with store.transaction(context) as unit, job.running(unit.connection):
            # Its last statement gives all events of a file their positions, however many.
            await unit.connection.execute("SET LOCAL statement_timeout = 0")
            report.job = job.id
            unreadable: list[Exception] = []
            async for rows in read_rows(job.counting(upload.chunks()), columns, report):
                unreadable += await _take_each(unit, rows, report, take)
                if len(unreadable) > UNREADABLE_MAX:
                    raise unreadable[-1]
                await job.advance(report, len(rows))
            await once.claim(unit.connection)
            if report.refused and not partial:
                raise Refusal(
                    422,
                    "rows-refused",
                    f"{report.refused} rows of {report.file} were refused, so none was taken.",
                    members={"report": asdict(report)},
                )
            reply = Reply(200, asdict(report), job.headers)
            await once.keep(unit.connection, reply)
            await job.done(unit.connection, report)
    position = unit.position if unit.position is not None else (await store.head())[0]
    return reply.response(position)


async def _take_each(
    unit: Transaction, rows: list[Row], report: R, take: Take[R]
) -> list[Exception]:
    """Take a batch of rows; one that fails by itself, whatever is wrong with what is stored of
    whom it speaks, is refused by its line and stops no other. Answers what those failed with."""

    async def attempt(some: Sequence[Row]) -> None:
        before = report.copy()
        try:
            await take(unit, [*some], report)
        except Exception:
            report.restore(before)
            raise

    failed = await by_halves(unit, rows, attempt, WHOLE_FILE)
    for (line, cells), error in failed:
        report.refuse(line, next(iter(cells)), Malformed.CANNOT_BE_TAKEN)
        log.error("row cannot be taken", file=report.file, line=line, error=safe_text(error))
    return [error for _, error in failed]
