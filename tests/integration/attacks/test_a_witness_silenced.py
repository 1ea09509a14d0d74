"""Whoever rewrote a log silences the witness who saw it: its file, its lines, its key, its dates.

The thief reaches where the file lies. The public key is with who verifies, the private one is the
witness's; in the last tests the thief has that one too, and not the authority of time stamps.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

import pytest
from joserfc.jwk import OKPKey

from cli.client.time_stamps import stamp, stamp_findings, stamps_of
from cli.client.witness import (
    Seen,
    Witnessed,
    append,
    public_key,
    public_part,
    read_lines,
    signing_key,
)
from cli.errors import Failed
from localstack.environment import SERVICES

NOW: Final = datetime.now(UTC)
DAY: Final = timedelta(days=1)
HEAD, OTHER_HEAD = "ab" * 32, "cd" * 32


@pytest.fixture
def key(tmp_path: Path) -> OKPKey:
    return signing_key(tmp_path / "key.json")


@pytest.fixture
def file(tmp_path: Path, key: OKPKey) -> Path:
    """The lines that the witness signed yesterday and an hour ago."""
    path = tmp_path / "heads.jws"
    looked(path, key, NOW - DAY, 40)
    looked(path, key, NOW - timedelta(hours=1), 60)
    return path


def looked(
    file: Path, key: OKPKey, at: datetime, position: int, *, head: str = HEAD, left_out: str = ""
) -> None:
    """The witness looks at every service."""
    before = read_lines(file, key)
    services = [service for service in SERVICES if service != left_out]
    seen = [
        Seen(len(before) + number, at, service, "e", position, head)
        for number, service in enumerate(services, 1)
    ]
    append(file, key, seen, before[-1][1] if before else "")


def said(file: Path, key: OKPKey, hours: int = 24) -> list[str]:
    """The findings of a verifier, who was told the public key and no more."""
    return list(Witnessed.of(file, public_key(public_part(key)), NOW, hours).findings)


def keep(file: Path, wanted: Callable[[int], bool]) -> None:
    """Leave only some of the file's lines in it."""
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for at, line in enumerate(lines, 1) if wanted(at)))


def test_what_the_witness_saw_is_believed(file: Path, key: OKPKey) -> None:
    witnessed = Witnessed.of(file, public_key(public_part(key)), NOW)

    assert witnessed.findings == []
    seen = {40: bytes.fromhex(HEAD), 60: bytes.fromhex(HEAD)}
    assert witnessed.heads == dict.fromkeys(SERVICES, seen)


@pytest.mark.parametrize("emptied", [Path.unlink, lambda file: file.write_text("")])
def test_a_file_that_is_gone_or_empty_is_a_finding_for_each_store(
    file: Path, key: OKPKey, emptied: Callable[[Path], object]
) -> None:
    emptied(file)

    assert said(file, key) == [
        f"has not seen the log of {service} in the last 24 hours" for service in SERVICES
    ]


def test_an_end_that_was_cut_off_is_found_by_its_age(file: Path, key: OKPKey) -> None:
    keep(file, lambda at: at <= len(SERVICES))

    assert len(said(file, key, hours=23)) == len(SERVICES)


def test_one_store_that_the_witness_did_not_look_at_is_named(file: Path, key: OKPKey) -> None:
    file.unlink()
    looked(file, key, NOW, 60, left_out="payments")

    assert said(file, key) == ["has not seen the log of payments in the last 24 hours"]


def test_a_line_from_the_time_to_come_does_not_stay_young_for_ever(file: Path, key: OKPKey) -> None:
    looked(file, key, NOW + 30 * DAY, 70)

    assert len(said(file, key)) == len(SERVICES)


def test_a_line_that_was_taken_out_of_the_middle_is_found(file: Path, key: OKPKey) -> None:
    keep(file, lambda at: at != 3)

    assert said(file, key) == [f"{file}, line 3: is line 4 of what was signed."]


def test_lines_of_another_file_of_the_same_witness_are_found(
    file: Path, key: OKPKey, tmp_path: Path
) -> None:
    """An exercise, or a restore: lines with the right numbers, which the witness has signed."""
    exercise = tmp_path / "exercise.jws"
    looked(exercise, key, NOW - DAY, 40, head=OTHER_HEAD)
    looked(exercise, key, NOW, 60, head=OTHER_HEAD)
    own, others = file.read_text().splitlines(), exercise.read_text().splitlines()
    file.write_text("\n".join([*own[: len(SERVICES)], *others[len(SERVICES) :], ""]))

    [finding] = said(file, key)
    assert finding.endswith(f"line {len(SERVICES) + 1}: was not signed behind the line before it.")


def test_a_file_that_another_key_signed_is_a_finding(
    file: Path, key: OKPKey, tmp_path: Path
) -> None:
    file.unlink()
    looked(file, signing_key(tmp_path / "thief.json"), NOW, 60, head=OTHER_HEAD)

    assert said(file, key) == [f"{file}, line 1: was not signed by this witness."]


def test_a_pinned_key_that_is_none_is_refused() -> None:
    with pytest.raises(Failed, match="must be the 43 characters"):
        public_key("not-a-key")


# -- With the witness's private key: an authority outside has stamped what was there ---------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """(URL, its certificate) of an authority of time stamps: `openssl ts` behind a port."""
    home = tmp_path_factory.mktemp("authority")
    (home / "conf").write_text(AUTHORITY_CONF.format(home=home))
    (home / "serial").write_text("01\n")
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config", str(home / "conf")]
    where = ["-keyout", str(home / "key.pem"), "-out", str(home / "cert.pem")]
    subprocess.run(["openssl", "req", *made, *where], check=True, capture_output=True)

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            (home / "query").write_bytes(query)
            asked = ["-queryfile", str(home / "query"), "-config", str(home / "conf")]
            answer = subprocess.run(
                ["openssl", "ts", "-reply", *asked], check=True, capture_output=True
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer.stdout)))
            self.end_headers()
            self.wfile.write(answer.stdout)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", home / "cert.pem"
        server.shutdown()


AUTHORITY_CONF: Final = """
[req]
distinguished_name = name
x509_extensions = stamping
prompt = no
[name]
CN = An authority of time stamps
[stamping]
basicConstraints = critical, CA:TRUE
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = authority
[authority]
serial = {home}/serial
signer_cert = {home}/cert.pem
certs = {home}/cert.pem
signer_key = {home}/key.pem
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
"""


@pytest.fixture
def stranger(tmp_path: Path) -> Path:
    """The certificate of somebody who is no authority."""
    where = ["-keyout", str(tmp_path / "stranger.key"), "-out", str(tmp_path / "stranger.pem")]
    made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Another", *where]
    subprocess.run(["openssl", "req", *made], check=True, capture_output=True)
    return tmp_path / "stranger.pem"


def written_anew(file: Path, key: OKPKey, moments: Sequence[datetime]) -> None:
    """Another history, signed with the witness's key."""
    file.unlink()
    for number, at in enumerate(moments, 1):
        looked(file, key, at, 10 * number, head=OTHER_HEAD)


async def stamped(file: Path, key: OKPKey, authority: tuple[str, Path]) -> None:
    await stamp(file, read_lines(file, key)[-1], *authority)


async def found(file: Path, key: OKPKey, authority: tuple[str, Path], hours: int) -> list[str]:
    return await stamp_findings(file, key, authority[1], hours)


async def test_a_file_that_was_stamped_when_it_was_written_is_believed(
    file: Path, key: OKPKey, authority: tuple[str, Path]
) -> None:
    await stamped(file, key, authority)
    looked(file, key, NOW, 70)
    await stamped(file, key, authority)

    assert await found(file, key, authority, 26) == []


async def test_a_file_that_was_written_anew_with_the_witness_s_key_is_older_than_its_stamps(
    file: Path, key: OKPKey, authority: tuple[str, Path]
) -> None:
    await stamped(file, key, authority)
    stamps_of(file).unlink()
    written_anew(file, key, [NOW - days * DAY for days in (30, 15, 0)])
    await stamped(file, key, authority)

    assert said(file, key) == []
    [finding] = await found(file, key, authority, 24)
    assert finding.startswith("line 1, of ")
    assert "was first time-stamped on" in finding


async def test_stamps_that_were_kept_are_not_of_the_new_lines(
    file: Path, key: OKPKey, authority: tuple[str, Path]
) -> None:
    await stamped(file, key, authority)
    written_anew(file, key, [NOW, NOW])

    [finding] = await found(file, key, authority, 24)
    assert finding.startswith(f"line {2 * len(SERVICES)} is not the one that was time-stamped on ")


async def test_lines_behind_the_last_stamp_are_named(
    file: Path, key: OKPKey, authority: tuple[str, Path]
) -> None:
    await stamped(file, key, authority)
    looked(file, key, NOW, 70)

    assert await found(file, key, authority, 26) == [
        f"no time stamp covers line {2 * len(SERVICES) + 1} and those behind it"
    ]


async def test_a_stamp_that_is_none_or_of_nobody_whom_we_believe_is_a_finding(
    file: Path, key: OKPKey, authority: tuple[str, Path], stranger: Path
) -> None:
    await stamped(file, key, authority)

    [finding] = await stamp_findings(file, key, stranger, 26)
    assert "line 1: The authority's answer is no time stamp of this line" in finding
    stamps_of(file).write_text("8 abc not-base64\n")
    [finding] = await found(file, key, authority, 26)
    assert finding.endswith("line 1: is no time stamp.")


async def test_an_authority_that_does_not_answer_leaves_no_stamp(
    file: Path, key: OKPKey, authority: tuple[str, Path]
) -> None:
    with pytest.raises(Failed, match="The authority of time stamps: ConnectError"):
        await stamp(file, read_lines(file, key)[-1], "http://127.0.0.1:9", authority[1])

    assert not stamps_of(file).exists()
