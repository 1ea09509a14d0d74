"""A sample year's files as the registry's commands; texts in clear stand in for sealed ones."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import get_args

from libs.events.domain.personal import PersonalDay
from services.registry.domain.closing import Closing, RuleSet
from services.registry.domain.family.commands import (
    Birth,
    Command,
    Death,
    LifeEvent,
    MarkDuplicate,
    Move,
    PayeeChange,
    Pregnancy,
    RegisterFamily,
    RegisterMembers,
    Reporter,
    ReportLifeEvent,
    SchoolChange,
    well_formed_nik,
)
from services.registry.domain.family.events import FamilyRow, MemberRow, SchoolLevel
from services.registry.policy import load_rule_sets
from tests.unit.registry.families import life_day

Row = dict[str, str]
RULE_SETS = load_rule_sets()
CLERK = Reporter("clerk-1", "job-1")


def rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def token(value: str) -> str:
    """Stands in for the keyed hash."""
    return sha256(value.encode()).hexdigest()[:32]


def commands(year: Path) -> dict[str, list[Command]]:
    """Per family card, in file order, what the year's files ask the registry for."""
    asked: dict[str, list[Command]] = {}
    for row in rows(year / "families.csv"):
        asked[row["no_kk"]] = [_family(row)]
    members = rows(year / "members.csv")
    by_card: defaultdict[str, list[MemberRow]] = defaultdict(list)
    cards_of: defaultdict[str, set[str]] = defaultdict(set)
    for row in members:
        by_card[row["no_kk"]].append(_member(row))
        cards_of[row["nik"]].add(row["no_kk"])
    for card, people in by_card.items():
        asked[card].append(RegisterMembers(tuple(people), CLERK, date(2023, 1, 1)))
    for nik, cards in cards_of.items():
        for card in sorted(cards) if len(cards) > 1 else ():
            asked[card].append(MarkDuplicate(token(nik)))
    for row in rows(year / "life_events.csv"):
        asked[row["no_kk"]].append(_life_event(row))
    return asked


def closings(year: Path, rules: RuleSet) -> Iterator[Closing]:
    """The year's final closings."""
    for row in rows(year / "calendar.csv"):
        yield Closing(
            tahap=f"{row['covers_from'][:4]}-{row['tahap']}",
            revision=1,
            months=tuple(_months(row["covers_from"], row["covers_to"])),
            closing_date=date.fromisoformat(row["closing_date"]),
            rules=rules,
        )


def _months(first: str, last: str) -> Iterator[str]:
    year, month = int(first[:4]), int(first[5:])
    while (text := f"{year}-{month:02d}") <= last:
        yield text
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _family(row: Row) -> RegisterFamily:
    return RegisterFamily(
        family=token(row["no_kk"]),
        row=FamilyRow(
            fingerprint=token(str(row)),
            card_token=token(row["no_kk"]),
            card=row["no_kk"],
            dtks_id=row["dtks_id"],
            dtks=row["dtks"] == "Y",
            decile=int(row["decile"]) if row["decile"] else None,
            region=row["region_code"],
            address=f"{row['address']} {row['rt']}/{row['rw']}",
            payee_token=token(row["payee_nik"]),
            payee_nik=row["payee_nik"],
            bank=row["bank_code"],
            account_no=row["account_no"],
            account_name=row["account_name"],
            facilitator=row["facilitator_id"],
            group=row["group_id"],
        ),
    )


def _member(row: Row) -> MemberRow:
    return MemberRow(
        token=token(row["nik"]),
        fingerprint=token(str(row)),
        nik=row["nik"],
        name=row["name"],
        nik_valid=well_formed_nik(row["nik"]),
        sex=row["sex"],
        birth_date=life_day(row["birth_date"]),
        relationship=row["relationship"],
        occupation=row["occupation"] or None,
        school_level=_level(row["school_level"]),
        npsn=row["npsn"] or None,
        nisn=row["nisn"] or None,
        severe_disability=row["severe_disability"] == "Y",
        pregnancy_due_date=_life_day(row["pregnancy_due_date"]),
        pregnancy_order=_number(row["pregnancy_order"]),
    )


def _life_event(row: Row) -> ReportLifeEvent:
    reported_on = date.fromisoformat(row["reported_on"])
    return ReportLifeEvent(
        effective_on=date.fromisoformat(row["effective_on"]),
        reported_on=reported_on,
        fingerprint=token(str(row)),
        fact=_fact(row),
        judged_on=reported_on,
        rules=RULE_SETS.on(reported_on),
        reporter=CLERK,
    )


def _fact(row: Row) -> LifeEvent:
    person = token(row["nik"])
    match row["type"]:
        case "BIRTH":
            named = row["nik"], row["name"], well_formed_nik(row["nik"]), row["sex"]
            days = life_day(row["birth_date"]), life_day(row["effective_on"])
            return Birth(person, *named, *days)
        case "DEATH":
            return Death(person)
        case "SCHOOL_CHANGE":
            return SchoolChange(person, _level(row["school_level"]))
        case "PREGNANCY":
            return Pregnancy(person, _life_day(row["due_date"]), _number(row["pregnancy_order"]))
        case "MOVE":
            return Move(row["region_code"])
        case "PAYEE_CHANGE":
            account = row["bank_code"], row["account_no"], row["account_name"]
            return PayeeChange(token(row["new_payee_nik"]), row["new_payee_nik"], *account)
        case other:
            raise ValueError(other)


def _level(text: str) -> SchoolLevel | None:
    return next((level for level in get_args(SchoolLevel) if level == text), None)


def _life_day(text: str) -> PersonalDay | None:
    return life_day(text) if text else None


def _number(text: str) -> int | None:
    return int(text) if text else None
