"""The dated rules of commitment, read once at start from the files beside this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal

from libs.policy.files import Percent, PolicyError, Reference, convert, read
from libs.policy.rule_sets import RULE_SETS, ListedRuleSet, listed, read_rule_sets
from services.conditionality.domain.duties import (
    CommitmentPolicy,
    DutyRule,
    Excuse,
    FurtherDuty,
    Source,
)
from services.conditionality.domain.writers import Writer
from services.conditionality.policy.files import (
    CATEGORIES,
    AnySanction,
    AppealLimitsEntry,
    Dated,
    DatedFile,
    Duty,
    ExcuseEntry,
    FurtherEntry,
    FurtherFile,
    RuleSet,
    SanctionsFile,
    WritersFile,
)

FOLDER: Final = Path(__file__).parent


def load(folder: Path = FOLDER) -> Mapping[str, CommitmentPolicy]:
    """Every rule set that a closing may announce, by its id.

    Raises `PolicyError`, which names file and key, where a file is missing, malformed,
    incomplete or refers to something that is not there.
    """
    attendance = _dated(folder / "attendance.yaml", Percent)
    duties = _duties(folder / "duties.yaml")
    excuses = load_excuses(folder)
    further = _further(folder / "further_duties.yaml")
    sanctions = _sanctions(folder / "sanctions.yaml")
    appeals = _dated(folder / "appeals.yaml", bool)
    limits = _dated(folder / "appeal_limits.yaml", AppealLimitsEntry)
    file = folder / RULE_SETS
    policies: dict[str, CommitmentPolicy] = {}
    for name, rule_set in read_rule_sets(file, RuleSet).items():
        if rule_set.sanction not in sanctions:
            unknown = f"sanctions.yaml has no {rule_set.sanction}"
            raise PolicyError(file.name, f"rule_sets.{name}.sanction", unknown)
        policies[name] = CommitmentPolicy(
            rule_set=name,
            attendance_percent_min=attendance.on(rule_set.valid_from),
            duties=duties.on(rule_set.valid_from),
            sanction=sanctions[rule_set.sanction].rule(),
            appeals_pause=appeals.on(rule_set.valid_from),
            appeal_limits=limits.on(rule_set.valid_from).rule(),
            sources=(
                *_sources("ATTENDANCE", attendance.reference),
                *_sources("DUTIES", duties.reference),
                *_sources("SANCTION", sanctions[rule_set.sanction].reference),
            ),
            excuses=excuses.on(rule_set.valid_from),
            further=further.on(rule_set.valid_from),
        )
    return policies


def load_excuses(folder: Path = FOLDER) -> Dated[Mapping[str, Excuse]]:
    """The reasons for which exceptions may be made, by the day from which they hold."""
    file = folder / "exceptions.yaml"
    content = read(file, DatedFile)
    dated: dict[date, Mapping[str, Excuse]] = {}
    for day, value in content.values.items():
        reasons = convert(file.name, f"values.{day}", value, dict[str, object])
        dated[day] = {
            reason: convert(file.name, f"values.{day}.{reason}", entry, ExcuseEntry).rule()
            for reason, entry in reasons.items()
        }
    return Dated(file.name, dated, content.reference)


def load_writers(folder: Path = FOLDER) -> Mapping[str, Writer]:
    """Everybody who is registered to write from outside, by name."""
    content = read(folder / "inbound_writers.yaml", WritersFile)
    return {
        name: Writer(name, entry.topic, tuple(term.rule() for term in entry.terms))
        for name, entry in content.writers.items()
    }


def list_rule_sets(folder: Path = FOLDER) -> tuple[ListedRuleSet, ...]:
    """Every rule set as conditionality answers for it."""
    entries = read_rule_sets(folder / RULE_SETS, RuleSet)
    return tuple(listed(rule_set, entry) for rule_set, entry in entries.items())


def _dated(file: Path, form: Any) -> Dated[Any]:
    content = read(file, DatedFile)
    return Dated(
        file.name,
        {day: convert(file.name, f"values.{day}", v, form) for day, v in content.values.items()},
        content.reference,
    )


def _duties(file: Path) -> Dated[Mapping[str, DutyRule]]:
    dated: dict[date, Mapping[str, DutyRule]] = {}
    content = read(file, DatedFile)
    for day, value in content.values.items():
        key = f"values.{day}"
        categories = convert(file.name, key, value, dict[str, object])
        # A category without a duty would let its members pass unseen.
        for category in sorted(CATEGORIES ^ categories.keys()):
            why = "missing" if category in CATEGORIES else "no such category"
            raise PolicyError(file.name, f"{key}.{category}", why)
        dated[day] = {
            category: convert(file.name, f"{key}.{category}", duty, Duty).rule()
            for category, duty in categories.items()
        }
    return Dated(file.name, dated, content.reference)


def _further(file: Path) -> Dated[Mapping[str, FurtherDuty]]:
    content = read(file, FurtherFile)
    rules = {
        name: convert(file.name, f"duties.{name}", entry, FurtherEntry).rule()
        for name, entry in content.duties.items()
    }
    for day, names in content.values.items():
        for name in names:
            if name not in rules:
                raise PolicyError(file.name, f"values.{day}", f"there is no duty {name}")
    dated: dict[date, Mapping[str, FurtherDuty]] = {
        day: {name: rules[name] for name in names} for day, names in content.values.items()
    }
    return Dated(file.name, dated, [])


def _sources(
    of: Literal["ATTENDANCE", "DUTIES", "SANCTION"], references: Iterable[Reference]
) -> tuple[Source, ...]:
    return tuple(Source(of, reference.title, reference.note) for reference in references)


def _sanctions(file: Path) -> Mapping[str, AnySanction]:
    return {
        name: convert(file.name, f"sanctions.{name}", content, AnySanction)
        for name, content in read(file, SanctionsFile).sanctions.items()
    }
