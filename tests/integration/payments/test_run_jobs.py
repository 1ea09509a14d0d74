"""A tahap's list and its runs are jobs: how far each step is, who is waited for, and the result."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import CHECKER, Office
from tests.integration.payments.test_runs import CLOSED_AT_CHECK, CLOSED_AT_CREDIT, VILLAGE

LIST, RUN = f"tahap-{TAHAP_1}", f"run-{TAHAP_1}-REGULAR"


async def steps_of(office: Office) -> dict[str, tuple[str, int, int | None]]:
    """{name: (state, done, total)} of the run's steps."""
    job = await office.seen(f"/jobs/{RUN}")
    return {each["name"]: (each["state"], each["done"], each["total"]) for each in job["steps"]}


async def test_a_list_is_done_when_two_people_can_decide_on_it(office: Office) -> None:
    await office.announce()
    announced = await office.seen(f"/jobs/{LIST}")
    lines = [await office.elsewhere.line(house, TAHAP_1) for house in houses(3, "BNI")]
    await office.take(*lines)
    going = await office.seen(f"/jobs/{LIST}")

    assert (announced["state"], announced["done"], announced["total"]) == ("RUNNING", 0, None)
    assert (going["done"], going["unit"], going["counts"]) == (
        3,
        "lines",
        {"listed": 3, "evaluated": 0},
    )


async def test_a_run_tells_its_steps_who_is_waited_for_and_what_it_came_to(office: Office) -> None:
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    listed = await office.seen(f"/jobs/{LIST}")
    await office.frozen()
    await office.pay()
    waiting = await office.seen(f"/jobs/{RUN}")
    assert await steps_of(office) == {
        "ENTITLING": ("DONE", 8, 8),
        "CHECKING_ACCOUNTS": ("DONE", 7, 7),
        "ORDERING": ("WAITING", 0, 6),
        "INSTRUCTING": ("WAITING", 0, 6),
        "DISPATCHING": ("WAITING", 0, 6),
        "CREDITING": ("WAITING", 0, 6),
    }
    await office.ordered()
    await office.pay()
    paid = await office.seen(f"/jobs/{RUN}")

    assert (listed["state"], listed["done"], listed["total"]) == ("DONE", 16, 16)
    assert (listed["result"]["count"], listed["result"]["missing"]) == (8, 0)
    # Without a valid payee, and with a closed account, nothing more is done for a payment.
    assert (waiting["state"], waiting["done"], waiting["total"]) == ("WAITING", 2, 8)
    assert (paid["state"], paid["done"], paid["total"], paid["unit"]) == ("DONE", 8, 8, "payments")
    assert paid["result"] == {"credited": 5, "failed": 1}
    assert {state for state, *_ in (await steps_of(office)).values()} == {"DONE"}


async def test_a_run_of_which_nobody_passes_the_check_is_done(office: Office) -> None:
    office.world.accounts.update(books_of([CLOSED_AT_CHECK]))
    await office.arrived([CLOSED_AT_CHECK])
    await office.frozen()
    await office.pay()

    job = await office.seen(f"/jobs/{RUN}")

    assert (job["state"], job["done"], job["total"]) == ("DONE", 1, 1)
    assert job["result"] == {"credited": 0, "failed": 0}


async def test_a_run_that_is_cut_off_goes_on_from_its_cursor(
    office: Office,
) -> None:
    village = houses(3, "BNI")
    office.world.accounts.update(books_of(village))
    await office.arrived(village)
    await office.frozen()
    payer = office.payer()
    payer.chunks_a_step = 1
    assert await payer.step()
    assert await payer.step()
    before = await steps_of(office)
    assert before["ENTITLING"][1] > 0
    assert before["CHECKING_ACCOUNTS"] == ("WAITING", 0, None)

    await office.pay()

    assert (await steps_of(office))["CHECKING_ACCOUNTS"] == ("DONE", 3, 3)


@pytest.mark.parametrize(("job", "reason"), [(LIST, "joined to its end"), (RUN, "paid to its end")])
async def test_neither_a_list_nor_a_run_can_be_cancelled(
    office: Office, job: str, reason: str
) -> None:
    await office.arrived([CLOSED_AT_CREDIT])
    await office.frozen()
    await office.pay()
    operator = office.door.who(CHECKER, "platform:operate")

    answer = await office.door.post(f"/jobs/{job}/cancellation", operator)

    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["type"]) == (409, "/problems/job-not-cancellable")
    assert reason in problem["detail"]
