"""Takes one tahap from its announcement to its reconciliation, as the people do who run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from cli.client.http import Client, Connected, Refused, Seen, if_match
from cli.client.jobs import looking
from cli.client.screen import Screen
from cli.client.tahap_jobs import show_tahap
from cli.client.tahap_state import (
    CHECKED,
    LISTED,
    OVER,
    PROPOSED,
    REGULAR,
    UNKNOWN,
    Lines,
    TahapState,
    announcement,
    announcement_approval,
    look_again,
)
from cli.client.waiting import until_quiet, while_it_moves
from cli.client.year import Tahap

# -- The people -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class People:
    """The people of a run: an announcement and each step that moves money take two of them."""

    announcer: Client
    head: Client
    maker: Client
    checker: Client
    observer: Client

    @classmethod
    def of(cls, platform: Connected) -> People:
        """Five people with only the scopes that they need."""
        return cls(
            platform.client("announcer", "payments:announce"),
            platform.client("head", "payments:announce"),
            platform.client("maker", "payments:make", "payments:read"),
            platform.client("checker", "payments:check"),
            platform.client("observer", "payments:read", "platform:read"),
        )


@dataclass(frozen=True, slots=True)
class _Desk:
    """One tahap on the people's desk."""

    people: People
    tahap: Tahap
    screen: Screen

    async def see(self) -> Seen[TahapState]:
        """The tahap as it stands."""
        return await self.people.observer.see("payments", f"/tahap/{self.tahap.id}", TahapState)

    async def until(self, done: Callable[[TahapState], bool]) -> Seen[TahapState]:
        """Wait for a phase."""
        return await while_it_moves(
            self.see,
            lambda seen: done(seen.value),
            lambda seen: f"tahap {self.tahap.id}: {seen.value}",
        )


async def run_tahap(
    platform: Connected, tahap: Tahap, after: Mapping[str, int] | None, screen: Screen
) -> float:
    """Announce, freeze, order and pay a tahap; gives the seconds until every service knows of it.

    `after` names the position that each service's log must have reached before it starts, None
    takes those of this moment. What was done before is seen and not done again, so this goes on
    with a tahap that was left anywhere.
    """
    begun = time.monotonic()
    people = People.of(platform)
    desk, bar = _Desk(people, tahap, screen), screen.bar(f"tahap {tahap.id}")
    async with looking(partial(show_tahap, people.observer, tahap.id, bar)):
        await look_again(lambda: _announce(desk, after))
        await look_again(lambda: _freeze(desk))
        await look_again(lambda: _order(desk))
        over = await desk.until(lambda state: state.phase in OVER)
        await until_quiet(people.observer, tuple(platform.urls))
    bar.finish(str(over.value))
    return time.monotonic() - begun


async def _announce(desk: _Desk, after: Mapping[str, int] | None) -> None:
    try:
        seen = await desk.see()
    except Refused as refusal:
        if refusal.kind != UNKNOWN:
            raise
        await desk.people.announcer.post("payments", "/tahap", announcement(desk.tahap))
        seen = await desk.see()
    if seen.value.phase == PROPOSED and seen.value.proposal:
        path = f"/tahap/{desk.tahap.id}/announcement-approval"
        approval = announcement_approval(seen.value.proposal, after)
        await desk.people.head.post("payments", path, approval, seen.if_match)


async def _freeze(desk: _Desk) -> None:
    seen = await desk.until(lambda state: state.phase in LISTED)
    lines, what = seen.value.list, f"/tahap/{desk.tahap.id}/freeze"
    if seen.value.phase == "READY":
        for candidate in lines.deferred_candidates:
            desk.screen.say(
                f"tahap {desk.tahap.id} is frozen without {candidate.family}: {candidate.reason}"
            )
        if (found := lines.differences) is not None:
            desk.screen.say(f"tahap {desk.tahap.id} unlike {found.against}: {found}")
        more = {"deferred": lines.deferred_candidates}
        await _two_people(desk, what, _as_seen(lines), seen, more)
    elif seen.value.phase == "FREEZE_PROPOSED":
        await _second_person(desk, what, _as_seen(lines), seen.if_match)


def _as_seen(lines: Lines) -> dict[str, object]:
    """The list that both people name, and how it differs from the last frozen one."""
    return {"hash": lines.hash, **lines.acknowledged}


async def _order(desk: _Desk) -> None:
    seen = await desk.until(lambda state: state.phase in OVER or state.stage in CHECKED)
    run, what = seen.value.regular, f"/tahap/{desk.tahap.id}/runs/{REGULAR}/order"
    if run is None or run.order is None:
        return  # nobody passed the account check, so there is nothing to order
    if run.phase == "ORDER_READY":
        await _two_people(desk, what, {"hash": run.order.hash}, seen)
    elif run.phase == "ORDER_PROPOSED":
        await _second_person(desk, what, {"hash": run.order.hash}, seen.if_match)


async def _two_people(
    desk: _Desk,
    what: str,
    named: Mapping[str, object],
    seen: Seen[TahapState],
    more: Mapping[str, object] | None = None,
) -> None:
    """One person proposes what was seen; another approves just what that proposal left."""
    maker, proposal = desk.people.maker, {**named, **(more or {})}
    made = await maker.post("payments", f"{what}-proposal", proposal, seen.if_match)
    await _second_person(desk, what, named, if_match(made.etag))


async def _second_person(
    desk: _Desk, what: str, named: Mapping[str, object], stands: Mapping[str, str]
) -> None:
    await desk.people.checker.post("payments", f"{what}-approval", named, stands)
