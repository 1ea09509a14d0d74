"""Messages that the registry takes from others: steps of a tahap, terminations, cases' orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from libs.chassis.regions import holds
from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.domain.errors import DomainError
from libs.events.store.handle import handle, handle_many
from libs.events.store.transaction import Transaction
from services.registry.contract import (
    CASE_TOPIC,
    COMMITMENT_TOPIC,
    FAMILY,
    LISTING,
    ROSTER_TOPIC,
    SERVICE,
    TAHAP_TOPIC,
)
from services.registry.contract.read import (
    BucketRequested,
    ClosingAnnounced,
    ListFrozen,
    OrderRequested,
    TahapCancelled,
    Terminated,
)
from services.registry.domain.closing import RuleSet, tahap_order
from services.registry.domain.family import roster
from services.registry.domain.family.commands import AskTakeBack, Command, MarkTerminated
from services.registry.domain.listing.messages import NoteFreeze
from services.registry.policy import RuleSets
from services.registry.tables.erasures import erased_among
from services.registry.tables.identity_rows import ask_again, last_listed
from services.registry.tables.list_queue import others_first, wait_in_line
from services.registry.tables.take_backs import keep_take_backs
from services.registry.workers.unlister import cancel_list, start_list

TAKE_BACK_TERMINATION: Final = "TAKE_BACK_TERMINATION"


class AnnouncedAheadOfLog(DomainError):
    """The announcement names a position that this register's log has not reached."""


class ClosingOutOfOrder(DomainError):
    """A later tahap has been listed already, so this closing comes too late; drop it."""


def subscriptions(rule_sets: RuleSets) -> tuple[Subscription, ...]:
    """The topics that the registry reads."""

    async def tahap(unit: Transaction, messages: Sequence[Incoming]) -> None:
        for message in messages:
            body, trace = message.body, message.envelope.trace
            if isinstance(body, BucketRequested):
                if body.topic == ROSTER_TOPIC:
                    await ask_again(unit, body.tahap, body.buckets)
            elif isinstance(body, TahapCancelled):
                await cancel_list(unit, body.tahap, body.revision, trace)
            elif isinstance(body, ListFrozen):
                await handle(unit, LISTING, f"listing-{body.tahap}", NoteFreeze(body.tahap))
            else:
                # Refused here it is parked and seen; the leader would try it again for ever.
                rules = rule_sets.named(body.policies["rule_set"])
                await _announced(unit, body, rules, trace)

    return (
        Subscription(
            SERVICE,
            TAHAP_TOPIC,
            {
                "ClosingAnnounced": ClosingAnnounced,
                "ListFrozen": ListFrozen,
                "TahapCancelled": TahapCancelled,
                "BucketRequested": BucketRequested,
            },
            tahap,
        ),
        Subscription(SERVICE, COMMITMENT_TOPIC, {"Terminated": Terminated}, _commitment),
        Subscription(SERVICE, CASE_TOPIC, {"OrderRequested": OrderRequested}, _cases),
    )


async def _announced(
    unit: Transaction, closing: ClosingAnnounced, rules: RuleSet, trace: str | None
) -> None:
    head = await unit.head()
    if head < closing.after.get(SERVICE, 0):
        raise AnnouncedAheadOfLog(tahap=closing.tahap, head=head)
    # A replay comes later than the message did: what is listed by then would be judged backwards.
    if (last := await last_listed(unit)) and tahap_order(last) > tahap_order(closing.tahap):
        raise ClosingOutOfOrder(tahap=closing.tahap, listed=last)
    # As of a cut before its end, another list has judged nobody and nobody has graduated with it.
    if await others_first(unit, closing.tahap):
        await wait_in_line(unit, closing, trace)
    else:
        await start_list(unit, closing, rules, trace)


async def _commitment(unit: Transaction, messages: Sequence[Incoming]) -> None:
    commands: list[tuple[str, Command]] = [
        (f"family-{m.body.family}", MarkTerminated(m.body.cycle, m.body.effect)) for m in messages
    ]
    for outcome in await handle_many(unit, FAMILY, commands):
        if outcome.error is not None:
            raise outcome.error


async def _cases(unit: Transaction, messages: Sequence[Incoming]) -> None:
    # Orders of other services are theirs.
    orders = [m.body for m in messages if m.body.ordered == TAKE_BACK_TERMINATION]
    # Whoever approves an erasure waits for us, or has approved it before we look.
    await unit.hold(sorted({f"family-{asked.family}" for asked in orders}))
    for asked in orders:
        stream = f"family-{asked.family}"
        found = (await unit.load(FAMILY, [stream])).get(stream)
        there = found is not None and bool(found.state.family)
        there = there and not await erased_among(unit, [asked.family])
        order = asked.family, asked.order, asked.case, asked.asked_by
        region = roster.region(found.state, unit.context.at.date()) if found and there else ""
        inside = holds(asked.regions, region)
        asked_for = await handle(unit, FAMILY, stream, AskTakeBack(*order, there, inside))
        await keep_take_backs(unit, asked_for)
