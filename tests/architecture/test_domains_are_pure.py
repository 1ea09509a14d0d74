"""A decision is a function of the command and the state, or it cannot be replayed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.purity import impurities
from tests.architecture.tree import domain_files, parse


@pytest.mark.parametrize("path", domain_files(), ids=str)
def test_a_domain_module_has_no_clock_no_chance_no_world_and_no_float(path: Path) -> None:
    found = list(impurities(parse(path), service=path.parts[1]))

    assert not found, f"{path}: " + "; ".join(found)


@pytest.mark.parametrize(
    "planted",
    [
        "from datetime import datetime\ndef decide(): return datetime.now()",
        "import datetime\ndef decide(): return datetime.date.today()",
        "import datetime as when\nclock = when.datetime.now",
        "from uuid import uuid4",
        "import uuid\ndef decide(): return uuid.uuid4()",
        "import random",
        "from random import choice",
        "import os",
        "from os import environ",
        "import time",
        "import asyncpg",
        "import msgspec",
        "import yaml",
        "from libs.events.store.postgres import Store",
        "from libs.events.store import postgres",
        "from services.payments.domain import Payment",
        "from services.registry.contract import FamilyListed",
        "SHARE = 0.85",
        "def share(absent, days): return absent / days",
        "def rupiah(text): return float(text)",
        "def policy(): return open('policy.yaml')",
    ],
)
def test_an_impurity_is_found(planted: str) -> None:
    assert list(impurities(ast.parse(planted), service="registry"))


@pytest.mark.parametrize(
    "written",
    [
        "from datetime import date\ndef age(born: date, on: date): return on.year - born.year",
        "from uuid import uuid5\ndef of(space, name): return uuid5(space, name)",
        "from libs.events.domain.decider import Decider",
        "from libs.events.domain import decider, errors",
        "from libs.events.domain.errors import DomainError",
        "from services.registry.domain.state import Family",
        "def passes(present: int, days: int) -> bool: return present * 100 >= days * 85",
    ],
)
def test_what_a_domain_needs_is_allowed(written: str) -> None:
    assert not list(impurities(ast.parse(written), service="registry"))


def test_there_are_domains_to_look_at() -> None:
    assert domain_files()
