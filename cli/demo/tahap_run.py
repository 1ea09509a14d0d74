"""Takes one tahap from its announcement to its reconciliation, as the people do who run it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from cli.client import Client, Connected, Refused
from cli.demo.screen import Bar, Screen
from cli.tahap_state import LISTED, OVER, REGULAR, TahapState, announcement
from cli.waiting import until_quiet, while_it_moves
from cli.year import Tahap

# A late fact moved the list between two people's looks at it: they look again.
LOOK_AGAIN: Final = ("list-moved", "stale-hash")
LOOKS_MAX: Final = 5


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

    async def until(self, done: Callable[[TahapState], bool]) -> TahapState:
        """Wait for a phase, showing how it goes."""

        async def look() -> TahapState:
            state = await self.people.observer.get(
                "payments", f"/tahap/{self.tahap.id}", TahapState
            )
            self.show(state)
            return state

        return await while_it_moves(look, done, lambda state: f"tahap {self.tahap.id}: {state}")

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
    await _freeze(desk)
    await _order(desk)
    state = await desk.until(lambda state: state.phase in OVER)
    await until_quiet(people.observer, tuple(platform.urls))
    took = time.monotonic() - desk.begun
    desk.bar.finish(str(state))
    return took


async def _freeze(desk: _Desk) -> None:
    for look in range(1, LOOKS_MAX + 1):
        ready = await desk.until(lambda state: state.phase in LISTED)
        try:
            await _freeze_as_it_stands(desk, ready)
            break
        except Refused as refusal:
            if refusal.kind not in LOOK_AGAIN or look == LOOKS_MAX:
                raise


async def _freeze_as_it_stands(desk: _Desk, ready: TahapState) -> None:
    for each in ready.list.deferred_candidates:
        desk.screen.say(f"tahap {desk.tahap.id} is frozen without {each.family}: {each.reason}")
    path = f"/tahap/{desk.tahap.id}"
    proposal = {"hash": ready.list.hash, "deferred": ready.list.deferred_candidates}
    await desk.people.maker.post("payments", f"{path}/freeze-proposal", proposal)
    approval = {"hash": ready.list.hash}
    await desk.people.checker.post("payments", f"{path}/freeze-approval", approval)


async def _order(desk: _Desk) -> None:
    state = await desk.until(
        lambda state: state.phase in OVER or state.stage in ("ORDER_READY", "RECONCILED")
    )
    run = state.regular
    if run is None or run.order is None or run.phase != "ORDER_READY":
        return  # nobody passed the account check, so there is nothing to order
    path = f"/tahap/{desk.tahap.id}/runs/{REGULAR}"
    await desk.people.maker.post("payments", f"{path}/order-proposal", {"hash": run.order.hash})
    await desk.people.checker.post("payments", f"{path}/order-approval", {"hash": run.order.hash})
