"""Pages that a problem's `type` resolves to: /problems/<code> is the one that tells of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Response
from fastapi import Path as InPath

from libs.chassis.openapi import refuses
from libs.chassis.problems import Refusal

ROOT: Final = "/problems/"
PAGE_TYPE: Final = "text/markdown"
_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {PAGE_TYPE: {"schema": {"type": "string"}}}},
    **refuses((404, "not-found")),
}

Code = Annotated[
    str,
    InPath(
        pattern="^[a-z]+(-[a-z]+)*$",
        max_length=60,
        description="The last part of a problem's `type`.",
        examples=["stale-hash"],
    ),
]


def pages_router(pages: Path) -> APIRouter:
    """The route to the pages of a directory, `<code>.md` each; anybody may read them."""
    texts = {path.stem: path.read_text("utf-8") for path in sorted(pages.glob("[a-z]*.md"))}
    router = APIRouter(tags=["problems"])

    @router.get(f"{ROOT}{{code}}", response_class=Response, responses=_ANSWERS)
    async def problem_page(code: Code) -> Response:
        """The page of a problem: its meaning, when it happens and what to do about it."""
        if code not in texts:
            raise Refusal(404, "not-found", "There is no problem of this code.")
        return Response(texts[code], media_type=PAGE_TYPE)

    return router
