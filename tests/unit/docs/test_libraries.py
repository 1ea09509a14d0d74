import ast
import importlib
import re
import subprocess
import sys

from tests.architecture.tree import ROOT
from tests.unit.docs.documents import blocks, read

EVENTS = read("libs/events/README.md")
CHASSIS = read("libs/chassis/README.md")


def test_the_corridor_s_example_runs_as_it_stands() -> None:
    [example] = blocks(EVENTS, "python")

    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", example],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def test_the_corridor_s_limits_are_those_of_the_code() -> None:
    shown = re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+)", EVENTS, re.MULTILINE)
    sources = "\n".join(path.read_text() for path in (ROOT / "libs" / "events").rglob("*.py"))
    set_to = dict(re.findall(r"^([A-Z_]+)(?:: Final)? = ([\d_]+)", sources, re.MULTILINE))

    assert shown
    for name, value in shown:
        assert int(set_to[name].replace("_", "")) == int(value.replace(",", "")), name


def test_the_corridor_s_files_are_all_told() -> None:
    there = {path.name for path in (ROOT / "libs" / "events").glob("[a-z]*.py")}

    assert there <= set(re.findall(r"\]\((\w+\.py)\)", EVENTS))


def test_what_the_chassis_example_imports_is_there() -> None:
    [example] = blocks(CHASSIS, "python")
    imports = [node for node in ast.parse(example).body if isinstance(node, ast.ImportFrom)]

    assert imports
    for node in imports:
        module = importlib.import_module(node.module or "")
        assert not [each.name for each in node.names if not hasattr(module, each.name)]


def test_the_chassis_tells_every_variable_that_a_service_reads() -> None:
    tree = ast.parse(read("libs/chassis/settings.py"))
    reading = [node.args for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read_there = {
        args[1].value
        for args in reading
        if len(args) > 1 and isinstance(args[1], ast.Constant) and isinstance(args[0], ast.Name)
        if args[0].id == "env"
    }

    assert "PKH_BUS_URL" in read_there
    assert read_there <= set(re.findall(r"`(PKH_[A-Z_]+)`", CHASSIS))


def test_the_chassis_s_files_are_all_told() -> None:
    there = {path.name for path in (ROOT / "libs" / "chassis").glob("[a-z]*.py")}

    assert there <= set(re.findall(r"\]\((\w+\.py)\)", CHASSIS))
