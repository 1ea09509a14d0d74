"""Whoever reaches a bank's address says that all is paid: nobody believes it, no other bank stops.

The attacker has the bank's name in our network, and knows our families, payments and amounts, as
whoever has read a list does. So every answer here is right but for what only the bank can know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import httpx
import pytest
from joserfc.jwk import OKPKey

from libs.chassis.partner_keys import HEADER
from services.payments.domain.payment.state import Transfer
from services.payments.domain.run.messages import PartnerIncidentFound
from services.payments.partners.files import content_digest
from services.payments.partners.incidents import incident_readings
from services.payments.tables.ledger import books
from simulators.bank import bank_reference
from tests.doors import sent
from tests.integration.payments.houses import (
    EARLY_CHILD_IDR,
    TAHAP_1,
    House,
    books_of,
    houses,
)
from tests.integration.payments.office import CHECKER, MAKER, Office

VILLAGE: Final = [*houses(3, "BNI"), *houses(2, "BRI", first=4)]
AT_BNI, AT_BRI = VILLAGE[:3], VILLAGE[3:]
BNI: Final = "/banks/BNI"
RUN: Final = f"/tahap/{TAHAP_1}/runs/REGULAR"


async def ordered(office: Office) -> None:
    """The village's money is ordered, and no file has left."""
    office.world.accounts.update(books_of(VILLAGE))
    await office.arrived(VILLAGE)
    await office.frozen()
    await office.pay()
    await office.ordered()


def all_paid(
    office: Office, lived_in: Sequence[House], named: Callable[[httpx.Request], str]
) -> Callable[[httpx.Request], httpx.Response]:
    """Who answers, whatever is asked, that all of a bank's payments are credited, and signs as the
    bank does; the file that was taken is the one `named` gives."""

    def answer(request: httpx.Request) -> httpx.Response:
        file = request.url.path.rpartition("/")[2]
        payments = sorted(house.payment() for house in lived_in)
        lines = [
            f"D,{payment},CREDITED,{EARLY_CHILD_IDR},{bank_reference('BNI', payment, 'CREDITED')}\n"
            for payment in payments
        ]
        rupiah = len(lines) * EARLY_CHILD_IDR
        head = f"H,1,CREDIT_RESULT,{file},2023-04-20{named(request)}\n"
        sums = f"T,{len(lines)},{rupiah},{len(lines)},{rupiah}\n"
        answered = httpx.Response(200, text=head + "".join(lines) + sums)
        return office.world.by_partner(request, answered)

    return answer


async def test_an_answer_to_a_file_that_was_never_sent_credits_nobody(office: Office) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = all_paid(office, AT_BNI, lambda _: f",{'0' * 64}")

    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    assert (await books(office.store)).broken == []


async def test_an_answer_of_the_old_form_names_no_file_and_credits_nobody(office: Office) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = all_paid(office, AT_BNI, lambda _: "")

    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2


async def test_nobody_knows_a_file_s_id_before_it_is_committed(office: Office) -> None:
    """Whoever knew it could hand in a file of his own at the bank before ours came."""
    await ordered(office)
    await office.pay()

    state = await office.run()
    ids = sorted([*(sent.file for sent in state.checks), *(sent.file for sent in state.files)])
    ends = {file.rpartition("-")[2] for file in ids}
    assert [file.rpartition("-")[0] for file in ids] == [
        f"{TAHAP_1}-REGULAR-BNI-1",
        f"{TAHAP_1}-REGULAR-BRI-1",
        f"{TAHAP_1}-REGULAR-CHECK-1",
    ]
    assert ({len(end) for end in ends}, len(ends)) == ({26}, 3)
    # Asked for and sent, again and again, under that one id.
    paths = {path for _, path in office.world.asked if "-files/" in path or "-checks/" in path}
    assert {path.rpartition("/")[2] for path in paths} == set(ids)


async def test_the_bank_that_holds_another_file_under_our_id_is_an_incident_of_its_own_alone(
    office: Office,
) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = refusing_ours

    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    [found] = (await office.run()).incidents
    assert (found.partner, "another file" in found.error) == ("BNI", True)


def refusing_ours(request: httpx.Request) -> httpx.Response:
    """Who never took a file, and takes none: it has another one of that id."""
    return httpx.Response(404 if request.method == "GET" else 409)


# -- Whoever is handed the file knows all that it says, and its hash ------------------------------


@dataclass
class Impostor:
    """Who takes the file at the bank's address, and answers that all of it is paid; `seal` is how
    the answer is signed."""

    office: Office
    seal: Callable[[httpx.Request, httpx.Response], httpx.Response]
    sha256: str = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        file = request.url.path.rpartition("/")[2]
        if request.method == "PUT":
            self.sha256 = hashlib.sha256(request.content).hexdigest()
            figures = {"count": len(AT_BNI), "sum": len(AT_BNI) * EARLY_CHILD_IDR}
            receipt = {"file": file, **figures, "sha256": self.sha256}
            return self.seal(request, httpx.Response(202, json=receipt))
        if not self.sha256:
            return httpx.Response(404)
        paid = all_paid(self.office, AT_BNI, lambda _: f",{self.sha256}")(request)
        del paid.headers[HEADER]
        return self.seal(request, paid)


def unsigned(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
    """No signature at all."""
    return answer


def signed_by(
    partner: str, office: Office
) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """The signature of another partner, which knows its own key."""
    signing = office.world.signing[partner]

    def seal(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answer.headers.update(signing.headers(content_digest(answer.content)))
        return answer

    return seal


def signed_by_a_key_of_his_own(
    office: Office,
) -> Callable[[httpx.Request, httpx.Response], httpx.Response]:
    """A signature under the bank's key id, by a key that the attacker made."""
    own = OKPKey.generate_key("Ed25519").as_dict(private=True)
    bank = office.world.signing["BNI"]
    signing = replace(bank, own={**own, "kid": bank.own["kid"]})

    def seal(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answer.headers.update(signing.headers(content_digest(answer.content)))
        return answer

    return seal


@pytest.mark.parametrize(
    ("seal", "why"),
    [
        (lambda _: unsigned, "not signed"),
        (partial(signed_by, "BRI"), "another partner's"),
        (signed_by_a_key_of_his_own, "not over it"),
    ],
    ids=["unsigned", "another bank's key", "the attacker's key"],
)
async def test_whoever_takes_the_file_in_the_bank_s_place_cannot_sign_for_it(
    office: Office, seal: Callable[[Office], Any], why: str
) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = Impostor(office, seal(office))

    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    assert await office.transfers(AT_BRI) == [Transfer.CREDITED] * 2
    [found] = (await office.run()).incidents
    assert (found.partner, why in found.error) == ("BNI", True)


async def test_a_signature_of_another_answer_is_none_of_this_one(office: Office) -> None:
    await ordered(office)
    bank = office.world.signing["BNI"]
    other = bank.headers(content_digest(b"another answer"))

    def seal(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answer.headers.update(other)
        return answer

    office.world.taken_over[BNI] = Impostor(office, seal)
    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3


async def test_a_bank_takes_no_file_that_the_programme_did_not_sign(office: Office) -> None:
    """Whoever reaches the bank hands in a file of his own."""
    await ordered(office)
    await office.pay()
    [(path, [body])] = [
        (path, bodies) for path, bodies in office.world.files.items() if BNI in path
    ]
    again = path.replace("REGULAR-BNI-1", "REGULAR-BNI-2")
    async with httpx.AsyncClient(transport=office.world) as client:
        answer = await client.put(
            f"http://banks{again}",
            content=body,
            headers={
                "Content-Digest": content_digest(body),
                "X-Record-Count": "3",
                "X-Control-Sum": str(3 * EARLY_CHILD_IDR),
            },
        )

    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_REFUSED")


# -- An incident ----------------------------------------------------------------------------------


async def test_an_incident_stops_the_bank_s_part_until_a_person_has_judged_it(
    office: Office,
) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = all_paid(office, AT_BNI, lambda _: f",{'0' * 64}")
    await office.pay()
    office.world.taken_over.clear()
    asked = len(office.world.asked)

    await office.pay()

    assert [path for _, path in office.world.asked[asked:] if BNI in path] == []
    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    [shown] = (await office.seen(f"/tahap/{TAHAP_1}"))["runs"]
    assert [each["partner"] for each in shown["partners_in_trouble"]] == ["BNI"]
    assert [each["partner"] for each in shown["incidents"]] == ["BNI"]
    job = await office.seen(f"/jobs/run-{TAHAP_1}-REGULAR")
    assert (job["state"], "a person must judge it" in job["problem"]["detail"]) == (
        "FAILING",
        True,
    )

    assert await waiting(office) == {"BNI": 1}
    ready = (await office.door.client.get("/ready")).json()["checks"]["incidents"]
    assert "kind=REGULAR, partner=BNI, others=0" in ready

    judged = {"partner": "BNI", "reason": "The bank's address led to another machine"}
    answer = await office.asked_by(CHECKER, "check", f"{RUN}/incident-judgement", judged)
    assert answer.status_code == 204, answer.text
    assert await waiting(office) == {}
    await office.pay()

    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5
    [event] = await stored(office, "PartnerIncidentJudged")
    assert (event["judge"], event["reason"]) == (CHECKER, judged["reason"])
    assert sum(office.world.credited().values()) == 5 * EARLY_CHILD_IDR


async def waiting(office: Office) -> dict[str, int]:
    """The incidents that wait for a person, by partner, as the metric counts them."""
    shown = await incident_readings(office.store)
    return {sample.labels[0]: int(sample.value) for sample in shown if sample.value}


async def stored(office: Office, name: str) -> list[dict[str, object]]:
    """The stored events of a name; incidents are nobody else's, so none is sent."""
    assert await sent(office.store, name) == []
    rows = await office.store.pool.fetch("SELECT data::text FROM events WHERE type = $1", name)
    return [json.loads(row["data"]) for row in rows]


async def test_judging_again_makes_nothing_good_that_is_not(office: Office) -> None:
    await ordered(office)
    office.world.taken_over[BNI] = all_paid(office, AT_BNI, lambda _: f",{'0' * 64}")
    await office.pay()
    judged = {"partner": "BNI", "reason": "Looks fine to me"}

    answer = await office.asked_by(MAKER, "make", f"{RUN}/incident-judgement", judged)
    assert answer.status_code == 403
    answer = await office.asked_by(CHECKER, "check", f"{RUN}/incident-judgement", judged)
    assert answer.status_code == 204, answer.text
    await office.pay()

    assert await office.transfers(AT_BNI) == [Transfer.INSTRUCTED] * 3
    [found] = (await office.run()).incidents
    assert isinstance(found, PartnerIncidentFound)
    answer = await office.asked_by(
        CHECKER, "check", f"{RUN}/incident-judgement", judged | {"partner": "BRI"}
    )
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/no-incident")


async def test_whoever_answers_for_a_cancelled_order_without_a_signature_gives_nothing_back(
    office: Office,
) -> None:
    await ordered(office)
    path = f"/tahap/{TAHAP_1}"
    for what in ("proposal", "approval"):
        who, body = (MAKER, {"reason": "WRONG_LIST"}) if what == "proposal" else (CHECKER, {})
        if what == "approval":
            body = {"hash": (await office.seen(path))["proposal"]["hash"]}
        answer = await office.asked_by(who, "announce", f"{path}/cancellation-{what}", body)
        assert answer.status_code == 204, answer.text
    order = f"SPM-{TAHAP_1}-REGULAR"
    nothing = {"order": order, "receipt": "R-1", "sp2d": "", "count": 0, "rupiah": 0}

    def impostor(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json=nothing | {"hash": json.loads(request.content)["hash"]})

    office.world.taken_over["/cancellation"] = impostor
    await office.undone()
    office.world.taken_over.clear()
    asked = len(office.world.asked)
    await office.undone()

    assert office.world.asked[asked:] == []
    assert (await office.seen(path))["phase"] == "CANCELLING"
    assert "a person must judge it" in (await office.seen(path))["trouble"]
    assert await waiting(office) == {"TREASURY": 1}

    judged = {"partner": "TREASURY", "reason": "The treasury's address led to another machine"}
    answer = await office.asked_by(CHECKER, "check", f"{RUN}/incident-judgement", judged)
    assert answer.status_code == 204, answer.text
    await office.undone()

    assert (await office.seen(path))["phase"] == "CANCELLED"
    [back] = await sent(office.store, "OrderCancelled")
    assert back.body["receipt"] != "R-1"
    assert await waiting(office) == {}


@pytest.mark.parametrize("field", ["order", "hash", "count", "rupiah", "sp2d"])
async def test_whoever_reaches_the_treasury_s_address_releases_nothing_else(
    office: Office, field: str
) -> None:
    await ordered(office)

    def turned(response: httpx.Response) -> httpx.Response:
        body = response.json()
        another = {"order": "SPM-2023-2-REGULAR", "hash": "0" * 64, "sp2d": "\0" * 15}
        return httpx.Response(200, json=body | {field: another.get(field, int("9" * 4_000))})

    office.world.instead["payment-orders"] = turned
    await office.pay()

    assert (await office.run()).funds is None
    office.world.instead.clear()
    await office.pay()
    assert await office.transfers(VILLAGE) == [Transfer.CREDITED] * 5
