from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from tests.unit.cli.conftest import FakePlatform, answer, job_as_told
from tests.unit.cli.fake_payments import DIFF, TAHAP, FakePayments

YEAR = Path(__file__).parents[3] / "examples" / "kalbar-small"
FAMILY = "3f0c1c52-8a55-4a3e-9d0e-6f4f0c9b7a11"


@pytest.fixture
def payments(fake: FakePlatform) -> FakePayments:
    """A tahap whose list is ready."""
    return FakePayments(fake, phase="READY")


def pkh(data_dir: Path, *arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data_dir)], input=answers)


def test_a_file_goes_to_the_service_that_takes_its_kind(data_dir: Path, fake: FakePlatform) -> None:
    report = {"file": "members.csv", "accepted": 717, "unchanged": 0, "refused": 0, "errors": []}
    fake.when("POST", "registry/imports/members", answer(report))

    result = pkh(data_dir, "import", str(YEAR / "members.csv"), "members", "--as", "clerk")

    assert result.exit_code == 0, result.output
    assert "members.csv: accepted 717 · unchanged 0" in result.output
    assert fake.asked[0].content == (YEAR / "members.csv").read_bytes()
    assert fake.who(fake.asked[0])["sub"] == "clerk"


def test_a_refused_file_is_one_sentence_and_exit_code_2(data_dir: Path, fake: FakePlatform) -> None:
    row = {"line": 7, "column": "school_level", "code": "UNKNOWN", "message": "No such level."}
    problem = {"detail": "1 rows were refused.", "report": {"errors": [row]}}
    fake.when("POST", "registry/imports/members", httpx.Response(422, json=problem))

    result = pkh(data_dir, "import", str(YEAR / "members.csv"), "members", "--as", "clerk")

    assert result.exit_code == 2
    assert (
        "registry refused members.csv (422): 1 rows were refused. line 7, school_level: No such"
        in (result.stderr)
    )


@pytest.mark.parametrize(("file", "kind"), [("members.csv", "people"), ("nobody.csv", "members")])
def test_what_nobody_can_send_is_refused_at_once(
    data_dir: Path, fake: FakePlatform, file: str, kind: str
) -> None:
    assert pkh(data_dir, "import", str(YEAR / file), kind, "--as", "clerk").exit_code == 2
    assert fake.asked == []


def test_an_announcement_is_proposed_by_one_and_approved_by_another(
    data_dir: Path, payments: FakePayments
) -> None:
    payments.phase = ""
    proposed = pkh(data_dir, "tahap", "announce", TAHAP, "--calendar", str(YEAR), "--as", "ana")
    shown = pkh(data_dir, "tahap", "show", TAHAP)
    approved = pkh(data_dir, "tahap", "approve-announcement", TAHAP, "--as", "ben", "--yes")

    assert "Proposed; another person approves it" in proposed.output
    expected = "PROPOSED · 2023-01 to 2023-03, closing 2023-03-31, rules 2021-2024 · by ana"
    assert expected in shown.output
    assert "2023-1 is announced" in approved.output
    [(_, maker, terms), (_, checker, approval)] = payments.done
    assert (maker, checker) == ("ana", "ben")
    assert terms["closing_date"] == "2023-03-31"
    assert approval == {"hash": "a1b2", "after": {"registry": 4180, "conditionality": 5120}}


def test_whoever_proposes_or_announces_is_shown_what_nobody_has_decided_on(
    data_dir: Path, payments: FakePayments, fake: FakePlatform
) -> None:
    named = {"family": FAMILY, "region": "61", "maker": "m", "batch": "b", "reported_on": None}
    items = [named | {"change": n, "kind": kind} for n, kind in enumerate(["NIK", "MOVE", "NIK"])]
    fake.when("GET", "registry/changes", answer({"items": items, "next": None}))
    payments.phase = ""

    proposed = pkh(data_dir, "tahap", "announce", TAHAP, "--calendar", str(YEAR), "--as", "ana")
    approved = pkh(data_dir, "tahap", "approve-announcement", TAHAP, "--as", "ben", "--yes")

    for result in (proposed, approved):
        assert "3 changes wait (MOVE 1, NIK 2) and are on no list before" in result.output


def test_a_table_is_overridden_by_name_and_reason(data_dir: Path, payments: FakePayments) -> None:
    calendar = ("--calendar", str(YEAR), "--as", "ana")
    override = ("--override-table", "2018", "--reason", "letter of the ministry")

    assert pkh(data_dir, "tahap", "announce", TAHAP, *calendar, *override).exit_code == 0

    [(_, _, terms)] = payments.done
    assert terms["override"] == {"table": "2018", "reason": "letter of the ministry"}


def test_a_proposal_is_withdrawn(data_dir: Path, payments: FakePayments) -> None:
    payments.phase = "PROPOSED"

    assert pkh(data_dir, "tahap", "withdraw", TAHAP, "--as", "ana").exit_code == 0

    assert [step for step, _, _ in payments.done] == ["announcement-withdrawal"]


def test_nothing_is_approved_where_no_announcement_waits(
    data_dir: Path, payments: FakePayments
) -> None:
    result = pkh(data_dir, "tahap", "approve-announcement", TAHAP, "--as", "ben", "--yes")

    assert result.exit_code == 2
    assert payments.done == []


def test_a_tahap_that_is_in_no_calendar_is_not_announced(
    data_dir: Path, payments: FakePayments
) -> None:
    result = pkh(data_dir, "tahap", "announce", "2031-1", "--calendar", str(YEAR), "--as", "ana")

    assert result.exit_code == 2
    assert payments.done == []


def test_what_is_shown_says_how_much_of_the_list_is_cut(data_dir: Path, fake: FakePlatform) -> None:
    FakePayments(fake, phase="READY", cut=100)

    result = pkh(data_dir, "tahap", "show", TAHAP)

    assert "list 5f2b: 10 families, Rp 1,000, Rp 100 of it cut" in result.output


def test_what_is_shown_says_where_it_is_and_who_can_only_be_deferred(
    data_dir: Path, fake: FakePlatform
) -> None:
    reason = {"family": FAMILY, "reason": "PARKED_AT_CONDITIONALITY"}
    FakePayments(fake, phase="READY", candidates=[reason])

    result = pkh(data_dir, "tahap", "show", TAHAP)

    assert "2023-1 READY · listed 11" in result.output
    assert "list 5f2b: 10 families, Rp 1,000" in result.output
    assert f"can only be deferred: {FAMILY} PARKED_AT_CONDITIONALITY" in result.output


def test_what_is_shown_says_at_what_a_leader_fails_again_and_again(
    data_dir: Path, fake: FakePlatform
) -> None:
    FakePayments(fake, phase="COLLECTING")
    problem = {"type": "/problems/work-fails", "detail": "No rule set has this name."}
    job = job_as_told(id="listing-2023-1", state="FAILING", attempt=7, problem=problem)
    fake.when("GET", f"registry/jobs/listing-{TAHAP}", answer(job))

    result = pkh(data_dir, "tahap", "show", TAHAP)

    assert "fails: listing-2023-1 FAILING" in result.output
    assert "attempt 7 · No rule set has this name." in result.output


def test_two_people_take_a_list_from_proposal_to_approval(
    data_dir: Path, payments: FakePayments
) -> None:
    pkh(data_dir, "tahap", "freeze", TAHAP, "--as", "ana", "--yes")
    result = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "budi", "--yes")

    assert result.exit_code == 0, result.output
    assert [(step, who) for step, who, _ in payments.done] == [
        ("freeze-proposal", "ana"),
        ("freeze-approval", "budi"),
    ]


def test_two_people_see_the_differences_and_name_them(
    data_dir: Path, payments: FakePayments
) -> None:
    payments.diff = DIFF

    proposed = pkh(data_dir, "tahap", "freeze", TAHAP, "--as", "ana", answers="y\n")
    approved = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "budi", answers="y\n")

    for result in (proposed, approved):
        assert result.exit_code == 0, result.output
        assert "unlike 2022-4: other account 1 · with more rupiah 1 (Rp 750,000)" in result.output
        shown = "f1 61.03.01.2026 ACCOUNT INCREASE Rp 225,000 -> 975,000"
        assert result.output.count(shown) == 1
        assert "Freeze 10 families and Rp 1,000 with these differences?" in result.output
    assert [body["diff"] for _, _, body in payments.done] == ["c0de", "c0de"]


def test_differences_are_shown_to_whoever_asks(data_dir: Path, payments: FakePayments) -> None:
    first = pkh(data_dir, "tahap", "diff", TAHAP)
    payments.diff = DIFF
    later = pkh(data_dir, "tahap", "diff", TAHAP)

    assert "No list was frozen before that of 2023-1." in first.output
    assert "unlike 2022-4" in later.output


def test_two_people_take_an_order_from_proposal_to_approval(
    data_dir: Path, payments: FakePayments
) -> None:
    payments.phase, payments.run_phase = "PAYING", "ORDER_READY"

    pkh(data_dir, "tahap", "order", TAHAP, "--as", "ana", "--yes")
    result = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "budi", "--yes")

    assert result.exit_code == 0, result.output
    assert [(step, who, body["hash"]) for step, who, body in payments.done] == [
        ("order-proposal", "ana", "7b6a"),
        ("order-approval", "budi", "7b6a"),
    ]


def test_two_people_close_a_tahap_without_a_family(data_dir: Path, payments: FakePayments) -> None:
    payments.phase, lapsed = "SETTLED", f"{FAMILY}=MOVED_ABROAD"

    pkh(data_dir, "tahap", "close", TAHAP, "--as", "ana", "--lapsed", lapsed, "--yes")
    result = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "budi", answers="y\n")

    assert result.exit_code == 0, result.output
    assert "Close 2023-1 without paying 1 families?" in result.output
    named = {"lapsed": [{"family": FAMILY, "reason": "MOVED_ABROAD"}]}
    assert payments.done == [
        ("close-proposal", "ana", named),
        ("close-approval", "budi", {"hash": "c105"}),
    ]


def test_a_person_is_asked_before_money_moves_and_may_say_no(
    data_dir: Path, payments: FakePayments
) -> None:
    result = pkh(data_dir, "tahap", "freeze", TAHAP, "--as", "ana", answers="n\n")

    assert result.exit_code == 2
    assert "Freeze 10 families and Rp 1,000?" in result.output
    assert payments.done == []


@pytest.mark.parametrize(
    ("verb", "sentence"),
    [
        ("order", "There is nothing to order of 2023-1 yet."),
        ("approve", "Nothing of 2023-1 waits for an approval; it is at READY."),
    ],
)
def test_a_step_whose_time_has_not_come_is_told(
    data_dir: Path, payments: FakePayments, verb: str, sentence: str
) -> None:
    result = pkh(data_dir, "tahap", verb, TAHAP, "--as", "ana", "--yes")

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert payments.done == []


def test_a_list_that_is_not_complete_can_not_be_frozen(
    data_dir: Path, payments: FakePayments
) -> None:
    payments.phase = "COLLECTING"

    result = pkh(data_dir, "tahap", "freeze", TAHAP, "--as", "ana", "--yes")

    assert result.exit_code == 2
    assert "is not complete yet" in result.stderr
    assert payments.done == []
