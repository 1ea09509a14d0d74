"""Finds in a domain module what would make a decision depend on more than its arguments."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

# The standard library's doors to the world; all else from outside is refused unless it is allowed.
WORLD = """
    asyncio builtins ctypes ftplib getpass glob http importlib inspect io locale logging mmap
    multiprocessing os pathlib pickle platform random resource secrets select shelve shutil signal
    smtplib socket sqlite3 ssl subprocess sys tempfile threading time urllib webbrowser
"""
STANDARD_LIBRARY_REFUSED = frozenset(WORLD.split())
CORRIDOR_ALLOWED = (
    "libs.events.domain.list_proof",
    "libs.events.domain.personal",
    "libs.events.domain.persons",
    "libs.events.domain.decider",
    "libs.events.domain.errors",
)
CLOCKS = frozenset(["now", "today", "utcnow", "fromtimestamp", "localtime", "monotonic"])
CHANCE = frozenset(["uuid1", "uuid4"])
BUILTINS_REFUSED = frozenset(["open", "print", "input", "exec", "eval", "__import__", "float"])


def impurities(tree: ast.Module, service: str) -> Iterator[str]:
    """Each impurity as `line: what`; `service` is the name of the service the module is of."""
    for node in ast.walk(tree):
        for what in _of(node, f"services.{service}"):
            yield f"{getattr(node, 'lineno', 0)}: {what}"


def _of(node: ast.AST, service: str) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (f"imports {each.name}" for each in names if _refused(each.name, service))
        case ast.ImportFrom(module=module, names=names):
            yield from _imported_from(module or "", [each.name for each in names], service)
        case ast.Attribute(attr=name) if name in CLOCKS:
            yield f"reads a clock: {name}"
        case ast.Attribute(attr=name) if name in CHANCE:
            yield f"draws an id: {name}"
        case ast.Call(func=ast.Name(id=name)) if name in BUILTINS_REFUSED:
            yield f"calls {name}"
        case ast.Constant(value=float() | complex()):
            yield "holds a float"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "divides into a float: compare products of whole numbers, or use //"
        case _:
            pass


def _imported_from(module: str, names: list[str], service: str) -> Iterator[str]:
    if _refused(module, service) and not all(_allowed(f"{module}.{name}") for name in names):
        yield f"imports {module}"
    yield from (f"draws an id: {name}" for name in names if name in CHANCE)


def _refused(module: str, service: str) -> bool:
    if _within(module, f"{service}.domain") or _within(module, f"{service}.explanation"):
        return False
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names:
        return top in STANDARD_LIBRARY_REFUSED
    return not _allowed(module)


def _allowed(module: str) -> bool:
    return any(_within(module, each) for each in CORRIDOR_ALLOWED)


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")
