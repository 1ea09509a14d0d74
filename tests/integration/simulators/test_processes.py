from __future__ import annotations

import asyncio
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

from deploy.health import healthy
from libs.chassis.dev_certificates import CA, DAYS, client_files, make_certificates, server_files
from libs.chassis.partner_tls import PartnerTls, read_partner_tls
from services.payments.partners.certificates import Certificates
from tests.unit.simulators.given import (
    CLOSED_NO,
    NAME,
    NIK,
    Row,
    digest_of,
    headers_of,
    payment_id,
    request_file,
    total,
    write_books,
)

ROOT = Path(__file__).parents[3]
STOP_DEADLINE_S = 10
BANK_FILE = "/banks/BNI/credit-files/2023-1-BNI"
ROWS = [
    Row(payment_id(number), account_no=CLOSED_NO if number % 5 == 0 else Row().account_no)
    for number in range(2_000)
]
BODY = request_file(ROWS)
HEADERS = headers_of(BODY, len(ROWS), total(ROWS))

NOT_HEARD = (httpx.TransportError, ssl.SSLError)

Started: TypeAlias = tuple["subprocess.Popen[str]", httpx.Client]
Start: TypeAlias = Callable[..., AbstractContextManager[Started]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a simulator as the process it is, over one directory of journals."""
    books = write_books(tmp_path / "books.csv")

    @contextmanager
    def run(name: str, *more: str) -> Iterator[Started]:
        given = ["--books", str(books), "--journal", str(tmp_path / "journals"), "--port", "0"]
        log = (tmp_path / f"{name}.log").open("a")
        process = subprocess.Popen(
            [sys.executable, "-m", f"simulators.{name}", *given, *more],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            text=True,
        )
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            assert ready[:3] == [name, "ready", "on"]
            with httpx.Client(base_url=f"http://{ready[3]}", timeout=10) as client:
                yield process, client
        finally:
            process.kill()
            process.communicate(timeout=STOP_DEADLINE_S)
            log.close()

    return run


def test_a_bank_that_is_killed_answers_afterwards_as_before(start: Start) -> None:
    with start("bank") as (process, bank):
        assert bank.put(BANK_FILE, content=BODY, headers=HEADERS).status_code == 202
        before = bank.get(BANK_FILE)
        paid = bank.get(f"/banks/BNI/payments/{payment_id(1)}")
        process.send_signal(signal.SIGKILL)
        assert process.wait(STOP_DEADLINE_S) == -signal.SIGKILL

    with start("bank") as (_, bank):
        after = bank.get(BANK_FILE)
        assert after.content == before.content
        assert after.headers["content-digest"] == digest_of(before.content)
        assert bank.get(f"/banks/BNI/payments/{payment_id(1)}").json() == paid.json()
        assert bank.put(BANK_FILE, content=BODY, headers=HEADERS).status_code == 200


@pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.01, 0.03])
async def test_a_bank_killed_while_it_takes_a_file_has_all_of_it_or_nothing(
    start: Start, tmp_path: Path, after: float
) -> None:
    with start("bank") as (process, bank):
        answer = asyncio.create_task(
            asyncio.to_thread(bank.put, BANK_FILE, content=BODY, headers=HEADERS)
        )
        await asyncio.wait([answer], timeout=after)
        process.kill()
        await asyncio.wait([answer])
        acknowledged = answer.exception() is None

    with start("bank") as (_, bank):
        found = bank.get(BANK_FILE)
        assert found.status_code == 200 or not acknowledged
        assert bank.put(BANK_FILE, content=BODY, headers=HEADERS).status_code == (
            200 if found.status_code == 200 else 202
        )
    assert credited(tmp_path) == sum(row.account_no != CLOSED_NO for row in ROWS)


def test_a_treasury_that_is_killed_keeps_its_checks_and_its_releases(start: Start) -> None:
    body = request_file(ROWS, kind="ACCOUNT_CHECK", file_id="C1")
    order = {"count": 2_000, "rupiah": total(ROWS), "hash": "ab" * 32}
    with start("treasury") as (process, treasury):
        headers = headers_of(body, len(ROWS), total(ROWS))
        assert treasury.put("/account-checks/C1", content=body, headers=headers).status_code == 202
        checked = treasury.get("/account-checks/C1").content
        released = treasury.put("/payment-orders/SPM-1", json=order).json()
        process.send_signal(signal.SIGKILL)
        assert process.wait(STOP_DEADLINE_S) == -signal.SIGKILL

    with start("treasury") as (_, treasury):
        assert treasury.get("/account-checks/C1").content == checked
        assert treasury.put("/payment-orders/SPM-1", json=order).json() == released


def test_a_process_ends_in_good_order_when_it_is_told_to(start: Start) -> None:
    with start("bank") as (process, bank):
        assert bank.get("/health").json() == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE_S) in (0, -signal.SIGTERM)


def test_a_large_file_with_a_fault_at_its_beginning_gets_its_refusal(start: Start) -> None:
    body = b"nonsense\n" + BODY * 20
    with start("bank") as (_, bank):
        answer = bank.put(BANK_FILE, content=body, headers=HEADERS)

        assert (answer.status_code, answer.json()["code"]) == (422, "MALFORMED_RECORD")


def test_a_bank_told_to_misbehave_does(start: Start) -> None:
    with start("bank", "--misbehave", "stray-line", "--answer-after-asks", "1") as (_, bank):
        bank.put(BANK_FILE, content=BODY, headers=HEADERS)

        assert bank.get(BANK_FILE).status_code == 202
        assert bank.get(BANK_FILE).headers["x-record-count"] == str(len(ROWS) + 1)


def test_a_bank_with_certificates_answers_only_who_has_one(start: Start, tmp_path: Path) -> None:
    make_certificates(tmp_path, ["bank"], ["payments"], "127.0.0.1")
    files = {
        "--certificate": server_files("bank")[0],
        "--certificate-key": server_files("bank")[1],
        "--client-ca": CA,
    }
    given = [word for option, file in files.items() for word in (option, str(tmp_path / file))]
    certificate, key = (tmp_path / file for file in client_files("payments"))
    tls = read_partner_tls(tmp_path / CA, certificate, key)
    ours, nobody_s = tls.context, ssl.create_default_context(cafile=tmp_path / CA)

    with start("bank", *given) as (_, in_clear):
        address = in_clear.base_url.copy_with(scheme="https")
        with httpx.Client(base_url=address, verify=ours) as client:
            assert client.get("/health").is_success
        assert asyncio.run(_days_of_the_bank(tls, str(address))) == DAYS
        with httpx.Client(base_url=address, verify=nobody_s) as client, pytest.raises(NOT_HEARD):
            client.get("/health")
        with pytest.raises(NOT_HEARD):
            in_clear.get("/health")
        assert healthy(["tls"], {"PKH_PORT": str(address.port)})
    assert not healthy(["tls"], {"PKH_PORT": str(address.port)})


async def _days_of_the_bank(tls: PartnerTls, address: str) -> float:
    """The days for which the certificate counts that a bank shows when it answers."""
    found = Certificates.at({"treasury": "", "bank": address}, tls, None)
    hooks = {"response": [found.note]}
    async with httpx.AsyncClient(verify=tls.context, event_hooks=hooks) as client:
        await client.get(f"{address}/health")
    shown = {each.labels: each.value for each in await found.readings()}
    return shown["BANKS", "SERVER"] + 1


def test_neither_journals_nor_logs_hold_anything_personal(start: Start, tmp_path: Path) -> None:
    with start("bank") as (_, bank):
        bank.put(BANK_FILE, content=BODY, headers=HEADERS)
        bank.put(f"{BANK_FILE}-2", content=BODY, headers=HEADERS)  # refused: another file's id
        bank.get(f"/banks/BNI/payments/{payment_id(1)}", params={"nik": NIK})

    left = b"".join(
        path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and path.name != "books.csv"
    )
    assert payment_id(1).encode() in left
    assert b"taken file=2023-1-BNI records=2000" in left
    for personal in (NIK, NAME, Row().account_no, CLOSED_NO):
        assert personal.encode() not in left


def credited(directory: Path) -> int:
    """The number of credits in the bank's own journal."""
    lines = (directory / "journals" / "BNI.journal").read_text().splitlines()
    return sum(line.startswith("L,") and line.endswith(",CREDITED") for line in lines)
