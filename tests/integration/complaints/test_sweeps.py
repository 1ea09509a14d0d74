"""Sweeps of due days: by chunks that may be killed, by the clock of a zone, past what is broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from uuid import uuid5

import asyncpg
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from libs.chassis.settings import Settings
from libs.events import telemetry
from libs.events.store.postgres import Store
from libs.events.workers.backoff import failing_parts
from services.complaints import main
from services.complaints.domain.deadlines import Level
from services.complaints.http.csv_commands import CASES
from services.complaints.tables.sweeps import SWEEP, SweepJobs, next_sweep
from services.complaints.workers.sweeper import Sweeper
from tests.doors import Door, front_door, sent
from tests.integration.complaints.files import (
    POLICIES,
    complaint,
    file,
    hand_in,
    refusals,
    standings,
    sweep,
)
from tests.integration.complaints.kit import follow, received, seen, step
from tests.unit.complaints.decrees import ladder_decreed_to

DAY = date(2023, 4, 10)
JAYAPURA, MAKASSAR, PONTIANAK = "91.01.01.2001", "73.01.01.2001", "61.08.06.2018"


@dataclass(slots=True)
class Clock:
    """A clock that stands until it is set."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


DAWN = Clock(datetime(2023, 4, 9, 20, tzinfo=UTC))


async def asked(store: Store, day: date) -> None:
    """A sweep that somebody asked for."""
    begin = "INSERT INTO sweep (zone, day, client, key) VALUES ('', $1, 'operator-1', '')"
    await store.pool.execute(begin, day)


_WRITE = "UPDATE events SET data = $2::text::json WHERE stream_id = $1 AND type = 'CaseReceived'"
_READ = "SELECT data::text FROM events WHERE stream_id = $1 AND type = 'CaseReceived'"


@asynccontextmanager
async def unreadable(settings: Settings, *numbers: str) -> AsyncIterator[None]:
    """A store in which nobody can read the cases of these complaints."""
    connection = await asyncpg.connect(settings.bus_url)  # as its owner
    streams = [f"case-{case(number)}" for number in numbers]
    sound = {stream: await connection.fetchval(_READ, stream) for stream in streams}
    try:
        await connection.executemany(_WRITE, [(stream, "[]") for stream in streams])
        yield
        await connection.executemany(_WRITE, list(sound.items()))
    finally:
        await connection.close()


@asynccontextmanager
async def another(settings: Settings) -> AsyncIterator[Store]:
    """The store as a process has it that has read nothing of it before."""
    store = await Store.connect(settings.database_url, "complaints")
    try:
        yield store
    finally:
        await store.close()


async def swept(sweeper: Sweeper) -> int:
    """Let a sweeper go on until nothing is left; how many steps it took."""
    steps = 0
    while await sweeper.step():
        steps += 1
    return steps


async def escalated(store: Store) -> list[tuple[str, str, str]]:
    """(case, level, day) of each turn that others were told of."""
    return [
        (message.key, message.body["level"], message.body["on"])
        for message in await sent(store, "CaseEscalated")
    ]


def case(number: str) -> str:
    """The id of a filed complaint's case."""
    return str(uuid5(CASES, number))


async def test_who_let_a_term_pass_has_a_case_no_more_and_others_are_told(
    complaints: Door, store: Store
) -> None:
    await hand_in(complaints, complaint("C1"), complaint("C2", "2023-04-05"))

    await sweep(complaints, "2023-04-09")  # a Sunday: nobody receives a case
    assert await escalated(store) == []
    await sweep(complaints, "2023-04-10")
    await sweep(complaints, "2023-04-10")

    assert await escalated(store) == [(case("C1"), "REGENCY", "2023-04-10")]
    assert (await standings(complaints, "2023-04-10"))["C1"]["escalations"] == 1


@pytest.mark.parametrize(
    ("on", "problem"), [("2099-01-01", "sweep-in-future"), ("2022-12-30", "holidays-unknown")]
)
async def test_a_day_that_has_not_begun_or_that_nobody_decreed_is_refused(
    complaints: Door, on: str, problem: str
) -> None:
    operator = complaints.who("operator-1", "platform:operate")

    refused = await complaints.post("/sweeps", operator, json={"on": on})

    assert refused.status_code == 409
    assert refused.json()["type"] == f"/problems/{problem}"


# -- The leader's work ----------------------------------------------------------------------------


async def test_a_sweep_that_was_cut_off_goes_on_where_it_was_and_does_nothing_twice(
    store: Store,
) -> None:
    numbers = [f"C{n}" for n in range(7)]
    await file(store, *map(complaint, numbers))
    await asked(store, DAY)

    await Sweeper(store, POLICIES, DAWN, chunk=3).step()  # and its process is gone
    steps = await swept(Sweeper(store, POLICIES, DAWN, chunk=3))

    assert sorted(key for key, _, _ in await escalated(store)) == sorted(map(case, numbers))
    assert steps == 3  # the chunks that were left, and its end


async def test_a_case_that_cannot_be_read_holds_up_nobody_and_is_taken_once_it_can(
    settings: Settings, store: Store
) -> None:
    await file(store, *(complaint(f"C{n}") for n in range(5)))
    await asked(store, DAY)

    async with unreadable(settings, "C3"), another(settings) as fresh:
        await swept(Sweeper(fresh, POLICIES, DAWN))

    others = sorted(case(f"C{n}") for n in (0, 1, 2, 4))
    assert sorted(key for key, _, _ in await escalated(store)) == others
    assert [each.item for each in await failing_parts(store.pool, SWEEP, case("C3"))] == [
        case("C3")
    ]

    async with another(settings) as fresh:
        await swept(Sweeper(fresh, POLICIES, DAWN))

    assert sorted(key for key, _, _ in await escalated(store)) == sorted([*others, case("C3")])
    assert await failing_parts(store.pool, SWEEP, case("C3")) == []


async def test_where_nearly_all_fail_none_is_left_out_and_the_sweep_waits(
    settings: Settings, store: Store
) -> None:
    numbers = [f"C{n}" for n in range(4)]
    await file(store, *map(complaint, numbers))
    await asked(store, DAY)

    async with unreadable(settings, *numbers), another(settings) as fresh:
        await swept(Sweeper(fresh, POLICIES, DAWN, left_max=3))

    assert await store.pool.fetchval("SELECT count(*) FROM unswept_case") == 0
    assert [each.item for each in await failing_parts(store.pool, SWEEP, str(DAY))] == [str(DAY)]
    assert await next_sweep(store)


NO_DECREE = replace(POLICIES, ladder=ladder_decreed_to(2026))
NEW_YEAR = Clock(datetime(2027, 1, 5, 3, tzinfo=UTC))


@pytest_asyncio.fixture
async def undecreed(settings: Settings, tmp_path: Path) -> AsyncIterator[Door]:
    """The door of the service in a year whose decree is missing."""
    service = replace(main.SERVICE, parts=partial(main.parts, policies=NO_DECREE))
    async with front_door(service, settings, tmp_path, NEW_YEAR.at) as opened:
        yield opened


async def test_a_missing_decree_turns_no_citizen_away_and_is_named(undecreed: Door) -> None:
    clerk = undecreed.who("clerk-1", "complaints:read", "complaints:handle")

    new = await received(undecreed)
    sooner = await received(undecreed, received_on="2026-12-21")

    shown = await seen(undecreed, new["case"], clerk)
    assert (shown["due_on"], shown["withheld"], shown["overdue"]) == (None, "DECREE_MISSING", False)
    dated = await seen(undecreed, sooner["case"], clerk)
    assert (dated["due_on"], dated["withheld"]) == ("2026-12-29", None)
    followed = (await follow(undecreed, new["receipt"], new["pin"])).json()
    assert (followed["due_on"], followed["withheld"]) == (None, "DECREE_MISSING")
    listed = await undecreed.client.get("/cases?withheld=DECREE_MISSING", headers=clerk)
    assert [row["case"] for row in listed.json()["items"]] == [new["case"]]
    # Whoever can wait for it is told so by name: files, and staff with a question.
    report = await hand_in(undecreed, complaint("C1"), complaint("C2", "2026-12-29"))
    assert refusals(report) == [(3, "received_at", "HOLIDAYS_UNKNOWN")]
    resolved = complaint("C3", "2026-12-21", resolved_at="2027-01-05T10:00:00", resolution="UPHELD")
    assert refusals(await hand_in(undecreed, resolved)) == [(2, "received_at", "HOLIDAYS_UNKNOWN")]
    question = {"words": "Which month?"}
    assert await step(undecreed, new["case"], "question", clerk, question) == "holidays-unknown"
    # Days that nobody decreed are swept all the same.
    await sweep(undecreed, "2027-01-05")


async def counts(store: Store, day: date) -> dict[str, int]:
    """The figures of the sweep that somebody asked for."""
    job = await SweepJobs().find(store, f"sweep-{day}")
    assert job is not None
    assert job.state == "DONE"
    return dict(job.counts)


async def test_a_case_whose_next_term_nobody_decreed_is_named_and_others_go_on(
    store: Store,
) -> None:
    """Of a level with 17 days the term from 7 December ends on the last day of the year."""
    terms: dict[Level, int] = {"DISTRICT": 5, "REGENCY": 17, "PROVINCE": 14, "NATION": 30}
    last = [complaint("C1", "2026-11-30"), complaint("C2", "2026-11-27")]
    await file(store, *last)
    short = replace(NO_DECREE, ladder=replace(NO_DECREE.ladder, terms={DAY: terms}))
    await asked(store, date(2026, 12, 8))

    with capture_logs() as logs:
        await swept(Sweeper(store, short, DAWN, left_max=0))  # it is nobody's fault

    assert await escalated(store) == [(case("C2"), "REGENCY", "2026-12-07")]
    assert await counts(store, date(2026, 12, 8)) == {"escalated": 1, "undated": 1}
    assert [each["streams"] for each in logs if "streams" in each] == [[f"case-{case('C1')}"]]
    assert await failing_parts(store.pool, SWEEP, case("C1")) == []


async def test_the_first_days_of_a_year_without_a_decree_are_swept(store: Store) -> None:
    await file(store, complaint("C1", "2026-11-12"))
    await asked(store, date(2027, 1, 5))

    await swept(Sweeper(store, NO_DECREE, NEW_YEAR))

    assert [level for _, level, _ in await escalated(store)] == ["REGENCY", "PROVINCE"]
    # It is looked at again behind the place to which it came, which is before that day too.
    assert await counts(store, date(2027, 1, 5)) == {"escalated": 2, "undated": 1}
    [decreed, *_] = await Sweeper(store, NO_DECREE, NEW_YEAR).readings()
    assert (decreed.metric, decreed.value) == (telemetry.DECREED_DAYS, -5)


async def test_due_days_come_with_the_decree_whoever_is_killed_while_they_are_counted(
    store: Store, undecreed: Door
) -> None:
    """A citizen is turned away by no missing decree; the due day follows."""
    cases = [(await received(undecreed, received_on="2026-12-29"))["case"] for _ in range(5)]
    shown = await seen(undecreed, cases[0], undecreed.who("clerk-1", "complaints:read"))
    assert (shown["due_on"], shown["withheld"]) == (None, "DECREE_MISSING")
    before = await Sweeper(store, NO_DECREE, NEW_YEAR).readings()
    await swept(Sweeper(store, NO_DECREE, NEW_YEAR))
    assert await sent(store, "CaseDated") == []

    killed = Sweeper(store, POLICIES, NEW_YEAR, chunk=2)
    await killed.step()  # the day begins
    await killed.step()  # and the process is gone after a chunk
    assert len(await sent(store, "CaseDated")) == 2
    await swept(Sweeper(store, POLICIES, NEW_YEAR, chunk=2))
    await swept(Sweeper(store, POLICIES, NEW_YEAR, chunk=2))

    dated = {message.key: message.body["due_on"] for message in await sent(store, "CaseDated")}
    assert dated == dict.fromkeys(cases, "2027-01-07")
    assert len(await sent(store, "CaseDated")) == 5
    assert [s.value for s in before if s.labels == ("DISTRICT", "UNDATED")] == [5]


async def test_the_clock_begins_the_day_of_each_zone_where_it_begins(store: Store) -> None:
    places = {"C1": JAYAPURA, "C2": MAKASSAR, "C3": PONTIANAK}
    await file(store, *(complaint(n, region_code=region) for n, region in places.items()))
    clock = Clock(datetime(2023, 4, 9, 14, 59, tzinfo=UTC))
    sweeper = Sweeper(store, POLICIES, clock)

    await swept(sweeper)  # the first day that it sees has no day before it
    found: list[list[str]] = []
    for hour in (15, 16, 17, 18):
        clock.at = datetime(2023, 4, 9, hour, tzinfo=UTC)
        await swept(sweeper)
        found.append([key for key, _, _ in await escalated(store)])

    assert found == [
        [case("C1")],
        [case("C1"), case("C2")],
        [case("C1"), case("C2"), case("C3")],
        [case("C1"), case("C2"), case("C3")],
    ]
    assert {day for _, _, day in await escalated(store)} == {"2023-04-10"}


async def test_days_on_which_nobody_was_there_are_made_up_for(store: Store) -> None:
    await file(store, complaint())
    await swept(Sweeper(store, POLICIES, Clock(datetime(2023, 3, 30, 12, tzinfo=UTC))))

    await swept(Sweeper(store, POLICIES, Clock(datetime(2023, 5, 31, 12, tzinfo=UTC))))

    assert await escalated(store) == [
        (case("C000001"), "REGENCY", "2023-04-10"),
        (case("C000001"), "PROVINCE", "2023-04-25"),
        (case("C000001"), "NATION", "2023-05-17"),
    ]


async def test_terms_that_end_are_shown_before_they_are_over(store: Store) -> None:
    days = {"C1": "2023-03-30", "C2": "2023-03-31", "C3": "2023-04-06"}
    await file(store, *(complaint(number, day) for number, day in days.items()))
    clock = Clock(datetime(2023, 4, 8, 12, tzinfo=UTC))  # C1 was due on 6 April, C2 is on 10 April

    found = await Sweeper(store, POLICIES, clock).readings()

    of_district = {sample.labels[1]: sample.value for sample in found[1:5]}
    assert of_district == {"IN_TERM": 1, "DUE": 1, "OVER": 1, "UNDATED": 0}
    assert [sample.value for sample in found[5:]] == [0] * 12
