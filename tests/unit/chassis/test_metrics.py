"""/metrics shows what the process measured and what looks find, whatever ails one of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from libs.chassis.dev_issuer import Issuer
from libs.chassis.metrics import Look, Seldom, exposition, reaching, shown
from libs.events import telemetry
from libs.events.telemetry.metrics import Sample
from localstack.ports import HOST, free_ports
from tests.servers import eventually
from tests.unit.chassis.service import NIK, calling, service, settings_for, token_for

HEAD = Sample(telemetry.HEAD_EVENTS, 41, ("things",))


async def found() -> Sequence[Sample]:
    return [HEAD]


async def away() -> Sequence[Sample]:
    raise ConnectionRefusedError


async def samples(*looks: Look) -> dict[tuple[str, ...], float]:
    """Every sample that is shown, by its name and its labels' values, sorted by label."""
    text = (await exposition(looks)).decode()
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_what_looks_find_stands_beside_what_the_process_measures() -> None:
    shown = await samples(found)

    assert shown["corridor_head_events", "things"] == 41
    assert shown["process_resident_memory_bytes",] > 0


async def test_a_look_that_fails_takes_no_other_with_it() -> None:
    looks = [reaching(telemetry.BUS_REACHED, "things", away), found]

    shown = await samples(*looks)

    assert shown["corridor_bus_reached", "things"] == 0
    assert shown["corridor_head_events", "things"] == 41


async def test_it_answers_at_a_port_of_its_own_and_only_there() -> None:
    [port] = free_ports(1)
    async with shown(HOST, port, [found]), httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://{HOST}:{port}/metrics")
        elsewhere = await client.get(f"http://{HOST}:{port}/secrets")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'corridor_head_events{store="things"} 41.0' in answer.text
    assert elsewhere.status_code == 404


async def test_a_silent_or_garbled_caller_harms_nobody() -> None:
    [port] = free_ports(1)
    async with shown(HOST, port, [found]), httpx.AsyncClient(trust_env=False) as client:
        _, silent = await asyncio.open_connection(HOST, port)
        reader, garbled = await asyncio.open_connection(HOST, port)
        garbled.write(b"\x16\x03\x01" * 50_000)

        answer = await client.get(f"http://{HOST}:{port}/metrics")

        assert answer.is_success
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await reader.readexactly(1)
        for caller in (silent, garbled):
            caller.close()
            with contextlib.suppress(ConnectionError):
                await caller.wait_closed()


async def test_a_costly_look_is_not_taken_again_at_once() -> None:
    looks = 0

    async def costly() -> Sequence[Sample]:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return [HEAD]

    seldom = Seldom(costly)

    assert [*await seldom(), *await seldom()] == [HEAD, HEAD]
    assert looks == 1


async def test_a_costly_look_that_failed_is_told_and_tried_again() -> None:
    answers = iter([away, found])

    async def sometimes() -> Sequence[Sample]:
        return await next(answers)()

    seldom = Seldom(sometimes)
    with pytest.raises(ConnectionRefusedError):
        await seldom()

    async def shows() -> bool:
        try:
            return await seldom() == [HEAD]
        except ConnectionRefusedError:
            return False

    await eventually(shows)


async def test_requests_are_measured_by_route_and_never_by_what_was_asked(
    issuer: Issuer, issuer_dir: Path
) -> None:
    token = token_for(issuer, regions=("61",))
    async with calling(service(settings_for(issuer_dir)), token) as client:
        await client.put(f"/things/{NIK}", json={"nik": NIK})
        await client.get(f"/nowhere/{NIK}?nik={NIK}")
        await client.request(NIK, "/things/whoami")

    shown = await samples()

    counted = "http_server_request_duration_seconds_count"
    assert shown[counted, "PUT", "200", "/things/{name}"] >= 1
    assert shown[counted, "GET", "404", "unmatched"] >= 1
    assert {labels[1] for labels in shown if labels[0] == counted} <= {
        *telemetry.METHODS,
        telemetry.OTHER_METHOD,
    }
    assert not [labels for labels in shown if any(NIK in label for label in labels)]
