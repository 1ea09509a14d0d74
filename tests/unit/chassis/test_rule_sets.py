"""GET /rule-sets, which is asked of each service before a tahap is announced."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from libs.chassis.dev_issuer import Issuer
from libs.chassis.rule_sets import rule_sets_router
from libs.policy.rule_sets import ListedRuleSet
from tests.unit.chassis.service import calling, service, settings_for, token_for

LISTED = (
    ListedRuleSet(
        "2018",
        date(2018, 1, 1),
        date(2018, 12, 31),
        runs=False,
        verified=False,
        reason="known elsewhere under another id",
    ),
    ListedRuleSet("2025", date(2025, 1, 1), None, runs=True),
)


async def test_a_service_says_which_rule_sets_it_knows_and_runs(
    issuer: Issuer, issuer_dir: Path
) -> None:
    app = service(settings_for(issuer_dir), rule_sets_router("things", LISTED))

    async with calling(app, token_for(issuer, "platform:read")) as client:
        answer = await client.get("/rule-sets")

    assert answer.json() == {
        "service": "things",
        "rule_sets": [
            {
                "id": "2018",
                "valid_from": "2018-01-01",
                "valid_to": "2018-12-31",
                "runs": False,
                "verified": False,
                "reason": "known elsewhere under another id",
            },
            {
                "id": "2025",
                "valid_from": "2025-01-01",
                "valid_to": None,
                "runs": True,
                "verified": True,
                "reason": None,
            },
        ],
    }


@pytest.mark.parametrize("scope", ["things:read", "platform:operate"])
async def test_only_who_may_look_at_the_platform_is_answered(
    issuer: Issuer, issuer_dir: Path, scope: str
) -> None:
    app = service(settings_for(issuer_dir), rule_sets_router("things", LISTED))

    async with calling(app, token_for(issuer, scope)) as client:
        answer = await client.get("/rule-sets")

    assert (answer.status_code, answer.json()["type"]) == (403, "/problems/scope-missing")
