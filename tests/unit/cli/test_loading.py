from pathlib import Path

import httpx
import pytest

from cli.client import Connected
from cli.demo.loading import IMPORTS, SCOPES, load_year, without_service
from cli.errors import Failed
from tests.unit.cli.conftest import FakePlatform, answer

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"


@pytest.fixture
def loaded(fake: FakePlatform) -> FakePlatform:
    """Services that take every file; each answer's position is one more."""
    taken = iter(range(1, 100))

    def take(_request: httpx.Request) -> httpx.Response:
        return answer({}, Position=str(next(taken)))

    for each in IMPORTS.values():
        fake.when("POST", f"{each.service}{each.path}", take)
    return fake


def paths(fake: FakePlatform, service: str) -> list[str]:
    return [request.url.path for request in fake.asked if request.url.host == service]


async def test_each_service_gets_its_files_in_the_order_in_which_it_needs_them(
    platform: Connected, loaded: FakePlatform
) -> None:
    await load_year(platform.client("clerk", *SCOPES), YEAR, lambda *_: lambda _: None)

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
    platform: Connected, loaded: FakePlatform
) -> None:
    last = {"registry": "4180", "conditionality": "5120"}
    for path, service in (
        ("/imports/life-events", "registry"),
        ("/imports/health-verification", "conditionality"),
    ):
        loaded.when("POST", f"{service}{path}", answer({}, Position=last[service]))

    after = await load_year(platform.client("clerk", *SCOPES), YEAR, lambda *_: lambda _: None)

    assert after == {"registry": 4180, "conditionality": 5120}


async def test_every_file_is_shown_with_its_size_and_filled_to_the_end(
    platform: Connected, loaded: FakePlatform
) -> None:
    sizes: dict[str, int] = {}
    sent: dict[str, list[int]] = {}

    def showing(name: str, size: int) -> object:
        sizes[name] = size
        return sent.setdefault(name, []).append

    await load_year(platform.client("clerk", *SCOPES), YEAR, showing)  # type: ignore[arg-type]

    assert sizes == {name: (YEAR / name).stat().st_size for name in sizes}
    assert {name: sum(chunks) for name, chunks in sent.items()} == sizes


async def test_a_refused_file_ends_the_loading_in_one_sentence(
    platform: Connected, loaded: FakePlatform
) -> None:
    problem = {"detail": "members.csv: unknown columns: nickname.", "title": "x"}
    loaded.when("POST", "registry/imports/members", httpx.Response(422, json=problem))

    with pytest.raises(Failed, match=r"registry refused \(422\): members\.csv: unknown columns"):
        await load_year(platform.client("clerk", *SCOPES), YEAR, lambda *_: lambda _: None)

    assert "/imports/life-events" not in paths(loaded, "registry")


async def test_a_missing_file_is_told_before_anything_is_sent(
    platform: Connected, loaded: FakePlatform, tmp_path: Path
) -> None:
    with pytest.raises(Failed, match=r"families\.csv is missing"):
        await load_year(platform.client("clerk", *SCOPES), tmp_path, lambda *_: lambda _: None)

    assert loaded.asked == []


def test_files_that_nobody_takes_are_named(tmp_path: Path) -> None:
    (tmp_path / "complaints.csv").touch()

    assert without_service(tmp_path) == ["complaints.csv"]
    assert len(without_service(YEAR)) == 3
