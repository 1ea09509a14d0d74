"""What the registry takes from others: closings to list, lines asked again, terminations."""

from __future__ import annotations

from collections.abc import Sequence

from libs.events.errors import DomainError
from libs.events.handle import handle, handle_many
from libs.events.subscription import Incoming, Subscription
from libs.events.transaction import Transaction
from services.registry.contract import (
    COMMITMENT_TOPIC,
    FAMILY,
    LISTING,
    ROSTER_TOPIC,
    TAHAP_TOPIC,
    BucketRequested,
    ClosingAnnounced,
    ListFrozen,
    Terminated,
)
from services.registry.domain.closing import RuleSet, tahap_order
from services.registry.domain.family.commands import Command, MarkTerminated
from services.registry.domain.listing_messages import NoteFreeze, StartListing
from services.registry.policy import RuleSets
from services.registry.settings import SERVICE
from services.registry.views import ask_again, last_listed, open_listing, other_listings

FIRST_REVISION = 1


class AnnouncedAheadOfLog(DomainError):
    """A closing counts on facts that this register does not hold."""


class ClosingOutOfOrder(DomainError):
    """A later tahap has been listed, and families have moved on with it; drop this closing."""


class AnotherListOpen(DomainError):
    """The list of another tahap is still being made; announce again, or replay, once it is not."""


def subscriptions(rule_sets: RuleSets) -> tuple[Subscription, ...]:
    """The two topics that the registry reads."""

    async def tahap(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            if isinstance(message.body, BucketRequested):
                if message.body.topic == ROSTER_TOPIC:
                    await ask_again(unit, message.body.tahap, message.body.buckets)
            elif isinstance(message.body, ListFrozen):
                frozen = message.body.tahap
                await handle(unit, LISTING, f"listing-{frozen}", NoteFreeze(frozen))
            else:
                # Refused here it is parked and seen; the leader would try it again for ever.
                rules = rule_sets.named(message.body.policies["rule_set"])
                await _announced(unit, message.body, rules, message.envelope.trace)

    return (
        Subscription(
            SERVICE,
            TAHAP_TOPIC,
            {
                "ClosingAnnounced": ClosingAnnounced,
                "ListFrozen": ListFrozen,
                "BucketRequested": BucketRequested,
            },
            tahap,
        ),
        Subscription(SERVICE, COMMITMENT_TOPIC, {"Terminated": Terminated}, _commitment),
    )


async def _announced(
    unit: Transaction, closing: ClosingAnnounced, rules: RuleSet, trace: str | None
) -> None:
    head = await unit.connection.fetchval("SELECT position FROM head")
    if head < closing.after.get(SERVICE, 0):
        raise AnnouncedAheadOfLog(tahap=closing.tahap, head=head)
    # A replay comes later than the message did: what is listed by then would be judged backwards.
    if (last := await last_listed(unit)) and tahap_order(last) > tahap_order(closing.tahap):
        raise ClosingOutOfOrder(tahap=closing.tahap, listed=last)
    # As of a cut before its end, that list has judged nobody and nobody has graduated with it.
    if others := await other_listings(unit, but=closing.tahap):
        raise AnotherListOpen(tahap=closing.tahap, open=others[0])
    start = StartListing(
        tahap=closing.tahap,
        revision=FIRST_REVISION,
        months=closing.months,
        closing_date=closing.closing_date,
        policies=closing.policies,
        cut=head,
        rules=rules,
    )
    outcome = await handle(unit, LISTING, f"listing-{closing.tahap}", start)
    if outcome.state.open:
        await open_listing(unit, closing.tahap, trace)


async def _commitment(unit: Transaction, messages: Sequence[Incoming]) -> None:
    commands: list[tuple[str, Command]] = [
        (f"family-{m.body.family}", MarkTerminated(m.body.cycle, m.body.effect)) for m in messages
    ]
    for outcome in await handle_many(unit, FAMILY, commands):
        if outcome.error is not None:
            raise outcome.error
