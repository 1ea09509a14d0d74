"""Two things that people follow through payments' code: a freeze's approval, a bank's answer."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, MAKER, Office
from tests.integration.payments.steps import until_dispatched

FREEZE_FILES_MAX: Final = 9
BOOKING_FILES_MAX: Final = 20
"""Of a whole step of the leader: the file sent, its answer taken, payments and books moved."""
SERVICE: Final = "services/payments/"
VILLAGE = houses(3, "BNI")
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
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()
    await until_dispatched(office)
    payer = office.payer()

    with walked() as files:
        while not (await office.run()).results:
            await payer.step()

    assert len(files) <= BOOKING_FILES_MAX, sorted(files)
