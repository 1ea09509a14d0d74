"""The report of a run: one table for people, one file for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cli.client.year import Tahap
from cli.demo.compare import SHOWN_MAX, Comparison
from cli.demo.figures import UnmetDuty

RUN: Final = "run.json"
MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Run:
    """The times, in seconds, and the sums of a run.

    `comparison` is None where there was nothing to compare with; `findings` are those of verify;
    `duties` are those that were not passed, by the tahap's id.
    """

    families: int
    bus: str
    start_s: float
    load_s: float
    tahaps: Sequence[tuple[Tahap, float]]
    total_s: float
    pss_bytes: int
    summary: Mapping[str, Any]
    comparison: Comparison | None
    findings: Sequence[str]
    duties: Mapping[str, Sequence[UnmetDuty]] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 when all is as it should be, 1 on any difference or finding."""
        return 1 if self.findings or (self.comparison and self.comparison.count) else 0


def write_run(out: Path, run: Run) -> None:
    """Write run.json."""
    summary = {
        "families": run.families,
        "start_seconds": round(run.start_s, 3),
        "load_seconds": round(run.load_s, 3),
        "tahap_seconds": {str(tahap.number): round(took, 3) for tahap, took in run.tahaps},
        "total_seconds": round(run.total_s, 3),
        "pss_bytes": run.pss_bytes,
        "bus": run.bus,
        "differences": None if run.comparison is None else run.comparison.count,
    }
    (out / RUN).write_text(f"{json.dumps(summary, indent=2)}\n", encoding="utf-8")


def print_run(console: Console, run: Run, expected: Path) -> None:
    """Print what differs and what verify found, then the table."""
    for finding in run.findings:
        console.print(
            f"verify: {finding}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    if run.comparison is None:
        console.print(f"Nothing to compare with: there is no {expected}.", highlight=False)
    elif run.comparison.count:
        for difference in run.comparison.shown:
            console.print(
                str(difference), style="red", markup=False, highlight=False, soft_wrap=True
            )
        if run.comparison.count > SHOWN_MAX:
            console.print(f"and {run.comparison.count - SHOWN_MAX} more", style="red")
    console.print(_table(run))


def _table(run: Run) -> Table:
    table = Table(
        box=SIMPLE_HEAD,
        padding=0,  # so that a year fits into 80 columns
        show_edge=False,
        caption=_caption(run),
        caption_justify="left",
        caption_style="",
    )
    for name in ("tahap", "families", "entitled Rp", "credited Rp", "blocked", "failed", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("families/s", justify="right", no_wrap=True)
    for tahap, took in run.tahaps:
        sums = run.summary["tahap"].get(str(tahap.number), {})
        failed = sum(sums.get(name, 0) for name in ("account_failed", "transfer_failed"))
        families = sums.get("families", 0)
        table.add_row(
            tahap.id,
            f"{families:,}",
            f"{sums.get('entitled_idr', 0):,}",
            f"{sums.get('credited_idr', 0):,}",
            f"{sums.get('blocked', 0):,}",
            f"{failed:,}",
            f"{took:.1f}",
            f"{families / took:,.0f}" if took else "",
        )
    return table


def _caption(run: Run) -> str:
    compared = "not compared" if run.comparison is None else f"{run.comparison.count} differences"
    took = (
        f"start {run.start_s:.1f} s",
        f"load {run.load_s:.1f} s",
        f"total {run.total_s:.1f} s",
        f"memory {run.pss_bytes / MEGABYTE:,.0f} MB",
    )
    proven = (
        f"{run.bus} bus",
        compared,
        f"{len(run.findings)} findings" if run.findings else "verified",
    )
    return "\n".join((" · ".join(took), " · ".join(proven)))
