"""One person asks the issuer for a second name, or types theirs otherwise, and approves alone."""

from __future__ import annotations

from tests.integration.payments.houses import TAHAP_1, books_of, houses
from tests.integration.payments.office import Office

MAKER = "amélie-1"
SAME_PERSON = ("Amélie-1", "AMÉLIE-1")
NOBODY = ("amélie-1 ", " amélie-1", "ame\u0301lie-1", "amélie-1\u200b", "amélie\ufe0f-1")
PATH = f"/tahap/{TAHAP_1}"


async def test_whoever_proposed_a_freeze_approves_it_under_no_other_spelling(
    office: Office,
) -> None:
    village = houses(2)
    office.world.accounts.update(books_of(village))
    await office.arrived(village)
    digest = {"hash": (await office.seen(PATH))["list"]["hash"]}
    proposed = await office.asked_by(MAKER, "make", f"{PATH}/freeze-proposal", digest)

    approved = {
        name: await office.asked_by(name, "check", f"{PATH}/freeze-approval", digest)
        for name in (*SAME_PERSON, *NOBODY)
    }

    assert proposed.status_code == 204
    kinds = {name: answer.json()["type"] for name, answer in approved.items()}
    assert kinds == {
        **dict.fromkeys(SAME_PERSON, "/problems/same-person"),
        **dict.fromkeys(NOBODY, "/problems/unauthorized"),
    }
    assert (await office.seen(PATH))["phase"] == "FREEZE_PROPOSED"
