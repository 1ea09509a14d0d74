import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer

CASE = "7b0c6d1e-52a4-4f0b-8c1e-2f3a4b5c6d70"
PATH = "complaints/cases"
SHOWN = {
    "case": CASE,
    "category": "AMOUNT_WRONG",
    "region": "61.03.01.2026",
    "level": "REGENCY",
    "status": "OPEN",
    "due_on": "2023-04-06",
    "overdue": True,
    "paused": False,
    "assigned": "officer-1",
}
APPEAL = {
    "tahap": "2023-1",
    "effect": "HOLD",
    "opened_by": "ana",
    "outcome": None,
    "pauses": False,
    "not_paused": "NOT_BY_POLICY",
    "ended": "",
    "refused": "",
}
ORDER = {
    "order": CASE,
    "ordered": "RECHECK_ACCOUNT",
    "tahap": None,
    "answer": "NOT_YET_SUPPORTED",
    "reason": "",
}
RECEIVE = ("--category", "AMOUNT_WRONG", "--channel", "CALL_CENTER", "--region", "61.03.01.2026")
WORDS = "Less money came.\nSiti Aminah\n+62 812 5550 0199\n"


def pkh(data_dir: Path, *words: str, said: str = "") -> Result:
    return CliRunner().invoke(app, ["complaint", *words, "--data", str(data_dir)], input=said)


@pytest.fixture
def steps(fake: FakePlatform) -> list[tuple[str, Any, str | None]]:
    """The steps that people took: (path behind the case, body, If-Match)."""
    taken: list[tuple[str, Any, str | None]] = []

    def take(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content) if request.content else None
        step = request.url.path.partition(f"/cases/{CASE}/")[2]
        taken.append((step, body, request.headers.get("If-Match")))
        return httpx.Response(204)

    for step in (
        *("assignment", "notes", "question", "resolution", "closing", "link", "orders"),
        *("erasure", "erasure/decision"),
    ):
        fake.when("POST", f"{PATH}/{CASE}/{step}", take)
    for step in ("appeal", "appeal/decision"):
        fake.when("POST", f"{PATH}/{CASE}/{step}", take)
    fake.when("GET", f"{PATH}/{CASE}", answer(SHOWN, ETag='"4"'))
    fake.when(
        "GET", f"{PATH}/{CASE}/remedy", answer({"appeal": APPEAL, "orders": [ORDER]}, ETag='"2"')
    )
    return taken


def test_cases_are_listed_by_what_is_asked_for(data_dir: Path, fake: FakePlatform) -> None:
    fake.when("GET", PATH, answer({"items": [SHOWN], "next": None}))

    result = pkh(data_dir, "list", "--level", "REGENCY", "--due-by", "2023-04-30")

    assert f"{CASE} OPEN · AMOUNT_WRONG · 61.03.01.2026 · REGENCY · due 2023-04-06" in result.output
    assert "OVERDUE · assigned to officer-1" in result.output
    assert dict(fake.asked[-1].url.params) == {
        "limit": "1000",
        "level": "REGENCY",
        "due_by": "2023-04-30",
    }


def test_what_people_say_is_read_from_a_pipe_and_the_pin_is_told_once(
    data_dir: Path, fake: FakePlatform
) -> None:
    taken: list[dict[str, Any]] = []

    def receive(request: httpx.Request) -> httpx.Response:
        taken.append(json.loads(request.content))
        body = {"case": CASE, "receipt": "MZXW6YTBOI5DANBR", "pin": "271828"}
        return httpx.Response(201, json=body)

    fake.when("POST", PATH, receive)

    named = pkh(data_dir, "receive", *RECEIVE, "--confidential", "--as", "ana", said=WORDS)
    nobody = pkh(data_dir, "receive", *RECEIVE, "--anonymous", "--as", "ana", said="It is late.\n")

    assert "Receipt MZXW6YTBOI5DANBR, PIN 271828" in named.output, named.output
    assert nobody.exit_code == 0, nobody.output
    assert taken[0]["name"] == "Siti Aminah"
    assert (taken[0]["confidential"], taken[0]["anonymous"]) == (True, False)
    assert "Siti" not in named.output
    assert taken[1].keys().isdisjoint({"name", "contact", "family"})


def test_a_step_is_taken_on_the_case_as_it_stands(data_dir: Path, steps: list[Any]) -> None:
    results = [
        pkh(data_dir, "assign", CASE, "--to", "officer-1", "--as", "ana"),
        pkh(data_dir, "note", CASE, "--as", "ana", said="Called the bank.\n"),
        pkh(data_dir, "ask", CASE, "--template", "MORE", "--as", "ana", said="\n"),
        pkh(data_dir, "resolve", CASE, "UPHELD", "--as", "ana", said="You were right.\n"),
        pkh(data_dir, "close", CASE, "--as", "ana"),
        pkh(data_dir, "link", CASE, "other", "--as", "ana"),
    ]

    assert [result.exit_code for result in results] == [0] * 6, results[0].output
    assert steps == [
        ("assignment", {"to": "officer-1"}, '"4"'),
        ("notes", {"words": "Called the bank."}, '"4"'),
        ("question", {"template": "MORE"}, '"4"'),
        ("resolution", {"words": "You were right.", "resolution": "UPHELD"}, '"4"'),
        ("closing", None, '"4"'),
        ("link", {"to": "other"}, '"4"'),
    ]


def test_an_erasure_is_proposed_and_decided_after_a_question(
    data_dir: Path, steps: list[Any]
) -> None:
    proposed = pkh(data_dir, "erase", CASE, "--evidence", "BA-17/2026", "--as", "ana")
    no = pkh(data_dir, "decide-erasure", CASE, "APPROVED", "--as", "budi", said="n\n")
    yes = pkh(data_dir, "decide-erasure", CASE, "APPROVED", "--as", "budi", "--yes")

    assert (proposed.exit_code, no.exit_code, yes.exit_code) == (0, 2, 0), no.output + yes.output
    assert steps == [
        ("erasure", {"evidence": "BA-17/2026"}, '"4"'),
        ("erasure/decision", {"decision": "APPROVED"}, '"4"'),
    ]


def test_a_case_shows_that_it_is_erased_or_that_somebody_proposed_it(
    data_dir: Path, fake: FakePlatform
) -> None:
    fake.when("GET", f"{PATH}/{CASE}/remedy", answer({"appeal": None, "orders": []}))
    said = {"erased": " · erased", "erasure_proposed_by": " · erasure proposed by ana"}
    for field, value in (("erased", True), ("erasure_proposed_by", "ana")):
        fake.when("GET", f"{PATH}/{CASE}", answer(SHOWN | {field: value}))

        assert said[field] in pkh(data_dir, "show", CASE).output


def test_a_reporter_has_their_words_erased(data_dir: Path, fake: FakePlatform) -> None:
    fake.when("POST", "complaints/followed-cases/erasure", httpx.Response(204))

    result = pkh(data_dir, "erase-own", "MZXW6YTBOI5DANBR", "--yes", said="271828\n")

    assert "Erased." in result.output, result.output
    sent = json.loads(fake.asked[-1].content)
    assert sent == {"receipt": "MZXW6YTBOI5DANBR", "pin": "271828"}


def test_an_appeal_is_opened_shown_and_decided_by_what_was_seen(
    data_dir: Path, steps: list[Any]
) -> None:
    said = ("2023-1", "HOLD", "--received-on", "2023-05-02")
    opened = pkh(data_dir, "appeal", CASE, *said, "--as", "ana")
    no = pkh(data_dir, "decide", CASE, "UPHELD", "--as", "budi", said="n\n")
    yes = pkh(data_dir, "decide", CASE, "UPHELD", "--as", "budi", "--yes")
    ordered = pkh(data_dir, "order", CASE, "RECHECK_ACCOUNT", "--as", "ana")

    assert "HOLD of 2023-1: waits for a decision by somebody else than ana" in opened.output
    assert "pauses nothing: NOT_BY_POLICY" in opened.output
    assert "order RECHECK_ACCOUNT: NOT_YET_SUPPORTED" in ordered.output
    assert (no.exit_code, yes.exit_code) == (2, 0), no.output + yes.output
    body = {"tahap": "2023-1", "effect": "HOLD", "received_on": "2023-05-02"}
    assert steps == [
        ("appeal", body, None),
        ("appeal/decision", {"outcome": "UPHELD"}, '"2"'),
        ("orders", {"ordered": "RECHECK_ACCOUNT"}, None),
    ]


def test_an_appeal_that_was_refused_is_shown_as_refused(data_dir: Path, fake: FakePlatform) -> None:
    refused = APPEAL | {"pauses": False, "not_paused": "ANOTHER_IS_OPEN"}
    remedy = {"appeal": refused | {"refused": "ANOTHER_IS_OPEN"}, "orders": []}
    fake.when("GET", f"{PATH}/{CASE}/remedy", answer(remedy, ETag='"2"'))

    shown = pkh(data_dir, "decide", CASE, "UPHELD", "--as", "budi", said="n\n")

    assert "appeal against HOLD of 2023-1: refused, ANOTHER_IS_OPEN" in shown.output


def test_a_case_is_shown_to_whoever_has_its_receipt(data_dir: Path, fake: FakePlatform) -> None:
    entry = {"kind": "QUESTION", "on": "2023-04-03", "words": "Which [month]?"}
    followed = {"level": "REGENCY", "status": "WAITS_FOR_YOU", "due_on": "2023-04-20"}
    fake.when("POST", "complaints/followed-cases", answer(followed | {"entries": [entry]}))

    result = pkh(data_dir, "follow", "MZXW6YTBOI5DANBR", said="271828\n")

    assert "WAITS_FOR_YOU at REGENCY until 2023-04-20" in result.output
    assert "2023-04-03 QUESTION: Which [month]?" in result.output
    sent = json.loads(fake.asked[-1].content)
    assert sent == {"receipt": "MZXW6YTBOI5DANBR", "pin": "271828"}


@pytest.mark.parametrize(
    "words",
    [
        ("resolve", CASE, "MAYBE", "--as", "ana"),
        ("decide", CASE, "MAYBE", "--as", "ana"),
        ("decide-erasure", CASE, "MAYBE", "--as", "ana"),
        ("sweep", "tomorrow"),
    ],
)
def test_a_wrong_word_is_refused_before_anything_is_asked(
    data_dir: Path, fake: FakePlatform, words: tuple[str, ...]
) -> None:
    result = pkh(data_dir, *words)

    assert result.exit_code == 2
    assert fake.asked == []
