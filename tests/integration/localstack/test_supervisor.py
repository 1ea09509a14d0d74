import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

import psutil
import pytest

from localstack.ports import free_ports
from localstack.process_specs import Child, Process, ProcessSpec, Step, answers, at_once, command
from localstack.supervisor import Supervisor, SupervisorFailed
from tests.servers import eventually

# Starts fast, answers /ready, and tells in a file when it begins and when it ends.
SERVICE = """
import http.server, os, signal, sys
name, port, story = sys.argv[1], int(sys.argv[2]), sys.argv[3]
def tell(what):
    with open(story, "a") as file:
        file.write(f"{name} {what}\\n")
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
def end(*_):
    tell("ends")
    os._exit(0)
signal.signal(signal.SIGTERM, end)
tell("begins")
print("listening", flush=True)
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""

DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""


def service(name: str, story: Path, needs: Sequence[str] = ()) -> Child:
    [port] = free_ports(1)
    argv = [sys.executable, "-S", "-c", SERVICE, name, str(port), str(story)]
    return command(name, argv, ready=answers(f"http://127.0.0.1:{port}/ready"), needs=needs)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    return tmp_path / "story"


def result(story: Path) -> list[str]:
    return story.read_text().splitlines()


async def test_what_is_needed_is_ready_first_and_stops_last(tmp_path: Path, story: Path) -> None:
    async def migrate() -> None:
        with story.open("a") as file:
            file.write("migration runs\n")

    specs: list[ProcessSpec] = [
        service("registry", story, needs=["migration"]),
        Step("migration", migrate, needs=["postgres"]),
        service("postgres", story),
    ]
    async with Supervisor(specs, tmp_path):
        pass

    assert result(story) == [
        "postgres begins",
        "migration runs",
        "registry begins",
        "registry ends",
        "postgres ends",
    ]


async def test_a_killed_child_is_started_again(tmp_path: Path, story: Path) -> None:
    specs = [service("registry", story), service("payments", story)]
    async with Supervisor(specs, tmp_path) as platform:
        first = platform.pids()
        await platform.kill("registry")
        await platform.ready("registry")

        again = platform.pids()
        assert again["registry"] != first["registry"]
        assert again["payments"] == first["payments"]
        assert platform.restarts == {"registry": 1}
        assert json.loads((tmp_path / "run" / "pids.json").read_text()) == again


async def test_a_child_that_others_kill_is_started_again(tmp_path: Path, story: Path) -> None:
    async with Supervisor([service("registry", story)], tmp_path) as platform:
        first = platform.pids()["registry"]
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: platform.pids().get("registry", first) != first)
        await platform.ready("registry")
        assert platform.restarts["registry"] == 1


async def test_what_can_not_be_asked_or_launched_yet_is_tried_again(
    tmp_path: Path, story: Path
) -> None:
    shy, launches, asked = service("shy", story), 0, 0

    def launch(said: IO[bytes]) -> Process:
        nonlocal launches
        launches += 1
        if launches == 2:
            raise OSError("no process to be had")
        return shy.launch(said)

    async def ready() -> bool:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise ConnectionError("nobody listens")
        return await shy.ready()

    async with Supervisor([Child("shy", launch, ready)], tmp_path) as platform:
        await platform.kill("shy")
        await platform.ready("shy")
    assert launches == 3


def loads_once(argv: Sequence[str], *, ended: bool) -> Child:
    """One that works once; `ended`: it has, before anyone asks whether it is ready."""

    def launch(said: object) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(argv)
        if ended:
            process.wait()
        return process

    return Child("load", launch, at_once, restarted=False)


@pytest.mark.parametrize("ended", [False, True])
async def test_one_that_may_end_is_left_alone(tmp_path: Path, ended: bool) -> None:
    async with Supervisor([loads_once(["true"], ended=ended)], tmp_path) as platform:
        await eventually(lambda: platform.pids() == {})
        assert platform.restarts == {}


async def test_one_that_may_end_but_failed_has_not_started(tmp_path: Path) -> None:
    with pytest.raises(SupervisorFailed, match="load does not start"):
        async with Supervisor([loads_once(["false"], ended=True)], tmp_path):
            raise AssertionError("it started")


async def test_nothing_is_left_when_it_has_stopped(tmp_path: Path, story: Path) -> None:
    specs = [service(f"service-{number}", story) for number in range(4)]
    async with Supervisor(specs, tmp_path) as platform:
        await platform.kill("service-0")
        await platform.ready("service-0")
        pids = list(platform.pids().values())
        assert len(pids) == 4
    assert not any(map(psutil.pid_exists, pids))
    assert json.loads((tmp_path / "run" / "pids.json").read_text()) == {}


async def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    async def has_said_it() -> bool:
        return (tmp_path / "logs" / "deaf.log").read_text() == "deaf\n"

    deaf = command("deaf", [sys.executable, "-S", "-c", DEAF], ready=has_said_it)
    specs = [replace(deaf, stop_deadline_s=0.2)]
    async with Supervisor(specs, tmp_path) as platform:
        pid = platform.pids()["deaf"]
    assert not psutil.pid_exists(pid)


async def test_a_part_that_does_not_start_is_named_with_its_last_words(
    tmp_path: Path, story: Path
) -> None:
    broken = command(
        "payments", [sys.executable, "-S", "-c", "raise SystemExit('no ledger')"], ready=at_once
    )
    never = command("never", ["false"], ready=at_once, needs=["payments"])

    async def not_yet() -> bool:
        return False

    waits = Child("payments", broken.launch, not_yet)
    with pytest.raises(SupervisorFailed, match=r"payments does not start; (?s:.*)no ledger"):
        async with Supervisor([service("registry", story), waits, never], tmp_path):
            pytest.fail("it began without a part")

    assert not (tmp_path / "logs" / "never.log").exists()
    assert json.loads((tmp_path / "run" / "pids.json").read_text()) == {}


async def test_a_step_that_fails_is_named(tmp_path: Path) -> None:
    async def migrate() -> None:
        raise ValueError("a migration was changed")

    with pytest.raises(SupervisorFailed, match="migration does not start; a migration was changed"):
        async with Supervisor([Step("migration", migrate)], tmp_path):
            pytest.fail("it began without a part")


def test_what_nobody_provides_can_not_be_needed(tmp_path: Path) -> None:
    lonely = command("registry", ["true"], ready=at_once, needs=["postgres"])
    with pytest.raises(SupervisorFailed, match="needed, but not there: postgres"):
        Supervisor([lonely], tmp_path)


# In a process of its own: the test session's has a broker and a database for children.
MEMORY = """
import asyncio, sys
from pathlib import Path
from localstack.process_specs import at_once, command
from localstack.supervisor import Supervisor

def node(name):
    return command(name, [sys.executable, "-c", "import time; time.sleep(600)"], ready=at_once)

async def main(directory):
    async with Supervisor([node("one")], directory / "a") as platform:
        one = platform.pss_bytes()
        async with Supervisor([node("two")], directory / "b"):
            print(one, platform.pss_bytes())

asyncio.run(main(Path(sys.argv[1])))
"""


def test_memory_is_the_sum_over_all_descendants(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", MEMORY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    one, both = map(int, result.stdout.split())

    assert 0 < one < both < 100_000_000


FOREGROUND = """
import asyncio, sys
from pathlib import Path
from localstack.process_specs import at_once, command
from localstack.supervisor import Supervisor, foreground

async def announce(supervisor):
    print("ready", flush=True)

nodes = [command(name, ["sleep", "600"], ready=at_once) for name in ("one", "two")]
supervisor = Supervisor(nodes, Path(sys.argv[1]), adopts_orphans=True)
asyncio.run(foreground(supervisor, announce))
"""


def in_the_foreground(data_dir: Path) -> "tuple[subprocess.Popen[str], list[int]]":
    process = subprocess.Popen(
        [sys.executable, "-c", FOREGROUND, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    pids: dict[str, int] = json.loads((data_dir / "run" / "pids.json").read_text())
    assert len(pids) == 2
    return process, list(pids.values())


def gone(pids: Sequence[int]) -> bool:
    """Dead; a zombie counts, because only process 1 could reap it."""
    return all(
        not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        for pid in pids
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_foreground_in_order(tmp_path: Path, number: int) -> None:
    process, pids = in_the_foreground(tmp_path)
    with process:
        process.send_signal(number)
    assert process.returncode == 0
    assert not any(map(psutil.pid_exists, pids))


async def test_children_die_with_a_killed_supervisor(tmp_path: Path) -> None:
    process, pids = in_the_foreground(tmp_path)
    with process:
        process.kill()
    await eventually(lambda: gone(pids))
