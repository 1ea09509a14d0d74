"""The rule sets that a service knows, and those that it runs; asked before a tahap is announced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from libs.chassis.auth import Principal, require
from libs.policy.rule_sets import ListedRuleSet

Observer = Annotated[Principal, require("platform:read")]


class RuleSet(BaseModel):
    """A rule set of a service, valid on closing dates from `valid_from` to `valid_to`.

    `verified` is false where the source of its figures is not enough to pay by; `reason` says why
    it does not run. A `valid_to` of null is open.
    """

    id: str
    valid_from: date
    valid_to: date | None
    runs: bool
    verified: bool
    reason: str | None


class RuleSets(BaseModel):
    """All the rule sets of one service, as its policy files have them."""

    service: str
    rule_sets: list[RuleSet]


def rule_sets_router(service: str, listed: Sequence[ListedRuleSet]) -> APIRouter:
    """The router that answers `GET /rule-sets` for a service."""
    router = APIRouter(tags=["operations"])
    answer = RuleSets(
        service=service,
        rule_sets=[
            RuleSet(
                id=rules.id,
                valid_from=rules.valid_from,
                valid_to=rules.valid_to,
                runs=rules.runs,
                verified=rules.verified,
                reason=rules.reason,
            )
            for rules in listed
        ],
    )

    @router.get("/rule-sets")
    async def read_rule_sets(observer: Observer) -> RuleSets:
        """The rule sets that this service knows: when each is valid, and whether it runs."""
        return answer

    return router
