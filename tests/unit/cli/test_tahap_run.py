from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from cli.client.http import Connected, Refused
from cli.client.screen import Screen
from cli.client.tahap_jobs import PARTS, show_tahap
from cli.client.tahap_state import LOOKS_MAX
from cli.client.year import Tahap
from cli.demo.tahap_run import run_tahap
from tests.unit.cli.conftest import FakePlatform, answer, job_as_told
from tests.unit.cli.fake_payments import TAHAP, FakePayments

FIRST = Tahap(
    1,
    TAHAP,
    ("2023-01", "2023-02", "2023-03"),
    date(2023, 3, 31),
    date(2023, 4, 5),
    date(2023, 4, 20),
)
AFTER = {"registry": 4180, "conditionality": 5120}
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"


@pytest.fixture
def screen() -> Screen:
    return Screen(Console(file=StringIO(), width=200))


def shown(screen: Screen) -> str:
    file = screen.console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


async def test_a_tahap_is_announced_frozen_ordered_and_paid_by_two_people_at_each_step(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake)

    with screen:
        seconds = await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.phase == "CLOSED"
    assert [(step, who) for step, who, _ in payments.done] == [
        ("tahap", "announcer"),
        ("announcement-approval", "head"),
        ("freeze-proposal", "maker"),
        ("freeze-approval", "checker"),
        ("order-proposal", "maker"),
        ("order-approval", "checker"),
    ]
    assert 0 < seconds < 10


async def test_the_announcement_names_months_dates_and_what_must_be_consumed_first(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake)

    await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.done[0][2] == {
        "tahap": "2023-1",
        "months": ["2023-01", "2023-02", "2023-03"],
        "closing_date": "2023-03-31",
        "account_check_date": "2023-04-05",
        "credit_date": "2023-04-20",
    }
    assert payments.done[1][2] == {"hash": "a1b2", "after": AFTER}


async def test_both_people_send_the_hash_that_stands(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake)

    await run_tahap(platform, FIRST, AFTER, screen)

    assert [body.get("hash") for _, _, body in payments.done[2:]] == [
        "5f2b",
        "5f2b",
        "7b6a",
        "7b6a",
    ]


async def test_families_that_can_only_be_deferred_are_deferred_by_name_and_told(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    candidate = {"family": FAMILY, "reason": "PARKED_AT_CONDITIONALITY"}
    payments = FakePayments(fake, candidates=[candidate])

    with screen:
        await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.phase == "SETTLED"
    assert payments.done[2][2]["deferred"] == [candidate]
    assert f"2023-1 is frozen without {FAMILY}: PARKED_AT_CONDITIONALITY" in shown(screen)


async def test_a_list_that_moved_between_two_looks_is_looked_at_again(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake, refusals=["list-moved", "stale-hash"])

    await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.phase == "CLOSED"
    assert [step for step, _, _ in payments.done].count("freeze-proposal") == 3


async def test_a_list_that_always_moves_is_given_up(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    FakePayments(fake, refusals=["list-moved"] * LOOKS_MAX)

    with pytest.raises(Refused, match="list-moved"):
        await run_tahap(platform, FIRST, AFTER, screen)


async def test_another_refusal_is_not_tried_again(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake, refusals=["same-person"])

    with pytest.raises(Refused, match="same-person"):
        await run_tahap(platform, FIRST, AFTER, screen)

    assert len(payments.done) == 3


async def test_where_nobody_passes_the_account_check_nothing_is_ordered(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    payments = FakePayments(fake, order=False)

    await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.phase == "CLOSED"
    assert [step for step, _, _ in payments.done][-1] == "freeze-approval"


# -- Going on ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "run_phase", "steps"),
    [
        (
            "PROPOSED",
            "",
            [
                "announcement-approval",
                *("freeze-proposal", "freeze-approval", "order-proposal", "order-approval"),
            ],
        ),
        (
            "COLLECTING",
            "",
            ["freeze-proposal", "freeze-approval", "order-proposal", "order-approval"],
        ),
        ("FREEZE_PROPOSED", "", ["freeze-approval", "order-proposal", "order-approval"]),
        ("PAYING", "ENTITLING", ["order-proposal", "order-approval"]),
        ("PAYING", "ORDER_PROPOSED", ["order-approval"]),
        ("PAYING", "RELEASING_FUNDS", []),
        ("CLOSED", "RECONCILED", []),
    ],
)
async def test_a_tahap_that_was_left_anywhere_goes_on_where_it_was(
    platform: Connected,
    fake: FakePlatform,
    screen: Screen,
    phase: str,
    run_phase: str,
    steps: list[str],
) -> None:
    payments = FakePayments(fake, phase=phase, run_phase=run_phase)

    await run_tahap(platform, FIRST, AFTER, screen)

    assert payments.phase == "CLOSED"
    assert [step for step, _, _ in payments.done] == steps


async def test_a_bar_shows_the_jobs_of_a_tahap(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    of_families = {"unit": "families", "done": 5, "total": 10, "rate": 2.0}
    jobs = {
        f"registry/jobs/listing-{TAHAP}": {"kind": "listing", "state": "DONE"},
        f"conditionality/jobs/evaluation-{TAHAP}": {"kind": "evaluation", "state": "RUNNING"},
    }
    for path, job in jobs.items():
        fake.when("GET", path, answer(job_as_told(**of_families | job)))
    steps = [{"name": "ENTITLING", "state": "WAITING", "done": 0, "total": 10}]
    run = job_as_told(kind="run", steps=steps)
    fake.when("GET", f"payments/jobs/run-{TAHAP}-REGULAR", answer(run))
    bar = screen.bar("tahap")

    await show_tahap(platform.client("observer", "platform:read"), TAHAP, bar)

    [task] = screen.progress.tasks
    assert (task.completed, task.total) == (1.5, PARTS)
    assert task.fields["text"] == "evaluation 5 of 10 · 2/s"


async def test_how_it_went_stays_on_the_screen(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    FakePayments(fake)

    with screen:
        await run_tahap(platform, FIRST, AFTER, screen)

    expected = "CLOSED · listed 11 · evaluated 10 · entitled 10 · credited 9"
    assert expected in shown(screen)
