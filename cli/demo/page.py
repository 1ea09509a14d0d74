"""Writes report.html: what a year came to on one page, for people, without network or script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from cli.client.year import Tahap
from cli.demo import figures
from cli.demo.compare import SHOWN_MAX
from cli.demo.machine import Machine
from cli.demo.outputs import ENTITLEMENTS, read_csv
from cli.demo.report import MEGABYTE, Run

PAGE: Final = "report.html"
AREAS_SHOWN_MAX: Final = 60
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
NUMBERS: Final = ("No", "One", "Two", "Three", "Four", "Five", "Six")


@dataclass(frozen=True, slots=True)
class Shown:
    """A tahap on the page: what it is, its sums in summary.json, the seconds that it took."""

    tahap: Tahap
    sums: Mapping[str, int]
    took_s: float

    @property
    def number(self) -> str:
        """As files have it: "1" of "2023-1"."""
        return str(self.tahap.number)

    @property
    def months(self) -> str:
        """ "January to March 2023"."""
        return _span(self.tahap.months)

    def rupiah(self, name: str) -> int:
        """One of the sums in rupiah, such as "paid"."""
        return self.sums.get(f"{name}_idr", 0)

    def count(self, name: str) -> int:
        """One of the counts, such as "paid"."""
        return self.sums.get(name, 0)

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """(what became of families, how many), in the order in which it is always shown."""
        return [(name, self.count(name)) for name in figures.OUTCOMES]


def write_page(out: Path, run: Run, year: Path, machine: Machine) -> Path:
    """Write OUT/report.html from the run and OUT's rows; gives its path."""
    path = out / PAGE
    path.write_text(render(out, run, year, machine), encoding="utf-8")
    return path


def render(out: Path, run: Run, year: Path, machine: Machine) -> str:
    """The page's HTML. `year` is the directory of the year's files."""
    shown = [
        Shown(tahap, figures.sums_of(run.summary, str(tahap.number)), took)
        for tahap, took in run.tahaps
    ]
    page = _environment().get_template("report.html")
    return page.render(
        run=run,
        year=year.resolve().name,
        title=_title(shown),
        span=_span([month for tahap in shown for month in tahap.tahap.months]),
        tahaps=shown,
        families_max=max((tahap.count("families") for tahap in shown), default=0),
        clock=_clock(run, shown),
        machine=machine,
        differences_max=SHOWN_MAX,
        **_counted(out, run, year, shown),
    )


def _counted(out: Path, run: Run, year: Path, shown: Sequence[Shown]) -> dict[str, Any]:
    tahaps = {tahap.number: tahap.tahap.id for tahap in shown}
    counted = figures.tally(row for _, row in read_csv(out / ENTITLEMENTS))
    names = figures.regency_names(year)
    areas = figures.areas(run.summary["kabupaten"], names, list(tahaps))
    return {
        "flow": figures.flow(counted, [tahap.sums for tahap in shown]),
        "judged": figures.judged_lines(run.summary["eligibility"]),
        "duties": figures.duty_groups(run.summary, run.duties, counted, tahaps),
        "transfers": figures.transfer_groups(run.summary, counted, tahaps),
        "areas": areas[:AREAS_SHOWN_MAX],
        "more_areas": areas[AREAS_SHOWN_MAX:],
    }


# -- Words and numbers ----------------------------------------------------------------------------


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("cli.demo"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "rupiah": rupiah,
        "share": share,
        "day": lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}",
        "seconds": lambda seconds: f"{seconds:.1f} s",
        "megabytes": lambda size: f"{size / MEGABYTE:,.0f} MB",
    }
    return environment


def count(number: int) -> str:
    """A number as the command line prints it: 1,794."""
    return f"{number:,}"


def rupiah(amount: int) -> str:
    """An amount as the command line prints it: Rp 1,248,225,000; the space does not break."""
    return f"Rp\N{NO-BREAK SPACE}{amount:,}"


def share(part: float, whole: float) -> str:
    """A part in per cent of a whole: 8.5 %; of nothing it is 0 %."""
    return f"{100 * part / whole if whole else 0:.1f}\N{NO-BREAK SPACE}%"


def _title(shown: Sequence[Shown]) -> str:
    if len(shown) == 1:
        return f"Tahap {shown[0].number} of {shown[0].tahap.id[:4]}"
    number = NUMBERS[len(shown)] if len(shown) < len(NUMBERS) else str(len(shown))
    return f"{number} tahap of {shown[0].tahap.id[:4] if shown else 'no year'}"


def _span(months: Sequence[str]) -> str:
    if not months:
        return ""
    first, last = min(months), max(months)
    named = [MONTHS[int(month[5:]) - 1] for month in (first, last)]
    if first[:4] != last[:4]:
        return f"{named[0]} {first[:4]} to {named[1]} {last[:4]}"
    return f"{named[0]} to {named[1]} {last[:4]}" if first != last else f"{named[0]} {last[:4]}"


def _clock(run: Run, shown: Sequence[Shown]) -> list[tuple[str, float, float]]:
    """(what, from when, how long) of a run's parts, in seconds."""
    parts = [
        ("start", run.start_s),
        ("load", run.load_s),
        *((f"tahap {tahap.number}", tahap.took_s) for tahap in shown),
    ]
    measured = sum(took for _, took in parts)
    parts.append(("read and prove", max(run.total_s - measured, 0.0)))
    begins = accumulate((took for _, took in parts), initial=0.0)
    return [(what, begin, took) for (what, took), begin in zip(parts, begins, strict=False)]
