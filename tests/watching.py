"""The queries that operations relies on, wherever they stand; a Prometheus to answer them."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from localstack.ports import HOST, free_ports
from tests.architecture.tree import ROOT
from tests.servers import eventually

PROMETHEUS_DIR: Final = ROOT / "deploy" / "prometheus"
ALERT_TESTS: Final = sorted(PROMETHEUS_DIR.glob("tests/*.yml"))
"""The files that promtool holds the alerts against."""
GRAFANA_DIR: Final = ROOT / "deploy" / "grafana"
SCRAPE_EVERY: Final = "1s"
RATE_INTERVAL: Final = "30s"
START_S: Final = 20.0

# Words of PromQL that stand where a metric's name could.
PROMQL: Final = frozenset(
    {
        *("sum", "max", "min", "count", "by", "and", "or", "rate", "vector", "histogram_quantile"),
        *("time", "absent", "max_over_time", "min_over_time", "increase", "changes"),
    }
)


# -- What is asked --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """One query and where it stands."""

    place: str
    text: str


def rules() -> list[dict[str, Any]]:
    """Every rule, recording or alerting."""
    documents = [yaml.safe_load(path.read_text()) for path in PROMETHEUS_DIR.glob("rules/*.yml")]
    return [rule for each in documents for group in each["groups"] for rule in group["rules"]]


def dashboards() -> dict[str, dict[str, Any]]:
    """{file name: dashboard} of those that are provisioned."""
    return {
        path.name: json.loads(path.read_text())
        for path in (GRAFANA_DIR / "dashboards").rglob("*.json")
    }


def panels() -> Iterator[dict[str, Any]]:
    """Every panel that shows something."""
    for dashboard in dashboards().values():
        yield from (panel for panel in dashboard["panels"] if panel["type"] != "row")


def promql() -> list[Query]:
    """Everything that Prometheus is asked."""
    of_rules = [Query(rule.get("record") or rule["alert"], rule["expr"]) for rule in rules()]
    return of_rules + [
        Query(panel["title"], target["expr"])
        for panel in panels()
        for target in panel["targets"]
        if "expr" in target
    ]


def sql() -> list[Query]:
    """Everything that the projection is asked."""
    choices = [
        Query(variable["name"], variable["query"])
        for dashboard in dashboards().values()
        for variable in dashboard["templating"].get("list", ())
    ]
    return choices + [
        Query(panel["title"], target["rawSql"])
        for panel in panels()
        for target in panel["targets"]
        if "rawSql" in target
    ]


def names_in(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", " ", expression)
    bare = re.sub(r"\b(by|without)\s*\([^)]*\)", " ", bare)
    return {name for name in re.findall(r"[a-zA-Z_][\w:]*", bare) if name not in PROMQL}


def expanded(query: str, values: Mapping[str, str]) -> str:
    """A query as Grafana sends it: its variables and macros replaced by what they stand for."""

    def value(found: re.Match[str]) -> str:
        name, form = found["name"], found["form"]
        if name not in values:
            raise ValueError(f"Grafana knows no ${name}")
        if form == "sqlstring":
            return "'" + values[name].replace("'", "''") + "'"
        return values[name]

    return re.sub(r"\$\{?(?P<name>\w+)(?::(?P<form>\w+))?\}?", value, query)


# -- Who answers ----------------------------------------------------------------------------------


def missing_prometheus() -> list[str]:
    """The programs of Debian's package `prometheus` that are not here."""
    return [name for name in ("prometheus", "promtool") if shutil.which(name) is None]


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    async def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API; an error's text fails."""
        async with httpx.AsyncClient(trust_env=False, base_url=self.url) as client:
            answer = (await client.get(f"/api/v1/{path}", params=parameters)).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    async def query(self, expression: str) -> list[Any]:
        """The series that an expression comes to now."""
        found: list[Any] = (await self.ask("query", query=expression))["result"]
        return found


@asynccontextmanager
async def prometheus(directory: Path, targets: Mapping[str, str]) -> AsyncIterator[Prometheus]:
    """A server with the repository's own configuration; `targets` are {service: host:port}."""
    config = Path(shutil.copytree(PROMETHEUS_DIR, directory / "prometheus"))
    for path in (config / "targets").iterdir():
        path.unlink()
    groups = [{"targets": [at], "labels": {"service": name}} for name, at in targets.items()]
    (config / "targets" / "test.json").write_text(json.dumps(groups))
    main = config / "prometheus.yml"
    main.write_text(re.sub(r"\b1[05]s$", SCRAPE_EVERY, main.read_text(), flags=re.MULTILINE))
    [port] = free_ports(1)
    arguments = [
        f"--config.file={main}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    with (directory / "prometheus.log").open("wb") as said:
        server = await asyncio.create_subprocess_exec(
            "prometheus", *arguments, stdout=said, stderr=said
        )
    try:
        running = Prometheus(f"http://{HOST}:{port}")
        await eventually(lambda: _ready(running), START_S, "Prometheus")
        yield running
    finally:
        server.kill()
        await server.wait()


async def _ready(server: Prometheus) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"{server.url}/-/ready")).is_success
        except httpx.HTTPError:
            return False
