"""QR codes (ISO/IEC 18004) of families' tokens: a picture of one, or a sheet to print of a session.

A sheet names nobody: beside a code stand its number on the sheet and the first part of the family's
id. It needs nothing of another place, so it is shown and printed where there is no network.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Sequence
from datetime import date
from html import escape
from typing import Final, Literal, NamedTuple, TypeAlias

import segno

PictureForm: TypeAlias = Literal["svg", "png"]
MEDIA_TYPES: Final[dict[PictureForm, str]] = {"svg": "image/svg+xml", "png": "image/png"}
QUIET_MODULES: Final = 4
"""The white border without which a reader does not find a code."""
PIXELS_PER_MODULE: Final = 6
_STYLE: Final = """
@page { size: A4; margin: 10mm }
body { font: 10pt sans-serif; margin: 0 }
ol { display: grid; grid-template-columns: repeat(3, 1fr); gap: 4mm; list-style: none; padding: 0 }
li { border: 1px dashed #999; break-inside: avoid; padding: 2mm; text-align: center }
svg { width: 50mm; height: 50mm }
"""
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
SHEET_POLICY: Final = f"default-src 'none'; style-src 'sha256-{_DIGEST}'"
"""The sheet's Content-Security-Policy: its own style, and nothing else."""


class Code(NamedTuple):
    """A family and its token, as they stand on a sheet."""

    family: str
    token: str


class Heading(NamedTuple):
    """The session that a sheet is of: its number, group and day."""

    session: str
    group: str
    on: date


def picture(token: str, form: PictureForm) -> bytes:
    """The code of a token as an image."""
    image = io.BytesIO()
    _code(token).save(image, kind=form, scale=PIXELS_PER_MODULE, border=QUIET_MODULES)
    return image.getvalue()


def sheet(of: Heading, codes: Sequence[Code]) -> str:
    """A page of HTML with a code for each family, in Indonesian, to be printed on A4."""
    title = escape(f"Presensi P2K2 {of.session}")
    tiles = "\n".join(_tile(number, code) for number, code in enumerate(codes, 1))
    return (
        f'<!doctype html>\n<html lang="id"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{title}</h1>\n"
        f"<p>Kelompok {escape(of.group)} · {of.on} · {len(codes)} keluarga. "
        "Setiap kode berlaku satu kali, hanya pada hari pertemuan.</p>\n"
        f"<ol>\n{tiles}\n</ol></body></html>\n"
    )


def _tile(number: int, code: Code) -> str:
    image = _code(code.token).svg_inline(border=QUIET_MODULES, omitsize=True)
    return f"<li>{image}<br>{number} · {escape(code.family[:8])}</li>"


def _code(token: str) -> segno.QRCode:
    # At level M 15 percent may be torn; more would make squares too small for old telephones.
    return segno.make(token, error="m", micro=False, boost_error=False)
