import json
from dataclasses import asdict
from datetime import date
from io import StringIO
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from cli.client.http import Connected
from cli.client.screen import Screen
from cli.client.year import Tahap
from cli.demo.investigating import answer_investigations, findings_of
from cli.errors import Failed
from libs.events.store.watermarks import Positions
from tests.unit.cli.conftest import SERVICES, FakePlatform, answer
from tests.unit.cli.fake_investigations import TAHAP, FakeInvestigations

THIRD = Tahap(
    3,
    TAHAP,
    ("2023-07", "2023-08", "2023-09"),
    date(2023, 9, 30),
    date(2023, 10, 5),
    date(2023, 10, 20),
)
ANA, BUDI, CITRA = (f"{letter}f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11" for letter in "123")
FINDINGS = {"card of ana": "CONFIRMED", "card of budi": "NOT_CONFIRMED"}
CARDS = {ANA: "card of ana", BUDI: "card of budi", CITRA: "card of citra"}


@pytest.fixture
def screen() -> Screen:
    return Screen(Console(file=StringIO(), width=200))


@pytest.fixture
def investigations(fake: FakePlatform) -> FakeInvestigations:
    """Three families under investigation; the file knows what is to be found of two of them."""

    def people(request: httpx.Request) -> httpx.Response:
        wanted = json.loads(request.content)["families"]
        return answer([{"family": f, "no_kk": CARDS[f], "members": []} for f in wanted])

    fake.when("POST", "registry/identities/lookup", people)
    quiet = asdict(Positions("e", 0, 0, {}, {}, 0))
    for name in SERVICES:
        fake.when("GET", f"{name}/positions", answer(quiet))
    found = FakeInvestigations(fake)
    for family in (ANA, BUDI, CITRA):
        found.opened(family)
    return found


def shown(screen: Screen) -> str:
    file = screen.console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


async def test_one_person_finds_what_the_file_says_and_another_lets_it_stand(
    platform: Connected, investigations: FakeInvestigations, screen: Screen
) -> None:
    await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert sorted(investigations.done) == [
        ("decision", ANA, "supervisor", "APPROVED"),
        ("decision", BUDI, "supervisor", "APPROVED"),
        ("finding", ANA, "investigator", "CONFIRMED"),
        ("finding", BUDI, "investigator", "NOT_CONFIRMED"),
    ]


async def test_a_family_that_the_file_does_not_know_is_left_alone_and_the_screen_says_so(
    platform: Connected, investigations: FakeInvestigations, screen: Screen
) -> None:
    with screen:
        await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert investigations.outcome(CITRA) == "OPEN"
    expected = "3 families investigated · 1 confirmed · 1 not confirmed · 1 wait for a finding"
    assert expected in shown(screen)
    assert "card" not in shown(screen)


async def test_what_was_begun_before_a_kill_is_ended_and_what_was_ended_is_not_touched(
    platform: Connected, investigations: FakeInvestigations, screen: Screen
) -> None:
    found = {"outcome": "CONFIRMED", "maker": "investigator", "decision": "WAITING"}
    investigations.opened(ANA, found)
    investigations.families[BUDI]["shown"]["outcome"] = "NOT_CONFIRMED"

    await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert investigations.outcome(ANA) == "CONFIRMED"
    assert {family for _, family, _, _ in investigations.done} == {ANA}


async def test_what_other_officers_have_ended_meanwhile_is_left_as_it_is(
    platform: Connected, fake: FakePlatform, investigations: FakeInvestigations, screen: Screen
) -> None:
    def people_and_meanwhile(request: httpx.Request) -> httpx.Response:
        investigations.families[BUDI]["shown"]["outcome"] = "NOT_CONFIRMED"
        wanted = json.loads(request.content)["families"]
        return answer([{"family": f, "no_kk": CARDS[f], "members": []} for f in wanted])

    fake.when("POST", "registry/identities/lookup", people_and_meanwhile)

    await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert {family for _, family, _, _ in investigations.done} == {ANA}


async def test_a_family_that_moved_between_look_and_step_is_looked_at_again(
    platform: Connected, investigations: FakeInvestigations, screen: Screen
) -> None:
    investigations.stale = 2

    await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert investigations.outcome(ANA) == "CONFIRMED"
    assert investigations.outcome(BUDI) == "NOT_CONFIRMED"


async def test_every_page_of_open_investigations_is_read(
    platform: Connected, investigations: FakeInvestigations, screen: Screen
) -> None:
    investigations.page = 1

    with screen:
        await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert "3 families investigated" in shown(screen)


async def test_where_nobody_is_under_investigation_nobody_is_looked_up(
    platform: Connected, fake: FakePlatform, screen: Screen
) -> None:
    FakeInvestigations(fake)

    with screen:
        await answer_investigations(platform, THIRD, FINDINGS, screen)

    assert [request.url.path for request in fake.asked] == ["/investigations"]
    assert "investigated" not in shown(screen)


# -- The file -------------------------------------------------------------------------------------


def test_a_year_without_the_file_has_no_findings(tmp_path: Path) -> None:
    assert findings_of(tmp_path) == {}


def test_a_finding_that_is_none_is_told_by_its_line_and_not_by_its_card(tmp_path: Path) -> None:
    (tmp_path / "investigations.csv").write_text("no_kk,outcome\n6110,CONFIRMED\n6104,MAYBE\n")

    with pytest.raises(Failed, match="line 3: outcome is none of CONFIRMED") as refusal:
        findings_of(tmp_path)

    assert "6104" not in str(refusal.value)
