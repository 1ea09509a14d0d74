"""A demo as a process of its own: what it said, wrote and left behind."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
YEAR = ROOT / "examples" / "kalbar-small"
DEADLINE_S = 300


@dataclass(frozen=True)
class Demo:
    """A demo that has ended: its status and words, the files it wrote and left."""

    code: int
    said: str
    out: Path
    data: Path


def demo(year: Path, directory: Path, *options: str, data: Path | None = None) -> Demo:
    """A demo that begins in a directory, or goes on with the run whose `data` is named."""
    out, data = directory / "out", data or directory / "data"
    places = [str(year), "--out", str(out), "--data", str(data)]
    result = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", *places, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    return Demo(result.returncode, result.stdout + result.stderr, out, data)
