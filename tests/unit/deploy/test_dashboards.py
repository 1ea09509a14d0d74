"""Dashboards and rules are right before anything runs."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from typer.main import get_command

from cli.main import app
from deploy.grafana.__main__ import main, stale
from libs.events.telemetry import METRICS
from tests.architecture.tree import ROOT
from tests.watching import (
    ALERT_TESTS,
    GRAFANA_DIR,
    dashboards,
    expanded,
    names_in,
    panels,
    promql,
    rules,
    sql,
)

OF_PROMETHEUS = {"up", "ALERTS"}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
ALERTS = [rule for rule in rules() if "alert" in rule]
KNOWN = {name for metric in METRICS for name in metric.series} | RECORDED | OF_PROMETHEUS
SOURCES = yaml.safe_load((GRAFANA_DIR / "provisioning/datasources/pkh.yaml").read_text())
RUNBOOKS = ROOT / "docs" / "runbooks"
DOCUMENT = (ROOT / "docs" / "telemetry.md").read_text()


def test_what_is_committed_is_what_the_code_says() -> None:
    assert stale() == []


@pytest.mark.parametrize("name", dashboards())
def test_a_dashboard_has_the_form_that_grafana_reads(name: str) -> None:
    read = Dashboard.from_json(dashboards()[name])

    assert json.loads(json.dumps(read, cls=JSONEncoder)) == dashboards()[name]


def test_a_changed_dashboard_is_noticed(tmp_path: Path) -> None:
    assert main(["--check"], tmp_path) == 1

    main([], tmp_path)

    assert main(["--check"], tmp_path) == 0


@pytest.mark.parametrize("query", promql(), ids=lambda query: query.place)
def test_a_query_reads_what_is_measured(query: Any) -> None:
    assert names_in(query.text)
    assert names_in(query.text) <= KNOWN


@pytest.mark.parametrize("query", sql(), ids=lambda query: query.place)
def test_a_query_on_the_projection_reads_reports_alone(query: Any) -> None:
    read = re.findall(r"\b(?:FROM|JOIN) (\w+)", query.text)

    assert read
    assert all(name.startswith("report_") for name in read)


def test_everything_that_is_worked_out_is_looked_at() -> None:
    read = {name for query in promql() for name in names_in(query.text)}
    only_shown = {"store:corridor_append_events:rate5m"}

    assert read - OF_PROMETHEUS >= RECORDED - only_shown


@pytest.mark.parametrize("panel", list(panels()), ids=lambda panel: panel["title"])
def test_a_panel_says_what_it_shows_and_in_what_unit(panel: dict[str, Any]) -> None:
    uids = {source["uid"]: source["type"] for source in SOURCES["datasources"]}

    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    for target in panel["targets"]:
        assert uids[target["datasource"]["uid"]] == target["datasource"]["type"]


@pytest.mark.parametrize("name", dashboards())
def test_no_panel_covers_another_and_each_has_a_number(name: str) -> None:
    shown = dashboards()[name]["panels"]
    numbers = [panel["id"] for panel in shown]

    assert len(set(numbers)) == len(numbers)
    for one, other in combinations((panel["gridPos"] for panel in shown), 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or apart
        assert one["x"] + one["w"] <= 24


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_what_to_do_and_is_tested(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["description"].endswith(".")
    assert alert["alert"] in "".join(path.read_text() for path in ALERT_TESTS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_has_a_page_of_what_to_do(alert: dict[str, Any]) -> None:
    page = ROOT / alert["annotations"]["runbook"]

    assert page == RUNBOOKS / f"{alert['alert']}.md"
    severity, text = alert["labels"]["severity"], page.read_text()
    assert text.startswith(f"# {alert['alert']}\n\n*{severity}*")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Look", "Act"]
    assert "It is over when" in text


def test_a_page_of_what_to_do_is_of_an_alert() -> None:
    assert {page.stem for page in RUNBOOKS.iterdir()} == {alert["alert"] for alert in ALERTS}


@pytest.mark.parametrize("page", sorted(RUNBOOKS.iterdir()), ids=lambda page: page.stem)
def test_a_page_names_verbs_that_there_are(page: Path) -> None:
    for said in re.findall(r"`pkh ([a-z]+)(?: ([a-z]+))?", page.read_text()):
        verb: Any = get_command(app)
        for name in filter(None, said):
            verb = verb.commands[name]


def test_the_document_tells_each_alert() -> None:
    rows = re.findall(
        r"^\| \[`(\w+)`\]\(runbooks/\1\.md\) \| (critical|warning) \| (.*?) \|$",
        DOCUMENT,
        re.MULTILINE,
    )

    assert rows == [
        (each["alert"], each["labels"]["severity"], each["annotations"]["description"])
        for each in ALERTS
    ]


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("tahap = ${tahap:sqlstring}", "tahap = '2023-1'"),
        ("rate(x[$__rate_interval])", "rate(x[30s])"),
    ],
)
def test_variables_are_replaced_as_grafana_does(query: str, sent: str) -> None:
    assert expanded(query, {"tahap": "2023-1", "__rate_interval": "30s"}) == sent


def test_a_variable_that_grafana_does_not_know_is_noticed() -> None:
    with pytest.raises(ValueError, match="nothing_like_it"):
        expanded("SELECT $nothing_like_it", {})
