"""The commands that a document shows: its fenced `console` blocks, taken apart and run in order."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

FENCE: Final = re.compile(
    r"^(?P<fence>```+)(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=fence)$", re.DOTALL | re.MULTILINE
)
PROMPT: Final = "$ "
MORE: Final = "> "
ANY: Final = "..."
END: Final = "--ended-with-"


@dataclass(frozen=True, slots=True)
class Command:
    """One command as a document shows it, its line there, and what it shall print."""

    line: int
    text: str
    shown: tuple[str, ...]


def commands(document: str) -> Iterator[Command]:
    """Every command of a document's console blocks, in order."""
    for block in FENCE.finditer(document):
        if block["language"] == "console":
            line = document.count("\n", 0, block.start("code")) + 1
            yield from _of_block(block["code"].splitlines(), line)


def _of_block(lines: list[str], first: int) -> Iterator[Command]:
    starts = [place for place, line in enumerate(lines) if line.startswith(PROMPT)]
    if starts[:1] != [0]:
        raise ValueError(f"line {first}: a console block begins with a command, after `{PROMPT}`")
    for begin, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        text, *rest = lines[begin:end]
        while rest and text.endswith("\\") and rest[0].startswith(MORE):
            text = f"{text}\n{rest.pop(0).removeprefix(MORE)}"
        yield Command(first + begin, text.removeprefix(PROMPT), tuple(rest))


def matches(shown: tuple[str, ...], printed: list[str]) -> bool:
    """The lines came as shown; `...` stands for any lines, or within one for anything."""
    if not shown:
        return not printed
    if shown[0] == ANY:
        return any(matches(shown[1:], printed[skip:]) for skip in range(len(printed) + 1))
    return bool(printed) and _line(shown[0], printed[0]) and matches(shown[1:], printed[1:])


def _line(shown: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.rstrip().split(ANY))
    return re.fullmatch(pattern, printed.rstrip()) is not None


class Shell:
    """One bash, as the person has who types a document's commands; as a context."""

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bash.kill()
        self._bash.communicate()

    def run(self, command: str) -> tuple[int, list[str]]:
        """A command's exit code and what it printed; variables that it sets stay set."""
        if self._bash.stdin is None or self._bash.stdout is None:
            raise RuntimeError("the shell has no pipes")
        # In braces, so that it has no input of ours to read and still is this shell's own.
        self._bash.stdin.write(f"{{ {command}\n}} </dev/null\necho {END}$?\n")
        self._bash.stdin.flush()
        printed: list[str] = []
        for line in self._bash.stdout:
            before, ended, code = line.rstrip("\n").partition(END)
            if ended:
                # What prints no end of line has ours behind it.
                return int(code), [*printed, before] if before else printed
            printed.append(before)
        raise RuntimeError(f"the shell ended at: {command}")
