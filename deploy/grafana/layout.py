"""The dashboard of an audience: sections with their panels, and the tahap that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard, Panel, VariableRefresh

from deploy.grafana.panels import PROJECTION

TAHAP_CHOICES: Final = "SELECT DISTINCT tahap FROM report_payments ORDER BY tahap DESC"

Panels = tuple[Builder[Panel], ...]


@dataclass(frozen=True)
class Audience:
    """An audience: its title, what it looks at, and its folder in Grafana, which has its name."""

    name: str
    title: str
    purpose: str
    sections: Mapping[str, Panels]
    by_tahap: bool = False
    """True if its panels are of one tahap, which is chosen above them."""


def laid_out(audience: Audience) -> Dashboard:
    """The dashboard of an audience; panels are numbered in their order."""
    built = (
        dashboard.Dashboard(audience.title)
        .uid(f"pkh-{audience.name}")
        .tags(["pkh", audience.name])
        .description(f"{audience.purpose} Generated from deploy/grafana: change it there.")
        .readonly()
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("Asia/Jakarta")
    )
    if audience.by_tahap:
        built = built.with_variable(_tahap())
    identities = count(1)
    for title, panels in audience.sections.items():
        built = built.with_row(dashboard.Row(title).id(next(identities)))
        for panel in panels:
            built = built.with_panel(_Identified(panel, next(identities)))
    return built.build()


def _tahap() -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable("tahap")
        .label("Tahap")
        .datasource(PROJECTION)
        .query(TAHAP_CHOICES)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )


class _Identified(Builder[Panel]):
    """A panel with a number, which Grafana needs to link to it."""

    def __init__(self, panel: Builder[Panel], identity: int) -> None:
        self._panel, self._identity = panel, identity

    def build(self) -> Panel:
        """The panel."""
        built = self._panel.build()
        built.id_val = self._identity
        return built
