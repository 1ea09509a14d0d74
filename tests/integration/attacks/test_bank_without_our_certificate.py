"""Whoever stands at the bank's address, or before the bank, without a certificate gets nothing.

The attacker has the bank's name and address in our network, or ours in the bank's. He has
certificates, too: of a CA that is his own, of another host, of a year that is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from libs.chassis.dev_certificates import Authority
from services.payments.domain.payment.state import Transfer
from tests.integration.attacks.test_bank_address_taken_over import VILLAGE, ordered
from tests.integration.payments.bank_door import (
    HOST,
    Credentials,
    bank_door,
    payer_at,
    right_ones,
)
from tests.integration.payments.houses import EARLY_CHILD_IDR, TAHAP_1
from tests.integration.payments.office import Office, exhausted

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
Wrong = Callable[[Authority, Credentials], Credentials]


def of_his_own_ca(_: Authority, both: Credentials) -> Credentials:
    return replace(both, bank=Authority.make("Partners").issue("bank", address=HOST))


def of_another_host(ca: Authority, both: Credentials) -> Credentials:
    return replace(both, bank=ca.issue("bank", address="127.0.0.2"))


def of_a_year_that_is_over(ca: Authority, both: Credentials) -> Credentials:
    return replace(both, bank=ca.issue("bank", address=HOST, until=YESTERDAY))


def of_a_client(ca: Authority, both: Credentials) -> Credentials:
    return replace(both, bank=ca.issue("bank"))


def nothing_is_shown(_: Authority, both: Credentials) -> Credentials:
    return replace(both, ours=None)


def ours_is_of_another_ca(_: Authority, both: Credentials) -> Credentials:
    return replace(both, ours=Authority.make("Partners").issue("payments"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (of_his_own_ca, "certificate=unable to get local issuer certificate"),
        (of_another_host, "certificate=IP address mismatch"),
        (of_a_year_that_is_over, "certificate=certificate has expired"),
        (of_a_client, "certificate=unsuitable certificate purpose"),
        # The bank ends the connection, and does not always come to say why.
        (nothing_is_shown, "A partner did not answer"),
        (ours_is_of_another_ca, "A partner did not answer"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
async def test_no_file_goes_to_and_no_request_comes_through_a_wrong_certificate(
    office: Office, tmp_path: Path, wrong: Wrong, why: str
) -> None:
    ca, both = right_ones()
    await ordered(office)

    shown = wrong(ca, both)
    async with (
        bank_door(office.world, shown, tmp_path) as banks,
        payer_at(office, banks, shown, tmp_path) as payer,
    ):
        await exhausted(payer.step)

        # It waits, says so, and other tahaps go on.
        assert [path for _, path in office.world.asked if path.startswith("/banks")] == []
        assert await office.transfers(VILLAGE) == [Transfer.INSTRUCTED] * 5
        [run] = (await office.seen(f"/tahap/{TAHAP_1}"))["runs"]
        assert {each["partner"] for each in run["partners_in_trouble"]} == {"BNI", "BRI"}
        assert why in run["trouble"]
        await office.arrived(VILLAGE, tahap="2023-2")
        await office.frozen("2023-2")
        await exhausted(payer.step)
        assert (await office.run("2023-2")).check_complete

    async with (
        bank_door(office.world, both, tmp_path) as banks,
        payer_at(office, banks, both, tmp_path) as payer,
    ):
        await exhausted(payer.step)
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5
    assert sum(office.world.credited().values()) == 5 * EARLY_CHILD_IDR
