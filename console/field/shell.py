"""The parts of the field's pages that a browser keeps to open them without a network.

They hold nobody's data, so they are the same for everybody, and lie in the browser in clear.
"""

from __future__ import annotations

import hashlib
import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from console.static_files import FILES, address_of

PATH: Final = "/console/field"
MEETS: Final = ("p2k2:record", "p2k2:facilitate")
"""The scopes of whom the field's pages are for: they meet groups, of their regions or their own."""
WORKER: Final = "field_worker.js"
SCRIPT: Final = "field.js"
LOADED: Final = ("console.css", "field.css", "icon.svg", SCRIPT)
"""Files that the page names, by addresses that change with their content."""
IMPORTED: Final = tuple(
    sorted(name for name in FILES if name.startswith("field_") and name != WORKER)
)
"""Modules that the script imports by their plain names."""
UNKEPT: Final = {"Cache-Control": "no-cache"}


async def worker(_request: Request) -> Response:
    """The service worker, with the files that it keeps; another version is another text."""
    files = [*map(address_of, LOADED), *(f"/console/static/{name}" for name in IMPORTED)]
    digests = "".join(FILES[name].digest for name in (*LOADED, *IMPORTED, WORKER))
    version = hashlib.sha256(digests.encode()).hexdigest()[:12]
    head = f'"use strict";\nconst FILES = {json.dumps(files)};\nconst VERSION = "{version}";\n'
    content = head.encode() + FILES[WORKER].plain
    return Response(content, media_type="text/javascript", headers=UNKEPT)


async def manifest(_request: Request) -> Response:
    """The web application manifest, by which a phone puts the pages on its home screen."""
    icon = {"src": address_of("icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    described = {
        "name": "PKH Lapangan",
        "short_name": "PKH Lapangan",
        "lang": "id",
        "start_url": PATH,
        "scope": PATH,
        "display": "standalone",
        "background_color": "#f6f7f5",
        "theme_color": "#0b6b5c",
        "icons": [icon],
    }
    return Response(json.dumps(described), media_type="application/manifest+json", headers=UNKEPT)
