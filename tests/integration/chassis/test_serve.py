"""The process of a service: it answers, says nothing it should not, and ends when it is asked."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.chassis.dev_issuer import Issuer
from tests.lone_service import environment_in, launch
from tests.servers import eventually

NIK = "6103014107900001"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_in(tmp_path)


@asynccontextmanager
async def _serving(
    environment: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[tuple[subprocess.Popen[str], httpx.AsyncClient]]:
    process = launch(environment)
    token = Issuer.open(tmp_path).token("reader-1", ["read"])
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{environment['PKH_PORT']}",
        headers={"Authorization": f"Bearer {token}"},
    ) as client:

        async def answers() -> bool:
            with contextlib.suppress(httpx.TransportError):
                return (await client.get("/health")).is_success
            return False

        try:
            await eventually(answers, what="the service answers")
            yield process, client
        finally:
            process.kill()
            process.communicate()


def _lines(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, _ = process.communicate(timeout=10)
    return [json.loads(line) for line in out.splitlines()]


async def test_a_request_that_runs_when_the_service_is_asked_to_end_is_still_answered(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with _serving(environment, tmp_path) as (process, client):
        slow = asyncio.create_task(client.get("/slow"))

        async def has_started() -> bool:
            return bool((await client.get("/started")).json())

        await eventually(has_started, what="the request runs")
        process.send_signal(signal.SIGTERM)
        assert (await slow).json() == "done"
        lines = await asyncio.to_thread(_lines, process)
    assert process.returncode == -signal.SIGTERM
    assert {"event": "closed"} in lines


async def test_everything_a_service_says_is_json_without_what_its_callers_wrote(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with _serving(environment, tmp_path) as (process, client):
        answer = await client.get(f"/bug/{NIK}", params={"name": NIK})
        await client.get("/slow", headers={"Authorization": f"Bearer {NIK}"})
        process.send_signal(signal.SIGTERM)
        lines = await asyncio.to_thread(_lines, process)
    assert answer.status_code == 500
    assert "server" not in answer.headers
    assert NIK not in answer.text + json.dumps(lines)
    [error] = [line for line in lines if line["event"] == "unexpected error"]
    assert error["error"] == ["ValueError"]
    assert error["request"] == answer.headers["X-Request-ID"]
    assert {"token refused", "request"} <= {line["event"] for line in lines}


def test_a_service_that_can_not_start_says_why_and_fails(environment: dict[str, str]) -> None:
    process = launch({**environment, "PKH_LOG_LEVEL": "error"})
    lines = _lines(process)
    assert process.returncode == 3
    assert {"event": "stopped by an error", "error": ["RuntimeError"]}.items() <= lines[0].items()
