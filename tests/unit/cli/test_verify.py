import json
from dataclasses import asdict, replace
from pathlib import Path

import httpx
import pytest

from cli.client.http import Connected
from cli.client.proofs import report_proof
from cli.client.verify import (
    Broken,
    Folding,
    chain_findings,
    findings,
    inbound_findings,
    ledger_findings,
    position_findings,
    reading_findings,
    snapshot_findings,
)
from cli.client.witness import Witnessed
from cli.errors import Failed
from libs.events.store.watermarks import Positions
from tests.unit.cli.conftest import SERVICES, FakePlatform, answer

ROSTER = "pkh.registry.roster.v1"

REGISTRY = Positions("e", 40, 40, {ROSTER: {0: 40, 1: 39}}, {}, 0)
READER = Positions("e", 20, 20, {}, {ROSTER: {0: 40, 1: 39}}, 0)


@pytest.fixture
def quiet(fake: FakePlatform) -> FakePlatform:
    """Services that are where they should be."""
    for name in SERVICES:
        positions = REGISTRY if name == "registry" else READER
        fake.when("GET", f"{name}/positions", answer(asdict(positions)))
    return fake


async def found(platform: Connected) -> list[str]:
    auditor = platform.client("auditor", "platform:read")
    return [str(finding) async for finding in position_findings(auditor, relay_s_max=0.2)]


async def test_nothing_is_found_where_all_is_well(platform: Connected, quiet: FakePlatform) -> None:
    assert await found(platform) == []


async def test_parked_messages_are_found(platform: Connected, quiet: FakePlatform) -> None:
    quiet.when("GET", "payments/positions", answer(asdict(replace(READER, parked=3))))

    assert await found(platform) == [
        "payments: 3 messages are parked; see: pkh parked list payments"
    ]


async def test_a_relay_that_stands_still_is_found(platform: Connected, quiet: FakePlatform) -> None:
    behind = replace(REGISTRY, head=41)
    quiet.when("GET", "registry/positions", answer(asdict(behind)))

    assert await found(platform) == ["registry: has relayed 40 of 41 positions"]


async def test_a_relay_that_only_has_not_written_down_yet_is_waited_for(
    platform: Connected, quiet: FakePlatform
) -> None:
    looks = iter([replace(REGISTRY, relayed=39), replace(REGISTRY, relayed=39)])
    quiet.when("GET", "registry/positions", lambda _: answer(asdict(next(looks, REGISTRY))))

    assert await found(platform) == []


async def test_a_reader_that_knows_more_than_was_ever_said_is_found(
    platform: Connected, quiet: FakePlatform
) -> None:
    ahead = replace(READER, consumed={ROSTER: {0: 40, 1: 44}})
    quiet.when("GET", "conditionality/positions", answer(asdict(ahead)))

    [finding] = await found(platform)
    assert finding.startswith("conditionality: has consumed pkh.registry.roster.v1/1 up to")
    assert finding.endswith("position 44, but registry has relayed 39")


def test_a_reader_that_is_behind_is_no_finding() -> None:
    behind = replace(READER, consumed={ROSTER: {0: 1}})

    assert list(reading_findings(behind, "registry", REGISTRY)) == []


def test_an_invariant_that_does_not_hold_is_told_with_its_numbers() -> None:
    broken = Broken("zero sum", "2023-1", 0, 225_000)

    assert str(broken) == "zero sum at 2023-1: expected 0, found 225000"


async def test_what_the_ledger_says_of_itself_is_found(
    platform: Connected, quiet: FakePlatform
) -> None:
    broken = {"invariant": "zero sum", "where": "2023-1", "expected": 0, "found": 5}
    quiet.when("GET", "payments/ledger/check", answer({"broken": [broken], "tahaps": ["2023-1"]}))

    findings = [str(finding) async for finding in ledger_findings(platform)]

    assert findings == ["payments: zero sum at 2023-1: expected 0, found 5"]


async def test_what_conditionality_says_of_reports_from_outside_is_found(
    platform: Connected, quiet: FakePlatform
) -> None:
    quiet.when("GET", "conditionality/inbound-check", answer({"broken": ["has consumed 2 of 3"]}))

    findings = [str(finding) async for finding in inbound_findings(platform)]

    assert findings == ["conditionality: has consumed 2 of 3"]


def folded(*findings: str, following: str | None = None) -> httpx.Response:
    return answer({"streams": 2, "findings": findings, "next": following})


async def test_all_streams_are_folded_page_by_page(
    platform: Connected, quiet: FakePlatform
) -> None:
    pages = iter([folded("stream a: is not", following="c1"), folded("stream z: is not")])
    quiet.when("GET", "payments/refolded", lambda _: next(pages))
    auditor = platform.client("auditor", "platform:read")

    found = [what async for what in snapshot_findings(auditor, "payments", Folding(None))]

    assert found == ["stream a: is not", "stream z: is not"]
    assert [dict(asked.url.params) for asked in quiet.asked] == [
        {"limit": "500"},
        {"limit": "500", "cursor": "c1"},
    ]


async def test_a_seed_draws_the_streams_that_are_folded(
    platform: Connected, quiet: FakePlatform
) -> None:
    quiet.when("GET", "payments/refolded", folded())
    auditor = platform.client("auditor", "platform:read")

    assert [what async for what in snapshot_findings(auditor, "payments", Folding(7))] == []
    assert dict(quiet.asked[0].url.params) == {"limit": "100", "seed": "7"}
    assert Folding.drawn() != Folding.drawn()


async def test_what_no_witness_has_seen_is_found_before_all_else(
    platform: Connected, quiet: FakePlatform
) -> None:
    unseen = Witnessed(findings=["has not seen the log of payments in the last 24 hours"])

    async for finding in findings(platform, Folding(7), unseen):
        assert str(finding) == "witness: has not seen the log of payments in the last 24 hours"
        return
    pytest.fail("nothing was found")


async def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="registry's database does not answer"):
        async for _ in chain_findings(tmp_path, "registry"):
            pytest.fail("found something in no database")


async def test_a_card_that_names_a_database_without_its_password_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    card = {"database": "postgresql://pkh_{service}@postgres/pkh_{service}"}
    (tmp_path / "run" / "platform.json").write_text(json.dumps(card))

    with pytest.raises(Failed, match=r"registry's database does not answer \(SettingRefused\)"):
        async for _ in chain_findings(tmp_path, "registry"):
            pytest.fail("found something in no database")


async def test_a_proof_is_reported_to_the_platform(platform: Connected, fake: FakePlatform) -> None:
    fake.when("POST", "projection/proof-reports", httpx.Response(204))

    assert await report_proof(platform, "VERIFICATION", "auditor", 2) is None

    assert json.loads(fake.asked[-1].content) == {"kind": "VERIFICATION", "findings": 2}
    assert fake.who(fake.asked[-1])["scope"] == "platform:prove"


async def test_why_a_report_did_not_arrive_is_told_and_the_proof_stands(
    platform: Connected, fake: FakePlatform
) -> None:
    refusal = {"title": "Forbidden", "status": 403, "detail": "Only for the nation."}
    fake.when("POST", "projection/proof-reports", httpx.Response(403, json=refusal))

    why = await report_proof(platform, "WITNESS", "witness", 0)

    assert why is not None
    assert "Only for the nation." in why
