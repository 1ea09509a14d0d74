"""The rules of Prometheus by its own tool: their form, and what they tell of given figures."""

from __future__ import annotations

import subprocess

import pytest
import yaml

from tests.watching import ALERT_TESTS, PROMETHEUS_DIR, missing_prometheus

pytestmark = pytest.mark.skipif(
    bool(missing_prometheus()), reason="not installed: Debian's package prometheus"
)


def promtool(*arguments: str) -> tuple[int, str]:
    result = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def test_the_configuration_and_its_rules_are_well_formed() -> None:
    code, said = promtool("check", "config", str(PROMETHEUS_DIR / "prometheus.yml"))

    assert code == 0, said
    assert "2 rule files found" in said


def test_the_rules_tell_what_their_tests_expect() -> None:
    code, said = promtool("test", "rules", *map(str, ALERT_TESTS))

    assert code == 0, said


def test_what_takes_days_is_not_looked_at_by_the_minute() -> None:
    for path in ALERT_TESTS:
        content = yaml.safe_load(path.read_text())
        every = {"1h"} if content["evaluation_interval"] == "1m" else set()
        assert every.isdisjoint(each["interval"] for each in content["tests"]), path
