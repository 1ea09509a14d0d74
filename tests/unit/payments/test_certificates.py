"""Certificates and keys say how long they still count, before they have ended."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from libs.chassis.dev_certificates import CA, Authority, client_files
from libs.chassis.dev_partner_keys import OWN, REGISTER, make_partner_keys
from libs.chassis.partner_keys import PartnerKeys
from libs.chassis.partner_tls import PartnerTls, read_partner_tls
from services.payments.partners.certificates import Certificates

NOW = datetime.now(UTC).replace(microsecond=0)
ADDRESSES = {"treasury": "https://treasury.example", "bank": "https://banks.example:8443"}


def tls_until(directory: Path, own_until: datetime) -> PartnerTls:
    authority = Authority.make("partners")
    (directory / CA).write_text(authority.pem)
    names = client_files("payments")
    for name, text in zip(names, authority.issue("payments", until=own_until), strict=True):
        (directory / name).write_text(text)
    certificate, key = names
    return read_partner_tls(directory / CA, directory / certificate, directory / key)


def answered(address: str, until: str | None) -> httpx.Response:
    """An answer whose server has shown a certificate of this last moment, or came in clear."""

    class Shown:
        def getpeercert(self) -> dict[str, Any]:
            return {"notAfter": until}

    class Stream:
        def get_extra_info(self, name: str) -> Shown | None:
            return Shown() if name == "ssl_object" and until else None

    asked = httpx.Request("GET", address)
    return httpx.Response(200, request=asked, extensions={"network_stream": Stream()})


async def readings(found: Certificates) -> dict[tuple[str, ...], float]:
    return {each.labels: each.value for each in await found.readings()}


async def test_our_certificate_and_the_partners_ca_say_how_many_days_are_left(
    tmp_path: Path,
) -> None:
    tls = tls_until(tmp_path, NOW + timedelta(days=20, hours=3))

    shown = await readings(Certificates(tls, None, {}, lambda: NOW))
    later = await readings(Certificates(tls, None, {}, lambda: NOW + timedelta(days=22)))

    assert shown == {("PKH", "CLIENT"): 20, ("BANKS", "CA"): 825}
    assert later[("PKH", "CLIENT")] == -2


async def test_a_partner_s_certificate_is_noted_from_its_last_answer() -> None:
    found = Certificates.at(ADDRESSES, None, None)
    for day in (3, 9):
        until = (datetime.now(UTC) + timedelta(days=day, hours=1)).strftime("%b %d %H:%M:%S %Y GMT")
        await found.note(answered("https://banks.example:8443/banks/BNI/credit-files/1", until))
    await found.note(answered("https://treasury.example/payment-orders/1", None))
    await found.note(answered("https://somebody.example/", "Jan  1 00:00:00 2031 GMT"))

    assert await readings(found) == {("BANKS", "SERVER"): 9}
    assert ssl.cert_time_to_seconds("Jan  1 00:00:00 2031 GMT") > NOW.timestamp()


async def test_a_key_counts_to_the_end_of_its_last_day(tmp_path: Path) -> None:
    make_partner_keys(tmp_path, ("BNI",))
    register = tmp_path / REGISTER
    last = (NOW + timedelta(days=10)).date()
    text = register.read_text().replace('"kid": "bni-1"', f'"kid": "bni-1", "valid_to": "{last}"')
    register.write_text(text)
    keys = PartnerKeys.read(register, tmp_path / OWN)

    assert await readings(Certificates(None, keys, {}, lambda: NOW)) == {("BNI", "KEY"): 10}


async def test_partners_that_are_simulated_in_clear_have_no_certificate() -> None:
    assert (
        await readings(Certificates.at({"treasury": "", "bank": "http://[::1]:1"}, None, None))
        == {}
    )
