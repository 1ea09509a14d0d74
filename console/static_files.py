"""Files that browsers keep: styles, scripts, pictures, under names that change with the content."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from starlette.requests import Request
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent / "static"
KINDS: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOR_GOOD: Final = "public, max-age=31536000, immutable"
"""Of a file that is asked for by the address of its content; by its plain name it may change."""
_DIGEST_CHARACTERS: Final = 12


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, read once; nothing in it is secret, so it may be compressed."""

    kind: str
    digest: str
    plain: bytes = field(repr=False)
    zipped: bytes = field(repr=False)

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file at a path."""
        plain = path.read_bytes()
        digest = hashlib.sha256(plain).hexdigest()[:_DIGEST_CHARACTERS]
        return cls(KINDS[path.suffix], digest, plain, gzip.compress(plain, mtime=0))


FILES: Final[Mapping[str, StaticFile]] = {
    path.name: StaticFile.of(path) for path in sorted(FOLDER.iterdir()) if path.suffix in KINDS
}


def address_of(name: str) -> str:
    """The address of a file as it is now."""
    return f"/console/static/{name}?v={FILES[name].digest}"


def served(request: Request) -> Response | None:
    """The answer with a file; None where there is none of the name."""
    found = FILES.get(request.path_params["name"])
    if found is None:
        return None
    named = request.query_params.get("v") == found.digest
    for_how_long = FOR_GOOD if named else "no-cache"
    headers = {"Cache-Control": for_how_long, "Vary": "Accept-Encoding", "Content-Type": found.kind}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.plain, headers=headers)
