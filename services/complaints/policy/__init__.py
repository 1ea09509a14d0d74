"""The dated reference data of complaints, read once at start from the files beside this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from libs.policy.files import Count, PolicyError, Reference, Shape, Text, read
from services.complaints.domain.deadlines import LEVELS, Ladder, Level, holding
from services.complaints.domain.working_days import WorkingDays

FOLDER: Final = Path(__file__).parent
CAPITAL: Final = "WIB"
"""The time zone of Jakarta."""

References = Annotated[list[Reference], msgspec.Meta(min_length=1)]


class Title(Shape):
    """A name for people, in Indonesian and in English."""

    id: Text
    en: Text


class Category(Shape):
    """A kind of complaint: where its cases begin, who sees them from then on, whose desk it is."""

    title: Title
    start: Level
    desk: Text
    shown_to: list[Level] = msgspec.field(default_factory=list)


class CategoriesFile(Shape):
    """The content of categories.yaml."""

    description: Text
    values: Annotated[dict[date, dict[str, Category]], msgspec.Meta(min_length=1)]
    reference: References


class Channel(Shape):
    """A way by which complaints come in."""

    title: Title


class ChannelsFile(Shape):
    """The content of channels.yaml."""

    description: Text
    values: Annotated[dict[date, dict[str, Channel]], msgspec.Meta(min_length=1)]
    reference: References


class Handling(Shape):
    """Figures of work on cases; handling.yaml says what each is."""

    answer: Count
    reopening: Count
    guesses: Count
    lock: Count
    words: Count
    open_data: Count
    attachments: dict[str, Count]


class HandlingFile(Shape):
    """The content of handling.yaml."""

    description: Text
    values: Annotated[dict[date, Handling], msgspec.Meta(min_length=1)]
    reference: References


class TemplatesFile(Shape):
    """The content of templates.yaml."""

    description: Text
    values: Annotated[dict[date, dict[str, Title]], msgspec.Meta(min_length=1)]
    reference: References


class RetentionFile(Shape):
    """The content of retention.yaml."""

    description: Text
    unit: Text
    values: Annotated[dict[date, Count], msgspec.Meta(min_length=1)]
    reference: References


class LadderFile(Shape):
    """The content of ladder.yaml."""

    description: Text
    unit: Text
    values: Annotated[dict[date, dict[Level, Count]], msgspec.Meta(min_length=1)]
    reference: References


class Decree(Shape):
    """The national holidays of a year, by name."""

    holidays: Annotated[dict[date, Text], msgspec.Meta(min_length=1)]
    reference: References


class HolidaysFile(Shape):
    """The content of holidays.yaml."""

    description: Text
    decrees: Annotated[dict[int, Decree], msgspec.Meta(min_length=1)]


class Zone(Shape):
    """A time zone of Indonesia, hours ahead of UTC, and the codes of the provinces in it."""

    name: Text
    hours: Annotated[int, msgspec.Meta(ge=7, le=9)]
    provinces: Annotated[list[Text], msgspec.Meta(min_length=1)]


class ZonesFile(Shape):
    """The content of time_zones.yaml."""

    description: Text
    zones: Annotated[dict[str, Zone], msgspec.Meta(min_length=1)]
    reference: References


@dataclass(frozen=True, slots=True)
class Policies:
    """Categories, channels, templates and figures by the day from which they hold, the ladder, the
    time zones, and for how many days words are kept of what ended since a day."""

    categories: Mapping[date, Mapping[str, Category]]
    channels: Mapping[date, Mapping[str, Channel]]
    ladder: Ladder
    zones: Mapping[str, Zone]
    handling: Mapping[date, Handling]
    templates: Mapping[date, Mapping[str, Title]]
    retention: Mapping[date, int]

    def categories_on(self, on: date) -> Mapping[str, Category]:
        """The categories of a day; those of the first day before it."""
        return holding(self.categories, on)

    def channels_on(self, on: date) -> Mapping[str, Channel]:
        """The channels of a day; those of the first day before it."""
        return holding(self.channels, on)

    def handling_on(self, on: date) -> Handling:
        """The figures of a day; those of the first day before it."""
        return holding(self.handling, on)

    def templates_on(self, on: date) -> Mapping[str, Title]:
        """The templates of a day; those of the first day before it."""
        return holding(self.templates, on)

    def local_day(self, at: datetime, region: str) -> date:
        """The date on the calendars of a region's province at a moment.

        Where nobody knows the province it is that of the capital.
        """
        return self.days_of(at)[self._zone_of(region[:2])]

    def days_of(self, at: datetime) -> dict[str, date]:
        """The date of each time zone at a moment."""
        return {
            name: (at + timedelta(hours=zone.hours)).date() for name, zone in self.zones.items()
        }

    def day_in_the_capital(self, at: datetime) -> date:
        """The date on the capital's calendars at a moment."""
        return self.days_of(at)[CAPITAL]

    def _zone_of(self, province: str) -> str:
        zones = (name for name, zone in self.zones.items() if province in zone.provinces)
        return next(zones, CAPITAL)


def load(folder: Path = FOLDER) -> Policies:
    """Every category, channel, term, holiday and zone. Raises `PolicyError`."""
    terms = read(folder / "ladder.yaml", LadderFile).values
    for day, days in terms.items():
        if missing := [level for level in LEVELS if level not in days]:
            raise PolicyError("ladder.yaml", f"values.{day}.{missing[0]}", "is missing")
    decrees = read(folder / "holidays.yaml", HolidaysFile).decrees
    for year, decree in decrees.items():
        if others := [day for day in decree.holidays if day.year != year]:
            raise PolicyError("holidays.yaml", f"decrees.{year}.{others[0]}", "is another year's")
    working = WorkingDays({year: frozenset(decree.holidays) for year, decree in decrees.items()})
    return Policies(
        read(folder / "categories.yaml", CategoriesFile).values,
        read(folder / "channels.yaml", ChannelsFile).values,
        Ladder(terms, working),
        _zones(folder),
        read(folder / "handling.yaml", HandlingFile).values,
        read(folder / "templates.yaml", TemplatesFile).values,
        read(folder / "retention.yaml", RetentionFile).values,
    )


def _zones(folder: Path) -> Mapping[str, Zone]:
    zones = read(folder / "time_zones.yaml", ZonesFile).zones
    if CAPITAL not in zones:
        raise PolicyError("time_zones.yaml", f"zones.{CAPITAL}", "is missing")
    provinces = Counter(province for zone in zones.values() for province in zone.provinces)
    if twice := [province for province, count in provinces.items() if count > 1]:
        raise PolicyError("time_zones.yaml", twice[0], "is in two zones")
    return zones
