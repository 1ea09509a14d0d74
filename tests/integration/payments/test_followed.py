"""A freeze's approval, and a bank's file and answer, as one follows them through payments' code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from services.payments.partners.answers import CREDITED, Answer, Verdict
from services.payments.partners.files import FileOf
from services.payments.tables.run_lines import payable_lines
from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office
from tests.integration.payments.steps import until_dispatched

FREEZE_FILES_MAX: Final = 7
BOOKING_FILES_MAX: Final = 10
"""From a bank's answer as it was read to events, ledger rows and messages."""
EXCHANGE_FILES_MAX: Final = 18
"""Of whole steps of the leader: a committed file sent, its answer awaited, read and booked."""
SERVICE: Final = "services/payments/"
VILLAGE = houses(3, "BNI")
HASH: Final = "0" * 64
PATH: Final = f"/tahap/{TAHAP_1}"


@contextmanager
def walked() -> Iterator[set[str]]:
    """The files of the service whose functions are called inside."""
    files: set[str] = set()

    def called(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and SERVICE in name and frame.f_code.co_name != "<module>":
            files.add(name.partition(SERVICE)[2])

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield files
    finally:
        sys.setprofile(before)


async def test_approving_a_freeze_is_followed_in_a_few_files(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    digest = {"hash": (await office.seen(PATH))["list"]["hash"]}
    await office.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)
    tag = await office.tag(PATH)

    with walked() as files:
        answer = await office.asked_by(
            CHECKER, "check", f"{PATH}/freeze-approval", digest, seen=tag
        )

    assert answer.status_code == 204, answer.text
    assert len(files) <= FREEZE_FILES_MAX, sorted(files)


async def test_booking_a_banks_answer_is_followed_in_a_few_files(office: Office) -> None:
    await dispatched(office)
    payer = office.payer()
    [row] = await office.store.pool.fetch("SELECT * FROM run_open")
    job = await payer._job(row)
    assert job is not None
    file = job.state.files[0].file
    which = FileOf(*job.key, file, "BNI", job.announced.credit_date)
    answers = {
        line["payment"]: Answer(CREDITED, Verdict.YES, "BNI-1", line["amount"])
        async for lines in payable_lines(office.store, job.key)
        for line in lines
    }

    with walked() as files:
        await payer.exchange.book(job, which, HASH, answers)

    assert (await office.run()).credited.count == len(VILLAGE)
    assert len(files) <= BOOKING_FILES_MAX, sorted(files)


async def test_a_banks_file_and_its_answer_are_followed_in_a_few_files(office: Office) -> None:
    await dispatched(office)
    payer = office.payer()

    with walked() as files:
        while not (await office.run()).results:
            await payer.step()

    assert len(files) <= EXCHANGE_FILES_MAX, sorted(files)


async def dispatched(office: Office) -> None:
    """A run whose bank's file is committed, and not sent yet."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()
    await until_dispatched(office)
