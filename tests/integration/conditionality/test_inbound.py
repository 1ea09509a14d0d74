"""Reports of writers by topic: taken in as a file's rows are, or withheld with a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import islice
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from libs.chassis.settings import Settings
from libs.privacy.closed_numbers import NumberKeys
from libs.privacy.versions import KeyVersions
from services.conditionality.contract import EDUCATION_TOPIC, HEALTH_TOPIC, PERSON
from services.conditionality.domain.person import Attendance, Person
from services.conditionality.domain.writers import Writer as Registered
from services.conditionality.domain.writers import WriterTerm
from tests.doors import NATION, Door, deliver
from tests.integration.conditionality.kit import BAD, TAHAP, Bench, families, months_of, nik_of
from tests.outside import DAPODIK, EMIS, SATUSEHAT, Writer, closed

FAMILY, OTHER, FAR = islice(families(), 3)
SCHOOL, MADRASAH, CLINIC = "30141147", "60123456", "P6103012026"
MONTH = "2023-01"
HERE, THERE = "61.03.01.2026", "11.01.01.2001"
KIND, VISITS = "PupilMonthsReported", "PersonVisitsReported"


@pytest.fixture
def dapodik(bench: Bench) -> Writer:
    """The register of schools, which knows the platform's public keys."""
    return Writer(DAPODIK, EDUCATION_TOPIC, bench.outside.keys.public_set())


@pytest.fixture
def satusehat(bench: Bench) -> Writer:
    """The exchange of health facilities."""
    return Writer(SATUSEHAT, HEALTH_TOPIC, bench.outside.keys.public_set())


@pytest_asyncio.fixture
async def registered(bench: Bench) -> AsyncIterator[Bench]:
    """Two families here and one far away, each with a pupil whom registry has told of."""
    far = bench.registered(FAR, region=THERE)
    await bench.take(bench.registered(FAMILY), bench.registered(OTHER), far)
    yield bench


def said(writer: Writer, family: str, absent: int = 1, **more: Any) -> dict[str, Any]:
    """A school's word on a family's pupil in one month."""
    days = {"effective_days": 20, "absent": absent, "permitted": 0, "sick": 0}
    month = {"month": more.pop("month", MONTH)} | days
    return {"npsn": SCHOOL, "months": [month], "nik": writer.close(nik_of(family))} | more


async def person(bench: Bench, family: str) -> Person:
    """The facts of a family's pupil."""
    name = f"person-{bench.pseudonymizer.nik(nik_of(family))}"
    found = await bench.store.read(PERSON, [name])
    return found[name].state if name in found else Person()


async def school_of(bench: Bench, family: str) -> dict[str, int]:
    """{month: days absent} of a family's pupil."""
    return {month: days.absent for month, days in (await person(bench, family)).school.items()}


async def withheld(bench: Bench) -> list[tuple[int, str, str]]:
    """(offset, reason, field) of what was withheld, in order."""
    rows = await bench.store.pool.fetch(
        "SELECT place, reason, field FROM inbound_withheld ORDER BY topic, partition, place"
    )
    return [tuple(row) for row in rows]


async def counts(bench: Bench) -> tuple[int, int, int]:
    """(taken, repeated, withheld) of all partitions."""
    row = await bench.store.pool.fetchrow(
        "SELECT sum(taken)::int, sum(repeated)::int, sum(withheld)::int FROM inbound_count"
    )
    assert row is not None
    return row[0], row[1], row[2]


async def parked(bench: Bench) -> list[str]:
    """The reasons for which records are parked."""
    return [row["error"] for row in await bench.store.pool.fetch("SELECT error FROM parked")]


async def test_a_school_s_month_is_recorded_as_a_file_s_row_is(
    registered: Bench, dapodik: Writer
) -> None:
    body = said(dapodik, FAMILY)
    body["months"].append({**body["months"][0], "month": "2023-02", "sick": 3})

    await deliver(registered.consumer, dapodik.record(KIND, SCHOOL, body))

    school = (await person(registered, FAMILY)).school
    assert school == {MONTH: Attendance(20, 1, 0, 0), "2023-02": Attendance(20, 1, 0, 3)}
    assert await counts(registered) == (1, 0, 0)
    assert await registered.store.pool.fetchval("SELECT count(*) FROM unmatched_fact") == 0


async def test_a_month_that_a_school_reports_by_topic_fails_a_cycle(
    registered: Bench, dapodik: Writer
) -> None:
    for month in months_of(TAHAP):
        record = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, BAD, month=month))
        await deliver(registered.consumer, record)

    await registered.take(registered.announced(), registered.line(FAMILY))

    assert await registered.evaluated(FAMILY) == [(1, "FAILED")]


async def test_a_facility_s_visit_is_recorded(registered: Bench, satusehat: Writer) -> None:
    visits = [
        {"month": MONTH, "service": "WEIGHING", "attended": True},
        {"month": MONTH, "service": "VITAMIN_A", "attended": False},
    ]
    body = {"facility_code": CLINIC, "visits": visits, "nik": satusehat.close(nik_of(FAMILY))}

    await deliver(registered.consumer, satusehat.record(VISITS, CLINIC, body))

    found = (await person(registered, FAMILY)).visits
    assert found == {"WEIGHING": {MONTH: True}, "VITAMIN_A": {MONTH: False}}


async def test_a_later_message_corrects_and_the_earlier_one_again_changes_nothing(
    registered: Bench, dapodik: Writer
) -> None:
    first = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1))
    late = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 5))
    # Closed anew, as a writer does that sends again what it has no answer to.
    again = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1), ce_id="dapodik-1")

    for record in (first, late, again):
        await deliver(registered.consumer, record)

    assert await school_of(registered, FAMILY) == {MONTH: 5}
    assert await counts(registered) == (2, 1, 0)
    assert await withheld(registered) == []


async def test_the_same_id_in_one_batch_counts_once_and_for_something_else_is_told(
    registered: Bench, dapodik: Writer
) -> None:
    one = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1))
    same = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1), ce_id="dapodik-1")
    else_ = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 9), ce_id="dapodik-1")

    await deliver(registered.consumer, one, same, else_)

    assert await school_of(registered, FAMILY) == {MONTH: 1}
    assert await counts(registered) == (1, 1, 1)
    assert await withheld(registered) == [(2, "ID_USED_AGAIN", "")]


async def test_a_batch_that_is_delivered_again_changes_nothing(
    registered: Bench, dapodik: Writer
) -> None:
    record = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY))

    await deliver(registered.consumer, record)
    await deliver(registered.consumer, record)

    assert await counts(registered) == (1, 0, 0)


async def test_a_topic_that_was_made_anew_is_read_from_its_start_and_repeats_are_quiet(
    registered: Bench, dapodik: Writer
) -> None:
    await deliver(registered.consumer, dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1)))
    await deliver(registered.consumer, dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 2)))
    dapodik.ends.clear()
    refilled = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 2), ce_id="dapodik-2")
    new = dapodik.record(KIND, SCHOOL, said(dapodik, OTHER, 3))

    await deliver(registered.consumer, refilled)
    await deliver(registered.consumer, new)

    assert await school_of(registered, FAMILY) == {MONTH: 2}
    assert await school_of(registered, OTHER) == {MONTH: 3}
    assert await counts(registered) == (3, 1, 0)


async def test_a_month_of_nobody_is_kept_and_counts_once_registry_knows_the_pupil(
    bench: Bench, dapodik: Writer
) -> None:
    await deliver(bench.consumer, dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY)))

    rows = await bench.store.pool.fetch("SELECT reporter, month, source FROM unmatched_fact")
    partition = dapodik.record(KIND, SCHOOL, {}).partition
    assert [tuple(row) for row in rows] == [(SCHOOL, MONTH, f"{EDUCATION_TOPIC}/{partition}@0")]
    assert await counts(bench) == (1, 0, 0)

    await bench.take(bench.registered(FAMILY))
    assert await bench.store.pool.fetchval("SELECT count(*) FROM unmatched_fact") == 0


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("NO_NUMBER", {"nik": ""}, SCHOOL, ""),
    ("NOT_A_JWE", {"nik": nik_of(FAMILY)}, SCHOOL, "nik"),
    ("NOT_A_JWE", {"nik": "a.b.c.d.e"}, SCHOOL, "nik"),
    ("UNREADABLE", {"months": "2023-01"}, SCHOOL, ""),
    ("UNREADABLE", {"nik": 1}, SCHOOL, ""),
    ("UNREADABLE", {"npsn": nik_of(FAMILY)}, SCHOOL, "npsn"),
    ("UNREADABLE", {"npsn": ""}, SCHOOL, "npsn"),
    ("NOT_ITS_KEY", {"npsn": "30141148"}, SCHOOL, "npsn"),
    ("REPORTER_NOT_YOURS", {"npsn": MADRASAH}, MADRASAH, ""),
    ("IMPOSSIBLE", {"months": []}, SCHOOL, "months"),
]


@pytest.mark.parametrize(("why", "changes", "key", "field"), WRONG)
async def test_what_cannot_be_taken_in_is_withheld_and_its_school_s_others_are_not(
    registered: Bench,
    dapodik: Writer,
    why: str,
    changes: dict[str, Any],
    key: str,
    field: str,
) -> None:
    good = dapodik.record(KIND, key, said(dapodik, FAMILY, npsn=key))
    bad = dapodik.record(KIND, key, said(dapodik, FAMILY, 7) | changes)
    behind = dapodik.record(KIND, key, said(dapodik, OTHER, 2, npsn=key))

    await deliver(registered.consumer, good, bad, behind)

    assert (1, why, field) in await withheld(registered)
    assert await parked(registered) == []
    if key == SCHOOL:
        assert await school_of(registered, FAMILY) == {MONTH: 1}
        assert await school_of(registered, OTHER) == {MONTH: 2}
        assert await counts(registered) == (2, 0, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"month": "2023-13"}, "month"),
        ({"month": nik_of(FAMILY)}, "month"),
        ({"effective_days": 40}, "effective_days"),
        ({"absent": 12, "sick": 12}, "absent+permitted+sick"),
        ({"absent": -1}, "absent"),
    ],
)
async def test_a_month_that_cannot_be_is_withheld_with_its_field(
    registered: Bench, dapodik: Writer, changes: dict[str, Any], field: str
) -> None:
    body = said(dapodik, FAMILY)
    body["months"].append(body["months"][0] | changes)

    await deliver(registered.consumer, dapodik.record(KIND, SCHOOL, body))

    assert await withheld(registered) == [(0, "IMPOSSIBLE", field)]
    assert await school_of(registered, FAMILY) == {}


async def test_a_number_closed_for_another_key_or_without_its_form_is_withheld(
    registered: Bench, dapodik: Writer
) -> None:
    other = NumberKeys(KeyVersions.of(bytes(range(1, 33)))).public_set()
    newer = {"keys": [{**other["keys"][0], "kid": "inbound-9"}]}
    niks = [closed(nik_of(FAMILY), other), closed(nik_of(FAMILY), newer), dapodik.close("12")]

    for nik in niks:
        record = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": nik})
        await deliver(registered.consumer, record)

    reasons = ["NUMBER_BROKEN", "KEY_UNKNOWN", "NUMBER_WITHOUT_FORM"]
    assert await withheld(registered) == [(n, why, "nik") for n, why in enumerate(reasons)]


async def test_a_school_of_another_writer_is_not_heard(registered: Bench, dapodik: Writer) -> None:
    record = dapodik.record(KIND, MADRASAH, said(dapodik, FAMILY, BAD, npsn=MADRASAH))
    emis = Writer(EMIS, EDUCATION_TOPIC, dapodik.public, dapodik.ends)

    await deliver(registered.consumer, record)
    assert await school_of(registered, FAMILY) == {}
    assert await withheld(registered) == [(0, "REPORTER_NOT_YOURS", "")]

    own = emis.record(KIND, MADRASAH, said(emis, FAMILY, 0, npsn=MADRASAH))
    await deliver(registered.consumer, own)
    assert await school_of(registered, FAMILY) == {MONTH: 0}


async def test_a_family_outside_the_writer_s_areas_is_not_reported_on(
    registered: Bench, dapodik: Writer
) -> None:
    here = WriterTerm("2023-01", "", ("61",), ("3",))
    writers = {DAPODIK: Registered(DAPODIK, EDUCATION_TOPIC, (here,))}
    outside = replace(registered.outside, writers=writers)
    local = [
        replace(one, handler=outside.take, withhold=outside.withhold)
        for one in registered.consumer.subscriptions
        if one.topic == EDUCATION_TOPIC
    ]
    consumer = replace(registered.consumer, subscriptions=local)
    records = [dapodik.record(KIND, SCHOOL, said(dapodik, whose)) for whose in (FAMILY, FAR)]

    await deliver(consumer, *records)

    assert await school_of(registered, FAMILY) == {MONTH: 1}
    assert await school_of(registered, FAR) == {}
    assert await withheld(registered) == [(1, "REGION_NOT_YOURS", "")]
    assert await counts(registered) == (1, 0, 1)


async def test_who_is_not_registered_is_parked_by_offset_and_holds_up_nothing(
    registered: Bench, dapodik: Writer
) -> None:
    forged = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, BAD), ce_source="/inbound/siti")
    service = dapodik.record(
        KIND, SCHOOL, said(dapodik, FAMILY, BAD), ce_source="/services/registry"
    )
    true = dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 1))

    await deliver(registered.consumer, forged, service, true)

    assert await school_of(registered, FAMILY) == {MONTH: 1}
    found = await parked(registered)
    assert len(found) == 2
    assert all("reason=source" in error for error in found)


async def test_no_number_that_a_writer_sent_stands_anywhere_afterwards(
    registered: Bench, dapodik: Writer, capfd: pytest.CaptureFixture[str]
) -> None:
    nik = nik_of(FAMILY)
    records = [
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY)),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": nik}),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"npsn": nik}),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 2), ce_id=nik),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": 1}, ce_id=f"x-{nik}"),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, 3), ce_subject=nik, ce_source=nik),
        dapodik.record(KIND, SCHOOL, f'{{"nik": "{nik}"'.encode()),
        dapodik.record(KIND, nik, said(dapodik, FAMILY)),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY), ce_type=f"x.{nik}.v1"),
    ]
    for record in records:
        await deliver(registered.consumer, record)

    names = await registered.store.pool.fetch(
        """SELECT relname FROM pg_class
           WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
             AND has_table_privilege(oid, 'SELECT')"""
    )
    for (name,) in names:
        rows = await registered.store.pool.fetch(f'SELECT t::text AS row FROM "{name}" AS t')
        assert not [row for row in rows if nik in row["row"]], name
    assert nik not in "".join(capfd.readouterr())
    assert await school_of(registered, FAMILY) == {MONTH: 2}


# -- At its door -----------------------------------------------------------------------------------


async def test_the_door_shows_keys_and_what_was_withheld_to_who_may_see_the_writer(
    conditionality: Door, bench: Bench, dapodik: Writer
) -> None:
    bad = [dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": ""}) for _ in range(3)]
    other = dapodik.record(KIND, MADRASAH, said(dapodik, FAMILY, npsn=MADRASAH), ce_id="x")
    await deliver(bench.consumer, *bad, other)

    async def items(path: str = "/withheld-messages", region: str = NATION[0]) -> list[Any]:
        who = conditionality.who("reader-1", "conditionality:read", regions=(region,))
        answer = await conditionality.client.get(path, headers=who)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json().get("items", answer.json().get("keys"))
        return found

    assert await items("/inbound-keys") == bench.outside.keys.public_set()["keys"]
    assert len(await items()) == 4
    assert await items(region="61.03") == []  # the writer speaks for the nation
    [one] = await items("/withheld-messages?reporter=" + MADRASAH)
    assert (one["reason"], one["message"], one["writer"]) == ("REPORTER_NOT_YOURS", "x", DAPODIK)
    assert one["detail"] == "Its writer may not speak for this school or facility."
    assert len(await items("/withheld-messages?reason=NO_NUMBER&writer=dapodik")) == 3


async def test_withheld_messages_come_page_by_page(
    conditionality: Door, bench: Bench, dapodik: Writer
) -> None:
    bad = [dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": ""}) for _ in range(3)]
    await deliver(bench.consumer, *bad)
    who = conditionality.who("reader-1", "conditionality:read", regions=NATION)
    path, offsets = "/withheld-messages?limit=2", []

    while path:
        page = (await conditionality.client.get(path, headers=who)).json()
        offsets.append([item["offset"] for item in page["items"]])
        following = page["next"]
        path = f"/withheld-messages?limit=2&cursor={following}" if following else ""

    assert offsets == [[0, 1], [2]]


# -- What verify holds -----------------------------------------------------------------------------


async def test_what_was_consumed_adds_up_with_what_was_noted(
    settings: Settings, conditionality: Door, registered: Bench, dapodik: Writer
) -> None:
    sent = [
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY)),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY), ce_id="dapodik-1"),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY) | {"nik": ""}),
        dapodik.record(KIND, SCHOOL, said(dapodik, FAMILY, BAD), ce_source="/inbound/siti"),
        dapodik.record("PupilsForgotten", SCHOOL, said(dapodik, FAMILY)),
        dapodik.record(KIND, SCHOOL, said(dapodik, OTHER)),
    ]
    await deliver(registered.consumer, *sent)
    assert await withheld(registered) == [(2, "NO_NUMBER", ""), (4, "UNREADABLE", "type")]

    async def broken() -> list[str]:
        who = conditionality.who("auditor-1", "conditionality:read", regions=NATION)
        answer = await conditionality.client.get("/inbound-check", headers=who)
        found: list[str] = answer.json()["broken"]
        return found

    assert await broken() == []

    partition = sent[0].partition
    at = f"{EDUCATION_TOPIC}/{partition}"
    for statement, said_of_it in (
        ("UPDATE inbound_count SET taken = taken - 1", f"has consumed 6 messages of {at} and"),
        ("DELETE FROM inbound_withheld WHERE place = 2", f"has withheld 2 messages of {at} and"),
        ("DELETE FROM inbound_message", "has taken in 1 messages and knows 0 by their ids"),
    ):
        owner = await asyncpg.connect(settings.bus_url)  # who may change any table
        await owner.execute(statement)
        await owner.close()
        assert any(sentence.startswith(said_of_it) for sentence in await broken())
