from pathlib import Path

import httpx
import pytest
from rich.console import Console

from cli.client.http import Connected
from cli.client.screen import Bar, Screen
from cli.demo.loading import IMPORTS, SCOPES, Showing, load_year, without_service
from cli.errors import Failed
from tests.unit.cli.conftest import FakePlatform, answer, job_as_told

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"


@pytest.fixture
def loaded(fake: FakePlatform) -> FakePlatform:
    """Services that take every file; each answer's position is one more."""
    taken = iter(range(1, 100))

    def take(_request: httpx.Request) -> httpx.Response:
        return answer({}, Position=str(next(taken)))

    for each in IMPORTS.values():
        fake.when("POST", f"{each.service}{each.path}", take)
        fake.when("GET", f"{each.service}/jobs", answer({"items": [], "next": None}))
    return fake


@pytest.fixture
def screen() -> Screen:
    return Screen(Console(quiet=True))


@pytest.fixture
def bars(screen: Screen) -> Showing:
    return screen.file


def paths(fake: FakePlatform, service: str) -> list[str]:
    return [
        request.url.path
        for request in fake.asked
        if request.url.host == service and request.method == "POST"
    ]


async def test_each_service_gets_its_files_in_the_order_in_which_it_needs_them(
    platform: Connected, loaded: FakePlatform, bars: Showing
) -> None:
    await load_year(platform.client("clerk", *SCOPES), YEAR, bars)

    assert paths(loaded, "registry") == [
        "/imports/families",
        "/imports/members",
        "/imports/life-events",
    ]
    assert paths(loaded, "conditionality") == [
        "/imports/school-attendance",
        "/imports/health-verification",
    ]


async def test_the_last_position_of_each_service_is_what_a_closing_waits_for(
    platform: Connected, loaded: FakePlatform, bars: Showing
) -> None:
    last = {"registry": "4180", "conditionality": "5120"}
    for path, service in (
        ("/imports/life-events", "registry"),
        ("/imports/health-verification", "conditionality"),
    ):
        loaded.when("POST", f"{service}{path}", answer({}, Position=last[service]))

    after = await load_year(platform.client("clerk", *SCOPES), YEAR, bars)

    assert after == {"registry": 4180, "conditionality": 5120}


async def test_every_file_has_a_bar_of_its_size_that_ends_with_what_its_job_says(
    platform: Connected, loaded: FakePlatform, screen: Screen
) -> None:
    sizes: dict[str, int] = {}

    def showing(name: str, size: int) -> Bar:
        sizes[name] = size
        return screen.file(name, size)

    job = job_as_told(state="RUNNING", done=4_000_000, rate=2_500_000.0, counts={"rows": 717})
    loaded.when("GET", "registry/jobs", answer({"items": [job]}))

    await load_year(platform.client("clerk", *SCOPES), YEAR, showing)

    assert sizes == {
        each.file: (YEAR / each.file).stat().st_size
        for each in IMPORTS.values()
        if each.of_year and not each.of_families
    }
    tasks = {task.description: task for task in screen.progress.tasks}
    assert all(task.finished for task in tasks.values())
    assert tasks["members.csv"].fields["text"] == "717 rows · 448 rows/s"


async def test_a_file_that_was_taken_under_its_key_is_not_sent_again(
    platform: Connected, loaded: FakePlatform, bars: Showing
) -> None:
    def jobs(request: httpx.Request) -> httpx.Response:
        state = {"key of families.csv": "DONE", "key of members.csv": "INTERRUPTED"}
        found = state.get(request.url.params["key"])
        return answer({"items": [job_as_told(state=found)] if found else [], "next": None})

    loaded.when("GET", "registry/jobs", jobs)
    clerk = platform.client("clerk", *SCOPES)

    after = await load_year(clerk, YEAR, bars, lambda each: f"key of {each.file}")

    assert paths(loaded, "registry") == ["/imports/members", "/imports/life-events"]
    keys = [request.headers.get("Idempotency-Key") for request in loaded.asked]
    assert {"key of members.csv", "key of life_events.csv"} <= set(keys)
    assert after["registry"] > 0


async def test_a_refused_file_ends_the_loading_in_one_sentence(
    platform: Connected, loaded: FakePlatform, bars: Showing
) -> None:
    problem = {"detail": "members.csv: unknown columns: nickname.", "title": "x"}
    loaded.when("POST", "registry/imports/members", httpx.Response(422, json=problem))

    with pytest.raises(Failed, match=r"registry refused \(422\): members\.csv: unknown columns"):
        await load_year(platform.client("clerk", *SCOPES), YEAR, bars)

    assert "/imports/life-events" not in paths(loaded, "registry")


async def test_a_missing_file_is_told_before_anything_is_sent(
    platform: Connected, loaded: FakePlatform, bars: Showing, tmp_path: Path
) -> None:
    with pytest.raises(Failed, match=r"families\.csv is missing"):
        await load_year(platform.client("clerk", *SCOPES), tmp_path, bars)

    assert loaded.asked == []


def test_files_that_nobody_takes_are_named(tmp_path: Path) -> None:
    (tmp_path / "withdrawals.csv").touch()

    assert without_service(tmp_path) == ["withdrawals.csv"]
    assert len(without_service(YEAR)) == 2
