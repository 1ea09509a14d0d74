"""A run taken just so far: the step before the one that a test is about."""

from __future__ import annotations

from collections.abc import Callable

from services.payments.domain.run.state import RunState
from services.payments.domain.shared.ids import REGULAR
from services.payments.workers.run_worker import INSTRUCT
from tests.integration.payments.houses import TAHAP_1
from tests.integration.payments.office import STEPS_MAX, Office


async def until_entitled(office: Office) -> None:
    """Pay until every family is entitled, and no file was made yet."""
    await _until(office, lambda run, _: run.entitled is not None)


async def until_checking(office: Office) -> None:
    """Pay until the account check's file is committed."""
    await _until(office, lambda run, _: bool(run.checks))


async def until_instructed(office: Office) -> None:
    """Pay until every payment of the order is instructed, and no file is committed."""
    await _until(office, lambda _, step: step == f"{INSTRUCT}-DONE")


async def until_dispatched(office: Office) -> None:
    """Pay until every bank's file is committed."""

    def dispatched(run: RunState, _: str) -> bool:
        return run.funds is not None and run.sent == run.instructed

    await _until(office, dispatched)


async def _until(office: Office, reached: Callable[[RunState, str], bool]) -> None:
    """Take the first tahap's regular run further, a step at a time, to where it is to be."""
    payer = office.payer()
    for _ in range(STEPS_MAX):
        step = await office.store.pool.fetchval(
            "SELECT step FROM run_open WHERE tahap = $1 AND kind = $2", TAHAP_1, REGULAR
        )
        if reached(await office.run(), step):
            return
        await payer.step()
    raise AssertionError("the run does not come there")
