"""Kept sums come to what their rows come to at any moment, whatever was sent in whichever order."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, Final
from uuid import UUID, uuid5

import pytest

from libs.chassis.reading import Reading
from libs.events.bus import Record
from services.projection.contract import (
    CASE_TOPIC,
    COMMITMENT_TOPIC,
    FAMILY_TOPIC,
    PAYMENT_TOPIC,
    SESSION_TOPIC,
    TAHAP_TOPIC,
)
from services.projection.policy.areas import Level
from services.projection.tables.figures import Figure, FiguresWanted, counted, figures
from services.projection.tables.models import MODELS
from services.projection.tables.sums import Summing, settle
from tests.doors import NATION
from tests.integration.projection.kit import Desk
from tests.tiers import NIGHTLY

TAHAPS: Final = {"2023-1": ("2023-01", "2023-03-31"), "2023-2": ("2023-04", "2023-06-30")}
PLACES: Final = ("61.03.01.2026", "61.03.01.2027", "61.04.05.2001", "11.01.01.2001")
FAMILIES: Final = tuple(str(UUID(int=number << 100)) for number in range(1, 7))
LEVELS: Final[tuple[Level, ...]] = ("NATION", "PROVINCE", "DISTRICT", "VILLAGE")
FATES: Final = (
    ("PaymentCredited", ("hold", "NONE")),
    ("PaymentCredited", ("hold", "HELD")),
    ("TransferFailed", ("code", "ACCOUNT_CLOSED")),
    ("AccountCheckFailed", ("code", "NAME_MISMATCH")),
    ("PaymentDeferred", ("reason", "BANK_SILENT")),
    ("PaymentWithheld", ("reason", "ADMINISTRATIVE_HOLD")),
    ("PaymentVoided", ("reason", "LISTED_WRONGLY")),
)
REGIONS: Final = (NATION, ("61.03",), ("61.03.01.2026", "11"))


def the_same(*names: object) -> str:
    """The id that these names always have."""
    return str(uuid5(UUID(int=0), "/".join(map(str, names))))


def of_family(desk: Desk, chance: Random) -> Iterator[Record]:
    """The registry: judged, waiting, graduated, reopened, taken off, erased."""
    for family in FAMILIES:
        tahap, region = chance.choice([*TAHAPS]), chance.choice(PLACES)
        about = {"family": family, "tahap": tahap, "region": region}
        status, reason = chance.choice([("ELIGIBLE", ""), ("HOLD", "NO_NIK")])
        yield desk.said(FAMILY_TOPIC, "FamilyDesignated", **about, status=status, reason=reason)
        for kind in ("GraduationPending", "FamilyReopened", "FamilyGraduated", "FamilyUnlisted"):
            if chance.random() < 0.3:
                yield desk.said(FAMILY_TOPIC, kind, **about | {"region": chance.choice(PLACES)})
    yield desk.said(FAMILY_TOPIC, "FamilyErased", family=chance.choice(FAMILIES))


def of_commitment(desk: Desk, chance: Random) -> Iterator[Record]:
    """Conditionality: judged, judged again, withdrawn, investigated."""
    for family, tahap in ((family, tahap) for family in FAMILIES for tahap in TAHAPS):
        about = {"family": family, "tahap": tahap, "cycle": tahap}
        for revision in (1, 2):
            duty = {"member": 3, "duty": "SD", "month": "2023-01", "reason": None}
            duties = [duty | {"outcome": chance.choice(["PASSED", "UNVERIFIED"])}]
            result = chance.choice(["COMPLIANT", "FAILED", "UNVERIFIED"])
            access = [{"of": "HEALTH", "reached": chance.random() < 0.5}]
            judged = {"revision": revision, "result": result, "duties": duties, "access": access}
            yield desk.said(COMMITMENT_TOPIC, "CycleEvaluated", **about, **judged)
        for kind in ("InvestigationOpened", "Cleared", "Terminated", "CycleWithdrawn"):
            if chance.random() < 0.2:
                yield desk.said(COMMITMENT_TOPIC, kind, **about)


def of_payment(desk: Desk, chance: Random) -> Iterator[Record]:
    """Payments: entitled here, there, twice; paid, failed, deferred, voided, returned."""
    for family, tahap in ((family, tahap) for family in FAMILIES for tahap in TAHAPS):
        for kind in chance.sample(("REGULAR", "SUPPLEMENTARY"), chance.randint(1, 2)):
            payment = the_same(family, tahap, kind)
            about = {"family": family, "tahap": tahap, "payment": payment, "amount": 100}

            def said(
                kind: str, fact: tuple[str, str] = ("", ""), about: Any = about, **facts: Any
            ) -> Record:
                return desk.said(PAYMENT_TOPIC, kind, **about | dict([fact]) | facts)

            for _ in range(chance.randint(1, 2)):
                valid = chance.random() < 0.8
                yield said("PaymentEntitled", region=chance.choice(PLACES), payee_valid=valid)
            yield said("PaymentInstructed", bank=chance.choice(["BNI", "BSI"]))
            yield said(*chance.choice(FATES))
            moved = chance.choice(["PaymentReturned", "PaymentReleased"])
            yield said(moved, at_tahap=chance.choice([*TAHAPS]))


def of_sessions(desk: Desk, chance: Random) -> Iterator[Record]:
    """P2K2: families join groups, anywhere; sessions are held, moved, cancelled."""
    for family in FAMILIES * 2:
        group = {"group": f"G{chance.randint(1, 2)}", "region": chance.choice(PLACES)}
        yield desk.said(SESSION_TOPIC, "FamiliesJoined", families=[family], **group)
    for number in range(6):
        about = {"session": f"S{number}", "group": "G1", "region": chance.choice(PLACES)}
        held = about | {"on": f"2023-0{chance.randint(1, 5)}-05"}
        marks = [[family, chance.choice("HIA"), ""] for family in chance.sample(FAMILIES, 3)]
        yield desk.said(SESSION_TOPIC, "SessionHeld", **held)
        if chance.random() < 0.8:
            yield desk.said(SESSION_TOPIC, "AttendanceRecorded", **about, marks=marks)
        if chance.random() < 0.5:
            yield desk.said(SESSION_TOPIC, "SessionCorrected", **held | {"on": "2023-04-09"})
        if chance.random() < 0.2:
            yield desk.said(SESSION_TOPIC, "SessionCancelled", **about)


def of_cases(desk: Desk, chance: Random) -> Iterator[Record]:
    """Complaints: cases come in, anywhere, and are resolved."""
    for number in range(4):
        about = {"case": the_same("case", number), "region": chance.choice(PLACES)}
        whose = {"family": chance.choice(FAMILIES), "received_on": "2023-03-20"}
        yield desk.said(CASE_TOPIC, "CaseReceived", **about, **whose, due_on="2023-03-25")
        if chance.random() < 0.7:
            on = chance.choice(["2023-03-30", "2023-05-01"])
            yield desk.said(CASE_TOPIC, "CaseResolved", **about, **whose, on=on)


def of_tahaps(desk: Desk, _chance: Random) -> Iterator[Record]:
    """The announcement of each tahap."""
    for tahap, (month, day) in TAHAPS.items():
        facts = {"tahap": tahap, "months": [month], "closing_date": day}
        yield desk.said(TAHAP_TOPIC, "ClosingAnnounced", **facts)


TOPICS: Final = (of_family, of_commitment, of_payment, of_sessions, of_cases, of_tahaps)


def in_pieces(desk: Desk, chance: Random) -> Iterator[list[Record]]:
    """All messages in the order of each topic, and in none between topics; some come twice."""
    left = [records for topic in TOPICS if (records := list(topic(desk, chance)))]
    while left:
        records = chance.choice(left)
        piece = [records.pop(0) for _ in range(min(len(records), chance.randint(1, 12)))]
        yield piece
        if chance.random() < 0.2:
            yield piece
        left = [records for records in left if records]


async def both(reading: Reading, wanted: FiguresWanted) -> tuple[list[Figure], list[Figure]]:
    """The figures as they are answered, and as the nation's rows come to them."""
    async with reading.within(NATION) as connection:
        rows = await counted(connection, wanted, None, 1_000)
    return await figures(reading, wanted, None, 1_000), rows


async def compare(desk: Desk, chance: Random, questions: int) -> None:
    """Ask some of all questions that there are."""
    asked = [
        FiguresWanted(model, tahap, regions, level)
        for model in MODELS
        for tahap in TAHAPS
        for regions in REGIONS
        for level in LEVELS
    ]
    for wanted in chance.sample(asked, min(questions, len(asked))):
        # A region's reader is shown no row that is elsewhere: rows that count for two regions
        # are seen by the nation, and in sums.
        if wanted.regions == NATION or await is_summed(desk):
            answered, rows = await both(desk.reading, wanted)
            assert answered == rows, wanted


async def is_summed(desk: Desk) -> bool:
    """True where no village waits to be summed."""
    return not await desk.store.pool.fetchval("SELECT EXISTS (SELECT FROM unsummed)")


@pytest.mark.parametrize("seed", range(20 if NIGHTLY else 1))
async def test_sums_are_their_rows_at_any_moment(desk: Desk, seed: int) -> None:
    chance = Random(seed)
    summing = Summing(desk.store, villages_max=2)
    for piece in in_pieces(desk, chance):
        await desk.take(*piece)
        for _ in range(chance.choice([0, 0, 1, 5])):
            await summing.step()
        await compare(desk, chance, questions=4)

    await settle(desk.store)
    await compare(desk, chance, questions=100)
