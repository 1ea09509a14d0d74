"""The few forms of panels that a dashboard of ours is made of, and their queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import bargauge, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import BigValueColorMode
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Panel,
    Threshold,
    ThresholdsConfig,
    ThresholdsMode,
)

PROMETHEUS: Final = DataSourceRef("prometheus", "prometheus")
PROJECTION: Final = DataSourceRef("grafana-postgresql-datasource", "projection")

WIDTH: Final = 24
HEIGHT: Final = 8
STAT_HEIGHT: Final = 4

EVENTS, MESSAGES, SECONDS, RUPIAH = "short", "short", "s", "currencyIDR"
PER_SECOND, SHARE, COUNT, DAYS = "cps", "percentunit", "none", "d"

RATE: Final = "$__rate_interval"


def quantile(share: float, histogram: str, by: str) -> str:
    """The expression for a quantile of a histogram, by one of its labels."""
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({histogram}_bucket[{RATE}])))"


@dataclass(frozen=True)
class SqlQuery(Dataquery, Builder[Dataquery]):
    """A query on PostgreSQL as Grafana keeps it; the SDK has none of its own."""

    sql: str
    ref_id: str = "A"

    def build(self) -> Dataquery:
        """Itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """The panels of the dashboard."""
        return {
            "refId": self.ref_id,
            "datasource": PROJECTION,
            "format": "table",
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": self.sql,
        }


def _promql(expression: str, legend: str, ref_id: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().datasource(PROMETHEUS).expr(expression).ref_id(ref_id)
    return query.legend_format(legend)


def _alarm(from_value: float | None) -> Builder[ThresholdsConfig]:
    """Green, and red from a value on."""
    steps = [Threshold(value=None, color="green")]
    if from_value is not None:
        steps.append(Threshold(value=from_value, color="red"))
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def number(
    title: str, expression: str, unit: str, description: str, *, red_from: float | None = None
) -> Builder[Panel]:
    """One figure as it is now, red where somebody must look."""
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .thresholds(_alarm(red_from))
        .color_mode(BigValueColorMode.VALUE)
        .with_target(_promql(expression, "", "A").instant())
        .span(WIDTH // 6)
        .height(STAT_HEIGHT)
    )


def lines(
    title: str, expressions: Mapping[str, str], unit: str, description: str, *, width: int = 8
) -> Builder[Panel]:
    """Figures over time; {legend: expression}."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .min(0)
        .span(width)
        .height(HEIGHT)
    )
    for ref_id, (legend, expression) in zip("ABCDEF", expressions.items(), strict=False):
        panel = panel.with_target(_promql(expression, legend, ref_id))
    return panel


def bars(
    title: str, expression: str, legend: str, unit: str, description: str, *, width: int = 8
) -> Builder[Panel]:
    """Figures beside each other as they are now."""
    return (
        bargauge.Panel()
        .title(title)
        .description(description)
        .datasource(PROMETHEUS)
        .unit(unit)
        .thresholds(_alarm(None))
        .with_target(_promql(expression, legend, "A").instant())
        .span(width)
        .height(HEIGHT)
    )


def rows(
    title: str, sql: str, description: str, *, width: int, rupiah: tuple[str, ...] = ()
) -> Builder[Panel]:
    """The answer of a query on the projection; `rupiah` names the columns that are money."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(PROJECTION)
        .unit(COUNT)
        .with_target(SqlQuery(sql.strip()))
        .span(width)
        .height(HEIGHT)
    )
    for column in rupiah:
        unit = DynamicConfigValue(id_val="unit", value=RUPIAH)
        panel = panel.override_by_name(column, [unit])
    return panel
