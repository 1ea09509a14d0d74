import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, python_files
from tests.tiers import HERE, OF_THE_INTERFACES, OF_THE_SMALL_YEAR, TIERS, Tier, misplaced


@pytest.mark.parametrize("tier", TIERS, ids=[tier.name for tier in TIERS])
def test_make_runs_a_tier_by_its_folders(tier: Tier) -> None:
    makefile = (ROOT / "Makefile").read_text()
    folders = " ".join(f"tests/{folder}" for folder in tier.folders)

    assert re.search(rf"^test-{tier.name}:.*\n\t\$\(PYTEST\) {folders} ", makefile, re.MULTILINE)


def test_every_test_is_in_one_tier() -> None:
    folders = [folder for tier in TIERS for folder in tier.folders]

    assert len(folders) == len(set(folders))
    assert {file.relative_to(HERE).parts[0] for file in HERE.rglob("test_*.py")} == {*folders}


def test_a_mark_says_nothing_that_a_folder_says() -> None:
    named = "|".join(name for tier in TIERS for name in (tier.name, *tier.folders))
    marked = re.compile(rf"\bmark\.({named})\b")
    texts = {path: (ROOT / path).read_text() for path in python_files("tests")}

    assert [path for path, text in texts.items() if marked.search(text)] == []


def test_make_test_takes_no_longer_than_its_limit_of_eight_minutes() -> None:
    assert sum(tier.budget_s for tier in TIERS) <= 8 * 60


def test_all_who_look_at_the_small_year_run_where_it_was_run() -> None:
    tests = {str(path.relative_to(ROOT)): path.read_text() for path in HERE.rglob("test_*.py")}
    looking = {path for path, text in tests.items() if "small_year: Demo" in text}

    assert looking - {str(Path(__file__).relative_to(ROOT))} == OF_THE_SMALL_YEAR


def test_all_who_have_every_service_described_run_where_it_was_done() -> None:
    describing = re.compile(r"\bopenapi\(service\)|\binterfaces\.drift\(|\bmain\(\[")
    tests = {str(path.relative_to(ROOT)): path.read_text() for path in HERE.glob("*/test_*.py")}
    found = {path for path, text in tests.items() if describing.search(text)}

    assert found == OF_THE_INTERFACES


@pytest.mark.parametrize(
    ("file", "fixture", "refused"),
    [
        ("unit/events/test_prefetch.py", "postgres", True),
        ("contract/test_contracts.py", "kafka_bootstrap", True),
        ("unit/events/test_prefetch.py", "tmp_path", False),
        ("integration/events/test_store.py", "postgres", False),
    ],
)
def test_a_unit_test_gets_no_server(file: str, fixture: str, refused: bool) -> None:
    assert misplaced(HERE / file, [fixture, "request"]) is refused
