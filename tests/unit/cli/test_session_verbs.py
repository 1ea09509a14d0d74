import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

LISTED = {
    "number": "S1",
    "group": "G1",
    "facilitator": "PD1",
    "on": "2023-01-05",
    "starts_at": "",
    "module": "KEUANGAN",
    "session": 2,
    "standing": "HELD",
}
MARKS = [{"family": "a", "status": "H"}, {"family": "b", "status": "A"}]
TOKENS = {
    "number": "S1",
    "group": "G1",
    "on": "2023-01-05",
    "begins": "2023-01-04T15:00:00Z",
    "ends": "2023-01-05T17:00:00Z",
    "key": {"kty": "OKP", "crv": "Ed25519", "x": "x", "kid": "1"},
    "tokens": [{"family": "a", "token": "t.a"}, {"family": "b", "token": "t.b"}],
}
GROUP = {"group": "G1", "region": "61.03.01.2026", "facilitator": "PD1", "warning": "TOO_SMALL"}
HELD = {"module": "KEUANGAN", "sessions": 2, "of": 3, "present": 30, "marks": 41}


def pkh(data_dir: Path, *words: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, [*words, "--data", str(data_dir)], input=answers)


@pytest.fixture
def steps(fake: FakePlatform) -> list[tuple[str, Any, str | None]]:
    """The steps that people took: (step, body, If-Match)."""
    taken: list[tuple[str, Any, str | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        step = request.url.path.rsplit("/", 1)[1]
        taken.append((step, json.loads(request.content), request.headers.get("If-Match")))
        return httpx.Response(204)

    for step in ("report", "cancellation"):
        fake.when("POST", f"p2k2/sessions/S1/{step}", take)
    shown = {**LISTED, "marks": MARKS, "corrections": 1}
    fake.when("GET", "p2k2/sessions/S1", answer(shown, ETag='"3"'))
    return taken


def test_sessions_are_listed_by_group(data_dir: Path, fake: FakePlatform) -> None:
    fake.when("GET", "p2k2/sessions", answer({"items": [LISTED], "next": None}))

    result = pkh(data_dir, "session", "list", "--group", "G1")

    assert result.exit_code == 0, result.output
    assert "S1 HELD · 2023-01-05 G1 · KEUANGAN 2" in result.output
    assert fake.asked[-1].url.params["group"] == "G1"


@pytest.mark.usefixtures("steps")
def test_a_session_is_shown_with_how_many_were_there(data_dir: Path) -> None:
    result = pkh(data_dir, "session", "show", "S1")

    assert result.exit_code == 0, result.output
    assert "present 1, excused 0, absent 1 · corrected 1 times" in result.output


def test_a_session_is_reported(data_dir: Path, steps: list[Any]) -> None:
    said = ("--group", "G1", "--facilitator", "PD1", "--on", "2023-01-05")
    what = ("--module", "KEUANGAN", "--lesson", "2", "--as", "clerk")

    result = pkh(data_dir, "session", "report", "S1", *said, *what)

    assert result.exit_code == 0, result.output
    meeting = {"group": "G1", "facilitator": "PD1", "on": "2023-01-05"}
    assert steps == [("report", {**meeting, "module": "KEUANGAN", "session": 2}, None)]


def test_what_is_cancelled_is_shown_and_asked_for(data_dir: Path, steps: list[Any]) -> None:
    words = ("session", "cancel", "S1", "--reason", "It rained.", "--as", "clerk")

    no, yes = pkh(data_dir, *words, answers="n\n"), pkh(data_dir, *words, "--yes")

    assert (no.exit_code, yes.exit_code) == (2, 0)
    assert "S1 HELD" in no.output
    assert steps == [("cancellation", {"reason": "It rained."}, '"3"')]


@pytest.fixture
def downloaded(data_dir: Path, fake: FakePlatform, tmp_path: Path) -> Path:
    """The list of a session's tokens, as it was downloaded."""
    fake.when("GET", "p2k2/sessions/S1/check-in-tokens", answer(TOKENS))
    fake.when("GET", "p2k2/sessions/S1/check-in-sheet", httpx.Response(200, html="<p>Presensi"))
    to, page = tmp_path / "s1.json", tmp_path / "s1.html"

    result = pkh(
        *(data_dir, "session", "tokens", "S1", "--to", str(to)),
        *("--print-to", str(page), "--as", "clerk"),
    )

    assert result.exit_code == 0, result.output
    assert "2 tokens of S1" in result.output
    assert page.read_text() == "<p>Presensi"
    assert {file.stat().st_mode & 0o777 for file in (to, page)} == {0o600}
    listed = [request.url.params.get("listed") for request in fake.asked]
    assert listed == ["true", None]
    return to


def test_what_was_scanned_by_a_downloaded_list_is_sent(
    data_dir: Path, fake: FakePlatform, downloaded: Path, tmp_path: Path
) -> None:
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(204)

    fake.when("POST", "p2k2/sessions/S1/check-ins", take)
    scans = tmp_path / "scans.csv"
    scans.write_text("token,scanned_at\nt.b,2023-01-05T02:15:00Z\n")

    result = pkh(data_dir, "session", "check-in", str(downloaded), str(scans), "--as", "clerk")

    assert result.exit_code == 0, result.output
    assert "1 families are checked in at S1." in result.output
    scan = {"family": "b", "token": "t.b", "scanned_at": "2023-01-05T02:15:00Z"}
    assert sent == [{"scans": [scan]}]


@pytest.mark.parametrize(
    ("scans", "said"),
    [
        ("token,scanned_at\nt.b,2023-01-05T02:15:00Z\nt.c,2023-01-05T02:15:00Z\n", "line 3: token"),
        ("token,scanned_at\nt.b,this morning\n", "line 2: scanned_at"),
        ("token,scanned_at\nt.b\n", "line 2: scanned_at"),
        ("token\nt.b\n", "line 1 must be token,scanned_at"),
        ("token,scanned_at\n", "holds no scan"),
        ("", "line 1 must be token,scanned_at"),
    ],
)
def test_a_scan_that_is_none_is_named_by_its_line_before_anything_is_sent(
    *, data_dir: Path, fake: FakePlatform, downloaded: Path, tmp_path: Path, scans: str, said: str
) -> None:
    file, asked = tmp_path / "scans.csv", len(fake.asked)
    file.write_text(scans)

    result = pkh(data_dir, "session", "check-in", str(downloaded), str(file), "--as", "clerk")

    assert result.exit_code == 2
    assert said in result.output, result.output
    assert "t.c" not in result.output
    assert len(fake.asked) == asked


def test_a_file_that_is_no_list_is_refused(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "s1.json"
    file.write_text('{"number": "S1"}')

    result = pkh(data_dir, "session", "check-in", str(file), str(file), "--as", "clerk")

    assert result.exit_code == 2
    assert "is no list of tokens" in result.output


def test_groups_are_listed_with_a_warning_of_their_sizes(
    data_dir: Path, fake: FakePlatform
) -> None:
    fake.when("GET", "p2k2/groups", answer({"items": [{**GROUP, "families": 9}], "next": None}))

    result = pkh(data_dir, "group", "list")

    assert result.exit_code == 0, result.output
    assert "G1 61.03.01.2026 · 9 families TOO_SMALL · PD1" in result.output


def test_a_group_shows_what_it_covered_and_missed(data_dir: Path, fake: FakePlatform) -> None:
    reached = {"families": ["a", "b"], "reached": 1, "target_percent": 35}
    view = {**GROUP, **reached, "modules": [HELD], "missed_months": ["2023-04"]}
    fake.when("GET", "p2k2/groups/G1", answer(view))

    result = pkh(data_dir, "group", "show", "G1", "--year", "2023")

    assert result.exit_code == 0, result.output
    assert "reached 1 of 2 families, target 35 %" in result.output
    assert "KEUANGAN 2 of 3 · present 30 of 41" in result.output
    assert "missed: 2023-04" in result.output


def test_a_family_is_proposed_for_another_group(data_dir: Path, fake: FakePlatform) -> None:
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response:
        sent.append(json.loads(request.content))
        return httpx.Response(204)

    fake.when("POST", "registry/families/f1/group", take)

    result = pkh(
        *(data_dir, "group", "assign", "f1", "G2", "--facilitator", "PD2"),
        *("--since", "2023-03-01", "--as", "clerk"),
    )

    assert result.exit_code == 0, result.output
    assert sent == [{"group": "G2", "facilitator": "PD2", "since": "2023-03-01"}]
    assert "pkh changes approve --kind GROUP --family f1" in result.output
