"""Writes the dashboards that stand in deploy/grafana/dashboards.

python -m deploy.grafana            write them again
python -m deploy.grafana --check    exit 1 when one is not what the code says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.operations import operations

DASHBOARDS: Final = Path(__file__).with_name("dashboards")


def documents(directory: Path = DASHBOARDS) -> dict[Path, str]:
    """{file: text} of every dashboard."""
    text = json.dumps(operations(), cls=JSONEncoder, indent=2, sort_keys=True)
    return {directory / "operations.json": f"{text}\n"}


def stale(directory: Path = DASHBOARDS) -> list[Path]:
    """The files that are not what the code says."""
    return [
        path
        for path, text in documents(directory).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str], directory: Path = DASHBOARDS) -> int:
    """Write or check; the exit code."""
    if arguments == ["--check"]:
        found = stale(directory)
        for path in found:
            print(f"{path} is not what the code says: make dashboards")
        return bool(found)
    for path, text in documents(directory).items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
