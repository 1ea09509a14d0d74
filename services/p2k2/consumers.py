"""Messages that p2k2 takes from others: who is assigned to which group, and who is in it still."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from libs.events.bus.incoming import Incoming
from libs.events.consumer.subscription import Subscription
from libs.events.store.handle import handle_many
from libs.events.store.transaction import Transaction
from services.p2k2.contract import (
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    GROUP,
    GROUP_TOPIC,
    SERVICE,
    FamilyDesignated,
    FamilyErased,
    FamilyGraduated,
    FamilyMoved,
    FamilyUnlisted,
    GroupAssigned,
    Terminated,
    TerminationTakenBack,
)
from services.p2k2.domain.group import AddFamilies, Command, RemoveFamilies
from services.p2k2.tables.groups import (
    Participant,
    assign,
    designate,
    erase,
    leave,
    memberships_of_families,
    move,
    participants,
    take_back,
    terminate,
    unlist,
)


async def take_groups(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep who is assigned to which group; who changes it leaves the one before."""
    assigned = [message.body for message in messages]
    await assign(unit, assigned)
    await _settle(unit, {body.family for body in assigned})


async def take_families(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep who was found eligible, graduated, moved, came back or is erased; and what was void."""
    for void, some in groupby(messages, lambda m: isinstance(m.body, FamilyUnlisted)):
        if void:
            await unlist(unit, {(m.body.family, m.body.tahap) for m in some})
        else:
            await _keep(unit, list(some))
    await _settle(unit, {m.body.family for m in messages if not isinstance(m.body, FamilyMoved)})


async def _keep(unit: Transaction, messages: Sequence[Incoming]) -> None:
    bodies = [message.body for message in messages]
    moves = [(m.position, m.body) for m in messages if isinstance(m.body, FamilyMoved)]
    eligible = {
        body.family: body.tahap
        for body in bodies
        if isinstance(body, FamilyDesignated) and body.status == "ELIGIBLE"
    }
    graduated = {body.family: body.tahap for body in bodies if isinstance(body, FamilyGraduated)}
    erased = {body.family for body in bodies if isinstance(body, FamilyErased)}
    if moves:
        await move(unit, moves)
    if eligible:
        await designate(unit, eligible)
    back = {(b.family, b.tahap) for b in bodies if isinstance(b, TerminationTakenBack)}
    if back:
        await take_back(unit, back)
    if graduated:
        await leave(unit, graduated, "GRADUATED")
    if erased:
        await erase(unit, erased)


async def take_commitments(unit: Transaction, messages: Sequence[Incoming]) -> None:
    """Keep whose participation was ended."""
    ended = [(message.body.family, message.body.cycle) for message in messages]
    await terminate(unit, ended)
    await _settle(unit, {family for family, _ in ended})


async def _settle(unit: Transaction, families: set[str]) -> None:
    """Bring groups in line with what is known of these families, in whatever order it came."""
    if not families:
        return
    commands: list[tuple[str, Command]] = []
    staying: dict[str, list[Participant]] = {}
    judged = await participants(unit, families)
    former = await memberships_of_families(unit.connection, [who.family for who in judged])
    for who in judged:
        commands += [
            (GROUP.stream(earlier.group), RemoveFamilies((who.family,), "REASSIGNED"))
            for earlier in former.get(who.family, ())
            if earlier.group != who.group.group
        ]
        if who.left_for is None:
            staying.setdefault(who.group.group, []).append(who)
        else:
            gone = RemoveFamilies((who.family,), who.left_for)
            commands.append((GROUP.stream(who.group.group), gone))
    for name, members in staying.items():
        group, added = members[0].group, tuple(who.family for who in members)
        joining = AddFamilies(name, group.region, group.facilitator, added)
        commands.append((GROUP.stream(name), joining))
    for outcome in await handle_many(unit, GROUP, commands):
        if outcome.error is not None:
            raise outcome.error


SUBSCRIPTIONS = (
    Subscription(SERVICE, GROUP_TOPIC, {"GroupAssigned": GroupAssigned}, take_groups),
    Subscription(
        SERVICE,
        FAMILY_TOPIC,
        {
            "FamilyDesignated": FamilyDesignated,
            "FamilyGraduated": FamilyGraduated,
            "FamilyUnlisted": FamilyUnlisted,
            "FamilyMoved": FamilyMoved,
            "FamilyErased": FamilyErased,
            "TerminationTakenBack": TerminationTakenBack,
        },
        take_families,
    ),
    Subscription(SERVICE, COMMITMENT_TOPIC, {"Terminated": Terminated}, take_commitments),
)
