"""The field's pages as a browser keeps them: without data, filled by their script."""

from __future__ import annotations

from typing import Final

import msgspec

from console.field import shell
from console.page import Page, Shown, Visit
from console.words import LANGUAGES, words_of


async def show(visit: Visit) -> Shown:
    """The empty page, with its words in both languages."""
    visit.only()
    words = {
        language: {key: getattr(wording, language) for key, wording in words_of("field").items()}
        for language in LANGUAGES
    }
    return Shown("field.html", {"words": msgspec.json.encode(words).decode(), "path": shell.PATH})


PAGE: Final = Page("field", "/field", show, scopes=(), one_of=shell.MEETS, menu=35, public=True)
