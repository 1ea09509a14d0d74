"""A facilitator's clerk checks families in who were not there, by tokens that he makes or keeps."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest_asyncio
from joserfc import jws
from joserfc.jwk import OKPKey

from services.p2k2.domain.days import today
from services.p2k2.main import SERVICE
from tests.doors import Door, front_door, sent, service_settings
from tests.integration.p2k2.kit import (
    ANA,
    BUDI,
    CITRA,
    MEETING,
    NUMBER,
    OTHER_GROUP,
    RECORD,
    Bench,
    bench_at,
    kind,
    post,
    shown,
)
from tests.qr_reading import text_of_png, text_of_svg, texts_of_page
from tests.servers import Postgres

NATION: Final = ("*",)
TODAY: Final = today(datetime.now(UTC)).isoformat()
OTHER: Final = "S0000002"


@dataclass(frozen=True, slots=True)
class Village:
    """Two sessions that a group held today, of which Ana and Budi are and Citra is not."""

    door: Door
    bench: Bench

    async def tokens(
        self, number: str = NUMBER, *, listed: bool = False, regions: tuple[str, ...] = NATION
    ) -> httpx.Response:
        """The tokens of a session."""
        who = self.door.who("clerk-1", RECORD, regions=regions)
        path = f"/sessions/{number}/check-in-tokens?listed={json.dumps(listed)}"
        return await self.door.client.get(path, headers=who)

    async def token(self, family: str, number: str = NUMBER, *, listed: bool = False) -> str:
        """A family's token."""
        made = (await self.tokens(number, listed=listed)).json()["tokens"]
        return next(str(one["token"]) for one in made if one["family"] == family)

    async def scan(
        self, family: str, token: str, *, at: datetime | None = None, number: str = NUMBER
    ) -> str:
        """The answer to who says that a family's token was scanned: a status, or a problem."""
        scan = {"family": family, "token": token, "scanned_at": moment(at or now())}
        answer = await post(self.door, "check-ins", {"scans": [scan]}, number=number)
        return "204" if answer.status_code == 204 else kind(answer)

    async def present(self) -> set[str]:
        """The families that were at the first session."""
        return {mark["family"] for mark in (await shown(self.door)).json()["marks"]}


def now() -> datetime:
    """A moment ago, in whole seconds as scans are told."""
    return datetime.now(UTC).replace(microsecond=0)


def moment(at: datetime) -> str:
    """A moment as a body has it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest_asyncio.fixture
async def village(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Village]:
    """The service of sessions, told of three families."""
    async with (
        service_settings(postgres, tmp_path, "p2k2") as settings,
        bench_at(settings) as bench,
        front_door(SERVICE, settings, tmp_path) as door,
    ):
        for family, more in ((ANA, {}), (BUDI, {}), (CITRA, {"group": OTHER_GROUP})):
            await bench.take(bench.assigned(family, **more), bench.designated(family))
        for number, starts_at in ((NUMBER, "08:00"), (OTHER, "13:00")):
            held = MEETING | {"on": TODAY, "starts_at": starts_at}
            answer = await post(door, "report", held, number=number)
            assert answer.status_code == 204, answer.text
        yield Village(door, bench)


async def test_a_token_that_was_scanned_checks_its_family_in(village: Village) -> None:
    at = now()

    assert await village.scan(ANA, await village.token(ANA), at=at) == "204"
    assert await village.scan(BUDI, await village.token(BUDI, listed=True)) == "204"

    marks = {mark["family"]: mark for mark in (await shown(village.door)).json()["marks"]}
    assert marks[ANA]["status"] == "H"
    assert datetime.fromisoformat(marks[ANA]["scanned_at"]) == at
    assert [m.body["session"] for m in await sent(village.bench.store, "AttendanceRecorded")]
    assert await sent(village.bench.store, "FamiliesCheckedIn") == []


async def test_a_token_that_he_makes_himself_is_forged(village: Village) -> None:
    true = await village.token(ANA)
    header, body, signature = true.split(".")
    own = jws.serialize_compact(
        {"alg": "Ed25519", "kid": "1"}, decoded(body), OKPKey.generate_key("Ed25519"), ["Ed25519"]
    )
    public = (await village.tokens()).json()["key"]
    mac = encoded({"alg": "HS256", "kid": "1"}), encoded({"alg": "none", "kid": "1"})
    forged = (
        own,
        f"{header}.{encoded([NUMBER, 'x', True, 0, 9_999_999_999])}.{signature}",
        f"{mac[0]}.{body}.{public['x']}",
        f"{mac[1]}.{body}.",
        f"{encoded({'alg': 'Ed25519', 'kid': '2'})}.{body}.{signature}",
        f"{encoded({'alg': 'Ed25519', 'kid': ['1']})}.{body}.{signature}",
        f"{encoded({'alg': 'Ed25519', 'kid': '1', 'jwk': public})}.{body}.{signature[:-4]}AAAA",
        "ä.ö.ü",
        "...",
        "x",
    )
    for token in forged:
        assert await village.scan(ANA, token) == "409 check-in-forged"
    assert await village.present() == set()


async def test_a_token_that_he_keeps_until_it_has_ended_counts_no_more(village: Village) -> None:
    token, later = await village.token(ANA), now() + timedelta(minutes=11)
    of_a_list = await village.token(ANA, listed=True)

    assert await village.scan(ANA, token, at=later) == "409 check-in-out-of-time"
    for at in (now() - timedelta(days=2), now() + timedelta(days=2)):
        assert await village.scan(ANA, of_a_list, at=at) == "409 check-in-out-of-time"
    assert await village.present() == set()


async def test_a_token_of_another_session_or_family_counts_for_neither(village: Village) -> None:
    elsewhere, budis = await village.token(ANA, OTHER), await village.token(BUDI)

    assert await village.scan(ANA, elsewhere) == "409 check-in-of-another-session"
    assert await village.scan(ANA, budis) == "409 check-in-of-another-family"
    assert await village.scan(CITRA, budis) == "409 check-in-of-another-family"
    assert await village.present() == set()


async def test_a_token_is_used_once_whoever_sends_it_again(village: Village) -> None:
    token, at = await village.token(ANA, listed=True), now()
    assert await village.scan(ANA, token, at=at) == "204"

    assert await village.scan(ANA, token, at=at) == "204"  # an upload that is sent again
    assert await village.scan(ANA, token, at=at - timedelta(seconds=1)) == (
        "409 checked-in-already"
    )
    fresh = await village.token(ANA)
    assert await village.scan(ANA, fresh, at=at - timedelta(seconds=1)) != "204"
    assert len(await sent(village.bench.store, "AttendanceRecorded")) == 1


async def test_one_wrong_token_of_many_keeps_all_of_them_out(village: Village) -> None:
    good = {"family": ANA, "token": await village.token(ANA), "scanned_at": moment(now())}
    bad = good | {"family": BUDI}

    answer = await post(village.door, "check-ins", {"scans": [good, bad]})

    assert kind(answer) == "409 check-in-of-another-family"
    assert await village.present() == set()


async def test_a_family_that_has_left_the_group_is_checked_in_nowhere(village: Village) -> None:
    token = await village.token(ANA)
    await village.bench.take(village.bench.assigned(ANA, OTHER_GROUP, since="2023-03-01"))

    assert await village.scan(ANA, token) == "409 family-of-another-group"


async def test_tokens_of_another_regions_sessions_are_nobodys_to_see(village: Village) -> None:
    for regions in (("61.04",), ("11",), ()):
        assert kind(await village.tokens(regions=regions)) == "404 session-unknown"
        body = {"scans": [{"family": ANA, "token": "x.y.z", "scanned_at": moment(now())}]}
        answer = await post(village.door, "check-ins", body, regions=regions)
        assert kind(answer) == "404 session-unknown"
    who = village.door.who("reader-1", "p2k2:read", regions=NATION)
    path = f"/sessions/{NUMBER}/check-in-tokens"
    assert (await village.door.client.get(path, headers=who)).status_code == 403


async def test_a_code_says_the_token_that_checks_its_family_in(village: Village) -> None:
    who = village.door.who("clerk-1", RECORD, regions=NATION)
    place = f"/sessions/{NUMBER}"

    drawn = await village.door.client.get(f"{place}/check-in-codes/{ANA}", headers=who)
    listed = f"{place}/check-in-codes/{BUDI}?form=png&listed=true"
    pointed = await village.door.client.get(listed, headers=who)
    page = await village.door.client.get(f"{place}/check-in-sheet", headers=who)

    kinds = [answer.headers["content-type"] for answer in (drawn, pointed, page)]
    assert kinds == ["image/svg+xml", "image/png", "text/html; charset=utf-8"]
    assert {answer.headers["cache-control"] for answer in (drawn, pointed, page)} == {"no-store"}
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha")
    tokens = [(await village.token(family, listed=True)) for family in (ANA, BUDI)]
    assert texts_of_page(page.text) == tokens
    assert text_of_png(pointed.content) == tokens[1]
    assert await village.scan(ANA, text_of_svg(drawn.text)) == "204"
    assert await village.scan(BUDI, text_of_png(pointed.content)) == "204"


async def test_codes_of_another_regions_sessions_or_groups_families_are_nobodys_to_see(
    village: Village,
) -> None:
    get = village.door.client.get
    codes = (f"/sessions/{NUMBER}/check-in-sheet", f"/sessions/{NUMBER}/check-in-codes/{ANA}")
    for regions in (("61.04",), ("11",), ()):
        who = village.door.who("clerk-1", RECORD, regions=regions)
        answers = [await get(path, headers=who) for path in codes]
        assert [kind(answer) for answer in answers] == ["404 session-unknown"] * 2

    who = village.door.who("clerk-1", RECORD, regions=NATION)
    foreign = await get(f"/sessions/{NUMBER}/check-in-codes/{CITRA}", headers=who)
    assert kind(foreign) == "409 family-of-another-group"
    reader = village.door.who("reader-1", "p2k2:read", regions=NATION)
    assert [(await get(path, headers=reader)).status_code for path in codes] == [403, 403]


async def test_a_token_names_nobody_and_is_another_one_at_each_session(village: Village) -> None:
    first, second = await village.token(ANA), await village.token(ANA, OTHER)

    named = [json.loads(decoded(token.split(".")[1])) for token in (first, second)]
    assert named[0][1] != named[1][1]
    for words in named:
        assert ANA not in json.dumps(words)


def encoded(part: Any) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


def decoded(part: str) -> bytes:
    """The bytes of a token's part."""
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
