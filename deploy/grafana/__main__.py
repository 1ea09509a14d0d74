"""Writes the dashboards that stand in deploy/grafana/dashboards, a folder for each audience.

python -m deploy.grafana            write them again
python -m deploy.grafana --check    exit 1 when one is not what the code says
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana.director import DIRECTOR
from deploy.grafana.field import FIELD
from deploy.grafana.integrators import INTEGRATORS
from deploy.grafana.layout import laid_out
from deploy.grafana.payments import PAYMENTS
from deploy.grafana.platform import PLATFORM

DASHBOARDS: Final = Path(__file__).with_name("dashboards")
AUDIENCES: Final = (DIRECTOR, PAYMENTS, FIELD, INTEGRATORS, PLATFORM)


def documents(directory: Path = DASHBOARDS) -> dict[Path, str]:
    """{file: text} of every dashboard; Grafana names a folder as its directory is named."""
    found = {}
    for audience in AUDIENCES:
        text = json.dumps(laid_out(audience), cls=JSONEncoder, indent=2, sort_keys=True)
        path = directory / audience.name.capitalize() / f"{audience.name}.json"
        found[path] = f"{text}\n"
    return found


def stale(directory: Path = DASHBOARDS) -> list[Path]:
    """The files that are not what the code says, those that no code writes among them."""
    written = documents(directory)
    differing = [
        path
        for path, text in written.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    return differing + [path for path in directory.rglob("*.json") if path not in written]


def main(arguments: list[str], directory: Path = DASHBOARDS) -> int:
    """Write or check; the exit code."""
    if arguments == ["--check"]:
        found = stale(directory)
        for path in found:
            print(f"{path} is not what the code says: make dashboards")
        return bool(found)
    for path, text in documents(directory).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
