"""People put right what went wrong: they defer and pay later, correct and release."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import msgspec
import pytest

from cli.client.http import Client, Refused, Seen, if_match
from cli.client.tahap_state import TahapState
from cli.client.waiting import until_quiet, while_it_moves
from cli.client.year import Tahap
from cli.demo.fetching import fetch_results
from cli.demo.outputs import Entitlement
from tests.chaos.year import Year, year

ROSTER = "pkh.registry.roster.v1"
SUPPLEMENTARY = "SUPPLEMENTARY-1"


async def quiet(running: Year) -> None:
    observer = running.front.client("observer", "platform:read")
    await until_quiet(observer, tuple(running.front.urls))


async def pkh(running: Year, *verb: str) -> tuple[int | None, str]:
    """The command line's answer to somebody who works for operations."""
    arguments = ("-m", "cli.main", *verb, "--data", str(running.platform.data_dir))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    shown, _ = await process.communicate()
    return process.returncode, shown.decode()


# -- A family that a bug keeps from being judged --------------------------------------------------


async def families_by_card(running: Year) -> dict[str, str]:
    """{no_kk: family} of every family in the register."""
    connection = await asyncpg.connect(running.platform.database_url("registry"))
    rows = await connection.fetch("SELECT family::text FROM identity_family")
    await connection.close()
    identifier = running.front.client("reporter", "registry:identify")
    wanted = {"purpose": "INSPECTION", "families": [row[0] for row in rows]}
    found = msgspec.json.decode(
        (await identifier.post("registry", "/identities/lookup", wanted)).body
    )
    return {each["no_kk"]: each["family"] for each in found}


def strike(bug: str, family: str) -> None:
    """Have the bug strike a family; nobody, once it is mended."""
    Path(bug).write_text(family)


async def until_run(running: Year, kind: str, phase: str) -> tuple[str, dict[str, str]]:
    """Wait for a run's phase; the hash of its order, and how to decide on it."""
    reader = running.front.client("observer", "payments:read")
    tahap = running.tahaps[0].id

    async def look() -> Seen[TahapState]:
        return await reader.see("payments", f"/tahap/{tahap}", TahapState)

    def there(seen: Seen[TahapState]) -> bool:
        return any(run.kind == kind and run.phase == phase for run in seen.value.runs)

    seen = await while_it_moves(look, there, str)
    [run] = [run for run in seen.value.runs if run.kind == kind]
    return run.order.hash if run.order else "", seen.if_match


async def pay_later(running: Year, maker: Client, checker: Client) -> None:
    """Two people take a supplementary run from its list to its money."""
    path = f"/tahap/{running.tahaps[0].id}"
    reader = running.front.client("observer", "payments:read")
    before = await reader.see("payments", path, TahapState)
    answer = await maker.post("payments", f"{path}/supplementary-runs", {}, before.if_match)
    opened = msgspec.json.decode(answer.body)
    assert opened["kind"] == SUPPLEMENTARY
    run = f"{path}/runs/{SUPPLEMENTARY}"
    approval, seen = {"hash": opened["hash"]}, if_match(answer.etag)
    await checker.post("payments", f"{run}/freeze-approval", approval, seen)
    hash_, seen = await until_run(running, SUPPLEMENTARY, "ORDER_READY")
    made = await maker.post("payments", f"{run}/order-proposal", {"hash": hash_}, seen)
    seen = if_match(made.etag)
    await checker.post("payments", f"{run}/order-approval", {"hash": hash_}, seen)
    await until_run(running, SUPPLEMENTARY, "RECONCILED")


async def a_poisoned_family_is_deferred_by_name_replayed_and_paid_later(
    running: Year, bug: str
) -> None:
    paid = next(
        row
        for row in running.rows("expected/entitlements.csv")
        if row["tahap"] == "1" and row["disposition"] == "PAID"
    )
    family = (await families_by_card(running))[paid["no_kk"]]
    strike(bug, family)

    await running.run(1)
    deferred = await fetch_results(running.front, [running.tahaps[0].id])
    assert family not in {row.family for row in deferred.entitlements}

    strike(bug, "")
    of_it = ("conditionality", "--key", family)
    code, shown = await pkh(running, "parked", "list", *of_it)
    assert (code, f"{ROSTER} {family}" in shown, "ArithmeticError" in shown) == (0, True, True)
    code, shown = await pkh(running, "parked", "replay", *of_it)
    assert (code, "DONE · 1 of 1 messages · handled 1" in shown) == (0, True)
    await quiet(running)
    maker = running.front.client("maker", "payments:make")
    await pay_later(running, maker, running.front.client("checker", "payments:check"))
    await quiet(running)

    assert await running.differences(1) == []
    await running.run(2)
    assert await running.differences(1, 2) == []


# -- A correction after the closing ---------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    type: str
    body: msgspec.Raw


@dataclass(frozen=True)
class Duty:
    member: int
    duty: str
    month: str | None
    outcome: str


@dataclass(frozen=True)
class Evaluated:
    tahap: str
    duties: list[Duty]


@dataclass(frozen=True)
class Waiting:
    correction: int
    result: str


@dataclass(frozen=True)
class Commitment:
    corrections: list[Waiting]


async def rows_of(running: Year, tahap: Tahap) -> dict[str, Entitlement]:
    """{family: its row of a tahap}."""
    results = await fetch_results(running.front, [tahap.id])
    return {row.family: row for row in results.entitlements}


async def failed_only(running: Year, tahap: Tahap) -> tuple[Entitlement, list[Duty]]:
    """A family, blocked in this tahap for the first time, of which every other duty was met, and
    the duties that failed."""
    earlier = [await rows_of(running, each) for each in running.tahaps[: tahap.number - 1]]
    blocked = {name for rows in earlier for name, r in rows.items() if r.disposition == "BLOCKED"}
    reader = running.front.client("reporter", "projection:read")
    for row in (await rows_of(running, tahap)).values():
        if row.disposition != "BLOCKED" or row.family in blocked:
            continue
        path = f"/families/{row.family}/timeline"
        pages = reader.pages("projection", path, list[Happening])
        events = [each async for page in pages for each in page]
        bodies = [each.body for each in events if each.type == "CycleEvaluated"]
        cycles = [msgspec.json.decode(body, type=Evaluated) for body in bodies]
        duties = next(cycle.duties for cycle in cycles if cycle.tahap == tahap.id)
        if all(duty.outcome != "UNVERIFIED" for duty in duties):
            return row, [duty for duty in duties if duty.outcome == "FAILED"]
    raise AssertionError("the sample year has no such family")


async def correct(
    running: Year, tahap: Tahap, school: Client, family: str, failed: list[Duty]
) -> None:
    """Report again, rightly, what had failed."""
    results = await fetch_results(running.front, [tahap.id])
    [who] = [each for each in results.identities if each.family == family]
    niks = {member.member: member.nik for member in who.members}
    services = {
        "EARLY_CHILD": "WEIGHING",
        "PREGNANT": "MATERNAL_CHECK",
        "SEVERE_DISABILITY": "HOME_VISIT",
        "ELDERLY": "ELDERLY_CHECK",
    }
    for duty in failed:
        said: dict[str, object] = {
            "nik": niks[duty.member],
            "month": duty.month or tahap.months[0],
        }
        if duty.duty in services:
            path, said = "/visits", said | {"service": services[duty.duty], "attended": True}
        else:
            days = {"effective_days": 20, "absent": 0, "permitted": 0, "sick": 0}
            path, said = "/school-months", said | days
        await school.post("conditionality", path, said)
    await quiet(running)


async def a_correction_after_the_closing_releases_the_money_once(
    running: Year, tahap: Tahap
) -> None:
    before = await rows_of(running, tahap)
    blocked, failed = await failed_only(running, tahap)
    school = running.front.client("school", "conditionality:record")
    await correct(running, tahap, school, blocked.family, failed)
    await correct(running, tahap, school, blocked.family, failed)

    path = f"/commitments/{blocked.family}"
    reader = running.front.client("reader", "conditionality:read")
    seen = await reader.see("conditionality", path, Commitment)
    [waiting] = seen.value.corrections
    assert waiting.result == "COMPLIANT"
    approver = running.front.client("approver", "conditionality:approve")
    approval = f"{path}/corrections/{waiting.correction}/approval"
    done = await approver.post("conditionality", approval, None, seen.if_match)
    with pytest.raises(Refused, match="has changed since"):
        await approver.post("conditionality", approval, None, seen.if_match)
    with pytest.raises(Refused, match="No correction of this number"):
        await approver.post("conditionality", approval, None, if_match(done.etag))
    await quiet(running)

    after = await rows_of(running, tahap)
    right = replace(blocked, commitment="COMPLIANT", failing=(), released=blocked.amount)
    assert after == before | {blocked.family: right}


# -- On one platform, one after the other ---------------------------------------------------------


async def test_people_put_right_what_a_bug_and_a_school_did_wrong() -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as bug:
        program = [sys.executable, "-m", "tests.chaos.buggy_conditionality", bug.name]
        async with year(programs={"conditionality": program}) as running:
            await a_poisoned_family_is_deferred_by_name_replayed_and_paid_later(running, bug.name)
            # The last closed one: a later cycle would have released money by itself.
            last = running.tahaps[1]
            await a_correction_after_the_closing_releases_the_money_once(running, last)
