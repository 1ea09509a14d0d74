"""A real Apache Kafka broker as a child of this process, where there is no Docker.

    with running(Path("var/kafka"), port=9092) as broker:
        ...  # broker.bootstrap answers

The broker's jars are named in deploy/kafka/pom.xml and fetched once by Maven. The broker listens
on 127.0.0.1 without authentication: it is for one machine, never for a network.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import IO, Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from libs.events.bus.kafka_client import start, stop
from localstack.ports import free_ports

HOME = Path(__file__).resolve().parent.parent / "deploy" / "kafka"
LIB = HOME / "lib"

RESOLVE_TIMEOUT_S = 300
READY_TIMEOUT_S = 60.0
READY_POLL_S = 0.1
STOP_TIMEOUT_S = 20.0
LOG_TAIL_LINES = 15
HEAP = "512m"
# A broker of one machine lives for minutes: the thorough compiler costs two seconds of processor
# time a start and would pay them back in hours.
QUICK = "-XX:TieredStopAtLevel=1"


class KafkaUnavailable(RuntimeError):
    """There is no broker to be had on this machine; the text says what is missing."""


def missing_tools() -> list[str]:
    """Which of the two programs that a broker needs are not installed."""
    return [name for name in ("java", "mvn") if shutil.which(name) is None]


def resolve(lib_dir: Path = LIB) -> Path:
    """The directory with the broker's jars, fetched by Maven unless they are there already.

    It is named after the hash of pom.xml, so that a changed version is never mixed with old
    jars. Raises `KafkaUnavailable` when Java or Maven is missing or Maven cannot fetch them.
    """
    if missing := missing_tools():
        raise KafkaUnavailable(
            f"not installed: {', '.join(missing)} (Java 17 and Maven are needed)"
        )
    pom = HOME / "pom.xml"
    jars = lib_dir / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if not jars.is_dir():
        lib_dir.mkdir(parents=True, exist_ok=True)
        _fetch(pom, jars)
    return jars


def _fetch(pom: Path, jars: Path) -> None:
    with tempfile.TemporaryDirectory(dir=jars.parent) as work:
        fetched = Path(work) / "jars"
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        _run(["mvn", "-q", "-B", "-f", str(pom), *goal, f"-DoutputDirectory={fetched}"])
        # Renamed only when complete. Another process may have been faster: its jars are the same.
        with contextlib.suppress(OSError):
            fetched.rename(jars)
    if not jars.is_dir():
        raise KafkaUnavailable(f"the jars could not be moved to {jars}")


def _run(command: Sequence[str]) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=RESOLVE_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise KafkaUnavailable(f"{command[0]} did not end in {RESOLVE_TIMEOUT_S} s") from error
    if done.returncode:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LOG_TAIL_LINES:])
        raise KafkaUnavailable(f"{command[0]} ended with {done.returncode}:\n{output}")


@dataclass
class Broker:
    """One broker over one data directory; started, killed and started again on the same data.

    `port` and `controller_port` are chosen when 0 and then stay. `settings` are lines of
    server.properties that replace ours; `asked` are aiokafka's options to ask whether it answers,
    where it does not in clear. The broker is a direct child in its own process group: whoever
    starts it also waits for it, so that no dead process is left behind.
    """

    data: Path
    port: int = 0
    controller_port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    lib_dir: Path = LIB
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.data = self.data.resolve()
        self.port = self.port or free_ports(1)[0]
        self.controller_port = self.controller_port or free_ports(1)[0]

    @property
    def bootstrap(self) -> str:
        """Where clients connect: host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """The output of the broker."""
        return self.data / "broker.log"

    @property
    def alive(self) -> bool:
        """The process is there; whether it answers is asked with `ready`."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Format the storage if it is new and start the process; does not wait for an answer."""
        if self.alive:
            return
        jars = resolve(self.lib_dir)
        self.data.mkdir(parents=True, exist_ok=True)
        properties = self._write_properties()
        if not (self.data / "log" / "meta.properties").exists():
            self._format(jars, properties)
        with self.log.open("ab") as out:
            self.process = self._spawn(jars, properties, out)

    def _format(self, jars: Path, properties: Path) -> None:
        """Make the storage; the first time also the archive of classes, for all later starts."""
        java = self._java(jars, "kafka.tools.StorageTool", *_format_arguments(properties))
        archive = _archive(jars)
        if archive.exists() or not os.access(archive.parent, os.W_OK):
            _run(java)
            return
        with tempfile.TemporaryDirectory(dir=archive.parent) as work:
            made = Path(work) / archive.name
            _run([java[0], f"-XX:ArchiveClassesAtExit={made}", *java[1:]])
            # A start without it is only slower.
            with contextlib.suppress(OSError):
                made.rename(archive)

    def _spawn(self, jars: Path, properties: Path, out: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._java(jars, "kafka.Kafka", str(properties)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,  # Ctrl-C reaches us alone, and we stop the broker in good order
        )

    def _java(self, jars: Path, main: str, *arguments: str) -> list[str]:
        options = [f"-Xmx{HEAP}", "-XX:+UseSerialGC", QUICK, "-Djava.awt.headless=true"]
        if (archive := _archive(jars)).exists():
            options.append(f"-XX:SharedArchiveFile={archive}")
        logging = f"-Dlog4j2.configurationFile={HOME / 'log4j2.properties'}"
        return ["java", *options, logging, "-cp", f"{jars}/*", main, *arguments]

    def _write_properties(self) -> Path:
        ours = Template((HOME / "server.properties").read_text()).substitute(
            port=self.port, controller_port=self.controller_port, log_dir=self.data / "log"
        )
        # Of two lines with one name the later holds.
        theirs = [f"{name}={value}" for name, value in self.settings.items()]
        path = self.data / "server.properties"
        path.write_text("\n".join([ours, *theirs, ""]))
        return path

    async def ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Return when the broker answers and has a controller.

        Raises `KafkaUnavailable` with the end of its log when it died or the time is up.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while not (await self._listens() and await self._answers()):
                    if not self.alive:
                        raise KafkaUnavailable(f"the broker ended:\n{self._log_tail()}")
                    await asyncio.sleep(READY_POLL_S)
        except TimeoutError as error:
            output = f"the broker did not answer in {timeout_s} s:\n{self._log_tail()}"
            raise KafkaUnavailable(output) from error

    async def _listens(self) -> bool:
        # Asked first, because the client library logs an error for every refused connection.
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    async def _answers(self) -> bool:
        # A listening port is not enough: right after a kill the broker listens, but is fenced.
        asked = {"bootstrap_servers": self.bootstrap, "request_timeout_ms": 2000, **self.asked}
        admin = AIOKafkaAdminClient(**asked)
        try:
            await start(admin)
            cluster = await admin.describe_cluster()
        except (KafkaError, OSError):
            return False
        finally:
            await stop(admin.close())
        return bool(cluster["brokers"]) and cluster["controller_id"] >= 0

    def _log_tail(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the broker's process group, as a fault or to end one."""
        if self.process is not None and self.alive:
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), and wait until it is gone."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            # Waited for here, because nobody else may: in a container, process 1 need not reap.
            self.process.wait()

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it in good order, or by SIGKILL when that takes longer than `timeout_s`."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)  # a stopped process would not see the SIGTERM
        if self.process is None:
            return
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()


def _archive(jars: Path) -> Path:
    """Classes of the jars as Java keeps them in memory: to read them saves a second of each start.

    Java passes over an archive that another Java, or of other jars, has made.
    """
    return jars.with_name(f"{jars.name}.jsa")


def _format_arguments(properties: Path) -> list[str]:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    # A leading dash would be read as an option.
    return ["format", "--standalone", f"--cluster-id={cluster}", "-c", str(properties)]


@contextlib.contextmanager
def running(data: Path, port: int = 0, lib_dir: Path = LIB) -> Iterator[Broker]:
    """A broker that answers, until the block ends. Not for use inside an event loop."""
    broker = Broker(data, port=port, lib_dir=lib_dir)
    try:
        broker.start()
        asyncio.run(broker.ready())
        yield broker
    finally:
        broker.stop()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a broker in the foreground until Ctrl-C or SIGTERM, or until it ends by itself."""
    parser = argparse.ArgumentParser(
        prog="python -m localstack.kafka_server", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--port", type=int, default=9092, help="port on 127.0.0.1 (0: any)")
    parser.add_argument("--data", type=Path, required=True, help="directory that keeps its data")
    options = parser.parse_args(arguments)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        with running(options.data, options.port) as broker:
            print(f"Kafka answers at {broker.bootstrap}; log: {broker.log}; stop with Ctrl-C.")
            while broker.alive and not stopping.wait(0.5):
                pass
            return 0 if stopping.is_set() else 1
    except KafkaUnavailable as error:
        print(f"No Kafka: {error}")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
