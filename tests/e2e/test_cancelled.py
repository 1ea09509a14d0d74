"""A tahap is cancelled and corrected on a running platform, and then the year is paid."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.client.http import Client, Seen
from cli.client.tahap_state import TahapState, announcement, announcement_approval
from cli.client.waiting import until_quiet, while_it_moves
from cli.demo.tahap_run import People
from tests.chaos.year import Year, year
from tests.tiers import NIGHTLY

REASON = {"reason": "WRONG_DATES"}
# By day the one that was cancelled, and one whose list follows it.
TAHAPS = (1, 2, 3, 4) if NIGHTLY else (1, 2)


async def see(people: People, tahap: str) -> Seen[TahapState]:
    return await people.observer.see("payments", f"/tahap/{tahap}", TahapState)


async def until(people: People, tahap: str, phase: str, revision: int) -> Seen[TahapState]:
    """The tahap when it has come to a phase of one of its announcements."""
    return await while_it_moves(
        lambda: see(people, tahap),
        lambda seen: (seen.value.phase, seen.value.revision) == (phase, revision),
        lambda seen: f"{tahap}: {seen.value}",
    )


async def propose_and_approve(running: Year, people: People, what: str, body: object) -> None:
    """One person proposes, another one approves what stands then."""
    tahap = running.tahaps[0].id
    path = f"/tahap/{tahap}/{what}"
    seen = await see(people, tahap)
    await people.announcer.post("payments", f"{path}-proposal", body, seen.if_match)
    seen = await see(people, tahap)
    assert seen.value.proposal is not None
    approval: dict[str, object] = {"hash": seen.value.proposal.hash}
    if what == "correction":
        approval = announcement_approval(seen.value.proposal)
    await people.head.post("payments", f"{path}-approval", approval, seen.if_match)


async def announce(people: People, running: Year) -> None:
    """Two people announce the first tahap."""
    tahap = running.tahaps[0]
    await people.announcer.post("payments", "/tahap", announcement(tahap))
    seen = await see(people, tahap.id)
    assert seen.value.proposal is not None
    body = announcement_approval(seen.value.proposal)
    path = f"/tahap/{tahap.id}/announcement-approval"
    await people.head.post("payments", path, body, seen.if_match)


async def freeze(people: People, tahap: str) -> None:
    """Two people freeze the list, and the treasury checks its accounts."""
    path, seen = f"/tahap/{tahap}/freeze", await see(people, tahap)
    lines = seen.value.list
    proposal = {"hash": lines.hash, "deferred": lines.deferred_candidates}
    await people.maker.post("payments", f"{path}-proposal", proposal, seen.if_match)
    seen = await see(people, tahap)
    approval = {"hash": lines.hash}
    await people.checker.post("payments", f"{path}-approval", approval, seen.if_match)
    await while_it_moves(
        lambda: see(people, tahap),
        lambda seen: seen.value.stage == "ORDER_READY",
        lambda seen: f"{tahap}: {seen.value}",
    )


async def order(people: People, tahap: str) -> None:
    """Two people order the payments whose accounts passed."""
    path, seen = f"/tahap/{tahap}/runs/REGULAR/order", await see(people, tahap)
    assert seen.value.regular is not None
    assert seen.value.regular.order is not None
    body = {"hash": seen.value.regular.order.hash}
    await people.maker.post("payments", f"{path}-proposal", body, seen.if_match)
    seen = await see(people, tahap)
    await people.checker.post("payments", f"{path}-approval", body, seen.if_match)


@contextmanager
def stopped(running: Year, name: str) -> Iterator[None]:
    """A process of the platform that answers nobody meanwhile."""
    process = running.platform.supervisor.pids()[name]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def told_of(running: Year, tahap: str) -> list[str]:
    """The sentences of somebody's explanation about what was cancelled of a tahap."""
    reader = running.front.client("officer", "projection:read")
    wanted = {"tahap": tahap, "disposition": "PAID"}
    async for page in reader.pages("projection", "/entitlements", list[dict[str, Any]], **wanted):
        why = f"/families/{page[0]['family']}/tahap/{tahap}/why"
        explanation = await reader.get("projection", why, dict[str, Any])
        return [step["text"]["en"] for step in explanation["steps"] if step["kind"] == "CANCELLED"]
    raise AssertionError("nobody is paid")


async def quiet(observer: Client, running: Year) -> None:
    await until_quiet(observer, tuple(running.front.urls))


async def test_a_year_whose_first_tahap_was_cancelled_and_corrected_comes_out_equal() -> None:
    async with year() as running:
        people, first = People.of(running.front), running.tahaps[0].id
        await announce(people, running)
        await until(people, first, "READY", 1)
        await propose_and_approve(running, people, "cancellation", REASON)
        await until(people, first, "CANCELLED", 1)
        await quiet(people.observer, running)

        await announce(people, running)
        await until(people, first, "READY", 2)
        await freeze(people, first)
        terms = announcement(running.tahaps[0])
        with stopped(running, "treasury"):  # so that no bank has a file before the approval
            await order(people, first)
            await propose_and_approve(running, people, "correction", terms | REASON)
            assert (await see(people, first)).value.phase == "CANCELLING"
        await until(people, first, "READY", 3)
        await quiet(people.observer, running)

        for number in TAHAPS:
            await running.run(number)
        assert await running.differences(*TAHAPS) == []
        cancelled, corrected = await told_of(running, first)
        assert "revision 1" in cancelled
        assert "its payment of Rp" in corrected
        assert corrected.endswith("Revision 3 is announced in its place, and pays instead.")
