import json
from pathlib import Path

import httpx
import pytest

from cli.client.http import Connected
from cli.client.jobs import SERVICES, Job, find, job_under
from tests.unit.cli.conftest import FakePlatform, answer, job_as_told
from tests.unit.cli.test_verbs import YEAR, pkh

LISTING = "listing-2023-1"
UNKNOWN = {"type": "/problems/job-unknown", "title": "No such job.", "status": 404}


@pytest.fixture
def jobs_platform(fake: FakePlatform) -> FakePlatform:
    """Services that know no job yet."""
    for service in SERVICES:
        fake.when("GET", f"{service}/jobs", answer({"items": [], "next": None}))
    return fake


def knows(fake: FakePlatform, service: str, *jobs: dict[str, object]) -> None:
    """Have a service tell of a job, one look after the other; the last one stays."""
    looks = [answer(each) for each in jobs]
    for other in SERVICES:
        fake.when("GET", f"{other}/jobs/{jobs[0]['id']}", httpx.Response(404, json=UNKNOWN))
    fake.when(
        "GET",
        f"{service}/jobs/{jobs[0]['id']}",
        lambda _: looks.pop(0) if len(looks) > 1 else looks[0],
    )


def listing(**changes: object) -> dict[str, object]:
    families = {"done": 1_000, "total": 20_000, "unit": "families", "rate": 1_234.5, "counts": {}}
    named = {"id": LISTING, "kind": "listing", "about": "2023-1"}
    return job_as_told(**named | families | changes)


def test_the_newest_jobs_of_all_services_are_listed(
    data_dir: Path, jobs_platform: FakePlatform
) -> None:
    older = listing(started_at="2023-03-30T08:00:00Z", state="DONE")
    jobs_platform.when("GET", "registry/jobs", answer({"items": [older]}))
    jobs_platform.when("GET", "conditionality/jobs", answer({"items": [job_as_told()]}))

    shown = pkh(data_dir, "jobs", "list")

    assert shown.exit_code == 0, shown.output
    [newer, last] = shown.output.splitlines()[2:4]
    assert newer.split()[:3] == ["import-5f2b", "members.csv", "RUNNING"]
    assert "2.0 MB of 4.0 MB" in newer
    assert last.split()[:3] == [LISTING, "2023-1", "DONE"]


def test_a_job_is_shown_with_its_steps_and_what_it_came_to(
    data_dir: Path, jobs_platform: FakePlatform
) -> None:
    steps = [{"name": "ENTITLING", "state": "DONE", "done": 170, "total": 170}]
    knows(
        jobs_platform,
        "payments",
        listing(id="run-2023-1-REGULAR", steps=steps, result={"credited": 9}),
    )

    shown = pkh(data_dir, "jobs", "show", "run-2023-1-REGULAR")

    assert "run-2023-1-REGULAR RUNNING · 1,000 of 20,000 families · 1,234 families/s" in (
        shown.output
    )
    assert "  ENTITLING: DONE · 170 of 170" in shown.output
    assert "  credited: 9" in shown.output


def test_a_job_is_watched_until_it_has_ended(data_dir: Path, jobs_platform: FakePlatform) -> None:
    knows(
        jobs_platform,
        "registry",
        listing(),
        listing(done=9_000),
        listing(state="DONE", done=20_000),
    )

    shown = pkh(data_dir, "jobs", "watch", LISTING)

    assert shown.exit_code == 0, shown.output
    assert f"{LISTING} DONE · 20,000 of 20,000 families" in shown.output


def test_a_job_that_failed_is_told_with_its_reason_and_exit_code_1(
    data_dir: Path, jobs_platform: FakePlatform
) -> None:
    problem = {"type": "/problems/rows-refused", "detail": "3 rows were refused."}
    knows(jobs_platform, "registry", job_as_told(state="FAILED", problem=problem))

    shown = pkh(data_dir, "jobs", "watch", "import-5f2b")

    assert shown.exit_code == 1
    assert "FAILED" in shown.output
    assert "3 rows were refused." in shown.output


def test_a_job_is_cancelled_by_who_may(data_dir: Path, jobs_platform: FakePlatform) -> None:
    knows(jobs_platform, "registry", job_as_told())
    asked: list[httpx.Request] = []

    def cancelled(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, content=json.dumps(job_as_told(cancelling=True)))

    jobs_platform.when("POST", "registry/jobs/import-5f2b/cancellation", cancelled)

    shown = pkh(data_dir, "jobs", "cancel", "import-5f2b", "--as", "clerk")

    assert shown.exit_code == 0, shown.output
    claims = jobs_platform.who(asked[0])
    assert (claims["sub"], "platform:operate" in claims["scope"]) == ("clerk", True)


def test_a_job_that_nobody_knows_is_told(data_dir: Path, jobs_platform: FakePlatform) -> None:
    for service in SERVICES:
        jobs_platform.when("GET", f"{service}/jobs/nothing", httpx.Response(404, json=UNKNOWN))

    shown = pkh(data_dir, "jobs", "show", "nothing")

    assert shown.exit_code == 2
    assert "No service of this platform knows a job nothing." in shown.stderr


async def test_a_job_is_found_by_the_key_that_it_was_begun_under(
    platform: Connected, jobs_platform: FakePlatform
) -> None:
    asked: list[str] = []

    def jobs(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.params["key"])
        return answer({"items": [job_as_told()], "next": None})

    jobs_platform.when("GET", "registry/jobs", jobs)
    clerk = platform.client("clerk", "registry:import")

    found = await job_under(clerk, "registry", "once")

    assert found is not None
    assert (found.id, asked) == ("import-5f2b", ["once"])
    assert await job_under(clerk, "conditionality", "once") is None


async def test_what_a_newer_service_adds_to_a_job_is_passed_over(
    platform: Connected, jobs_platform: FakePlatform
) -> None:
    knows(jobs_platform, "conditionality", job_as_told(colour="red"))

    service, found = await find(platform.client("o", "platform:read"), "import-5f2b")

    assert (service, type(found)) == ("conditionality", Job)


def test_an_import_that_broke_off_is_sent_again_under_its_key(
    data_dir: Path, jobs_platform: FakePlatform
) -> None:
    report = {"file": "members.csv", "accepted": 717, "unchanged": 0, "refused": 0, "errors": []}
    jobs_platform.when("POST", "registry/imports/members", answer(report))
    where = [str(YEAR / "members.csv"), "members", "--as", "clerk", "--key", "once"]

    shown = pkh(data_dir, "import", *where)

    assert shown.exit_code == 0, shown.output
    [sent] = [request for request in jobs_platform.asked if request.method == "POST"]
    assert sent.headers["Idempotency-Key"] == "once"
