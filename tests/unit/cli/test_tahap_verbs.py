import json
from dataclasses import replace
from pathlib import Path

import httpx

from cli.client.tahap_state import Proposal
from tests.unit.cli.conftest import SERVICES, FakePlatform, answer, job_as_told
from tests.unit.cli.fake_payments import DIFF, TAHAP, FakePayments
from tests.unit.cli.test_verbs import YEAR, pkh


def test_a_tahap_is_taken_to_its_end_by_its_people(data_dir: Path, fake: FakePlatform) -> None:
    payments = FakePayments(fake)

    result = pkh(data_dir, "tahap", "run", TAHAP, "--calendar", str(YEAR))

    assert result.exit_code == 0, result.output
    assert [step for step, _, _ in payments.done] == [
        "tahap",
        "announcement-approval",
        "freeze-proposal",
        "freeze-approval",
        "order-proposal",
        "order-approval",
    ]
    assert "2023-1 took" in result.output


def test_a_tahap_that_was_cut_off_is_not_begun_again(data_dir: Path, fake: FakePlatform) -> None:
    payments = FakePayments(fake, phase="PAYING", run_phase="ORDER_PROPOSED")

    result = pkh(data_dir, "tahap", "run", TAHAP, "--calendar", str(YEAR))

    assert result.exit_code == 0, result.output
    assert [step for step, _, _ in payments.done] == ["order-approval"]


def test_a_tahap_that_is_in_no_calendar_is_not_run(data_dir: Path, fake: FakePlatform) -> None:
    assert pkh(data_dir, "tahap", "run", "2031-1", "--calendar", str(YEAR)).exit_code == 2
    assert fake.asked == []


def test_a_tahap_is_watched_to_its_end(data_dir: Path, fake: FakePlatform) -> None:
    FakePayments(fake, phase="PAYING", run_phase="RELEASING_FUNDS")
    for service in SERVICES:
        job = job_as_told(unit="families", done=10, total=10, state="DONE")
        fake.when("GET", f"{service}/jobs/listing-{TAHAP}", answer(job))

    result = pkh(data_dir, "tahap", "watch", TAHAP)

    assert result.exit_code == 0, result.output
    assert "2023-1 CLOSED · listed 11 · evaluated 10 · entitled 10 · credited 9" in result.output


def test_a_supplementary_run_is_opened_for_whom_a_person_names(
    data_dir: Path, fake: FakePlatform
) -> None:
    FakePayments(fake, phase="SETTLED", run_phase="RECONCILED")
    path = f"payments/tahap/{TAHAP}/supplementary-runs"
    opened = {"kind": "SUPPLEMENTARY-1", "hash": "9c1d", "count": 1, "rupiah": 750_000}
    fake.when("POST", path, answer(opened))

    result = pkh(data_dir, "tahap", "supplement", TAHAP, "--as", "ana", "--family", "f1", "--yes")

    assert result.exit_code == 0, result.output
    assert "SUPPLEMENTARY-1 9c1d: 1 families, Rp 750,000" in result.output
    [request] = [each for each in fake.asked if each.url.path.endswith("supplementary-runs")]
    assert json.loads(request.content) == {"families": ["f1"]}
    assert request.headers["If-Match"] == '"SETTLED-RECONCILED"'


def test_a_supplementary_run_that_differs_is_proposed_once_its_maker_has_seen_how(
    data_dir: Path, fake: FakePlatform
) -> None:
    FakePayments(fake, phase="SETTLED", run_phase="RECONCILED", diff=DIFF)
    path = f"payments/tahap/{TAHAP}/supplementary-runs"
    opened = {"kind": "SUPPLEMENTARY-1", "hash": "9c1d", "count": 1, "rupiah": 750_000}
    fake.when("POST", path, answer(opened | {"diff": "c0de"}, ETag='"9"'))
    run = f"payments/tahap/{TAHAP}/runs/SUPPLEMENTARY-1"
    fake.when("POST", f"{run}/freeze-proposal", httpx.Response(204))

    result = pkh(data_dir, "tahap", "supplement", TAHAP, "--as", "ana", "--yes")

    assert result.exit_code == 0, result.output
    assert "unlike 2022-4: other account 1" in result.output
    [request] = [each for each in fake.asked if each.url.path.endswith("freeze-proposal")]
    assert json.loads(request.content) == {"hash": "9c1d", "deferred": [], "diff": "c0de"}
    assert request.headers["If-Match"] == '"9"'


def test_a_supplementary_run_is_not_opened_without_a_yes(
    data_dir: Path, fake: FakePlatform
) -> None:
    FakePayments(fake, phase="SETTLED", run_phase="RECONCILED")

    result = pkh(data_dir, "tahap", "supplement", TAHAP, "--as", "ana")

    assert result.exit_code != 0
    assert all(each.method == "GET" for each in fake.asked)


def test_two_people_let_a_run_go_on_without_what_has_no_answer(
    data_dir: Path, fake: FakePlatform
) -> None:
    silent = {"hash": "ab12", "count": 2, "rupiah": 1_500_000, "maker": None, "families": []}
    payments = FakePayments(
        fake, phase="PAYING", run_phase="CHECKING_ACCOUNTS", unanswered=dict(silent)
    )

    shown = pkh(data_dir, "tahap", "show", TAHAP)
    early = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "citra", "--yes")
    proposed = pkh(data_dir, "tahap", "unanswered", TAHAP, "--as", "budi", "--yes")
    approved = pkh(data_dir, "tahap", "approve", TAHAP, "--as", "citra", "--yes")

    assert "without an answer ab12: 2 accounts" in shown.output
    assert early.exit_code != 0
    assert (proposed.exit_code, approved.exit_code) == (0, 0)
    assert payments.done == [
        ("unanswered-proposal", "budi", {"hash": "ab12"}),
        ("unanswered-approval", "citra", {"hash": "ab12"}),
    ]


def test_a_run_whose_accounts_are_all_answered_has_nothing_to_go_on_without(
    data_dir: Path, fake: FakePlatform
) -> None:
    payments = FakePayments(fake, phase="PAYING", run_phase="CHECKING_ACCOUNTS")

    result = pkh(data_dir, "tahap", "unanswered", TAHAP, "--as", "budi", "--yes")

    assert result.exit_code != 0
    assert payments.done == []


def test_who_approves_is_asked_with_the_tahaps_that_make_way() -> None:
    alone = Proposal("CORRECTION", "9c1d", "ana", {})

    assert alone.and_anew == ""
    assert replace(alone, behind=("2023-2",)).and_anew == ", and announce 2023-2 anew behind it"
