"""The announcement of a tahap over HTTP: one person proposes it, another one approves it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from libs.chassis.auth import Principal, require_nation
from libs.chassis.bodies import TahapId
from libs.chassis.deciding import DecidingOf
from libs.chassis.etag import IfMatch, Unconditional, etag
from libs.chassis.idempotency import Reply
from libs.chassis.service import StoreOf
from libs.events.store.handle import handle
from libs.events.store.transaction import Transaction
from services.payments.contract import TAHAP
from services.payments.domain.tahap import announcement
from services.payments.domain.tahap.messages import (
    ApproveAnnouncement,
    Benefit,
    Circumstances,
    Override,
    ProposeAnnouncement,
    Terms,
    WithdrawProposal,
)
from services.payments.http import announcing, refusals
from services.payments.http.schemas import (
    Announcement,
    AnnouncementApproval,
    Empty,
    Proposed,
)
from services.payments.http.tahap import OutsideOf, PoliciesOf
from services.payments.policy import Policies
from services.payments.tables import versions
from services.payments.tables.open_lists import open_list
from services.payments.workers.making_way import alone_with_lists_behind, make_way

Announcer = Annotated[Principal, require_nation("payments:announce")]

router = APIRouter(tags=["payments"])


@router.post(
    "/tahap",
    status_code=201,
    response_model=Proposed,
    responses=refusals.ANNOUNCEMENT_PROPOSED,
    dependencies=[Unconditional],
)
async def propose(
    body: Announcement,
    store: StoreOf,
    policies: PoliciesOf,
    outside: OutsideOf,
    deciding: DecidingOf,
    announcer: Announcer,
) -> Response:
    """Propose a tahap's final closing, for another person to approve; it starts nothing yet.

    Its rule set is the one that holds on its closing date, within the year of its name.
    """
    terms = terms_of(body, policies, announcer.subject)
    after = body.after.positions()
    announcement.require_terms(terms)
    answers = await announcing.answers(outside, policies, store)

    async def decided(unit: Transaction) -> Reply:
        against = Circumstances(await announcing.other_tahaps(unit, terms.tahap), answers)
        command = ProposeAnnouncement(terms, after, announcer.subject, against)
        state = (await handle(unit, TAHAP, TAHAP.stream(terms.tahap), command)).state
        proposed = {
            "tahap": terms.tahap,
            "rule_set": terms.policies["rule_set"],
            "revision": state.proposal.revision if state.proposal else state.revision,
            "hash": state.proposal.hash if state.proposal else state.approved,
        }
        return Reply(201, proposed, await versions.etag_of(unit, terms.tahap))

    return await deciding(decided)


def terms_of(body: Announcement, policies: Policies, maker: str) -> Terms:
    """The terms that somebody sends, with the rules of their closing date."""
    rules, override = policies.of_tahap(body.tahap, body.closing_date), body.override
    return Terms(
        tahap=body.tahap,
        months=tuple(body.months),
        closing_date=body.closing_date,
        account_check_date=body.account_check_date,
        credit_date=body.credit_date,
        policies={"rule_set": rules.id},
        benefit=Benefit.of(rules.benefit),
        override=Override(override.table, override.reason, maker) if override else None,
    )


@router.post("/tahap/{tahap}/announcement-approval", status_code=204, responses=refusals.ANNOUNCED)
async def approve(
    tahap: TahapId,
    body: AnnouncementApproval,
    store: StoreOf,
    policies: PoliciesOf,
    outside: OutsideOf,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Announce what another person proposed: from here on every service works on it."""
    answers = await announcing.answers(outside, policies, store)

    async def decided(unit: Transaction) -> Reply:
        await announcing.alone(unit)
        standing = await versions.ensure_seen(unit, tahap, seen)
        await alone_with_lists_behind(unit, standing.tahap)
        against = Circumstances(await announcing.other_tahaps(unit, tahap), answers)
        await make_way(unit, standing.tahap, against.others, announcer.subject)
        command = ApproveAnnouncement(announcer.subject, body.hash, body.after.positions(), against)
        if (await standing.decide(unit, command)).events:
            await open_list(unit, tahap, standing.tahap.revision)
        return Reply(204, None, {"ETag": etag(standing.version)})

    return await deciding(decided)


@router.post(
    "/tahap/{tahap}/announcement-withdrawal", status_code=204, responses=refusals.WITHDRAWN
)
async def withdraw(
    tahap: TahapId,
    body: Empty,
    deciding: DecidingOf,
    announcer: Announcer,
    seen: IfMatch,
) -> Response:
    """Take a proposal back; the tahap can be proposed again."""

    async def decided(unit: Transaction) -> Reply:
        standing = await versions.ensure_seen(unit, tahap, seen)
        await standing.decide(unit, WithdrawProposal(announcer.subject))
        return Reply(204)

    return await deciding(decided)
