"""Whoever reaches payments' tables writes an account of theirs into a line: nobody is paid on it.

The attacker's account is in order at its bank, and the value is sealed as the family's own is. They
come with the service's own role, and past that as the owner of the tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec
import pytest

from libs.events.domain.list_proof import value_hash
from libs.events.workers.backoff import FAILING_ATTEMPTS, failing
from services.payments.tables.run_lines import PAYER
from services.payments.workers.job_progress import paying
from services.payments.workers.list_joiner import JOINER
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1, House, books_of, houses
from tests.integration.payments.office import Office
from tests.integration.payments.steps import until_entitled, until_instructed
from tests.servers import Postgres

VILLAGE = houses(3)
STOLEN = "399999999999"
REDIRECTED = House(1, written=(("account_no", STOLEN),))
RUN = f"{TAHAP_1}-REGULAR"

AS_OWNER = "UPDATE list_line SET line = $2, roster_hash = $3 WHERE family = $1"
LINE_ALONE = "UPDATE list_line SET line = $2 WHERE family = $1 AND $3::numeric > 0"
BY_THE_FUNCTION = """
SELECT keep_lines('{2023-1}', ARRAY[$1::uuid], '{1}', '{LISTED}', ARRAY[$3::numeric],
                  ARRAY[$2::json])
"""


async def listed(office: Office) -> None:
    """A list that can be frozen, and a thief's account that is in order."""
    office.world.accounts.update(books_of([*VILLAGE, REDIRECTED]))
    await office.arrived(VILLAGE)


async def stolen_line(office: Office) -> tuple[str, str, int]:
    """Family, line and hash of a line that is as it was, but for the account."""
    line = msgspec.json.encode(await office.elsewhere.line_body(REDIRECTED, TAHAP_1)).decode()
    return REDIRECTED.family, line, value_hash(line.encode())


async def as_owner(office: Office, postgres: Postgres, statement: str, *values: Any) -> None:
    """A statement of somebody whom no grant binds."""
    name = await office.store.pool.fetchval("SELECT current_database()")
    connection = await asyncpg.connect(postgres.superuser_url(name))
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def refused(office: Office) -> None:
    """The run goes no further, says why, and the thief's account stands in no file."""
    await office.pay()
    for _ in range(FAILING_ATTEMPTS):  # each by a leader that has just begun, and does not rest
        await office.payer().step()
    [fails] = await failing(office.store, [PAYER])
    assert (fails.item, "two people approved" in fails.error) == (RUN, True)
    problem = (await paying(office.store, RUN)).problem
    assert problem is not None
    assert problem.detail == fails.error
    assert STOLEN.encode() not in b"".join(b"".join(sent) for sent in office.world.files.values())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE list_line SET line = line",
        "UPDATE list_line SET roster_hash = roster_hash",
        "DELETE FROM list_line",
        "INSERT INTO list_line (tahap, family, line) VALUES ('2023-1', gen_random_uuid(), '{}')",
        "UPDATE late_line SET line = line",
        "DELETE FROM late_line",
        "UPDATE run_line SET amount = amount + 1",
        "SELECT forget_lines('2023-1', 1)",
    ],
)
async def test_the_service_s_own_role_changes_no_line_between_proposal_and_approval(
    office: Office, statement: str
) -> None:
    await listed(office)
    denied = asyncpg.InsufficientPrivilegeError, asyncpg.ObjectNotInPrerequisiteStateError

    with pytest.raises(denied):
        await office.store.pool.execute(statement)


async def test_a_line_that_the_service_s_own_role_replaces_by_its_function_is_not_paid(
    office: Office,
) -> None:
    await listed(office)
    await office.store.pool.execute(BY_THE_FUNCTION, *await stolen_line(office))
    await office.frozen()

    await refused(office)


MOMENTS = {"approved": Office.frozen, "entitled": until_entitled, "ordered": until_instructed}


@pytest.mark.parametrize("when", MOMENTS.values(), ids=MOMENTS)
async def test_an_account_that_the_tables_owner_changes_behind_the_approval_is_not_paid(
    office: Office, postgres: Postgres, when: Callable[[Office], Awaitable[None]]
) -> None:
    await listed(office)
    await office.frozen()
    if when is until_instructed:
        await office.pay()
        await office.ordered()
    if when is not Office.frozen:
        await when(office)
    real = await office.store.pool.fetchrow(
        "SELECT line::text, roster_hash FROM list_line WHERE family = $1", REDIRECTED.family
    )
    assert real is not None
    await as_owner(office, postgres, AS_OWNER, *await stolen_line(office))

    await refused(office)

    if when is Office.frozen:
        return  # families were entitled by it: two people cancel the tahap
    # Put back as it was approved, the run goes on.
    await as_owner(office, postgres, AS_OWNER, REDIRECTED.family, *real)
    await office.pay()
    if when is not until_instructed:
        await office.ordered()
        await office.pay()
    assert office.world.credited() == {x.payment(): EARLY_CHILD_IDR for x in VILLAGE}


@pytest.mark.parametrize("changed", ["amount = amount + 1", "bank = 'BRI'"])
async def test_what_the_tables_owner_changes_of_an_order_is_not_sent(
    office: Office, postgres: Postgres, changed: str
) -> None:
    await listed(office)
    await office.frozen()
    await office.pay()
    await office.ordered()
    await until_instructed(office)

    statement = f"UPDATE run_line SET {changed} WHERE family = $1"
    await as_owner(office, postgres, statement, REDIRECTED.family)

    await refused(office)
    assert REDIRECTED.payment() not in office.world.credited()


async def test_a_line_that_is_changed_before_anybody_looked_makes_no_list_ready(
    office: Office, postgres: Postgres
) -> None:
    office.world.accounts.update(books_of([*VILLAGE, REDIRECTED]))
    await office.announce()
    lines = [await office.elsewhere.line(house) for house in VILLAGE]
    judged = [office.elsewhere.evaluation(house) for house in VILLAGE]
    await office.take(*lines, office.elsewhere.list_closed(lines))
    await office.take(*judged, office.elsewhere.evaluation_closed(judged))
    await as_owner(office, postgres, LINE_ALONE, *await stolen_line(office))

    await office.join()

    assert (await office.tahap()).lists[0].ready is None
    fails = await office.store.pool.fetchval(
        "SELECT error FROM failing_work WHERE work = $1", JOINER
    )
    assert "not what the registry has sent" in fails
