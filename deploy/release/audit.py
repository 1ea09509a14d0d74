"""Asks the OSV database whether a pinned package has a known vulnerability.

python -m deploy.release.audit [LOCK ...]     without LOCK: all of production and the command line

Ends with 1 where one is known, 2 where the audit itself failed. Where no database is reached it
says NOT AUDITED and ends with 0, so that a machine without a network can make everything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ("requirements.lock", "requirements-pkcs11.lock", "requirements-cli.lock")
UNREACHED: Final = ("ConnectionError", "Could not connect", "ReadTimeout", "ConnectTimeout")

Run = Callable[[Path], subprocess.CompletedProcess[str]]


def run(lock: Path) -> subprocess.CompletedProcess[str]:
    """pip-audit of one lock, as JSON; nothing is installed or resolved for it."""
    program = Path(sys.executable).with_name("pip-audit")
    options = ["--vulnerability-service", "osv", "--disable-pip", "--require-hashes"]
    shown = ["--format", "json", "--progress-spinner", "off"]
    return subprocess.run(
        [program, *options, *shown, "--requirement", lock],
        capture_output=True,
        text=True,
        check=False,
    )


def audit(lock: Path, run: Run = run) -> int:
    """Say what is known of a lock's packages; the exit code."""
    done = run(lock)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if any(word in done.stderr for word in UNREACHED):
            print(f"{lock.name}: NOT AUDITED, no database of vulnerabilities is reached")
            return 0
        print(f"{lock.name}: the audit failed\n{done.stderr}", file=sys.stderr)
        return 2
    skipped = [package["name"] for package in packages if "skip_reason" in package]
    vulnerabilities = [
        (package, found) for package in packages for found in package.get("vulns", [])
    ]
    for package, found in vulnerabilities:
        mended = ", ".join(found["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {found['id']}, mended in {mended}")
    left_out = f", not audited: {', '.join(skipped)}" if skipped else ""
    count = f"{len(vulnerabilities)} known vulnerabilities"
    print(f"{lock.name}: {len(packages)} packages, {count}{left_out}")
    return 1 if vulnerabilities else 0


def main(arguments: list[str]) -> int:
    """Audit every lock; the worst exit code."""
    return max(audit(ROOT / name) for name in arguments or LOCKS)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
