"""Writes the bill of materials of what production installs: CycloneDX, from the lock alone.

python -m deploy.release.sbom DIRECTORY

In the directory sbom.cdx.json is of the image as it comes, sbom-pkcs11.cdx.json of one that asks a
security module (requirements-pkcs11.lock).

The same lock and version give the same bytes: no clock and no chance goes in, and the serial number
is computed from both.
"""

from __future__ import annotations

import json
import re
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from libs.chassis.version import VERSION

ROOT: Final = Path(__file__).resolve().parents[2]
LOCK: Final = ROOT / "requirements.lock"
BILLS: Final = {
    "sbom.cdx.json": LOCK,
    "sbom-pkcs11.cdx.json": ROOT / "requirements-pkcs11.lock",
}
"""{file: the lock that an image installs}."""

PLATFORM: Final = "pkh-platform"
ASKED_BY: Final = re.compile(r"#\s+(?:via )?([a-z0-9._-]+)(?: \(pyproject\.toml\))?$", re.MULTILINE)
NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:{PLATFORM}:sbom")


@dataclass(frozen=True, slots=True)
class Pin:
    """One entry of a lock: a package, its hashes (SHA-256, hex) and what asked for it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    asked_by: frozenset[str]


def pins(lock: str) -> Iterator[Pin]:
    """The entries of a lock as uv writes it. Raises ValueError at an entry without a hash."""
    for entry in re.split(r"\n(?=[A-Za-z0-9])", lock):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry)
        if head is None:
            continue
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
        if not hashes:
            raise ValueError(f"{head[1]} has no hash")
        asked_by = ASKED_BY.findall(entry)
        yield Pin(head[1], head[2], hashes, frozenset(asked_by) - {"via"})


def bill(lock: str, version: str = VERSION) -> str:
    """The document: a component a package with its hashes, and which needs which."""
    found = list(pins(lock))
    components = {pin.name: _component(pin) for pin in found}
    root = Component(
        name=PLATFORM,
        version=version,
        type=ComponentType.APPLICATION,
        bom_ref=PLATFORM,
        licenses=[DisjunctiveLicense(id="Apache-2.0")],
    )
    serial = uuid.uuid5(NAMESPACE, f"{version}\n{lock}")
    document = Bom(serial_number=serial, components=components.values())
    document.metadata.component = root
    owners = {PLATFORM: root, **components}
    for name, owner in owners.items():
        needed = [components[pin.name] for pin in found if name in pin.asked_by]
        document.register_dependency(owner, needed)
    written = make_outputter(document, OutputFormat.JSON, SchemaVersion.V1_6)
    return _without_clock(written.output_as_string())


def _component(pin: Pin) -> Component:
    purl = PackageURL("pypi", name=pin.name, version=pin.version)
    return Component(
        name=pin.name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.hashes],
    )


def _without_clock(document: str) -> str:
    # The library writes when it ran; the field is optional.
    plain = json.loads(document)
    del plain["metadata"]["timestamp"]
    return json.dumps(plain, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str]) -> int:
    """Write them; the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    directory = Path(arguments[0])
    directory.mkdir(parents=True, exist_ok=True)
    for name, lock in BILLS.items():
        target = directory / name
        target.write_text(bill(lock.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
