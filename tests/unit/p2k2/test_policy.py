"""The modules and figures of sessions: dated, whole, and refused where two would hold."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from libs.policy.files import PolicyError
from services.p2k2 import policy
from services.p2k2.domain.curriculum import Lesson, ModuleUnknown, lesson

POLICIES = policy.load()
TODAY, IN_2017 = date(2023, 1, 5), date(2017, 6, 1)


def sizes(on: date) -> dict[str, int]:
    """{module: its sessions} of a day."""
    return {module.code: len(module.sessions) for module in POLICIES.holding(on)}


def test_five_modules_of_14_sessions_the_stunting_course_of_15_and_the_account() -> None:
    assert sizes(TODAY) == {
        "PENGASUHAN": 4,
        "KEUANGAN": 3,
        "KESEHATAN": 3,
        "PERLINDUNGAN_ANAK": 2,
        "KESEJAHTERAAN_SOSIAL": 2,
        "STUNTING": 15,
        "REKENING_KKS": 1,
    }


def test_the_list_of_2017_holds_in_its_time() -> None:
    assert sizes(IN_2017) == {
        "KESEHATAN": 6,
        "PENDIDIKAN": 6,
        "EKONOMI": 5,
        "PERLINDUNGAN_ANAK": 4,
        "KESEJAHTERAAN_SOSIAL": 2,
    }


def test_a_session_of_a_module_is_that_of_its_day() -> None:
    assert lesson(POLICIES.modules, "KESEHATAN", 3, TODAY) == Lesson("KESEHATAN", 3, 3, 3)
    assert lesson(POLICIES.modules, "KESEHATAN", 6, IN_2017) == Lesson("KESEHATAN", 6, 6, 1)


@pytest.mark.parametrize(("code", "number"), [("EKONOMI", 1), ("KEUANGAN", 4), ("KEUANGAN", 0)])
def test_a_session_that_no_module_has_on_that_day_is_unknown(code: str, number: int) -> None:
    with pytest.raises(ModuleUnknown):
        lesson(POLICIES.modules, code, number, TODAY)


def test_the_figures_of_groups() -> None:
    figures = POLICIES.figures(TODAY)

    assert (figures.families_min, figures.families_max) == (15, 40)
    assert (figures.session_minutes, figures.reached_percent) == (120, 35)


def test_material_is_listed_by_session_where_a_source_names_it(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(policy.FOLDER, tmp_path / "policy"))
    file = folder / "modules.yaml"
    titles = "        sessions:\n          - Mengelola keuangan keluarga\n"
    named = "        material: {2: e-learning/keuangan-2}\n"
    file.write_text(file.read_text().replace(titles, named + titles))

    [module] = [each for each in policy.load(folder).holding(TODAY) if each.code == "KEUANGAN"]
    assert module.material == ("", "e-learning/keuangan-2", "")
    assert not any(any(each.material) for each in POLICIES.modules)  # no source names any

    file.write_text(file.read_text().replace("{2:", "{4:"))
    with pytest.raises(PolicyError, match="no such session"):
        policy.load(folder)


def test_a_module_that_would_hold_twice_on_one_day_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(policy.FOLDER, tmp_path / "policy"))
    file = folder / "modules.yaml"
    file.write_text(file.read_text().replace("valid_to: 2017-12-31", "valid_to: 2018-01-01"))

    with pytest.raises(PolicyError, match=r"holds twice on one day|has the rank of"):
        policy.load(folder)
