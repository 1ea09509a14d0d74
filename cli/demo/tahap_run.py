"""Takes one tahap from its announcement to its reconciliation, as the people do who run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cli.client import Client, Connected, Seen, if_match
from cli.demo.screen import Bar, Screen
from cli.tahap_state import LISTED, OVER, REGULAR, TahapState, announcement, look_again
from cli.waiting import until_quiet, while_it_moves
from cli.year import Tahap

# -- The people -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class People:
    """Who does what: each step that moves money takes two of them."""

    announcer: Client
    maker: Client
    checker: Client
    observer: Client

    @classmethod
    def of(cls, platform: Connected) -> People:
        """Four people with only the scopes that they need."""
        return cls(
            platform.client("announcer", "payments:announce"),
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
    bar: Bar
    begun: float

    async def until(self, done: Callable[[TahapState], bool]) -> Seen[TahapState]:
        """Wait for a phase, showing how it goes."""

        async def look() -> Seen[TahapState]:
            seen = await self.people.observer.see("payments", f"/tahap/{self.tahap.id}", TahapState)
            self.show(seen.value)
            return seen

        return await while_it_moves(
            look,
            lambda seen: done(seen.value),
            lambda seen: f"tahap {self.tahap.id}: {seen.value}",
        )

    def show(self, state: TahapState) -> None:
        listed = state.list.listed
        whole = state.list.listed_expected or listed
        # Each family is listed, evaluated, entitled and answered for by its bank.
        run = state.regular
        answered = run.credited.count + run.failed.count if run else 0
        done = listed + state.list.evaluated + state.entitled + answered
        rate = listed / max(time.monotonic() - self.begun, 0.001)
        self.bar.show(done, f"{state} · {rate:,.0f} families/s", total=4 * whole or None)


async def run_tahap(
    platform: Connected, tahap: Tahap, after: Mapping[str, int], screen: Screen
) -> float:
    """Announce, freeze, order and pay a tahap; gives the seconds until every service knows of it.

    `after` names the position that each service must have consumed before it starts.
    """
    people = People.of(platform)
    desk = _Desk(people, tahap, screen, screen.bar(f"tahap {tahap.id}"), time.monotonic())
    await people.announcer.post("payments", "/tahap", announcement(tahap, after))
    await look_again(lambda: _freeze(desk))
    await look_again(lambda: _order(desk))
    over = await desk.until(lambda state: state.phase in OVER)
    await until_quiet(people.observer, tuple(platform.urls))
    took = time.monotonic() - desk.begun
    desk.bar.finish(str(over.value))
    return took


async def _freeze(desk: _Desk) -> None:
    ready = await desk.until(lambda state: state.phase in LISTED)
    lines = ready.value.list
    for each in lines.deferred_candidates:
        desk.screen.say(f"tahap {desk.tahap.id} is frozen without {each.family}: {each.reason}")
    proposal = {"hash": lines.hash, "deferred": lines.deferred_candidates}
    await _two_people(desk, f"/tahap/{desk.tahap.id}/freeze", proposal, ready)


async def _order(desk: _Desk) -> None:
    seen = await desk.until(
        lambda state: state.phase in OVER or state.stage in ("ORDER_READY", "RECONCILED")
    )
    run = seen.value.regular
    if run is None or run.order is None or run.phase != "ORDER_READY":
        return  # nobody passed the account check, so there is nothing to order
    proposal = {"hash": run.order.hash}
    await _two_people(desk, f"/tahap/{desk.tahap.id}/runs/{REGULAR}/order", proposal, seen)


async def _two_people(
    desk: _Desk, what: str, proposal: Mapping[str, object], seen: Seen[TahapState]
) -> None:
    """One person proposes what was seen; another approves just what that proposal left."""
    maker, checker = desk.people.maker, desk.people.checker
    made = await maker.post("payments", f"{what}-proposal", proposal, seen.if_match)
    approval = {"hash": proposal["hash"]}
    await checker.post("payments", f"{what}-approval", approval, if_match(made.etag))
