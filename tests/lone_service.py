"""A service without a database, as a process of its own that only sockets reach."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from libs.chassis.dev_issuer import AUDIENCE, ISSUER, KEY_SET, Issuer
from localstack.ports import free_ports

ROOT: Final = Path(__file__).parents[1]
START_S_MAX: Final = 60.0
LOOK_S: Final = 0.05
PROGRAM: Final = """
import asyncio
from contextlib import asynccontextmanager
from typing import Annotated
from fastapi import APIRouter, FastAPI, Response
from libs.chassis.app import create_app, serve
from libs.chassis.auth import Principal, require
from libs.chassis.settings import Settings

router = APIRouter()
started = asyncio.Event()
Reader = Annotated[Principal, require("read")]

@router.get("/slow")
async def slow(reader: Reader) -> str:
    started.set()
    await asyncio.sleep(0.5)
    return "done"

@router.get("/started")
async def has_started(reader: Reader) -> bool:
    return started.is_set()

@router.get("/much")
async def much(reader: Reader) -> Response:
    return Response(bytes(32 * 1024 * 1024))

@router.get("/bug/{nik}")
async def bug(nik: str, reader: Reader, name: str = "") -> None:
    raise ValueError(nik, name)

@asynccontextmanager
async def lifespan(app: FastAPI):
    if app.state.settings.log_level == "error":
        raise RuntimeError("no database")
    yield {}
    print('{"event": "closed"}', flush=True)

settings = Settings.from_environment("slow")
serve(create_app("slow", "Slow", [router], lifespan, {}, settings), settings)
"""


@dataclass(frozen=True, slots=True)
class LoneService:
    """The service while it runs."""

    process: subprocess.Popen[str]
    port: int
    issuer: Issuer

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def who(self, subject: str) -> dict[str, str]:
        """The headers of a request of somebody who may read."""
        return {"Authorization": f"Bearer {self.issuer.token(subject, ['read'])}"}


def environment_in(directory: Path) -> dict[str, str]:
    """Its environment, with an issuer in a directory and a port that is free."""
    Issuer.open(directory)
    [port] = free_ports(1)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PKH_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "PKH_BUS_URL": "kafka://127.0.0.1:9",
        "PKH_JWKS_FILE": str(directory / KEY_SET),
        "PKH_ISSUER": ISSUER,
        "PKH_AUDIENCE": AUDIENCE,
        "PKH_PORT": str(port),
    }


def launch(environment: Mapping[str, str], said: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start its process; `said` is where its log goes."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        stdout=said,
        stderr=subprocess.STDOUT,
        text=True,
    )


@contextmanager
def lone_service(directory: Path, limits: Mapping[str, str]) -> Iterator[LoneService]:
    """The service under these limits, answering; it is killed in the end."""
    environment = {**environment_in(directory), **limits}
    process = launch(environment, subprocess.DEVNULL)
    service = LoneService(process, int(environment["PKH_PORT"]), Issuer.open(directory))
    try:
        _await_answer(service)
        yield service
    finally:
        process.kill()
        process.communicate()


def _await_answer(service: LoneService) -> None:
    end = time.monotonic() + START_S_MAX
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{service.url}/health").is_success:
                return
        with contextlib.suppress(subprocess.TimeoutExpired):
            service.process.wait(LOOK_S)
            break
    raise AssertionError("the service does not answer")
