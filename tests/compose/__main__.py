"""Runs docker-compose.yml as a whole: `python -m tests.compose` (make compose-test).

A copy of the working tree is brought up by the commands of docs/containers.md, in their order. Then
a year goes through its published ports, while the process of each container is killed once, and is
held against expected/; then all of it again after `down` and `up`. Prints a line a step and leaves
nothing behind; ends with 1 where anything is not as it should be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from localstack.processes import wait_until
from tests.architecture.tree import ROOT, tracked_files
from tests.compose.containers import Compose, Failed
from tests.compose.year import run_year
from tests.guides.console import Shell, commands, matches

GUIDE: Final = "docs/containers.md"
YEAR: Final = "examples/kalbar-small"
KILL_EVERY_S: Final = 3.0
ALERT_S_MAX: Final = 240.0
NAME: Final = "pkh-test"
LOG_LINES: Final = 200


def main() -> int:
    """Run it, or say why this machine cannot."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose")
    parser.add_argument("--standins", action="store_true", help="Tempo and Grafana are not there")
    parser.add_argument("--where-possible", action="store_true", help="no engine is no failure")
    asked = parser.parse_args()
    if missing := missing_for_it():
        print(f"docker-compose.yml was not run: {missing}")
        return 0 if asked.where_possible else 1
    with tempfile.TemporaryDirectory(prefix="pkh-compose-") as temporary:
        tree = Path(temporary) / "tree"
        copy_tree(tree)
        compose = Compose(tree, environment(standins=asked.standins))
        try:
            whole(compose, Path(temporary))
        except Failed as failed:
            print(failed)
            print(compose.run("logs", "--no-color", "--tail", str(LOG_LINES), check=False))
            return 1
        finally:
            step("down with volumes", compose.remove)
    return 0


def missing_for_it() -> str:
    """The thing that is missing here; empty where it can run."""
    if os.geteuid() != 0:
        return "containers' processes are killed by root alone"
    if shutil.which("docker") is None:
        return "there is no docker"
    for asked in (["docker", "version"], ["docker", "compose", "version"]):
        if subprocess.run(asked, capture_output=True, check=False).returncode:
            return f"`{' '.join(asked)}` fails"
    return ""


def environment(*, standins: bool) -> Mapping[str, str]:
    """The variables that the guide's commands find set: ports, names and webhook of the test."""
    return {
        "COMPOSE_PROJECT_NAME": NAME,
        "COMPOSE_FILE": "docker-compose.yml:deploy/standins/compose.yml",
        "PKH_PULLED": "unavailable" if standins else "watch",
        "PKH_ALERT_URL": "http://operations:8080/",
        "COLUMNS": "120",
    }


def copy_tree(to: Path) -> None:
    """The working tree as somebody has it who checks out for themselves alone."""
    for each in tracked_files():
        (to / each).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(ROOT / each, to / each)
        (to / each).chmod(0o700 if os.access(ROOT / each, os.X_OK) else 0o600)
    for each in (to / "examples").rglob("*"):  # as the guide says of PKH_BOOKS
        each.chmod(each.stat().st_mode | (0o055 if each.is_dir() else 0o044))


def whole(compose: Compose, work: Path) -> None:
    """Every step, in order."""
    guide(compose)
    step("year, each killed once", lambda: year_killed(compose, work))
    step("all healthy again", lambda: compose.run("up", "--detach", "--wait"))
    step("the alert was told", lambda: wait_for_alert(compose))
    print(compose.peaks())
    step("down", lambda: compose.run("down"))
    step("up", lambda: compose.run("up", "--detach", "--wait"))
    step("the same year", lambda: run_year(compose, work, compose.directory / YEAR))
    step("chains", lambda: verified(compose))


def guide(compose: Compose) -> None:
    """The commands of the guide, each as it is shown there."""
    with Shell(compose.directory, compose.environment) as shell:
        for command in commands((ROOT / GUIDE).read_text()):
            with timed(f"{GUIDE}:{command.line} {command.text.splitlines()[0]}"[:70]):
                code, printed = shell.run(command.text)
            if code or not matches(command.shown, printed):
                output = "\n".join(printed)
                raise Failed(f"{GUIDE}, line {command.line}: {command.text}: {code}\n{output}")
    compose.environment = {
        **compose.environment,
        "COMPOSE_PROFILES": "watch",
        "PKH_BOOKS": f"./{YEAR}",
    }


def year_killed(compose: Compose, work: Path) -> str:
    """The year, while one container after another loses its process."""
    over, killed, faults = threading.Event(), [], []

    def kill_each() -> None:
        try:
            for name in compose.running():
                if compose.kill(name):
                    killed.append(name)
                over.wait(KILL_EVERY_S)
        except Failed as failed:
            faults.append(failed)

    killing = threading.Thread(target=kill_each)
    killing.start()
    try:
        said = run_year(compose, work, compose.directory / YEAR)
    finally:
        # What is left is killed one after another without a pause.
        over.set()
        killing.join()
    if faults:
        raise faults[0]
    return f"{said}, {len(killed)} killed"


def wait_for_alert(compose: Compose) -> str:
    """Without Tempo its alert is told; where it is there, nothing is to be told."""
    if "tempo" in compose.running():
        return "Tempo runs: no alert is due"

    def came() -> bool:
        return "told ProcessDown tempo firing" in compose.run("logs", "operations")

    wait_until(came, ALERT_S_MAX)
    if not came():
        raise Failed("nobody was told that Tempo is down")
    return "ProcessDown of tempo"


def verified(compose: Compose) -> str:
    """The answer of `pkh verify`."""
    return compose.run("run", "--rm", "-T", "pkh", "verify")


def step(name: str, work: Callable[[], str]) -> None:
    """Do a step and print how long it took and the last that it said."""
    with timed(name) as say:
        say(work().strip().rpartition("\n")[2])


@contextmanager
def timed(name: str) -> Iterator[Callable[[str], None]]:
    """Print the seconds that a step took, and what it says of itself."""
    said: list[str] = []
    begun = time.monotonic()
    yield said.append
    print(f"{time.monotonic() - begun:6.1f} s  {name:<70} {' '.join(said)[:70]}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
