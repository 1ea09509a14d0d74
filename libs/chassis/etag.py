"""Versions at the HTTP edge: ETag and If-Match are the stream's version, Position the log's.

outcome = await handle(unit, FAMILY, stream_id, command, expected=seen)   # seen: IfMatch
stamp(response, version=outcome.version, position=unit.position)
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import Depends, Header, Response

from libs.chassis.problems import Refusal

_TAG: Final = re.compile(r'"(\d{1,18})"')


def etag(version: int) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def stamp(response: Response, *, version: int | None = None, position: int | None = None) -> None:
    """Say which version of the thing this is, and the position that holds all it rests on.

    Whoever waits until a service has consumed that position sees there what was done here.
    """
    if version is not None:
        response.headers["ETag"] = etag(version)
    if position is not None:
        response.headers["Position"] = str(position)


def seen_version(if_match: Annotated[str | None, Header(alias="If-Match")] = None) -> int:
    """The one version that If-Match names; 428 where it is missing, 400 where it names no version
    of ours."""
    if if_match is None:
        raise Refusal(428, "if-match-missing", "Name the version you saw in If-Match.")
    tag = _TAG.fullmatch(if_match.strip())
    if tag is None:
        raise Refusal(400, "if-match-malformed", 'If-Match holds one ETag, such as "3".')
    return int(tag[1])


IfMatch = Annotated[int, Depends(seen_version)]


def ensure_current(seen: int, version: int) -> None:
    """Raises 412 when the version that the caller saw is not the one that stands."""
    if seen != version:
        detail = f"Version {seen} was seen, {version} stands."
        raise Refusal(412, "version-stale", detail, {"ETag": etag(version)})
