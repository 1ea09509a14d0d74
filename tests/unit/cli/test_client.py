import json
from pathlib import Path

import httpx
import pytest

from cli.client.http import Connected, Refused, connected, local_issuer
from cli.errors import Failed
from tests.unit.cli.conftest import FakePlatform, answer


async def test_a_request_says_who_asks_and_what_they_may_do(
    platform: Connected, fake: FakePlatform
) -> None:
    fake.when("GET", "registry/positions", answer({}))

    await platform.client("clerk", "registry:import", "platform:read").get(
        "registry", "/positions", dict[str, int]
    )

    claims = fake.who(fake.asked[0])
    assert claims["sub"] == "clerk"
    assert claims["scope"] == "platform:read registry:import"
    assert claims["regions"] == ["*"]


async def test_a_token_serves_for_many_requests(platform: Connected, fake: FakePlatform) -> None:
    fake.when("GET", "registry/x", answer({}))
    client = platform.client("clerk", "registry:read")

    for _ in range(3):
        await client.get("registry", "/x", dict[str, int])

    assert len({request.headers["Authorization"] for request in fake.asked}) == 1


async def test_each_post_has_a_key_of_its_own(platform: Connected, fake: FakePlatform) -> None:
    fake.when("POST", "payments/tahap", answer({}))
    client = platform.client("announcer", "payments:announce")

    for _ in range(2):
        await client.post("payments", "/tahap", {"tahap": "2023-1"})

    assert json.loads(fake.asked[0].content) == {"tahap": "2023-1"}
    assert len({request.headers["Idempotency-Key"] for request in fake.asked}) == 2


async def test_an_answer_tells_its_position_and_version(
    platform: Connected, fake: FakePlatform
) -> None:
    fake.when("POST", "payments/tahap", answer({}, Position="4182", ETag='"3"'))

    answered = await platform.client("a", "b:c").post("payments", "/tahap")

    assert (answered.position, answered.etag) == (4182, '"3"')


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_is_away_for_a_moment_is_asked_again_with_the_same_key(
    platform: Connected, fake: FakePlatform, status: int
) -> None:
    def away_once(request: httpx.Request) -> httpx.Response:
        if len(fake.asked) == 1:
            raise httpx.ConnectError("refused", request=request)
        return answer({}) if len(fake.asked) > 2 else httpx.Response(status)

    fake.when("POST", "payments/tahap", away_once)

    await platform.client("a", "b:c").post("payments", "/tahap")

    assert len(fake.asked) == 3
    assert len({request.headers["Idempotency-Key"] for request in fake.asked}) == 1


async def test_a_refusal_is_one_sentence_and_known_by_its_kind(
    platform: Connected, fake: FakePlatform
) -> None:
    problem = {"type": "/problems/same-person", "title": "Same person", "status": 409}
    detail = "Two people are needed."
    fake.when("POST", "payments/x", httpx.Response(409, json=problem | {"detail": detail}))

    with pytest.raises(Refused) as refused:
        await platform.client("a", "b:c").post("payments", "/x")

    assert str(refused.value) == "payments refused (409): Two people are needed."
    assert refused.value.kind == "same-person"


async def test_a_file_is_streamed_with_its_size_under_its_key(
    platform: Connected, fake: FakePlatform, tmp_path: Path
) -> None:
    fake.when("POST", "registry/imports/families", answer({}, Position="9"))
    file = tmp_path / "families.csv"
    file.write_bytes(b"no_kk\r\n" * 100_000)

    answered = await platform.client("clerk", "registry:import").upload(
        "registry", "/imports/families", file, "once"
    )

    assert answered.position == 9
    assert fake.asked[0].headers["Idempotency-Key"] == "once"
    assert fake.asked[0].headers["Content-Length"] == str(file.stat().st_size)
    assert fake.asked[0].headers["Content-Type"] == "text/csv"
    assert fake.asked[0].content == file.read_bytes()


async def test_a_file_is_sent_again_to_a_service_that_was_away_or_still_at_it(
    platform: Connected, fake: FakePlatform, tmp_path: Path
) -> None:
    busy = {"type": "/problems/idempotency-key-in-flight", "status": 409}
    answers = iter((httpx.Response(503), httpx.Response(409, json=busy), answer({})))

    def take(request: httpx.Request) -> httpx.Response:
        if len(fake.asked) == 1:
            raise httpx.ReadError("gone", request=request)
        return next(answers)

    fake.when("POST", "registry/imports/members", take)
    file = tmp_path / "members.csv"
    file.write_bytes(b"nik\r\n")

    await platform.client("c", "x:y").upload("registry", "/imports/members", file)

    assert [request.content for request in fake.asked] == [file.read_bytes()] * 4
    assert len({request.headers["Idempotency-Key"] for request in fake.asked}) == 1


async def test_a_refused_file_is_named(
    platform: Connected, fake: FakePlatform, tmp_path: Path
) -> None:
    fake.when("POST", "registry/imports/members", httpx.Response(403, json={"title": "Forbidden"}))
    file = tmp_path / "members.csv"
    file.write_bytes(b"x")

    with pytest.raises(Failed, match=r"registry refused members\.csv \(403\): Forbidden"):
        await platform.client("c", "x:y").upload("registry", "/imports/members", file)


async def test_a_file_that_is_not_there_is_named(platform: Connected, tmp_path: Path) -> None:
    with pytest.raises(Failed, match=r"gone\.csv cannot be read"):
        await platform.client("c", "x:y").upload("registry", "/imports", tmp_path / "gone.csv")


async def test_a_service_that_the_platform_has_not_is_named(platform: Connected) -> None:
    with pytest.raises(Failed, match="no nowhere"):
        await platform.client("c", "x:y").post("nowhere", "/cases")


async def test_nobody_is_asked_where_no_platform_runs(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="No platform runs on"):
        async with connected(tmp_path):
            pytest.fail("connected to nothing")


async def test_a_card_that_is_no_card_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "platform.json").write_text("{")

    with pytest.raises(Failed, match=r"platform\.json cannot be read"):
        async with connected(tmp_path):
            pytest.fail("connected to nothing")


def test_a_directory_without_an_issuer_is_no_platforms(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="belongs to no platform"):
        local_issuer(tmp_path)
